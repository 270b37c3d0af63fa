// Flags of a program. A thin face of CLI11, which takes seconds to compile: it is included in command_line.cpp alone.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"

namespace programs {

struct UsageError : tapetum::Error {  // exit code 2
  using Error::Error;
};

class CommandLine {
 public:
  CommandLine(const std::string& program, const std::string& description);
  ~CommandLine();

  // `flag` is "--name" or "-n,--name", or "name" for a word without a flag; the value's initial content is the default, and shown by --help.
  void add(const std::string& flag, std::string& value, const std::string& type, const std::string& help);  // type: "DIR", for --help
  void add(const std::string& flag, int64_t& value, const std::string& help);
  void add(const std::string& flag, double& value, const std::string& help);
  void add(const std::string& flag, bool& value, const std::string& help);  // takes no value
  void add(const std::string& flag, std::vector<double>& value, const std::string& help);
  void add(const std::string& flag, std::vector<std::string>& value, const std::string& type, const std::string& help);  // --flag A B ...
  void add_optional(const std::string& flag, std::string& value, const std::string& without, const std::string& help);   // --flag or --flag=VALUE
  void add_choice(const std::string& flag, std::string& value, const std::vector<std::string>& choices, const std::string& help);
  void add_positional(const std::string& name, std::vector<std::string>& values, const std::string& help);  // any number of words without a flag
  void group(const std::string& title);                                                                     // of the flags that follow

  // False after --help was printed. Throws UsageError in one line.
  bool parse(int argc, char** argv);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// Runs `body` and turns what it throws into one line on standard error: exit code 2 for usage, 1 for failure, else what body returns.
int run(const char* program, int argc, char** argv, int (*body)(int argc, char** argv));

}  // namespace programs
