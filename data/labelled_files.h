// Image files with a class each: what ImageFolder and CsvDataset are once they have found them.
#pragma once
#include <string>
#include <vector>

#include "core/size2.h"
#include "data/classification.h"

namespace tapetum::data {

enum class OnError { raise, skip };

struct ImageFileOptions {
  int channels = 3;
  Size2 at_least = 0;                 // JPEGs may be decoded smaller, down to this: data/image.h
  bool exif_orientation = true;       // photographs stand as they were taken
  OnError on_error = OnError::raise;  // skip: every file is decoded once when the data set is made, and those that fail are left out
};

struct LabelledFile {
  std::string path, name;  // name: what errors and hash_split see, relative to the root
  int64_t label;
};

struct SkippedFile {
  std::string path, reason;
};

class LabelledFiles {
 public:
  LabelledFiles(std::vector<LabelledFile> files, std::vector<std::string> classes, const ImageFileOptions& options);
  int64_t size() const { return static_cast<int64_t>(files_.size()); }
  std::string name(int64_t index) const { return at(index).name; }
  const std::string& path(int64_t index) const { return at(index).path; }
  ClassificationSample get(int64_t index) const;  // throws IoError or FormatError naming the file
  ClassificationSample get(int64_t index, RandomStream&) const { return get(index); }
  const std::vector<std::string>& classes() const { return classes_; }
  std::vector<int64_t> labels() const;
  const std::vector<SkippedFile>& skipped() const { return skipped_; }

 private:
  const LabelledFile& at(int64_t index) const;
  std::vector<LabelledFile> files_;
  std::vector<std::string> classes_;
  ImageFileOptions options_;
  std::vector<SkippedFile> skipped_;
};

}  // namespace tapetum::data
