#include <fmt/core.h>

#include <algorithm>

#include "bench/ladder/drawing.h"
#include "bench/ladder/measure.h"
#include "core/error.h"
#include "kernels/parallel.h"
#include "kernels/roofline.h"
#include "kernels/slot.h"
#include "ladders/problem.h"

namespace tapetum::bench {
namespace {

constexpr size_t kRounds = 9;

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<int64_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// What the device could do at most of what the ladder is made of, operations or bytes, a second; 0: nobody has measured it.
double greatest_rate(const ladders::Ladder& ladder, int64_t bytes) {
  if (!ladder.flops) return 1e9 * ladders::copy_rate(ladder.device, bytes);
  return ladder.device == DeviceKind::cpu ? kernels::roofline().flops : ladders::device_of(ladder.device)->flops();
}

// The ladder's last step, which is the library's, with the vendor's kernel in place of ours.
class Vendor {
 public:
  Vendor(const ladders::Ladder& ladder, ladders::Problem& problem) : spec_(ladder.vendor), last_(*steps_of(ladder).back()), problem_(problem) {
    if (!spec_) return;
    const kernels::KernelGuard guard(spec_);
    is_here_ = problem.check(last_).empty();
  }
  void measure() {
    if (!is_here_) return;
    const kernels::KernelGuard guard(spec_);
    times_.push_back(problem_.milliseconds(last_));
  }
  double milliseconds() const { return is_here_ ? median(times_) : 0; }  // 0: this build has it not, or it cannot do this

 private:
  const char* spec_;
  const ladders::Step& last_;
  ladders::Problem& problem_;
  bool is_here_ = false;
  std::vector<double> times_;
};

}  // namespace

// By turns, so that whatever else the machine does meets all steps alike.
std::vector<Measured> measure(const ladders::Ladder& ladder, const std::vector<const ladders::Step*>& steps) {
  ladders::Problem problem(ladder, ladder.timed);
  for (const ladders::Step* step : steps)
    if (const std::string fault = problem.check(*step); !fault.empty()) throw Error(fault);
  Vendor vendor(ladder, problem);
  std::vector<std::vector<double>> times(steps.size());
  for (size_t round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < steps.size(); ++i) times[i].push_back(problem.milliseconds(*steps[i]));
    vendor.measure();
  }

  const double work = ladder.flops ? ladder.flops(ladder.timed) : static_cast<double>(problem.bytes());
  const double most = greatest_rate(ladder, problem.bytes());
  std::vector<Measured> all;
  double before = median(times[0]);
  for (const auto& t : times) {
    const double ms = median(t), rate = 1e3 * work / ms;
    const double percent = most ? 100 * rate / most : 0;
    all.push_back({{{"ms", "ms", ms, 3},
                    {"times_faster", "x faster", before / ms, 2},
                    ladder.flops ? Cell{"gflop_per_s", "GFLOP/s", 1e-9 * rate, 1} : Cell{"gb_per_s", "GB/s", 1e-9 * rate, 1},
                    ladder.flops ? Cell{"percent_of_peak", "% of peak", percent, 1} : Cell{"percent_of_copy", "% of a copy's", percent, 1},
                    {"percent_of_vendor", "% of the vendor's", 100 * vendor.milliseconds() / ms, 1}},
                   {}});
    before = ms;
  }
  return all;
}

std::string subject(const ladders::Ladder& ladder) {
  const std::string at = fmt::format("f32, timed at {}: median of {} rounds", ladders::text_of(ladder.timed), kRounds);
  return ladder.device == DeviceKind::cpu ? fmt::format("{}, {} threads", at, kernels::thread_count()) : at;
}

std::string drawing(const ladders::Ladder&, const ladders::Step&) { throw Error("a GPU does not say what its lanes do: --draw is for the emulator"); }

std::string faults(const ladders::Ladder&, const ladders::Step&) {
  throw Error("ladder: --races needs the emulator: a tree of the preset gpu-profile, or compute-sanitizer --tool racecheck on a GPU");
}

const char* note_titles() { return ""; }

}  // namespace tapetum::bench
