// The counters for other programs.
#include <fmt/core.h>
#include <string_view>
#include "kernels/cuda/emulation/profile/profile.h"

namespace tapetum::emulation::profile {
namespace {

std::string quoted(std::string_view text) {
  std::string s = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') s += '\\';
    s += c;
  }
  return s + '"';
}

std::string shape(const dim3& d) { return fmt::format("[{},{},{}]", d.x, d.y, d.z); }

std::string of_line(const Line& l) {
  return fmt::format(
      "{{\"file\":{},\"line\":{},\"kind\":{},\"size\":{},\"requests\":{},\"lanes\":{},\"bytes\":{},\"sectors\":{},\"ideal_sectors\":{},"
      "\"cache_lines\":{},\"wavefronts\":{},\"ideal_wavefronts\":{},\"serial\":{},\"flops\":{},\"wide_requests\":{},\"wide_sectors\":{},"
      "\"wide_wavefronts\":{}}}",
      quoted(l.file), l.line, quoted(name_of(l.kind)), l.size, l.requests, l.lanes, l.bytes, l.sectors, l.ideal_sectors, l.cache_lines, l.wavefronts,
      l.ideal_wavefronts, l.serial, l.flops, l.wide_requests, l.wide_sectors, l.wide_wavefronts);
}

std::string of_kernel(const Kernel& k) {
  std::string lines;
  for (const Line& l : k.lines) lines += (lines.empty() ? "\n " : ",\n ") + of_line(l);
  return fmt::format(
      "{{\"name\":{},\"grid\":{},\"block\":{},\"launches\":{},\"loaded\":{},\"unique_read\":{},\"stored\":{},\"unique_written\":{},\"flops\":{},"
      "\"basic_blocks\":{},\"basic_block_lanes\":{},\"lines\":[{}]}}",
      quoted(k.name), shape(k.grid), shape(k.block), k.launches, k.loaded(), k.unique_read, k.stored(), k.unique_written, k.flops(),
      k.blocks.requests, k.blocks.lanes, lines);
}

}  // namespace

std::string json(const std::vector<Kernel>& kernels) {
  std::string all;
  for (const Kernel& k : kernels) all += (all.empty() ? "\n" : ",\n") + of_kernel(k);
  return "[" + all + "]\n";
}

}  // namespace tapetum::emulation::profile
