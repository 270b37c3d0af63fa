#include "data/mnist.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "data/idx.h"

namespace tapetum::data {
namespace {

namespace fs = std::filesystem;

// The file train-images-idx3-ubyte, or else the only one whose name begins with the part and ends so, such as train10k-images-idx3-ubyte.gz.
std::string find_file(const MnistOptions& o, const char* set, const std::string& part, const std::string& kind) {
  std::vector<std::string> tried, similar;
  for (const fs::path& folder : {fs::path(o.root), fs::path(o.root) / "raw", fs::path(o.root) / set / "raw"}) {
    for (const char* ending : {"", ".gz"}) {
      const fs::path path = folder / (part + '-' + kind + ending);
      std::error_code ignored;
      if (fs::is_regular_file(path, ignored)) return path.string();
      tried.push_back(path.string());
    }
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(part) && (name.ends_with('-' + kind) || name.ends_with('-' + kind + ".gz"))) similar.push_back(entry.path().string());
    }
  }
  if (similar.size() == 1) return similar[0];
  throw IoError(fmt::format("mnist: found none of {}", fmt::join(tried, ", ")));
}

TensorDataset read(const IdxOptions& o, const std::string& title) {
  Tensor images = read_idx(o.images);
  const Tensor labels = read_idx(o.labels);
  if (images.dim() == 3) images = unsqueeze(images, 3);
  if (images.dim() != 4 || labels.dim() != 1 || images.size(0) != labels.size(0) || images.numel() == 0)
    throw FormatError(fmt::format("idx: expected images [N, H, W] or [N, H, W, C] and labels [N], got {} in {} and {} in {}",
                                  to_string(images.shape()), o.images, to_string(labels.shape()), o.labels));
  return TensorDataset(images, to(labels, DType::i64), o.classes, title);
}

TensorDataset read(const MnistOptions& o, const char* set, const std::vector<std::string>& classes) {
  const std::string part = o.train ? "train" : "t10k";
  const IdxOptions files{find_file(o, set, part, "images-idx3-ubyte"), find_file(o, set, part, "labels-idx1-ubyte"), classes};
  TensorDataset result = read(files, fmt::format("{} {}", set, o.train ? "train" : "test"));
  if (result.images().size(1) != 28 || result.images().size(2) != 28)
    throw FormatError(fmt::format("idx: {}: expected images of 28 x 28, got {}", files.images, to_string(result.images().shape())));
  return result;
}

}  // namespace

const std::vector<std::string>& fashion_mnist_classes() {
  static const std::vector<std::string> names{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                              "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  return names;
}

IdxDataset::IdxDataset(const IdxOptions& options) : TensorDataset(read(options, fs::path(options.images).filename().string())) {}

Mnist::Mnist(const MnistOptions& options) : TensorDataset(read(options, "MNIST", numbered_classes(10))) {}

FashionMnist::FashionMnist(const MnistOptions& options) : TensorDataset(read(options, "FashionMNIST", fashion_mnist_classes())) {}

}  // namespace tapetum::data
