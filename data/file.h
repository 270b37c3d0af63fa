// Whole files in and out, with the operating system's reason when it refuses.
#pragma once
#include <string>
#include <string_view>

namespace tapetum::data {

std::string read_file(const std::string& path);                    // throws IoError: missing, a folder, unreadable, above 1 GiB
void write_file(const std::string& path, std::string_view bytes);  // replaces the file; throws IoError, a full disk included

}  // namespace tapetum::data
