#include "ladders/counts.h"

#include <fmt/core.h>

#include <numeric>

#include "bench/ladder/measure.h"

namespace tapetum::bench {
namespace {

using ladders::profile::Kind;

double ratio(uint64_t a, uint64_t b) { return b ? static_cast<double>(a) / static_cast<double>(b) : 0; }
double mega(uint64_t bytes) { return static_cast<double>(bytes) * 1e-6; }

std::string share(uint64_t n, uint64_t ideal, uint64_t requests) {
  if (n == ideal) return fmt::format("{:.1f}", ratio(n, requests));
  return fmt::format("{:.1f} ({:.1f})", ratio(n, requests), ratio(ideal, requests));
}

std::string note(const ladders::profile::Line& l) {
  const std::string what = l.size ? fmt::format("{} {}", name_of(l.kind), l.size) : name_of(l.kind);
  std::string cost;
  if (is_global(l.kind)) cost = share(l.sectors, l.ideal_sectors, l.requests);
  if (is_shared(l.kind)) cost = share(l.wavefronts, l.ideal_wavefronts, l.requests);
  return fmt::format("{:15} {:>8} {:>5.1f}  {:<11}", what, l.requests, ratio(l.lanes, l.requests), cost);
}

Measured counted(const ladders::Ladder& ladder, const ladders::Step& step) {
  const ladders::Counts c = ladders::count(ladder, step);
  const auto global = c.global(), shared = c.shared(), atomics = c.atomics();
  Measured m;
  m.cells = {
      {"launches", "launches", static_cast<double>(c.launches())},
      {"global_requests", "global requests", static_cast<double>(global.requests)},
      {"mb_loaded", "MB loaded", mega(c.loaded()), 3},
      {"mb_stored", "MB stored", mega(c.stored()), 3},
      {"shared_requests", "shared requests", static_cast<double>(shared.requests)},
      {"bank_conflicts", "bank conflicts", static_cast<double>(shared.wavefronts - shared.ideal_wavefronts)},
      {"atomics", "atomics", static_cast<double>(atomics.requests)},
      {"atomics_in_turn", "in turn", static_cast<double>(atomics.serial)},
      {"barriers", "barriers", static_cast<double>(c.total(Kind::barrier).requests)},
      {"shuffles", "shuffles", static_cast<double>(c.total(Kind::shuffle).requests)},
      {"matrix_instructions", "mma", static_cast<double>(c.total(Kind::mma).requests)},
      {"flops_per_byte", "FLOPs a byte", ladder.flops ? ladder.flops(ladder.counted) / static_cast<double>(c.loaded() + c.stored()) : 0, 1},
      {"active_lanes", "lanes", c.active_lanes(), 1},
  };
  for (const auto& kernel : c.kernels)
    for (const auto& line : kernel.lines)
      if (line.file == step.file) m.notes.push_back({line.line, note(line)});
  m.kernels = ladders::profile::json(c.kernels);
  return m;
}

}  // namespace

std::vector<Measured> measure(const ladders::Ladder& ladder, const std::vector<const ladders::Step*>& steps) {
  std::vector<Measured> all;
  for (const ladders::Step* step : steps) all.push_back(counted(ladder, *step));
  return all;
}

std::string subject(const ladders::Ladder& ladder) {
  const auto inputs = ladder.inputs(ladder.counted);
  const int64_t loaded = std::accumulate(inputs.begin(), inputs.end(), int64_t{0}), stored = ladder.outputs(ladder.counted);
  return fmt::format("f32, counted at {}: {:.3f} MB to load and {:.3f} MB to store at least", ladders::text_of(ladder.counted),
                     4e-6 * static_cast<double>(loaded), 4e-6 * static_cast<double>(stored));
}

std::string faults(const ladders::Ladder& ladder, const ladders::Step& step) { return text(ladders::find_faults(ladder, step)); }

const char* note_titles() { return "what, bytes     requests lanes  sectors or wavefronts"; }

}  // namespace tapetum::bench
