// Each set's positions are cut into at most 16 blocks that the shape alone decides. Within a block, sums of up to 256 values run in
// registers of T around a shift near the mean; they are merged in double, in order (Chan, Golub, LeVeque 1979), so nothing cancels.
// Bound by memory: statistics read x once, forward reads x and writes y, backward reads x and gy twice and writes gx.
#include "kernels/norm.h"

#include "kernels/cpu/vec.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {
namespace {

bool supports_moments(const ChannelMomentsArgs& a) { return serves(a.shape.dtype); }
bool supports_forward(const ChannelNormForwardArgs& a) { return serves(a.shape.dtype); }
bool supports_backward(const ChannelNormBackwardArgs& a) { return serves(a.shape.dtype); }
double error_moments(const ChannelMomentsArgs&) { return 16; }
double error_forward(const ChannelNormForwardArgs&) { return 8; }
double error_backward(const ChannelNormBackwardArgs&) { return 64; }

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

// The terms of the statistics: d and d^2 for d = x - shift; and of the gradient: gy and gy (x - shift).
template <class T, int U> struct MomentTerms {
  const T* x;
  Vec<T> shift[U];
  MomentTerms(const T* x, const T* shifts, int64_t lanes) : x(x) {
    for (int u = 0; u < U; ++u) shift[u] = Vec<T>::load(shifts + u * Vec<T>::lanes, lanes);
  }
  void operator()(int64_t at, int u, int64_t lanes, Vec<T>& a, Vec<T>& b) const {
    const Vec<T> d = Vec<T>::load(x + at, lanes) - shift[u];
    a = a + d;
    b = b + d * d;
  }
};
template <class T, int U> struct GradientTerms {
  const T *x, *gy;
  Vec<T> shift[U];
  GradientTerms(const T* x, const T* gy, const T* shifts, int64_t lanes) : x(x), gy(gy) {
    for (int u = 0; u < U; ++u) shift[u] = Vec<T>::load(shifts + u * Vec<T>::lanes, lanes);
  }
  void operator()(int64_t at, int u, int64_t lanes, Vec<T>& a, Vec<T>& b) const {
    const Vec<T> g = Vec<T>::load(gy + at, lanes);
    a = a + g;
    b = b + g * (Vec<T>::load(x + at, lanes) - shift[u]);
  }
};

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

// Mean and sum of squared deviations of `seen` values, and what `count` more of them change: their sums of d and d^2 around `shift`.
void merge(double& mean, double& m2, double seen, double count, double shift, double sum, double squares) {
  const double delta = shift + sum / count - mean;
  mean += delta * (count / (seen + count));
  m2 += squares - sum * sum / count + delta * delta * (seen * count / (seen + count));
}

template <class T> void moments_of_rows(const T* x, int64_t rows, int64_t c, double* mean, double* m2) {
  for (int64_t i = 0; i < c; ++i) mean[i] = m2[i] = 0;
  for (int64_t r = 0; r < rows; r += kRun) {
    const int64_t count = rows - r < kRun ? rows - r : kRun;
    sum_chunks<T>(
        count, c, [&]<int U>(int64_t first, int64_t lanes) { return MomentTerms<T, U>(x + r * c + first, x + first, lanes); },
        [&](int64_t first, int64_t n, const T* sum, const T* squares) {
          for (int64_t i = 0; i < n; ++i)
            merge(mean[first + i], m2[first + i], static_cast<double>(r), static_cast<double>(count), x[first + i], sum[i], squares[i]);
        });
  }
}

template <class T>
void moments_of_channel(const ChannelNormShape& z, const T* x, int64_t set, int64_t c, int64_t begin, int64_t end, double& mean, double& m2) {
  using V = Vec<T>;
  mean = m2 = 0;
  double seen = 0;
  for_each_run(z, set, c, begin, end, [&](int64_t at, int64_t count) {
    const V shift(x[at]);
    V sum(T(0)), squares(T(0));
    for (int64_t i = 0; i < count; i += V::lanes) {
      const V d = (V::load(x + at + i, count - i) - shift).keep(count - i, 0);
      sum = sum + d;
      squares = squares + d * d;
    }
    merge(mean, m2, seen, static_cast<double>(count), x[at], sum.sum(), squares.sum());
    seen += static_cast<double>(count);
  });
}

// Two doubles for each set, block and channel, in arrays one after the other.
struct Parts {
  double *a, *b;
  Parts(void* data, const ChannelNormShape& z) : a(static_cast<double*>(data)), b(a + count(z)) {}
  static int64_t count(const ChannelNormShape& z) { return z.sets * Blocks(z).per_set * z.c; }
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

size_t workspace_moments(const ChannelMomentsArgs& a) { return Parts::bytes(a.shape); }

Status moments(const ChannelMomentsArgs& args, Workspace& scratch) {
  const auto& z = args.shape;
  const Blocks blocks(z);
  const Parts parts(scratch.data, z);
  with_served_type(z.dtype, [&]<class T>() {
    auto x = static_cast<const T*>(args.x);
    for_each_block(
        z,
        [&](int64_t set, int64_t begin, int64_t end, int64_t part) {
          moments_of_rows(x + (set * blocks.positions + begin) * z.c, end - begin, z.c, parts.a + part, parts.b + part);
        },
        [&](int64_t set, int64_t c, int64_t begin, int64_t end, int64_t part) {
          moments_of_channel(z, x, set, c, begin, end, parts.a[part], parts.b[part]);
        });
  });
  const int64_t groups = z.c / z.group;
  for (int64_t i = 0; i < z.sets * groups; ++i) {
    double mean = 0, m2 = 0, seen = 0;
    for (int64_t b = 0; b < blocks.per_set; ++b)
      for (int64_t c = i % groups * z.group; c < (i % groups + 1) * z.group; ++c) {
        const int64_t part = (i / groups * blocks.per_set + b) * z.c + c;
        const double count = static_cast<double>(blocks.begin(b + 1) - blocks.begin(b));
        if (count == 0) continue;
        merge(mean, m2, seen, count, parts.a[part], 0, parts.b[part]);
        seen += count;
      }
    args.mean[i] = mean;
    args.var[i] = seen > 0 ? m2 / seen : 0;
  }
  return Status::ok;
}

// f(offset, count, set, channel) for stretches that the threads share: a row of all channels, or a piece of one plane.
template <class F> void for_each_stretch(const ChannelNormShape& z, F f) {
  const int64_t images = z.sets * z.n;
  if (z.channels_last)
    parallel_ranges(images * z.l, kGrain / z.c + 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) f(row * z.c, z.c, row / (z.n * z.l), int64_t{0});
    });
  else
    parallel_ranges(images * z.c, kGrain / (z.l + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane) f(plane * z.l, z.l, plane / z.c / z.n, plane % z.c);
    });
}

