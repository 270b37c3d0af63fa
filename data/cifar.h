// CIFAR-10 and CIFAR-100 (Krizhevsky, 2009) in the files that their author offers: the binary ones and Python's pickles.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/tensor_dataset.h"

namespace tapetum::data {

// `root` holds the files, or the folder that the archive unpacks to (cifar-10-batches-bin, cifar-10-batches-py, cifar-100-binary,
// cifar-100-python). Without official names, every data_batch*.bin (train*.bin of CIFAR-100) or test*.bin will do. `files` are paths of the
// same formats, instead of what lies in `root`.
struct Cifar10Options {
  std::string root = {};
  bool train = true;
  std::vector<std::string> files = {};
};

struct Cifar100Options {
  std::string root = {};
  bool train = true;
  bool coarse = false;  // the 20 groups instead of the 100 classes
  std::vector<std::string> files = {};
};

// Images are u8 [32, 32, 3]. Throws IoError naming the folder when there are no such files, or only some of the official ones, and FormatError
// naming the file and the record for what is no CIFAR. Nothing in a pickle is executed.
class Cifar10 : public TensorDataset {
 public:
  explicit Cifar10(const Cifar10Options& options);
};

class Cifar100 : public TensorDataset {
 public:
  explicit Cifar100(const Cifar100Options& options);
};

const std::vector<std::string>& cifar10_classes();
const std::vector<std::string>& cifar100_classes();         // in the order of the labels, which is the alphabet's
const std::vector<std::string>& cifar100_coarse_classes();  // 20

enum class CifarLabels { ten, fine, coarse };

struct CifarBatch {
  Tensor images;  // u8 [N, 32, 32, 3]
  Tensor labels;  // i64 [N]
};

// One file, of either format: its first byte tells. `name` is for errors.
CifarBatch parse_cifar(std::string_view bytes, const std::string& name, CifarLabels labels);

}  // namespace tapetum::data
