// Sums per set and channel for the statistics and gradients of channel norms (kernels/norm.h). Each set's positions are cut into at most
// 16 blocks that the shape alone decides; within a block, runs of up to 256 values are summed in registers of T.
#pragma once
#include "kernels/cpu/vec.h"
#include "kernels/norm.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kRun = 256;      // values summed in T
constexpr int64_t kGrain = 16384;  // elements of one unit of work
constexpr int kWide = 4;           // registers that walk down the rows together: whole cache lines

struct Blocks {
  int64_t positions, per_set;
  explicit Blocks(const ChannelNormShape& z) : positions(z.n * z.l) {
    const int64_t most = z.sets > 0 && z.sets < 16 ? 16 / z.sets : 1, wanted = positions / kRun + 1;
    per_set = wanted < most ? wanted : most;
  }
  int64_t begin(int64_t b) const { return positions * b / per_set; }
};

// Sums of two terms over `rows` rows, for U registers of neighbouring channels. term(offset, u, lanes, a, b) adds to its sums.
template <int U, class T, class F> void sum_rows(int64_t rows, int64_t c, int64_t lanes, F term, T* a, T* b) {
  using V = Vec<T>;
  V sum_a[U], sum_b[U];
  for (int u = 0; u < U; ++u) sum_a[u] = sum_b[u] = V(T(0));
  for (int64_t r = 0; r < rows; ++r)
    for (int u = 0; u < U; ++u) term(r * c + u * V::lanes, u, lanes, sum_a[u], sum_b[u]);
  for (int u = 0; u < U; ++u) {
    sum_a[u].store(a + u * V::lanes);
    sum_b[u].store(b + u * V::lanes);
  }
}

// use(first channel, channels, a, b) with the sums over `rows` rows of what make<U>(channel, lanes) gives, chunk by chunk of channels.
template <class T, class Make, class Use> void sum_chunks(int64_t rows, int64_t c, Make make, Use use) {
  constexpr int64_t lanes = Vec<T>::lanes;
  T a[kWide * lanes], b[kWide * lanes];
  int64_t first = 0;
  for (; first + kWide * lanes <= c; first += kWide * lanes) {
    sum_rows<kWide>(rows, c, lanes, make.template operator()<kWide>(first, lanes), a, b);
    use(first, kWide * lanes, a, b);
  }
  for (; first < c; first += lanes) {
    const int64_t n = c - first < lanes ? c - first : lanes;
    sum_rows<1>(rows, c, n, make.template operator()<1>(first, n), a, b);
    use(first, n, a, b);
  }
}

// f(offset, count) for the stretches of channel c between two positions of a set, each inside one plane and at most kRun long.
template <class F> void for_each_run(const ChannelNormShape& z, int64_t set, int64_t c, int64_t begin, int64_t end, F f) {
  while (begin < end) {
    const int64_t at = begin % z.l, room = z.l - at, left = end - begin;
    int64_t count = room < left ? room : left;
    count = count < kRun ? count : kRun;
    f(((set * z.n + begin / z.l) * z.c + c) * z.l + at, count);
    begin += count;
  }
}

// Two doubles for each set, block and channel, in arrays one after the other.
struct Parts {
  double *a, *b;
  Parts(void* data, const ChannelNormShape& z) : a(static_cast<double*>(data)), b(a + count(z)) {}
  static int64_t count(const ChannelNormShape& z) { return z.sets * Blocks(z).per_set * z.c; }
  // Of the first block, for a channel of a set, set * c + channel.
  static int64_t first(const ChannelNormShape& z, int64_t i) { return i / z.c * Blocks(z).per_set * z.c + i % z.c; }
  static size_t bytes(const ChannelNormShape& z) { return static_cast<size_t>(2 * count(z)) * sizeof(double); }
};

// rows(set, begin, end, part) for each block when channels are innermost, else channel(set, channel, begin, end, part).
template <class Rows, class Channel> void for_each_block(const ChannelNormShape& z, Rows rows, Channel channel) {
  const Blocks blocks(z);
  const auto block = [&](int64_t i, auto f) { f(i / blocks.per_set, blocks.begin(i % blocks.per_set), blocks.begin(i % blocks.per_set + 1)); };
  if (z.channels_last)
    parallel_for(z.sets * blocks.per_set,
                 [&](int64_t i) { block(i, [&](int64_t set, int64_t begin, int64_t end) { rows(set, begin, end, i * z.c); }); });
  else
    parallel_ranges(z.sets * blocks.per_set * z.c, kGrain / (blocks.positions / blocks.per_set + 1) + 1, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) block(i / z.c, [&](int64_t set, int64_t begin, int64_t end) { channel(set, i % z.c, begin, end, i); });
    });
}

}  // namespace
}  // namespace tapetum::kernels
