// Sums over the counters: by line, by kind, of a kernel.
#include <bit>
#include <tuple>
#include "kernels/cuda/emulation/profile/places.h"
#include "kernels/cuda/emulation/profile/session.h"
#include "kernels/cuda/emulation/profile/trace.h"
#include "kernels/cuda/emulation/streams.h"

namespace tapetum::emulation::profile {
namespace {

std::map<uintptr_t, Place> all_places(const Records& all) {
  std::vector<uintptr_t> pcs;
  for (const auto& [name, record] : all)
    for (const auto& [site, counters] : record.sites) pcs.push_back(pc_of(site));
  return places_of(std::move(pcs));
}

unsigned size_of(Kind kind, const Counters& c) {
  const bool by_lane = (is_global(kind) || is_shared(kind)) && kind != Kind::tma_load;
  return by_lane && c.lanes ? static_cast<unsigned>(c.bytes / c.lanes) : 0;
}

constexpr uint64_t kSectorBytes = 32;

}  // namespace

const char* name_of(Kind kind) {
  static constexpr const char* names[] = {"basic block", "global load", "global store", "global atomic", "cp.async global",
                                          "TMA load",    "shared load", "shared store", "shared atomic", "cp.async shared",
                                          "ldmatrix",    "barrier",     "mbarrier",     "syncwarp",      "shuffle",
                                          "vote",        "mma",         "wgmma"};
  return names[static_cast<int>(kind)];
}

Counters& Counters::operator+=(const Counters& o) {
  requests += o.requests;
  lanes += o.lanes;
  bytes += o.bytes;
  sectors += o.sectors;
  ideal_sectors += o.ideal_sectors;
  cache_lines += o.cache_lines;
  wavefronts += o.wavefronts;
  ideal_wavefronts += o.ideal_wavefronts;
  serial += o.serial;
  flops += o.flops;
  wide_requests += o.wide_requests;
  wide_sectors += o.wide_sectors;
  wide_wavefronts += o.wide_wavefronts;
  return *this;
}

Counters Kernel::total(Kind kind) const {
  Counters sum;
  for (const Line& l : lines)
    if (l.kind == kind) sum += l;
  return sum;
}
uint64_t Kernel::loaded() const {
  return kSectorBytes * (total(Kind::global_load).sectors + total(Kind::cp_async).sectors + total(Kind::tma_load).sectors);
}
uint64_t Kernel::stored() const { return kSectorBytes * (total(Kind::global_store).sectors + total(Kind::global_atomic).sectors); }
uint64_t Kernel::flops() const { return total(Kind::mma).flops + total(Kind::wgmma).flops; }

std::vector<Request> placed(const std::vector<SeenRequest>& seen) {
  std::vector<uintptr_t> pcs;
  for (const SeenRequest& s : seen) pcs.push_back(pc_of(s.site));
  const auto places = places_of(std::move(pcs));
  std::vector<Request> requests;
  for (const SeenRequest& s : seen) {
    const Place place = place_at(places, pc_of(s.site));
    Request& r = requests.emplace_back(Request{place.file, place.line, kind_of(s.site), s.launch, s.warp, s.lanes, 0, {}});
    for (uint32_t left = s.lanes; left; left &= left - 1) {
      const auto l = static_cast<size_t>(std::countr_zero(left));
      r.size = bytes_of(s.values[l]);
      r.address[l] = address_of(s.values[l]);
    }
  }
  return requests;
}

std::vector<Kernel> report() {
  const auto lock = lock_runtime();
  const auto places = all_places(records());
  std::vector<Kernel> kernels(records().size());
  for (const auto& [name, record] : records()) {
    std::map<std::tuple<std::string, int, Kind, unsigned>, Line> lines;
    for (const auto& [site, counters] : record.sites) {
      const Place place = place_at(places, pc_of(site));
      const Kind kind = kind_of(site);
      const unsigned size = size_of(kind, counters);
      Line& l = lines[{place.file, place.line, kind, size}];
      l.file = place.file;
      l.line = place.line;
      l.kind = kind;
      l.size = size;
      l += counters;
    }
    Kernel& kernel = kernels[record.number - 1];
    kernel = record.kernel;
    for (auto& [key, line] : lines) kernel.lines.push_back(std::move(line));
  }
  return kernels;
}

}  // namespace tapetum::emulation::profile
