#include "data/cifar.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/ops/view.h"
#include "data/cifar_format.h"
#include "data/file.h"
#include "data/folder.h"

namespace tapetum::data {
namespace {

namespace fs = std::filesystem;

// The names of one part of one data set, in the archives' order.
struct Names {
  const char* set;
  std::vector<std::string> folders;  // below the root
  std::vector<std::string> stems;    // official; binary files end in .bin, pickles in nothing
  const char* prefix;                // of other binary files
};

std::vector<std::string> joined(const fs::path& folder, const std::vector<std::string>& stems, const char* ending) {
  std::vector<std::string> paths;
  for (const std::string& stem : stems) paths.push_back((folder / (stem + ending)).string());
  return paths;
}

// All of `paths`, none when none of them exists; some of them are a download that stopped.
bool all_exist(const std::vector<std::string>& paths, const Names& names) {
  std::vector<std::string> missing;
  for (const std::string& path : paths)
    if (!fs::is_regular_file(path)) missing.push_back(path);
  if (missing.empty() || missing.size() == paths.size()) return missing.empty();
  throw IoError(fmt::format("{}: {} of {} files are missing: {}; give `files` to use only some", names.set, missing.size(), paths.size(),
                            fmt::join(missing, ", ")));
}

std::vector<std::string> other_files(const fs::path& folder, const Names& names) {
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(names.prefix) && name.ends_with(".bin") && entry.is_regular_file()) paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end(), natural_less);
  return paths;
}

std::vector<std::string> find_files(const std::string& root, const Names& names) try {
  if (!fs::is_directory(root)) throw IoError(fmt::format("{}: {}: is not a folder", names.set, root));
  std::vector<fs::path> folders{root};
  for (const std::string& below : names.folders)
    if (fs::is_directory(fs::path(root) / below)) folders.push_back(fs::path(root) / below);
  for (const fs::path& folder : folders)
    for (const char* ending : {".bin", ""})
      if (auto paths = joined(folder, names.stems, ending); all_exist(paths, names)) return paths;
  for (const fs::path& folder : folders)
    if (auto paths = other_files(folder, names); !paths.empty()) return paths;
  throw IoError(fmt::format("{}: {}: has neither {}.bin (binary version) nor {} (Python version), nor a folder {} with them", names.set, root,
                            names.stems[0], names.stems[0], fmt::join(names.folders, " or ")));
} catch (const fs::filesystem_error& e) {
  throw IoError(fmt::format("{}: {}: {}", names.set, root, e.code().message()));
}

CifarBatch read_files(const std::vector<std::string>& files, CifarLabels labels) {
  std::vector<Tensor> images, numbers;
  for (const std::string& file : files) {
    CifarBatch batch = parse_cifar(read_file(file), file, labels);
    images.push_back(batch.images);
    numbers.push_back(batch.labels);
  }
  return files.size() == 1 ? CifarBatch{images[0], numbers[0]} : CifarBatch{cat(images, 0), cat(numbers, 0)};
}

CifarBatch read(const std::string& root, const std::vector<std::string>& files, const Names& names, CifarLabels labels) {
  return read_files(files.empty() ? find_files(root, names) : files, labels);
}

TensorDataset read(const Cifar10Options& o) {
  const std::vector<std::string> folders{"cifar-10-batches-bin", "cifar-10-batches-py"};
  const Names names = o.train
                          ? Names{"cifar10", folders, {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"}, "data_batch"}
                          : Names{"cifar10", folders, {"test_batch"}, "test"};
  const CifarBatch all = read(o.root, o.files, names, CifarLabels::ten);
  return {all.images, all.labels, cifar10_classes(), o.train ? "cifar10 train" : "cifar10 test"};
}

TensorDataset read(const Cifar100Options& o) {
  const Names names{"cifar100", {"cifar-100-binary", "cifar-100-python"}, {o.train ? "train" : "test"}, o.train ? "train" : "test"};
  const CifarBatch all = read(o.root, o.files, names, o.coarse ? CifarLabels::coarse : CifarLabels::fine);
  return {all.images, all.labels, o.coarse ? cifar100_coarse_classes() : cifar100_classes(), o.train ? "cifar100 train" : "cifar100 test"};
}

// Records of one label byte, or a coarse and a fine one, and 3072 of pixels.
CifarBatch parse_binary(std::string_view bytes, const std::string& name, CifarLabels labels) {
  const int64_t label_bytes = labels == CifarLabels::ten ? 1 : 2, record_bytes = label_bytes + kCifarPixels;
  const auto size = static_cast<int64_t>(bytes.size());
  if (size == 0 || size % record_bytes)
    throw FormatError(fmt::format("cifar: {}: expected records of {} bytes, got {} bytes in all, which is {} too many", name, record_bytes, size,
                                  size % record_bytes));
  const int64_t count = size / record_bytes;
  CifarBatch batch{empty({count, kCifarSide, kCifarSide, 3}, DType::u8), empty({count}, DType::i64)};
  uint8_t* image = batch.images.mutable_data<uint8_t>();
  for (int64_t i = 0; i < count; ++i) {
    const char* record = bytes.data() + i * record_bytes;
    const auto label = static_cast<uint8_t>(record[labels == CifarLabels::fine ? 1 : 0]);
    batch.labels.mutable_data<int64_t>()[i] = checked_cifar_label(label, i, name, labels);
    interleave_cifar(record + label_bytes, image + i * kCifarPixels);
  }
  return batch;
}

}  // namespace

int64_t cifar_class_count(CifarLabels labels) { return labels == CifarLabels::ten ? 10 : labels == CifarLabels::fine ? 100 : 20; }

void interleave_cifar(const char* planes, uint8_t* image) {
  constexpr int64_t pixels = kCifarSide * kCifarSide;
  for (int64_t i = 0; i < pixels; ++i)
    for (int64_t c = 0; c < 3; ++c) image[3 * i + c] = static_cast<uint8_t>(planes[c * pixels + i]);
}

int64_t checked_cifar_label(int64_t label, int64_t record, const std::string& name, CifarLabels labels) {
  if (label < 0 || label >= cifar_class_count(labels))
    throw FormatError(fmt::format("cifar: {}: record {}: expected a label below {}, got {}", name, record, cifar_class_count(labels), label));
  return label;
}

CifarBatch parse_cifar(std::string_view bytes, const std::string& name, CifarLabels labels) {
  if (bytes.empty()) throw FormatError(fmt::format("cifar: {}: is empty", name));
  return is_pickle(bytes) ? parse_cifar_pickle(bytes, name, labels) : parse_binary(bytes, name, labels);
}

Cifar10::Cifar10(const Cifar10Options& options) : TensorDataset(read(options)) {}

Cifar100::Cifar100(const Cifar100Options& options) : TensorDataset(read(options)) {}

}  // namespace tapetum::data
