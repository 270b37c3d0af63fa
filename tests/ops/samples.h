// Case rows drawn at random, by the hundred; in a file that includes the test framework.
//
//   Case draw_neg(Draw& d) {
//     const Shape shape = d.shape(1, 4, 70);
//     return {.name = "neg", .shapes = {shape}, .op = ..., .slots = {&kernels::neg_forward}, .flops = shape.numel()};
//   }
//   SAMPLES("neg", draw_neg)
//
// Sample i of a seed is always the same; TAPETUM_SAMPLE=i checks it alone.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/random.h"
#include "kernels/allocator.h"
#include "tests/ops/case.h"

namespace tapetum::test {

constexpr int64_t kImageSize = 70, kChannels = 130;                      // the greatest that are drawn
constexpr double kImpossible = std::numeric_limits<double>::infinity();  // .flops where sizes and options do not go together

// Amplification where a result, or a gradient, has so few numbers that all may be what the terms of their sums cancel to.
inline double amplification_of_few(int64_t numbers) { return numbers < 8 ? 16 : 1; }

// What the reference takes for a pass over the elements, with all that is around it, in additions.
inline double pass_over(const Shape& shape) { return 64.0 * static_cast<double>(shape.numel()); }

// The choices of one sample.
class Draw {
 public:
  Draw(uint64_t seed, uint64_t sample) : random_(seed, sample) {}

  bool chance(double probability) { return random_.chance(probability); }
  double uniform(double low, double high) { return random_.uniform(low, high); }
  int64_t pick(int64_t low, int64_t high) { return low + random_.integer(high - low + 1); }
  int64_t maybe(int64_t usual, int64_t high) { return chance(0.5) ? usual : pick(1, high); }  // an option at its default half of the time
  template <class T> T one_of(std::initializer_list<T> choices) { return choices.begin()[random_.integer(std::ssize(choices))]; }

  // From 1 to `greatest`: half of the time a power of two or a neighbour of one, where kernels pass from whole registers to the rest.
  int64_t size(int64_t greatest) {
    if (greatest < 8 || chance(0.2)) return pick(1, std::min<int64_t>(greatest, 8));
    if (chance(0.4)) return pick(1, greatest);
    const int last = std::bit_width(static_cast<uint64_t>(greatest)) - 1;
    return std::min((int64_t{1} << pick(3, last)) + pick(-1, 1), greatest);
  }
  Shape shape(int fewest, int most, int64_t greatest) {
    Shape s(static_cast<int>(pick(fewest, most)));
    for (int i = 0; i < s.size(); ++i) s[i] = size(greatest);
    return s;
  }

 private:
  RandomStream random_;
};

// relu's gradient jumps at 0: among many elements there is one whose sign rounding decides.
inline ConvActivation draw_activation(Draw& d, int64_t elements) {
  const auto a = d.one_of({ConvActivation::none, ConvActivation::relu, ConvActivation::silu});
  return a == ConvActivation::relu && elements > 4096 ? ConvActivation::silu : a;
}

// How many samples, and how large: at most so many operations of the reference.
struct Extent {
  int count;
  double flops;
};
// Sanitizers, with which allocations are exact, take ten times as long.
inline Extent usual_extent() { return {kernels::allocations_are_exact() ? 40 : 400, 2e6}; }
inline Extent nightly_extent() { return {4000, 1e8}; }

// row_of(Draw&) makes a row whose .flops are the reference's work, and is asked again while that is too much. Limits are as often between 2e6 and
// 4e6 as between 4e6 and 8e6: large samples are few.
template <class F> void check_samples(F row_of, const Extent& extent, uint64_t seed) {
  const char* alone = std::getenv("TAPETUM_SAMPLE");
  for (int i = 0; i < extent.count; ++i) {
    if (alone && i != std::atoi(alone)) continue;
    Draw draw(seed, static_cast<uint64_t>(i));
    const double smallest = std::min(extent.flops, usual_extent().flops), limit = smallest * std::pow(extent.flops / smallest, draw.uniform(0, 1));
    Case row = row_of(draw);
    while (!(row.flops <= limit)) row = row_of(draw);
    for (const Shape& s : row.shapes) row.amplification = std::max(row.amplification, amplification_of_few(s.numel()));
    INFO("sample " << i << " of seed " << seed);
    check_sample(row, i);
  }
}

}  // namespace tapetum::test

#define SAMPLES(family, row_of)                                                                           \
  TEST_CASE(family ": random samples match the reference") { check_samples(row_of, usual_extent(), 20); } \
  TEST_CASE(family ": many random samples match the reference", "[nightly]") { check_samples(row_of, nightly_extent(), 21); }
