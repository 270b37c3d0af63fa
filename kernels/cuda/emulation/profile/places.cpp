#include "kernels/cuda/emulation/profile/places.h"
#include <fmt/format.h>
#include <link.h>
#include <unistd.h>
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include "kernels/cuda/emulation/profile/profile.h"

namespace tapetum::emulation::profile {
namespace {

struct Module {
  std::string path;
  uintptr_t base = 0;
};

// The program or library whose code holds `pc`.
Module module_of(uintptr_t pc) {
  struct Search {
    uintptr_t pc;
    Module found;
  } search{pc, {}};
  const auto visit = [](dl_phdr_info* info, size_t, void* p) {
    auto& s = *static_cast<Search*>(p);
    for (int i = 0; i < info->dlpi_phnum; ++i) {
      const ElfW(Phdr)& h = info->dlpi_phdr[i];
      const uintptr_t begin = info->dlpi_addr + h.p_vaddr;
      if (h.p_type != PT_LOAD || s.pc < begin || s.pc >= begin + h.p_memsz) continue;
      s.found = {info->dlpi_name && *info->dlpi_name ? info->dlpi_name : fmt::format("/proc/{}/exe", getpid()), info->dlpi_addr};
      return 1;
    }
    return 0;
  };
  dl_iterate_phdr(visit, &search);
  return search.found;
}

// "./../../kernels/cuda/softmax.cu" -> "kernels/cuda/softmax.cu": what the compiler was told to write (cmake/kernel_profile.cmake).
std::string from_the_root(const std::string& file) {
  std::string path = std::filesystem::path(file).lexically_normal();
  while (path.substr(0, 3) == "../") path.erase(0, 3);
  return path;
}

bool belongs_to_the_emulator(const std::string& file) {
  for (const char* part : {"kernels/cuda/emulation/", "kernels/cuda/gpu/", "/usr/"})
    if (file.find(part) != file.npos) return true;
  return false;
}

// Reads what addr2line -a -i says: an address, then "file:line" of each function there, the innermost first.
class Answers {
 public:
  Answers(uintptr_t base, std::map<uintptr_t, Place>& places) : base_(base), places_(places) {}
  void take(const char* text) {
    if (!std::strncmp(text, "0x", 2)) {
      place_ = &places_[std::strtoull(text, nullptr, 16) + base_ + 1];
      return;
    }
    const char* colon = std::strrchr(text, ':');
    if (!place_ || place_->line || !colon || *text == '?') return;
    const std::string file = from_the_root({text, colon});
    if (!belongs_to_the_emulator(file)) *place_ = {file, std::atoi(colon + 1)};
  }

 private:
  uintptr_t base_;
  std::map<uintptr_t, Place>& places_;
  Place* place_ = nullptr;
};

void ask(const Module& module, const uintptr_t* first, size_t n, std::map<uintptr_t, Place>& places) {
  std::string command = fmt::format("addr2line -a -i -e '{}'", module.path);
  for (size_t i = 0; i < n; ++i) command += fmt::format(" {:x}", first[i] - module.base - 1);  // -1: into the call before the return address
  std::FILE* pipe = popen((command + " 2> /dev/null").c_str(), "r");
  if (!pipe) throw std::runtime_error("profile: no process for addr2line");
  Answers answers(module.base, places);
  char line[4096];
  while (std::fgets(line, sizeof line, pipe)) answers.take(line);
  if (pclose(pipe) != 0) throw std::runtime_error("profile: addr2line failed; it names source lines, and is part of binutils");
}

}  // namespace

std::map<uintptr_t, Place> places_of(std::vector<uintptr_t> pcs) {
  constexpr size_t kAtOnce = 2000;  // what a command line holds
  std::sort(pcs.begin(), pcs.end());
  pcs.erase(std::unique(pcs.begin(), pcs.end()), pcs.end());
  std::map<uintptr_t, Place> places;
  for (size_t i = 0; i < pcs.size();) {
    const Module module = module_of(pcs[i]);
    size_t n = 1;
    while (n < kAtOnce && i + n < pcs.size() && module_of(pcs[i + n]).base == module.base) ++n;
    if (!module.path.empty()) ask(module, &pcs[i], n, places);
    i += n;
  }
  return places;
}

Place place_at(const std::map<uintptr_t, Place>& places, uintptr_t pc) {
  const auto found = places.find(pc);
  return found == places.end() ? Place() : found->second;
}

std::string source_of(const Line& l) {
  static std::map<std::string, std::vector<std::string>> files;
  auto [entry, is_new] = files.try_emplace(l.file);
  if (is_new) {
    std::ifstream in(std::filesystem::path(TAPETUM_SOURCE_ROOT) / l.file);
    for (std::string text; std::getline(in, text);) entry->second.push_back(text);
  }
  if (l.line < 1 || static_cast<size_t>(l.line) > entry->second.size()) return "";
  const std::string& text = entry->second[static_cast<size_t>(l.line - 1)];
  const size_t begin = text.find_first_not_of(" \t");
  return begin == text.npos ? "" : text.substr(begin);
}

}  // namespace tapetum::emulation::profile
