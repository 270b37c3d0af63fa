// The folder that one training run leaves behind: config.json, metrics.jsonl, and whatever the program puts there.
#pragma once
#include <cstdint>
#include <string>

#include "train/record.h"

namespace tapetum::train {

void make_folder(const std::string& path);  // with its parents, unless it is there; throws IoError

class RunFolder {
 public:
  // `out` is that very folder; empty: runs/<program>/<date>_<time>. Made with its parents, and locked: a second process that wants
  // it gets an IoError. Throws IoError when it cannot be made or written.
  RunFolder(const std::string& program, const std::string& out);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + '/' + name; }

  void write(const std::string& name, const Record& record) const;  // e.g. config.json: atomically, a line for each value

  // metrics.jsonl. A resumed run cuts off what was logged after its checkpoint; a new run cuts it to nothing.
  void log(const Record& line);
  int64_t log_size() const;
  void cut_log(int64_t size);

 private:
  std::string path_;
  int log_ = -1;
};

}  // namespace tapetum::train
