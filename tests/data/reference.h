// Pictures made by other libraries, and how far ours are from them.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <string>

#include "core/serialization/safetensors.h"
#include "data/image.h"
#include "tests/fixtures.h"

namespace tapetum::data::test {

// The tensors of one file of make_pixels.py.
class Reference {
 public:
  explicit Reference(const std::string& family) : file_(load(tapetum::test::fixture("pixels_" + family + ".safetensors"))) {}
  Image image(const std::string& name) const { return Image(file_.at(name)); }
  const Tensor& tensor(const std::string& name) const { return file_.at(name); }
  bool has(const std::string& name) const { return file_.contains(name); }

 private:
  Safetensors file_;
};

struct Difference {
  int worst = 0;     // 256: the shapes differ
  double share = 0;  // of the values that differ at all
  bool within(int levels, double part = 1) const { return worst <= levels && share <= part; }
};

inline Difference difference(const Image& a, const Image& b) {
  if (a.tensor().shape() != b.tensor().shape()) return {256, 1};
  Difference d;
  const int64_t n = a.tensor().numel();
  for (int64_t i = 0; i < n; ++i) {
    const int off = std::abs(a.row(0)[i] - b.row(0)[i]);
    d.worst = std::max(d.worst, off);
    d.share += (off > 0) / static_cast<double>(n);
  }
  return d;
}

inline bool equal(const Image& a, const Image& b) { return difference(a, b).worst == 0; }

}  // namespace tapetum::data::test
