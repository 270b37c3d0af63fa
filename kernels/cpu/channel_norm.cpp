// y and gx are affine maps of each channel, whose coefficients are computed in double. Bound by memory: forward reads x and writes y,
// backward reads x and gy twice and writes gx. An activation of y adds nothing to that: backward finds from x what it was applied to.
#include "kernels/cpu/activation.h"
#include "kernels/cpu/channel_sums.h"

namespace tapetum::kernels {
namespace {

bool supports_forward(const ChannelNormForwardArgs& a) { return stores(a.shape.dtype); }
bool supports_backward(const ChannelNormBackwardArgs& a) { return stores(a.shape.dtype); }
double error_forward(const ChannelNormForwardArgs& a) { return a.activation == ConvActivation::silu ? 16 : 8; }
double error_backward(const ChannelNormBackwardArgs& a) { return a.activation == ConvActivation::silu ? 128 : 64; }

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

// What an activation is applied to, z = (x - shift) scale + offset for each channel of a set. Backward needs the bits that forward had.
template <class T> struct Affine {
  T *shift, *scale, *offset;
  template <class Args> Affine(const Args& a, void* memory) : shift(static_cast<T*>(memory)), scale(shift + size(a)), offset(scale + size(a)) {
    const auto& z = a.shape;
    for (int64_t i = 0; i < size(a); ++i) {
      const int64_t c = i % z.c, s = i / z.group;
      const double factor = (a.weight ? read(a.weight, z.parameters, c) : 1.0) / __builtin_sqrt(a.var[s] + a.eps);
      shift[i] = static_cast<T>(a.mean[s]);
      scale[i] = static_cast<T>(factor);
      offset[i] = static_cast<T>((a.bias ? read(a.bias, z.parameters, c) : 0.0) + (shift[i] - a.mean[s]) * factor);
    }
  }
  template <class Args> static int64_t size(const Args& a) { return a.shape.sets * a.shape.c; }
};

size_t workspace_forward(const ChannelNormForwardArgs& a) { return static_cast<size_t>(3 * a.shape.sets * a.shape.c * compute_size(a.shape.dtype)); }

template <class S, ConvActivation A> void normalise(const ChannelNormForwardArgs& a, const Affine<Compute<S>>& map) {
  using V = Vec<Compute<S>>;
  const auto& z = a.shape;
  for_each_stretch(z, [&](int64_t at, int64_t count, int64_t set, int64_t c) {
    const S* x = static_cast<const S*>(a.x) + at;
    S* y = static_cast<S*>(a.y) + at;
    const int64_t k = set * z.c + c;
    const bool rows = z.channels_last;
    for (int64_t i = 0; i < count; i += V::lanes) {
      const int64_t n = count - i;
      const V d = V::load(x + i, n) - coefficient(map.shift + k, rows, i, n);
      activate<A>(d * coefficient(map.scale + k, rows, i, n) + coefficient(map.offset + k, rows, i, n)).store(y + i, n);
    }
  });
}

Status forward(const ChannelNormForwardArgs& a, Workspace& scratch) {
  with_stored_type(a.shape.dtype, [&]<class S>() {
    const Affine<Compute<S>> map(a, scratch.data);
    with_activation(a.activation, [&]<ConvActivation A>() { normalise<S, A>(a, map); });
  });
  return Status::ok;
}

// The terms g and g (x - shift), g being the gradient before the activation.
template <class S, ConvActivation A, int U> struct GradientTerms {
  using T = Compute<S>;
  const S *x, *gy;
  Vec<T> shift[U], scale[U], offset[U];
  GradientTerms(const S* x, const S* gy, const Affine<T>& map, int64_t channel, int64_t lanes) : x(x), gy(gy) {
    for (int u = 0; u < U; ++u) {
      const int64_t c = channel + u * Vec<T>::lanes;
      shift[u] = Vec<T>::load(map.shift + c, lanes);
      scale[u] = Vec<T>::load(map.scale + c, lanes);
      offset[u] = Vec<T>::load(map.offset + c, lanes);
    }
  }
  void operator()(int64_t at, int u, int64_t lanes, Vec<T>& a, Vec<T>& b) const {
    const Vec<T> d = Vec<T>::load(x + at, lanes) - shift[u];
    const Vec<T> g = activation_gradient<A>(d * scale[u] + offset[u], Vec<T>::load(gy + at, lanes));
    a = a + g;
    b = b + g * d;
  }
};

// The sums of g and of g (x - shift) for each part.
template <class S, ConvActivation A> void gradient_sums(const ChannelNormBackwardArgs& a, const Affine<Compute<S>>& map, const Parts& parts) {
  using T = Compute<S>;
  using V = Vec<T>;
  const auto& z = a.shape;
  auto x = static_cast<const S*>(a.x), gy = static_cast<const S*>(a.gy);
  const auto rows = [&](int64_t set, int64_t begin, int64_t end, int64_t part) {
    for (int64_t r = begin; r < end; r += kRun) {
      const int64_t at = (set * z.n * z.l + r) * z.c;
      sum_chunks<T>(
          end - r < kRun ? end - r : kRun, z.c,
          [&]<int U>(int64_t first, int64_t lanes) { return GradientTerms<S, A, U>(x + at + first, gy + at + first, map, set * z.c + first, lanes); },
          [&](int64_t first, int64_t n, const T* sum, const T* product) {
            for (int64_t i = 0; i < n; ++i) {
              parts.a[part + first + i] += sum[i];
              parts.b[part + first + i] += product[i];
            }
          });
    }
  };
  const auto channel = [&](int64_t set, int64_t c, int64_t begin, int64_t end, int64_t part) {
    const int64_t k = set * z.c + c;
    const V shift(map.shift[k]), scale(map.scale[k]), offset(map.offset[k]);
    for_each_run(z, set, c, begin, end, [&](int64_t at, int64_t count) {
      V sum(T(0)), product(T(0));
      for (int64_t i = 0; i < count; i += V::lanes) {
        const V d = V::load(x + at + i, count - i) - shift;
        // Lanes past the end have no gradient.
        const V g = activation_gradient<A>(d * scale + offset, V::load(gy + at + i, count - i));
        sum = sum + g;
        product = product + g * d;
      }
      parts.a[part] += sum.sum();
      parts.b[part] += product.sum();
    });
  };
  for (int64_t i = 0; i < 2 * Parts::count(z); ++i) parts.a[i] = 0;
  for_each_block(z, rows, channel);
}

// Adds the blocks' parts in order: sums of g and of g (x - mean) for each set and channel, left in its first block's part.
template <class T> void merge_sums(const ChannelNormBackwardArgs& a, const T* shift, const Parts& parts) {
  const auto& z = a.shape;
  const int64_t blocks = Blocks(z).per_set;
  for (int64_t i = 0; i < z.sets * z.c; ++i) {
    const int64_t first = Parts::first(z, i);
    for (int64_t b = 1; b < blocks; ++b) {
      parts.a[first] += parts.a[first + b * z.c];
      parts.b[first] += parts.b[first + b * z.c];
    }
    parts.b[first] += (shift[i] - a.mean[i / z.group]) * parts.a[first];
  }
}

// gx = scale g + slope (x - shift) + rest for each channel of a set (formula: reference).
template <class T> struct GradientMap : Affine<T> {
  T *slope, *rest;
  GradientMap(const ChannelNormBackwardArgs& a, void* memory)
      : Affine<T>(a, memory), slope(this->offset + Affine<T>::size(a)), rest(slope + Affine<T>::size(a)) {}

  void fill(const ChannelNormBackwardArgs& a, const Parts& parts) {
    const auto& z = a.shape;
    const double values = static_cast<double>(z.n * z.l * z.group);
    for (int64_t i = 0; i < this->size(a); i += z.group) {
      double sum = 0, product = 0;
      for (int64_t j = i; j < i + z.group && !a.fixed; ++j) {
        const double weight = a.weight ? read(a.weight, z.parameters, j % z.c) : 1.0;
        sum += weight * parts.a[parts.first(z, j)];
        product += weight * parts.b[parts.first(z, j)];
      }
      const double rstd = 1 / __builtin_sqrt(a.var[i / z.group] + a.eps), along = -rstd * rstd * rstd * product / values;
      for (int64_t j = i; j < i + z.group; ++j) {
        slope[j] = static_cast<T>(along);
        rest[j] = static_cast<T>(along * (this->shift[j] - a.mean[j / z.group]) - rstd * sum / values);
      }
    }
  }
};

size_t workspace_backward(const ChannelNormBackwardArgs& a) {
  return Parts::bytes(a.shape) + static_cast<size_t>(5 * a.shape.sets * a.shape.c * compute_size(a.shape.dtype));
}

void store_parameter_gradients(const ChannelNormBackwardArgs& a, const Parts& parts) {
  const auto& z = a.shape;
  for (int64_t c = 0; c < z.c; ++c) {
    double gw = 0, gb = 0;
    for (int64_t i = c; i < z.sets * z.c; i += z.c) {
      gw += parts.b[parts.first(z, i)] / __builtin_sqrt(a.var[i / z.group] + a.eps);
      gb += parts.a[parts.first(z, i)];
    }
    if (a.gweight) write(a.gweight, z.parameters, c, gw);
    if (a.gbias) write(a.gbias, z.parameters, c, gb);
  }
}

template <class S, ConvActivation A> void input_gradient(const ChannelNormBackwardArgs& a, const GradientMap<Compute<S>>& map) {
  using V = Vec<Compute<S>>;
  const auto& z = a.shape;
  for_each_stretch(z, [&](int64_t at, int64_t count, int64_t set, int64_t c) {
    const S *x = static_cast<const S*>(a.x) + at, *gy = static_cast<const S*>(a.gy) + at;
    S* gx = static_cast<S*>(a.gx) + at;
    const int64_t k = set * z.c + c;
    for (int64_t i = 0; i < count; i += V::lanes) {
      const int64_t n = count - i;
      const auto of = [&](const auto* p) { return coefficient(p + k, z.channels_last, i, n); };
      const V d = V::load(x + i, n) - of(map.shift), scale = of(map.scale);
      const V g = activation_gradient<A>(d * scale + of(map.offset), V::load(gy + i, n)), along = d * of(map.slope) + of(map.rest);
      (g * scale + along).store(gx + i, n);
    }
  });
}

template <class S, ConvActivation A> void gradients(const ChannelNormBackwardArgs& a, const Parts& parts) {
  GradientMap<Compute<S>> map(a, parts.a + 2 * Parts::count(a.shape));
  if (!a.fixed || a.gweight || a.gbias) {
    gradient_sums<S, A>(a, map, parts);
    merge_sums(a, map.shift, parts);
  }
  if (a.gweight || a.gbias) store_parameter_gradients(a, parts);
  if (!a.gx) return;
  map.fill(a, parts);
  input_gradient<S, A>(a, map);
}

Status backward(const ChannelNormBackwardArgs& a, Workspace& scratch) {
  const Parts parts(scratch.data, a.shape);
  with_stored_type(a.shape.dtype, [&]<class S>() { with_activation(a.activation, [&]<ConvActivation A>() { gradients<S, A>(a, parts); }); });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(ChannelNormForwardArgs, channel_norm_forward_vec){
    .name = "vec", .supports = supports_forward, .workspace = workspace_forward, .error = error_forward, .run = forward};
TAPETUM_CPU_CANDIDATE(ChannelNormBackwardArgs, channel_norm_backward_vec){
    .name = "vec", .supports = supports_backward, .workspace = workspace_backward, .error = error_backward, .run = backward};

}  // namespace tapetum::kernels
