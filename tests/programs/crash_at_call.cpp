// Preloaded into a program (LD_PRELOAD), it kills the process at the CRASH_AT-th of its calls that change files: of open with
// O_CREAT, write, ftruncate, fsync and rename. A write does half of its bytes first. What it died in goes to standard error.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace {

bool crash_is_due() {
  static const char* text = std::getenv("CRASH_AT");
  static const long wanted = text ? std::atol(text) : 0;
  static std::atomic<long> calls{0};
  return ++calls == wanted;
}

[[noreturn]] void die(const char* call) {
  std::fprintf(stderr, "crashed in %s\n", call);
  ::_exit(99);
}

template <class F> F* next(const char* name) { return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name)); }

bool is_folder(int file) {
  struct stat status {};
  return ::fstat(file, &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  if (!(flags & O_CREAT)) return next<int(const char*, int, ...)>("open")(path, flags);
  if (crash_is_due()) die("open");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  return next<int(const char*, int, ...)>("open")(path, flags, mode);
}

ssize_t write(int file, const void* data, size_t bytes) {
  const auto real = next<ssize_t(int, const void*, size_t)>("write");
  if (!crash_is_due()) return real(file, data, bytes);
  if (real(file, data, bytes / 2) < 0) std::perror("write");
  die("write");
}

int ftruncate(int file, off_t size) noexcept {
  if (crash_is_due()) die("ftruncate");
  return next<int(int, off_t)>("ftruncate")(file, size);
}

int fsync(int file) {
  if (crash_is_due()) die(is_folder(file) ? "fsync of the folder" : "fsync");
  return next<int(int)>("fsync")(file);
}

int rename(const char* from, const char* to) noexcept {
  if (crash_is_due()) die("rename");
  return next<int(const char*, const char*)>("rename")(from, to);
}

}  // extern "C"