// A row takes each channel's coefficient in turn, a plane one for all.
template <class T> Vec<T> coefficient(const T* p, bool rows, int64_t i, int64_t n) { return rows ? Vec<T>::load(p + i, n) : Vec<T>(*p); }

size_t workspace_forward(const ChannelNormForwardArgs& a) { return static_cast<size_t>(3 * a.shape.sets * a.shape.c) * size_of(a.shape.dtype); }

Status forward(const ChannelNormForwardArgs& a, Workspace& scratch) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    using V = Vec<T>;
    const int64_t all = z.sets * z.c;
    T *shift = static_cast<T*>(scratch.data), *scale = shift + all, *offset = scale + all;
    for (int64_t i = 0; i < all; ++i) {
      const int64_t c = i % z.c, s = i / z.group;
      const double factor = (a.weight ? static_cast<const T*>(a.weight)[c] : 1.0) / __builtin_sqrt(a.var[s] + a.epsilon);
      shift[i] = static_cast<T>(a.mean[s]);
      scale[i] = static_cast<T>(factor);
      offset[i] = static_cast<T>((a.bias ? static_cast<const T*>(a.bias)[c] : 0.0) + (shift[i] - a.mean[s]) * factor);
    }
    for_each_stretch(z, [&](int64_t at, int64_t count, int64_t set, int64_t c) {
      const T* x = static_cast<const T*>(a.x) + at;
      T* y = static_cast<T*>(a.y) + at;
      const int64_t k = set * z.c + c;
      const bool rows = z.channels_last;
      for (int64_t i = 0; i < count; i += V::lanes) {
        const int64_t n = count - i;
        const V d = V::load(x + i, n) - coefficient(shift + k, rows, i, n);
        (d * coefficient(scale + k, rows, i, n) + coefficient(offset + k, rows, i, n)).store(y + i, n);
      }
    });
  });
  return Status::ok;
}

