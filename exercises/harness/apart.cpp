// A kernel that crashes or does not end takes its process with it: here that is a child.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "core/error.h"
#include "exercises/harness/check.h"

namespace tapetum::exercises {
namespace {

constexpr rlim_t kSeconds = 10;  // of the processor: an exercise takes less than one
constexpr char kEnd = '\0';      // of each string

void put(std::string& out, const std::string& s) { out += s + kEnd; }
std::string take(const char*& at) {
  const std::string s = at;
  at += s.size() + 1;
  return s;
}

std::string pack(const Verdict& v) {
  std::string out;
  put(out, v.what);
  put(out, v.text);
  for (const Place& p : v.places) {
    put(out, p.file);
    put(out, std::to_string(p.line));
  }
  return out;
}
Verdict unpack(const std::string& packed) {
  const char* at = packed.c_str();
  Verdict v{.what = take(at), .text = {}, .places = {}};
  v.text = take(at);
  while (at < packed.c_str() + packed.size()) {
    std::string file = take(at);
    v.places.push_back({std::move(file), std::stoi(take(at))});
  }
  return v;
}

struct Pipe {
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0) throw Error(std::string("exercise: no pipe: ") + std::strerror(errno));
  }
  void close_end(int i) {
    if (ends[i] >= 0) close(ends[i]);
    ends[i] = -1;
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  std::string read_all() {
    close_end(1);
    std::string all;
    char part[4096];
    for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;) all.append(part, static_cast<size_t>(n));
    return all;
  }
  int ends[2];
};

// What the emulator says on standard error when a kernel crashes goes into `said`.
[[noreturn]] void be_the_child(const Loaded& exercise, Pipe& verdict, Pipe& said) {
  dup2(said.ends[1], STDERR_FILENO);
  const rlimit limit{kSeconds, kSeconds + 1};
  setrlimit(RLIMIT_CPU, &limit);
  std::string packed;
  try {
    packed = pack(check(exercise));
  } catch (const std::exception& e) {
    packed = pack({"harness", e.what() + std::string("\n"), {}});
  }
  const ssize_t written = write(verdict.ends[1], packed.data(), packed.size());
  _exit(written == static_cast<ssize_t>(packed.size()) ? 0 : 1);
}

}  // namespace

Verdict check_apart(const Loaded& exercise) {
  Pipe verdict, said;
  const pid_t child = fork();
  if (child < 0) throw Error(std::string("exercise: no process: ") + std::strerror(errno));
  if (child == 0) be_the_child(exercise, verdict, said);
  const std::string packed = verdict.read_all(), words = said.read_all();
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return unpack(packed);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
    return {"time",
            "It does not end within " + std::to_string(kSeconds) +
                " seconds of the processor: does each loop come to its end, and each thread out of its wait?\n",
            {}};
  return {"crash", words + "An address that is nobody's memory was used: an index is far outside, or a pointer was not set.\n", {}};
}

}  // namespace tapetum::exercises
