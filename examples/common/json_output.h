// --json: the result of a program, for other programs to read.
#pragma once
#include <cstdio>
#include <string>

#include "train/record.h"

namespace programs {

void check_writable(const std::string& file);  // throws IoError where it cannot be written; empty is no file

class JsonOutput {
 public:
  // `target`: a file; "-" is standard output, and empty is nowhere. Throws IoError where the file cannot be written: before the work.
  explicit JsonOutput(const std::string& target);
  std::FILE* text() const { return target_ == "-" ? stderr : stdout; }  // where what is for people goes
  void write(const tapetum::train::Record& result) const;               // throws IoError

 private:
  std::string target_;
};

}  // namespace programs
