// MNIST (LeCun, Cortes, Burges), Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017), and others in IDX files.
#pragma once
#include <string>
#include <vector>

#include "data/tensor_dataset.h"

namespace tapetum::data {

// A file of images u8 [N, H, W] or [N, H, W, C], and one of labels u8 [N]. Without names, classes are called "0", "1", ...
struct IdxOptions {
  std::string images, labels;
  std::vector<std::string> classes = {};
};

// Images are u8 [H, W, C]. Throws IoError or FormatError naming the file, and IndexError for a label that has no class.
class IdxDataset : public TensorDataset {
 public:
  explicit IdxDataset(const IdxOptions& options);
};

// train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-... of the test set, each with or without .gz, in `root`, root/raw, or
// root/MNIST/raw (root/FashionMNIST/raw), where torchvision puts them. Without these names,
// the only file that begins with train (t10k) and ends as they do will do.
struct MnistOptions {
  std::string root;
  bool train = true;
};

// Images are u8 [28, 28, 1].
class Mnist : public TensorDataset {
 public:
  explicit Mnist(const MnistOptions& options);
};

class FashionMnist : public TensorDataset {
 public:
  explicit FashionMnist(const MnistOptions& options);
};

const std::vector<std::string>& fashion_mnist_classes();

}  // namespace tapetum::data
