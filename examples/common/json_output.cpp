#include "examples/common/json_output.h"

#include <fmt/core.h>

#include <filesystem>

#include "core/error.h"
#include "core/serialization/atomic_file.h"

namespace programs {

void check_writable(const std::string& file) {
  if (file.empty()) return;
  if (std::filesystem::is_directory(file)) throw tapetum::IoError(fmt::format("{}: cannot be written: is a directory", file));
  const tapetum::AtomicFile probe(file);
}

JsonOutput::JsonOutput(const std::string& target) : target_(target) {
  if (target != "-") check_writable(target);
}

void JsonOutput::write(const tapetum::train::Record& result) const {
  const std::string line = result.line() + '\n';
  if (target_ == "-")
    fmt::print("{}", line);
  else if (!target_.empty())
    tapetum::write_file_atomically(target_, line);
}

}  // namespace programs
