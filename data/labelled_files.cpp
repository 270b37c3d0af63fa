#include "data/labelled_files.h"

#include <fmt/core.h>

#include "core/error.h"
#include "data/image.h"

namespace tapetum::data {
namespace {

Tensor read(const std::string& path, const ImageFileOptions& o) {
  return read_image(path, {.channels = o.channels, .at_least = o.at_least, .exif_orientation = o.exif_orientation}).tensor();
}

}  // namespace

LabelledFiles::LabelledFiles(std::vector<LabelledFile> files, std::vector<std::string> classes, const ImageFileOptions& options)
    : classes_(std::move(classes)), options_(options) {
  if (options.channels != 1 && options.channels != 3 && options.channels != 4)
    throw ShapeError(fmt::format("image_files: expected 1, 3 or 4 channels, got {}", options.channels));
  for (LabelledFile& file : files) try {
      if (options.on_error == OnError::skip) read(file.path, options);
      files_.push_back(std::move(file));
    } catch (const Error& e) {
      skipped_.push_back({file.path, e.what()});
    }
  if (files_.empty() && !skipped_.empty())
    throw FormatError(fmt::format("image_files: none of {} files can be read; the first: {}", skipped_.size(), skipped_[0].reason));
}

const LabelledFile& LabelledFiles::at(int64_t index) const {
  if (index < 0 || index >= size()) throw IndexError(fmt::format("image_files: expected an index below {}, got {}", size(), index));
  return files_[static_cast<size_t>(index)];
}

ClassificationSample LabelledFiles::get(int64_t index) const {
  const LabelledFile& file = at(index);
  return {read(file.path, options_), label_tensor(file.label)};
}

std::vector<int64_t> LabelledFiles::labels() const {
  std::vector<int64_t> labels;
  for (const LabelledFile& file : files_) labels.push_back(file.label);
  return labels;
}

}  // namespace tapetum::data
