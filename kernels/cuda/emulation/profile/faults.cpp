// What the detector has seen, with the lines of the source.
#include "kernels/cuda/emulation/profile/faults.h"
#include <fmt/core.h>
#include <algorithm>
#include "kernels/cuda/emulation/profile/detector.h"
#include "kernels/cuda/emulation/profile/places.h"
#include "kernels/cuda/emulation/profile/profile.h"
#include "kernels/cuda/emulation/profile/trace.h"

namespace tapetum::emulation::profile {
namespace {

using Places = std::map<uintptr_t, Place>;

Places all_places(const std::vector<Seen>& launches) {
  std::vector<uintptr_t> pcs;
  for (const Seen& l : launches) {
    for (const SeenRace& r : l.races) pcs.insert(pcs.end(), {pc_of(r.first.site), pc_of(r.second.site)});
    if (l.bad) pcs.push_back(pc_of(l.bad->touch.site));
  }
  return places_of(std::move(pcs));
}

uint3 index_in(const dim3& size, uint32_t i) { return {i % size.x, i / size.x % size.y, i / size.x / size.y}; }

Access access(const Seen& launch, const Touch& t, const Places& places) {
  const Place place = place_at(places, pc_of(t.site));
  return {place.file, place.line, kind_of(t.site), index_in(launch.grid, t.moment.block), index_in(launch.block, t.moment.thread)};
}

bool same_line(const Access& a, const Access& b) { return a.file == b.file && a.line == b.line && a.kind == b.kind; }

void add(std::vector<Race>& all, const Race& race) {
  const auto known = std::find_if(all.begin(), all.end(), [&](const Race& r) {
    const bool alike = same_line(r.first, race.first) && same_line(r.second, race.second);
    const bool turned = same_line(r.first, race.second) && same_line(r.second, race.first);
    return r.kernel == race.kernel && (alike || turned);
  });
  if (known == all.end())
    all.push_back(race);
  else
    known->times += race.times;
}

std::string line_of(const Access& a) {
  return fmt::format("  block ({},{},{}) thread ({},{},{})  {:13}  {}:{}  {}\n", a.block.x, a.block.y, a.block.z, a.thread.x, a.thread.y, a.thread.z,
                     name_of(a.kind), a.file, a.line, source_of({{}, a.file, a.line, a.kind, 0}));
}

}  // namespace

Faults faults_in(const std::vector<Seen>& launches) {
  const Places places = all_places(launches);
  Faults faults;
  for (const Seen& l : launches) {
    for (const SeenRace& r : l.races) add(faults.races, {l.kernel, access(l, r.first, places), access(l, r.second, places), r.times, r.barrier});
    if (l.bad) faults.bad.push_back({l.bad->why, l.kernel, l.bad->what, access(l, l.bad->touch, places)});
  }
  return faults;
}

std::string text(const Race& race) {
  return fmt::format("race in {}, {} times\n", race.kernel, race.times) + line_of(race.first) + line_of(race.second);
}
std::string text(const BadAccess& bad) { return fmt::format("{} in {}\n", bad.what, bad.kernel) + line_of(bad.access); }
std::string text(const Faults& faults) {
  std::string all;
  for (const Race& race : faults.races) all += text(race);
  for (const BadAccess& bad : faults.bad) all += text(bad);
  return all;
}

}  // namespace tapetum::emulation::profile
