// A whole file, with the operating system's reason when it refuses.
#pragma once
#include <string>

namespace tapetum::data {

std::string read_file(const std::string& path);  // throws IoError: missing, a folder, unreadable, above 1 GiB

}  // namespace tapetum::data
