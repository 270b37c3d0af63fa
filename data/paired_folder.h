// Images and masks of two folders, paired by file name without its ending: images/7.jpg with masks/7.png.
#pragma once
#include <string>
#include <vector>

#include "core/size2.h"
#include "data/dataset.h"
#include "data/mask.h"

namespace tapetum::data {

struct PairedFolderOptions {
  std::string images, masks;  // folders
  Size2 size = 0;             // of samples: images bilinear as Pillow's, masks nearest; 0: as stored
  MaskOptions mask = {};
};

// Samples of image u8 [H, W, 3] and mask i64 [H, W], in natural order of their names (2 before 10). Construction reads names only, and throws
// FormatError listing what has no partner or two; get() reads, and throws IoError or FormatError naming the file: unreadable, of another size than
// its mask, labels out of range.
class PairedFolder {
 public:
  explicit PairedFolder(const PairedFolderOptions& options);
  int64_t size() const { return static_cast<int64_t>(pairs_.size()); }
  std::string name(int64_t index) const;  // "7"
  ImageSample get(int64_t index) const;
  ImageSample get(int64_t index, RandomStream&) const { return get(index); }

 private:
  struct Pair {
    std::string image, mask;
  };
  const Pair& at(int64_t index) const;
  PairedFolderOptions options_;
  std::vector<Pair> pairs_;
};

}  // namespace tapetum::data
