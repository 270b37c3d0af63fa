// Small pictures and files that the tests of this folder share.
#pragma once
#include <string>
#include <vector>

#include "data/image.h"

namespace tapetum::data::test {

Image gradient(Size2 size, int channels);                                     // smooth, with a different slope in each channel
std::string indexed_png(const std::vector<uint8_t>& indices, int64_t width);  // 4 bits; index i has the colour {10 i, 0, 255}
std::string wide_png(const std::vector<uint16_t>& values, int64_t width);     // gray, 16 bits
void set_png_size(std::string& png, uint32_t width, uint32_t height);         // in the header

void repair_png_checksums(std::string& png);  // so that damage reaches the decoder behind them

// A new folder under the system's, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::string make(const std::string& name) const;  // a folder inside

 private:
  std::string path_;
};

}  // namespace tapetum::data::test