// The sums of gy and of gy (x - shift) for each part.
template <class T> void gradient_sums(const ChannelNormBackwardArgs& a, const T* shift, const Parts& parts) {
  using V = Vec<T>;
  const auto& z = a.shape;
  auto x = static_cast<const T*>(a.x), gy = static_cast<const T*>(a.gy);
  const auto rows = [&](int64_t set, int64_t begin, int64_t end, int64_t part) {
    for (int64_t r = begin; r < end; r += kRun) {
      const int64_t at = (set * z.n * z.l + r) * z.c;
      sum_chunks<T>(
          end - r < kRun ? end - r : kRun, z.c,
          [&]<int U>(int64_t first, int64_t lanes) { return GradientTerms<T, U>(x + at + first, gy + at + first, shift + set * z.c + first, lanes); },
          [&](int64_t first, int64_t n, const T* sum, const T* product) {
            for (int64_t i = 0; i < n; ++i) {
              parts.a[part + first + i] += sum[i];
              parts.b[part + first + i] += product[i];
            }
          });
    }
  };
  const auto channel = [&](int64_t set, int64_t c, int64_t begin, int64_t end, int64_t part) {
    const V centre(shift[set * z.c + c]);
    for_each_run(z, set, c, begin, end, [&](int64_t at, int64_t count) {
      V sum(T(0)), product(T(0));
      for (int64_t i = 0; i < count; i += V::lanes) {
        const V g = V::load(gy + at + i, count - i);
        sum = sum + g;
        product = product + g * (V::load(x + at + i, count - i) - centre);
      }
      parts.a[part] += sum.sum();
      parts.b[part] += product.sum();
    });
  };
  for (int64_t i = 0; i < 2 * Parts::count(z); ++i) parts.a[i] = 0;
  for_each_block(z, rows, channel);
}

// Adds the blocks' parts in order: sums of gy and of gy (x - mean) for each set and channel, left in its first block's part.
template <class T> void merge_sums(const ChannelNormBackwardArgs& a, const T* shift, const Parts& parts) {
  const auto& z = a.shape;
  const int64_t blocks = Blocks(z).per_set;
  for (int64_t i = 0; i < z.sets * z.c; ++i) {
    const int64_t first = i / z.c * blocks * z.c + i % z.c;
    for (int64_t b = 1; b < blocks; ++b) {
      parts.a[first] += parts.a[first + b * z.c];
      parts.b[first] += parts.b[first + b * z.c];
    }
    parts.b[first] += (shift[i] - a.mean[i / z.group]) * parts.a[first];
  }
}

size_t workspace_backward(const ChannelNormBackwardArgs& a) {
  return Parts::bytes(a.shape) + static_cast<size_t>(4 * a.shape.sets * a.shape.c) * size_of(a.shape.dtype);
}

