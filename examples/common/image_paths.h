// Images as a person names them on the command line.
#pragma once
#include <string>
#include <vector>

namespace programs {

// The files that a path, a folder or a pattern ("scans/*.png") means, in natural order. Throws IoError where there is none.
std::vector<std::string> image_paths(const std::string& images);

struct Output {
  std::string image, file;  // what is read, and what is written for it
};

// Throws Error where a file would be written twice, or over an image that is read.
void check_outputs(const std::vector<Output>& outputs);

}  // namespace programs
