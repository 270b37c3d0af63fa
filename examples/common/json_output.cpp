#include "examples/common/json_output.h"

#include <fmt/core.h>

#include <filesystem>

#include "core/error.h"
#include "core/serialization/atomic_file.h"

namespace programs {

JsonOutput::JsonOutput(const std::string& target) : target_(target) {
  if (target.empty() || target == "-") return;
  if (std::filesystem::is_directory(target)) throw tapetum::IoError(fmt::format("{}: cannot be written: is a directory", target));
  const tapetum::AtomicFile probe(target);
}

void JsonOutput::write(const tapetum::train::Record& result) const {
  const std::string line = result.line() + '\n';
  if (target_ == "-")
    fmt::print("{}", line);
  else if (!target_.empty())
    tapetum::write_file_atomically(target_, line);
}

}  // namespace programs