// gx = scale gy + slope (x - shift) + offset for each channel of a set (formula: reference).
Status backward(const ChannelNormBackwardArgs& a, Workspace& scratch) {
  const auto& z = a.shape;
  const Parts parts(scratch.data, z);
  const int64_t blocks = Blocks(z).per_set, all = z.sets * z.c;
  const double values = static_cast<double>(z.n * z.l * z.group);
  with_served_type(z.dtype, [&]<class T>() {
    using V = Vec<T>;
    T *shift = reinterpret_cast<T*>(parts.a + 2 * Parts::count(z)), *scale = shift + all, *slope = scale + all, *offset = slope + all;
    auto weight = static_cast<const T*>(a.weight);
    const auto weight_of = [&](int64_t c) { return weight ? weight[c] : 1.0; };
    const auto part_of = [&](int64_t set, int64_t c) { return set * blocks * z.c + c; };
    const auto rstd_of = [&](int64_t i) { return 1 / __builtin_sqrt(a.var[i / z.group] + a.epsilon); };
    for (int64_t i = 0; i < all; ++i) shift[i] = static_cast<T>(a.mean[i / z.group]);
    if (!a.fixed || a.gweight || a.gbias) {
      gradient_sums(a, shift, parts);
      merge_sums(a, shift, parts);
    }
    for (int64_t c = 0; c < z.c; ++c) {
      double gw = 0, gb = 0;
      for (int64_t set = 0; set < z.sets && (a.gweight || a.gbias); ++set) {
        gw += parts.b[part_of(set, c)] * rstd_of(set * z.c + c);
        gb += parts.a[part_of(set, c)];
      }
      if (a.gweight) static_cast<T*>(a.gweight)[c] = static_cast<T>(gw);
      if (a.gbias) static_cast<T*>(a.gbias)[c] = static_cast<T>(gb);
    }
    if (!a.gx) return;
    for (int64_t i = 0; i < all; i += z.group) {
      double sum = 0, product = 0;
      for (int64_t j = i; j < i + z.group && !a.fixed; ++j) {
        sum += weight_of(j % z.c) * parts.a[part_of(j / z.c, j % z.c)];
        product += weight_of(j % z.c) * parts.b[part_of(j / z.c, j % z.c)];
      }
      const double rstd = rstd_of(i), along = -rstd * rstd * rstd * product / values;
      for (int64_t j = i; j < i + z.group; ++j) {
        scale[j] = static_cast<T>(rstd * weight_of(j % z.c));
        slope[j] = static_cast<T>(along);
        offset[j] = static_cast<T>(along * (shift[j] - a.mean[j / z.group]) - rstd * sum / values);
      }
    }
    for_each_stretch(z, [&](int64_t at, int64_t count, int64_t set, int64_t c) {
      const T *x = static_cast<const T*>(a.x) + at, *gy = static_cast<const T*>(a.gy) + at;
      T* gx = static_cast<T*>(a.gx) + at;
      const int64_t k = set * z.c + c;
      const bool rows = z.channels_last;
      for (int64_t i = 0; i < count; i += V::lanes) {
        const int64_t n = count - i;
        const V d = V::load(x + i, n) - coefficient(shift + k, rows, i, n);
        const V along = d * coefficient(slope + k, rows, i, n) + coefficient(offset + k, rows, i, n);
        (V::load(gy + i, n) * coefficient(scale + k, rows, i, n) + along).store(gx + i, n);
      }
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(ChannelMomentsArgs, channel_moments_vec){
    .name = "vec", .supports = supports_moments, .workspace = workspace_moments, .error = error_moments, .run = moments};
TAPETUM_CPU_CANDIDATE(ChannelNormForwardArgs, channel_norm_forward_vec){
    .name = "vec", .supports = supports_forward, .workspace = workspace_forward, .error = error_forward, .run = forward};
TAPETUM_CPU_CANDIDATE(ChannelNormBackwardArgs, channel_norm_backward_vec){
    .name = "vec", .supports = supports_backward, .workspace = workspace_backward, .error = error_backward, .run = backward};

}  // namespace tapetum::kernels
