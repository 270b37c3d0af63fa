// The counters for people: each line with its source, and a remark where something is wrong.
#include <fmt/core.h>
#include "kernels/cuda/emulation/profile/profile.h"

namespace tapetum::emulation::profile {
namespace {

double ratio(uint64_t a, uint64_t b) { return b ? static_cast<double>(a) / static_cast<double>(b) : 0; }
double mega(uint64_t n) { return static_cast<double>(n) * 1e-6; }

// A request's share: "4.0", and the least that its bytes could do with where that is less: "32.0 (4.0)".
std::string per_request(uint64_t n, uint64_t ideal, uint64_t requests) {
  if (n == ideal) return fmt::format("{:.1f}", ratio(n, requests));
  return fmt::format("{:.1f} ({:.1f})", ratio(n, requests), ratio(ideal, requests));
}

std::string cut(const std::string& s) {
  constexpr size_t kMost = 100;
  return s.size() <= kMost ? s : s.substr(0, kMost - 3) + "...";
}

// What lies below a line that could do better.
std::vector<std::string> remarks(const Line& l) {
  std::vector<std::string> all;
  if (4 * l.sectors > 5 * l.ideal_sectors)
    all.push_back(fmt::format("{:.0f}% of the bytes of its sectors are used", 100 * ratio(l.ideal_sectors, l.sectors)));
  if (l.wavefronts > l.ideal_wavefronts)
    all.push_back(
        fmt::format("{:.3g}-way bank conflict: {} wavefronts too many", ratio(l.wavefronts, l.ideal_wavefronts), l.wavefronts - l.ideal_wavefronts));
  if (l.serial > l.requests) all.push_back(fmt::format("{:.3g} lanes of a warp at one address", ratio(l.serial, l.requests)));
  if (l.wide_requests && l.wide_requests < l.requests) {
    const double each = is_global(l.kind) ? ratio(l.wide_sectors, l.wide_requests) : ratio(l.wide_wavefronts, l.wide_requests);
    all.push_back(fmt::format("could be vectorised: {} requests of {:.1f} {}", l.wide_requests, each, is_global(l.kind) ? "sectors" : "wavefronts"));
  }
  return all;
}

std::string what(const Line& l) { return l.size ? fmt::format("{} {}", name_of(l.kind), l.size) : name_of(l.kind); }

std::string row(const Line& l) {
  const std::string sectors = is_global(l.kind) ? per_request(l.sectors, l.ideal_sectors, l.requests) : "";
  const std::string wavefronts = is_shared(l.kind) ? per_request(l.wavefronts, l.ideal_wavefronts, l.requests) : "";
  std::string text = fmt::format("  {:>5}  {:18} {:>9} {:>6.1f}  {:12} {:12}  {}\n", l.line, what(l), l.requests, ratio(l.lanes, l.requests), sectors,
                                 wavefronts, cut(source_of(l)));
  for (const std::string& remark : remarks(l)) text += fmt::format("  {:>5}  ^ {}\n", "", remark);
  return text;
}

std::string moved(const char* title, uint64_t bytes, uint64_t unique) {
  return fmt::format("  {}: {:.3f} MB in sectors, {:.3f} MB of different bytes ({:.2f} times)\n", title, mega(bytes), mega(unique),
                     ratio(bytes, unique));
}

std::string summary(const Kernel& k) {
  std::string text = moved("loads", k.loaded(), k.unique_read) + moved("stores", k.stored(), k.unique_written);
  if (k.flops())
    text += fmt::format("  matrix instructions: {:.3f} MFLOP; {:.1f} FLOP for each byte of sectors, {:.1f} for each different byte\n",
                        mega(k.flops()), ratio(k.flops(), k.loaded() + k.stored()), ratio(k.flops(), k.unique_read + k.unique_written));
  if (k.blocks.requests) text += fmt::format("  divergence: {:.1f} of 32 lanes are active\n", ratio(k.blocks.lanes, k.blocks.requests));
  return text;
}

std::string shape(const dim3& d) { return fmt::format("{}x{}x{}", d.x, d.y, d.z); }

// Without the namespaces that all of the library's kernels are in.
std::string short_name(std::string name) {
  for (const char* part : {"tapetum::kernels::", "{anonymous}::", "<unnamed>::"})
    for (size_t at; (at = name.find(part)) != name.npos;) name.erase(at, std::string_view(part).size());
  return name;
}

}  // namespace

std::string text(const std::vector<Kernel>& kernels) {
  std::string all;
  for (const Kernel& k : kernels) {
    if (!all.empty()) all += "\n";
    all += fmt::format("{}  grid {}, block {}, {} launch{}\n", short_name(k.name), shape(k.grid), shape(k.block), k.launches,
                       k.launches == 1 ? "" : "es");
    all += fmt::format("   line  {:18} {:>9} {:>6}  {:12} {:12}  {}\n", "what, bytes a lane", "requests", "lanes", "sectors", "wavefronts", "source");
    std::string file;
    for (const Line& l : k.lines) {
      if (l.file != file) all += fmt::format("  {}\n", file = l.file);
      all += row(l);
    }
    all += summary(k);
  }
  return all;
}

}  // namespace tapetum::emulation::profile
