#include "kernels/cuda/emulation/shared_memory.h"
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/scheduler.h"

namespace tapetum::emulation {
namespace {

constexpr size_t kAlignment = 1024, kCanaryBytes = 1024;
constexpr unsigned char kCanary = 0xa5;
constexpr int kNan = 0xff;  // in every byte: NaN as f16, bf16, f32 and f64

// __shared__ variables are thread_local variables of functions in .cu files. Only the symbol table knows where they lie.
struct TlsVariable {
  size_t module, offset, bytes;
};

bool is_kernel_file(std::string_view name) { return name.size() > 3 && name.substr(name.size() - 3) == ".cu"; }

void scan_symbols(const char* image, const ElfW(Shdr) & table, const ElfW(Shdr) & strings, size_t module, std::vector<TlsVariable>& found) {
  const auto* symbols = reinterpret_cast<const ElfW(Sym)*>(image + table.sh_offset);
  bool in_kernel_file = false;
  for (size_t k = 0; k < table.sh_size / sizeof(*symbols); ++k) {
    const ElfW(Sym)& s = symbols[k];
    const std::string_view name = image + strings.sh_offset + s.st_name;
    const bool local = ELF64_ST_BIND(s.st_info) == STB_LOCAL;
    if (ELF64_ST_TYPE(s.st_info) == STT_FILE) in_kernel_file = is_kernel_file(name);
    if (ELF64_ST_TYPE(s.st_info) != STT_TLS || s.st_size == 0) continue;
    if (name.substr(0, 3) != "_ZZ") continue;  // of a function
    if (local && !in_kernel_file) continue;
    found.push_back({module, static_cast<size_t>(s.st_value), static_cast<size_t>(s.st_size)});
  }
}

void scan_module(const char* path, size_t module, std::vector<TlsVariable>& found) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  struct stat st {};
  void* map = fstat(file, &st) == 0 && st.st_size > 0 ? mmap(nullptr, static_cast<size_t>(st.st_size), PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
  close(file);
  if (map == MAP_FAILED) return;
  const char* image = static_cast<const char*>(map);
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(image);
  const auto* sections = reinterpret_cast<const ElfW(Shdr)*>(image + header->e_shoff);
  for (int i = 0; i < header->e_shnum; ++i)
    if (sections[i].sh_type == SHT_SYMTAB) scan_symbols(image, sections[i], sections[sections[i].sh_link], module, found);
  munmap(map, static_cast<size_t>(st.st_size));
}

const std::vector<TlsVariable>& tls_variables() {
  static const std::vector<TlsVariable> all = [] {
    std::vector<TlsVariable> found;
    const auto visit = [](dl_phdr_info* info, size_t, void* list) {
      const char* path = info->dlpi_name && *info->dlpi_name ? info->dlpi_name : "/proc/self/exe";
      if (info->dlpi_tls_modid) scan_module(path, info->dlpi_tls_modid, *static_cast<std::vector<TlsVariable>*>(list));
      return 0;
    };
    dl_iterate_phdr(visit, &found);
    return found;
  }();
  return all;
}

struct TlsIndex {
  unsigned long module, offset;
};
extern "C" void* __tls_get_addr(TlsIndex*);

// Where they lie for this OS thread.
const std::vector<Range>& shared_variables() {
  static thread_local const std::vector<Range> all = [] {
    std::vector<Range> ranges;
    for (const TlsVariable& v : tls_variables()) {
      TlsIndex index{v.module, v.offset};
      ranges.push_back({static_cast<char*>(__tls_get_addr(&index)), v.bytes});
    }
    return ranges;
  }();
  return all;
}

}  // namespace

std::vector<profile::Span> shared_variables_of_this_thread() {
  std::vector<profile::Span> all;
  for (const Range& r : shared_variables()) all.push_back({reinterpret_cast<uintptr_t>(r.data), reinterpret_cast<uintptr_t>(r.data) + r.bytes});
  return all;
}

void StaticShared::poison(Kernel kernel) {
  if constexpr (kAsan || kTsan) return;  // they are plain statics there
  const auto known = used_.find(kernel);
  learning_ = known == used_.end() ? kernel : nullptr;
  for (const Range& r : learning_ ? shared_variables() : known->second) std::memset(r.data, kNan, r.bytes);
}

void StaticShared::learn() {
  if (!learning_) return;
  const auto written = [](const Range& r) { return std::any_of(r.data, r.data + r.bytes, [](char c) { return c != static_cast<char>(kNan); }); };
  std::vector<Range>& used = used_[learning_];
  for (const Range& r : shared_variables())
    if (written(r)) used.push_back(r);
  learning_ = nullptr;
}

DynamicShared::~DynamicShared() {
  if (data_) asan_allow(data_, capacity_ + kCanaryBytes);
  std::free(data_);
}

void DynamicShared::resize(size_t bytes) {
  if (bytes > capacity_) {
    std::free(data_);
    capacity_ = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    data_ = static_cast<char*>(std::aligned_alloc(kAlignment, capacity_ + kCanaryBytes));
  }
  bytes_ = bytes;
  if (bytes == 0) return;
  asan_allow(data_, capacity_ + kCanaryBytes);
  asan_forbid(data_ + bytes, capacity_ + kCanaryBytes - bytes);
  if constexpr (!kAsan) std::memset(data_ + bytes, kCanary, kCanaryBytes);
}

void DynamicShared::poison() {
  if (bytes_) std::memset(data_, kNan, bytes_);
}

bool DynamicShared::intact() const {
  if (kAsan || bytes_ == 0) return true;
  const auto* tail = reinterpret_cast<const unsigned char*>(data_ + bytes_);
  return std::all_of(tail, tail + kCanaryBytes, [](unsigned char c) { return c == kCanary; });
}

bool DynamicShared::contains(const void* p, size_t n) const {
  const auto* c = static_cast<const char*>(p);
  return c >= data_ && c + n <= data_ + bytes_;
}

void* dynamic_shared_base(Loc at) {
  Block& b = block();
  if (!b.dynamic_shared.bytes()) fail(b, "the kernel uses dynamic shared memory but was launched with none {}", at);
  return b.dynamic_shared.data();
}

}  // namespace tapetum::emulation
