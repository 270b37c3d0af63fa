// y and gx are affine maps of each channel, whose coefficients are computed in double. Bound by memory: forward reads x and writes y,
// backward reads x and gy twice and writes gx.
#include "kernels/cpu/channel_sums.h"

namespace tapetum::kernels {
namespace {

bool supports_forward(const ChannelNormForwardArgs& a) { return stores(a.shape.dtype); }
bool supports_backward(const ChannelNormBackwardArgs& a) { return stores(a.shape.dtype); }
double error_forward(const ChannelNormForwardArgs&) { return 8; }
double error_backward(const ChannelNormBackwardArgs&) { return 64; }

// f(offset, count, set, channel) for stretches that the threads share: a row of all channels, or one plane.
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

// Weight, bias or a gradient of theirs, which may be f32 where images are stored in 16 bits.
double read(const void* p, DType dtype, int64_t i) {
  return with_type(dtype, [&]<class P>() { return cast<double>(static_cast<const P*>(p)[i]); });
}
void write(void* p, DType dtype, int64_t i, double v) {
  with_type(dtype, [&]<class P>() { static_cast<P*>(p)[i] = cast<P>(v); });
}

size_t workspace_forward(const ChannelNormForwardArgs& a) { return static_cast<size_t>(3 * a.shape.sets * a.shape.c * compute_size(a.shape.dtype)); }

Status forward(const ChannelNormForwardArgs& a, Workspace& scratch) {
  const auto& z = a.shape;
  with_stored_type(z.dtype, [&]<class S>() {
    using T = Compute<S>;
    using V = Vec<T>;
    const int64_t all = z.sets * z.c;
    T *shift = static_cast<T*>(scratch.data), *scale = shift + all, *offset = scale + all;
    for (int64_t i = 0; i < all; ++i) {
      const int64_t c = i % z.c, s = i / z.group;
      const double factor = (a.weight ? read(a.weight, z.parameters, c) : 1.0) / __builtin_sqrt(a.var[s] + a.eps);
      shift[i] = static_cast<T>(a.mean[s]);
      scale[i] = static_cast<T>(factor);
      offset[i] = static_cast<T>((a.bias ? read(a.bias, z.parameters, c) : 0.0) + (shift[i] - a.mean[s]) * factor);
    }
    for_each_stretch(z, [&](int64_t at, int64_t count, int64_t set, int64_t c) {
      const S* x = static_cast<const S*>(a.x) + at;
      S* y = static_cast<S*>(a.y) + at;
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

// The terms gy and gy (x - shift).
template <class S, int U> struct GradientTerms {
  using T = Compute<S>;
  const S *x, *gy;
  Vec<T> shift[U];
  GradientTerms(const S* x, const S* gy, const T* shifts, int64_t lanes) : x(x), gy(gy) {
    for (int u = 0; u < U; ++u) shift[u] = Vec<T>::load(shifts + u * Vec<T>::lanes, lanes);
  }
  void operator()(int64_t at, int u, int64_t lanes, Vec<T>& a, Vec<T>& b) const {
    const Vec<T> g = Vec<T>::load(gy + at, lanes);
    a = a + g;
    b = b + g * (Vec<T>::load(x + at, lanes) - shift[u]);
  }
};

// The sums of gy and of gy (x - shift) for each part.
template <class S> void gradient_sums(const ChannelNormBackwardArgs& a, const Compute<S>* shift, const Parts& parts) {
  using T = Compute<S>;
  using V = Vec<T>;
  const auto& z = a.shape;
  auto x = static_cast<const S*>(a.x), gy = static_cast<const S*>(a.gy);
  const auto rows = [&](int64_t set, int64_t begin, int64_t end, int64_t part) {
    for (int64_t r = begin; r < end; r += kRun) {
      const int64_t at = (set * z.n * z.l + r) * z.c;
      sum_chunks<T>(
          end - r < kRun ? end - r : kRun, z.c,
          [&]<int U>(int64_t first, int64_t lanes) { return GradientTerms<S, U>(x + at + first, gy + at + first, shift + set * z.c + first, lanes); },
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
  return Parts::bytes(a.shape) + static_cast<size_t>(4 * a.shape.sets * a.shape.c * compute_size(a.shape.dtype));
}

// gx = scale gy + slope (x - shift) + offset for each channel of a set (formula: reference).
Status backward(const ChannelNormBackwardArgs& a, Workspace& scratch) {
  const auto& z = a.shape;
  const Parts parts(scratch.data, z);
  const int64_t blocks = Blocks(z).per_set, all = z.sets * z.c;
  const double values = static_cast<double>(z.n * z.l * z.group);
  with_stored_type(z.dtype, [&]<class S>() {
    using T = Compute<S>;
    using V = Vec<T>;
    T *shift = reinterpret_cast<T*>(parts.a + 2 * Parts::count(z)), *scale = shift + all, *slope = scale + all, *offset = slope + all;
    const auto weight_of = [&](int64_t c) { return a.weight ? read(a.weight, z.parameters, c) : 1.0; };
    const auto part_of = [&](int64_t set, int64_t c) { return set * blocks * z.c + c; };
    const auto rstd_of = [&](int64_t i) { return 1 / __builtin_sqrt(a.var[i / z.group] + a.eps); };
    for (int64_t i = 0; i < all; ++i) shift[i] = static_cast<T>(a.mean[i / z.group]);
    if (!a.fixed || a.gweight || a.gbias) {
      gradient_sums<S>(a, shift, parts);
      merge_sums(a, shift, parts);
    }
    for (int64_t c = 0; c < z.c; ++c) {
      double gw = 0, gb = 0;
      for (int64_t set = 0; set < z.sets && (a.gweight || a.gbias); ++set) {
        gw += parts.b[part_of(set, c)] * rstd_of(set * z.c + c);
        gb += parts.a[part_of(set, c)];
      }
      if (a.gweight) write(a.gweight, z.parameters, c, gw);
      if (a.gbias) write(a.gbias, z.parameters, c, gb);
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
      const S *x = static_cast<const S*>(a.x) + at, *gy = static_cast<const S*>(a.gy) + at;
      S* gx = static_cast<S*>(a.gx) + at;
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

TAPETUM_CPU_CANDIDATE(ChannelNormForwardArgs, channel_norm_forward_vec){
    .name = "vec", .supports = supports_forward, .workspace = workspace_forward, .error = error_forward, .run = forward};
TAPETUM_CPU_CANDIDATE(ChannelNormBackwardArgs, channel_norm_backward_vec){
    .name = "vec", .supports = supports_backward, .workspace = workspace_backward, .error = error_backward, .run = backward};

}  // namespace tapetum::kernels
