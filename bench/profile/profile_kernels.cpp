// Profiles the CUDA kernels of a slot, by source line, without a GPU: ./run profile --help
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "bench/profile/rows.h"
#include "core/profiler.h"
#include "examples/common/command_line.h"
#include "examples/common/json_output.h"
#include "kernels/cuda/emulation/profile/faults.h"
#include "kernels/cuda/emulation/profile/profile.h"
#include "tests/profile/slot_counts.h"

namespace {

using namespace tapetum;
namespace profile = emulation::profile;

struct Options {
  std::vector<std::string> words, shapes;
  std::string candidate, row, dtype = "f32", json;
  bool list = false, races = false;
};

bool parse(Options& o, int argc, char** argv) {
  programs::CommandLine line(
      "profile",
      "What the CUDA kernels of SLOT do to memory, by source line, counted on the emulator: requests of warps, sectors of global "
      "memory, wavefronts of shared memory, atomics, barriers, shuffles, matrix instructions. It runs a case row of the tests.");
  line.add_positional("words", o.words, "SLOT, such as conv2d_forward");
  line.add("--list", o.list, "Names the slots with their candidates, or the rows of SLOT, the one that is taken by itself first");
  line.add("--candidate", o.candidate, "NAME", "The implementation (default: the one that the library takes)");
  line.add("--row", o.row, "TEXT", "A row whose name contains this (default: the largest that takes seconds)");
  line.add("--shapes", o.shapes, "AxBxC", "Of the row's inputs, instead of its own: --shapes 1x64x28x28 64x64x3x3");
  line.add_choice("--dtype", o.dtype, {"f32", "f64", "f16", "bf16"}, "Of the inputs");
  line.add("--races", o.races,
           "Whether threads get in each other's way: of all candidates, or --candidate, on small rows; of all slots without SLOT");
  line.add_optional("--json", o.json, "-", "The counts as JSON; --json=FILE: into a file");
  if (!line.parse(argc, argv)) return false;
  if (o.words.size() > 1) throw programs::UsageError("one SLOT is taken");
  if (o.words.empty() && !o.list && !o.races) throw programs::UsageError("a SLOT is needed; --list names them");
  return true;
}

std::vector<std::string> candidates_of(const kernels::SlotBase& slot) {
  std::vector<std::string> names;
  for (int i = 0; const char* name = slot.candidate(DeviceKind::cuda, i); ++i) names.push_back(name);
  return names;
}

std::string shapes_text(const std::vector<Shape>& shapes) {
  std::string text;
  for (const Shape& s : shapes) text += fmt::format("{}{}", text.empty() ? "" : " ", fmt::join(s.begin(), s.end(), "x"));
  return text;
}

std::vector<Shape> parse_shapes(const std::vector<std::string>& texts) {
  std::vector<Shape> shapes;
  for (const std::string& text : texts) {
    Shape& sizes = shapes.emplace_back();
    for (size_t at = 0; at <= text.size();) {
      const size_t end = std::min(text.find('x', at), text.size());
      const std::string size = text.substr(at, end - at);
      if (size.empty() || size.size() > 9 || size.find_first_not_of("0123456789") != size.npos || sizes.size() == kMaxDims)
        throw programs::UsageError(fmt::format("--shapes: expected sizes such as 1x64x28x28, got '{}'", text));
      sizes.push_back(std::stoll(size));
      at = end + 1;
    }
  }
  return shapes;
}

DType dtype_named(const std::string& name) {
  for (const DType t : {DType::f64, DType::f16, DType::bf16})
    if (name == name_of(t)) return t;
  return DType::f32;
}

const bench::ProfiledSlot& find_slot(const std::vector<bench::ProfiledSlot>& all, const std::string& name) {
  for (const auto& entry : all)
    if (name == entry.slot->name) return entry;
  throw programs::UsageError(fmt::format("no slot '{}'; --list names them", name));
}

int list(const std::vector<bench::ProfiledSlot>& slots, const Options& o) {
  if (o.words.empty()) {
    for (const auto& s : slots) fmt::print("{:28} {}\n", s.slot->name, fmt::join(candidates_of(*s.slot), " "));
    return 0;
  }
  for (const auto* row : find_slot(slots, o.words[0]).rows) fmt::print("{:48} {}\n", row->name, shapes_text(row->shapes));
  return 0;
}

using Result = test::SlotCounts;

// Without kernels where the row does not run the slot, or the candidate cannot do the row.
Result profile_row(const test::Case& row, const std::vector<Shape>& shapes, const kernels::SlotBase& slot, const Options& o) {
  try {
    return test::count_slot(slot, o.candidate, [&](const auto& has_run) { bench::run_row(row, shapes, dtype_named(o.dtype), has_run); });
  } catch (const UnsupportedKernel&) {
    return {};
  }
}

// Of the candidate; none where the row does not run it.
std::optional<std::vector<profile::Race>> races_of(const kernels::SlotBase& slot, const std::string& candidate, const test::Case& row, DType dtype) {
  const std::string spec = slot.name + (":" + candidate);
  const kernels::KernelGuard guard(spec);
  bool has_run = false;
  const profiler::Profile running;
  const auto in_slot = [&] {
    if (profiler::running_kernel() != slot.name) return false;
    has_run = true;
    return true;
  };
  try {
    const auto faults = profile::faults_of([&] { bench::run_row(row, row.shapes, dtype, [&] { return has_run; }); }, in_slot);
    if (has_run) return faults.races;
  } catch (const UnsupportedKernel&) {
  }
  return {};
}

std::string intensity(const Result& r) {
  const double moved = static_cast<double>(r.moved()), different = static_cast<double>(r.different());
  const std::string bytes = fmt::format("{:.3f} MB in sectors, {:.3f} MB of different bytes", moved * 1e-6, different * 1e-6);
  if (r.flops == 0 || different == 0) return bytes;
  return fmt::format("{:.3f} MFLOP of the direct form, {}: {:.1f} and {:.1f} FLOP a byte", r.flops * 1e-6, bytes, r.flops / moved,
                     r.flops / different);
}

std::string json(const Result& r, const test::Case& row, const std::vector<Shape>& shapes, const kernels::SlotBase& slot, const Options& o) {
  return fmt::format(
      "{{\"slot\":\"{}\",\"candidate\":\"{}\",\"row\":\"{}\",\"dtype\":\"{}\",\"shapes\":\"{}\",\"flops\":{:.0f},\"bytes\":{:.0f},\"kernels\":{}}}\n",
      slot.name, r.candidate, row.name, o.dtype, shapes_text(shapes), r.flops, r.bytes, profile::json(r.kernels));
}

void print(const Result& r, const test::Case& row, const std::vector<Shape>& shapes, const kernels::SlotBase& slot, const Options& o) {
  if (o.json == "-") {
    fmt::print("{}", json(r, row, shapes, slot, o));
    return;
  }
  fmt::print("{}:{}  {}, {} {}\n{}\n\n{}", slot.name, r.candidate, row.name, o.dtype, shapes_text(shapes), intensity(r), profile::text(r.kernels));
  if (const auto all = candidates_of(slot); all.size() > 1) fmt::print("\nits candidates: {}\n", fmt::join(all, ", "));
  if (o.json.empty()) return;
  std::FILE* file = std::fopen(o.json.c_str(), "w");
  const std::string text = json(r, row, shapes, slot, o);
  if (!file || std::fwrite(text.data(), 1, text.size(), file) != text.size() || std::fclose(file) != 0)
    throw IoError(fmt::format("{} cannot be written", o.json));
}

// On the largest rows that take no more than a moment. The exit code.
int show_races(const std::vector<bench::ProfiledSlot>& slots, const Options& o) {
  constexpr double kMostWork = 2e4;
  constexpr int kRows = 2;
  bool any = false;
  for (const auto& [slot, rows] : slots)
    for (const std::string& candidate : candidates_of(*slot)) {
      if ((!o.candidate.empty() && candidate != o.candidate) || (!o.words.empty() && o.words[0] != slot->name)) continue;
      std::vector<profile::Race> races;
      int ran = 0;
      for (const test::Case* row : rows) {
        if (bench::most_work(*row) > kMostWork || std::string(row->name).find(o.row) == std::string::npos) continue;
        const auto found = races_of(*slot, candidate, *row, dtype_named(o.dtype));
        if (!found) continue;
        races.insert(races.end(), found->begin(), found->end());
        if (++ran == kRows) break;
      }
      any = any || !races.empty();
      fmt::print("{}:{}: {}\n", slot->name, candidate, ran == 0 ? "no small row runs it" : races.empty() ? "no race" : "races");
      for (const auto& race : races) fmt::print("{}", text(race));
    }
  return any;
}

int body(int argc, char** argv) {
  Options o;
  if (!parse(o, argc, argv)) return 0;
  const auto slots = bench::profiled_slots();
  if (o.list) return list(slots, o);
  if (o.races) return show_races(slots, o);
  const auto& [slot, rows] = find_slot(slots, o.words[0]);
  const auto candidates = candidates_of(*slot);
  if (!o.candidate.empty() && std::find(candidates.begin(), candidates.end(), o.candidate) == candidates.end())
    throw programs::UsageError(fmt::format("{} has no candidate '{}': {}", slot->name, o.candidate, fmt::join(candidates, ", ")));
  if (o.json != "-") programs::check_writable(o.json);
  const std::vector<Shape> wished = parse_shapes(o.shapes);
  bool named = false;
  for (const test::Case* row : rows) {
    if (std::string(row->name).find(o.row) == std::string::npos) continue;
    named = true;
    if (!wished.empty() && wished.size() != row->shapes.size()) continue;
    const auto& shapes = wished.empty() ? row->shapes : wished;
    const Result r = profile_row(*row, shapes, *slot, o);
    if (r.kernels.empty()) continue;
    print(r, *row, shapes, *slot, o);
    return 0;
  }
  if (!named) throw programs::UsageError(fmt::format("no row of {} is named '{}'; --list {} names them", slot->name, o.row, slot->name));
  throw Error(fmt::format("no row that is asked for runs {}{}", slot->name, o.candidate.empty() ? "" : ":" + o.candidate));
}

}  // namespace

int main(int argc, char** argv) { return programs::run("profile", argc, argv, body); }
