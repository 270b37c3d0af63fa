// Runs are summed around a shift near the mean and merged in double, in order (Chan, Golub, LeVeque 1979): nothing cancels where the mean
// is far from zero. Reads x once.
#include "kernels/cpu/channel_sums.h"

namespace tapetum::kernels {
namespace {

bool supports(const ChannelMomentsArgs& a) { return stores(a.shape.dtype); }
double error(const ChannelMomentsArgs&) { return 16; }

// The terms d and d^2 for d = x - shift.
template <class S, int U> struct MomentTerms {
  using T = Compute<S>;
  const S* x;
  Vec<T> shift[U];
  MomentTerms(const S* x, const S* shifts, int64_t lanes) : x(x) {
    for (int u = 0; u < U; ++u) shift[u] = Vec<T>::load(shifts + u * Vec<T>::lanes, lanes);
  }
  void operator()(int64_t at, int u, int64_t lanes, Vec<T>& a, Vec<T>& b) const {
    const Vec<T> d = Vec<T>::load(x + at, lanes) - shift[u];
    a = a + d;
    b = b + d * d;
  }
};

// Mean and sum of squared deviations of `seen` values, and what `count` more of them change: their sums of d and d^2 around `shift`.
void merge(double& mean, double& m2, double seen, double count, double shift, double sum, double squares) {
  const double delta = shift + sum / count - mean;
  mean += delta * (count / (seen + count));
  m2 += squares - sum * sum / count + delta * delta * (seen * count / (seen + count));
}

template <class S> void moments_of_rows(const S* x, int64_t rows, int64_t c, double* mean, double* m2) {
  using T = Compute<S>;
  for (int64_t i = 0; i < c; ++i) mean[i] = m2[i] = 0;
  for (int64_t r = 0; r < rows; r += kRun) {
    const int64_t count = rows - r < kRun ? rows - r : kRun;
    sum_chunks<T>(
        count, c, [&]<int U>(int64_t first, int64_t lanes) { return MomentTerms<S, U>(x + r * c + first, x + first, lanes); },
        [&](int64_t first, int64_t n, const T* sum, const T* squares) {
          for (int64_t i = 0; i < n; ++i)
            merge(mean[first + i], m2[first + i], static_cast<double>(r), static_cast<double>(count), cast<double>(x[first + i]), sum[i], squares[i]);
        });
  }
}

template <class S>
void moments_of_channel(const ChannelNormShape& z, const S* x, int64_t set, int64_t c, int64_t begin, int64_t end, double& mean, double& m2) {
  using T = Compute<S>;
  using V = Vec<T>;
  mean = m2 = 0;
  double seen = 0;
  for_each_run(z, set, c, begin, end, [&](int64_t at, int64_t count) {
    const V shift(cast<T>(x[at]));
    V sum(T(0)), squares(T(0));
    for (int64_t i = 0; i < count; i += V::lanes) {
      const V d = (V::load(x + at + i, count - i) - shift).keep(count - i, 0);
      sum = sum + d;
      squares = squares + d * d;
    }
    merge(mean, m2, seen, static_cast<double>(count), cast<double>(x[at]), sum.sum(), squares.sum());
    seen += static_cast<double>(count);
  });
}

size_t workspace(const ChannelMomentsArgs& a) { return Parts::bytes(a.shape); }

Status run(const ChannelMomentsArgs& args, Workspace& scratch) {
  const auto& z = args.shape;
  const Blocks blocks(z);
  const Parts parts(scratch.data, z);
  with_stored_type(z.dtype, [&]<class S>() {
    auto x = static_cast<const S*>(args.x);
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

}  // namespace

TAPETUM_CPU_CANDIDATE(ChannelMomentsArgs, channel_moments_vec){
    .name = "vec", .supports = supports, .workspace = workspace, .error = error, .run = run};

}  // namespace tapetum::kernels
