#include "train/run_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "core/error.h"
#include "core/serialization/atomic_file.h"

namespace tapetum::train {
namespace {

constexpr const char* kLog = "metrics.jsonl";

std::string now() {
  const std::time_t t = std::time(nullptr);
  std::tm local{};
  localtime_r(&t, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d_%H-%M-%S", &local);
  return text;
}

// Two runs may begin within one second: the later one gets a suffix.
std::string unused(const std::string& path) {
  std::string candidate = path;
  for (int i = 2; std::filesystem::exists(candidate); ++i) candidate = fmt::format("{}_{}", path, i);
  return candidate;
}

}  // namespace

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!std::filesystem::is_directory(path))
    throw IoError(fmt::format("{}: the folder cannot be made: {}", path, error ? error.message() : "a file has that name"));
}

RunFolder::RunFolder(const std::string& program, const std::string& out) : path_(out.empty() ? unused("runs/" + program + '/' + now()) : out) {
  make_folder(path_);
  log_ = ::open(file(kLog).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log_ < 0) throw IoError(fmt::format("{}: cannot be written: {}", file(kLog), std::strerror(errno)));
  if (::flock(log_, LOCK_EX | LOCK_NB) != 0) {
    ::close(log_);
    throw IoError(fmt::format("{}: another process is writing into this folder", path_));
  }
}

RunFolder::~RunFolder() { ::close(log_); }

void RunFolder::write(const std::string& name, const Record& record) const { write_file_atomically(file(name), record.lines()); }

void RunFolder::log(const Record& record) {
  const std::string line = record.line() + '\n';
  const ssize_t n = ::write(log_, line.data(), line.size());  // one call: a killed process leaves no half line
  if (n != static_cast<ssize_t>(line.size()))
    throw IoError(fmt::format("{}: writing failed: {}", file(kLog), n < 0 ? std::strerror(errno) : "disk full"));
}

int64_t RunFolder::log_size() const {
  struct stat status {};
  ::fstat(log_, &status);
  return status.st_size;
}

void RunFolder::cut_log(int64_t size) {
  if (size < log_size() && ::ftruncate(log_, size) != 0) throw IoError(fmt::format("{}: shortening failed: {}", file(kLog), std::strerror(errno)));
}

}  // namespace tapetum::train
