// The gradient of a depthwise filter: for each tap, the sum over all pixels of gy times what the tap reads. A block of gy is kept in registers
// while x slides past it, and a tap's sum is added to once for each block. The rows of gy are split into at most 16 parts, from the shape alone,
// each with sums of its own: the same bits at any number of threads.
#include "kernels/conv.h"
#include "kernels/cpu/conv_depthwise.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"

namespace tapetum::kernels {
namespace {

int64_t parts(const Conv2dShape& z) { return std::max<int64_t>(1, smaller(16, z.n * z.p)); }

template <class S> struct DepthwiseWeight {
  using T = Compute<S>;
  using V = Vec<T>;
  const Conv2dShape& z;
  Images<const S> x, gy;
  ChannelRegisters<T> registers;
  Window<S> window;
  Tile tile;
  bool far;

  explicit DepthwiseWeight(const Conv2dArgs& a)
      : z(a.shape),
        x(images(static_cast<const S*>(a.x), z.n, z.h, z.w, z.x_stride)),
        gy(images(static_cast<const S*>(a.y), z.n, z.p, z.q, z.y_stride)),
        registers{z.c},
        window(x, taps_of(Role::forward, 0, z.r, z.stride_h, z.padding_h, z.dilation_h),
               taps_of(Role::forward, 0, z.s, z.stride_w, z.padding_w, z.dilation_w), z.s, z.c < V::lanes),
        tile(z.q, registers.count(), z.r * z.stride_w * V::lanes * static_cast<int64_t>(sizeof(S))),
        far(is_far(z)) {}

  int64_t sums() const { return registers.count() * z.r * z.s * V::lanes; }  // [registers, R, S, lanes]

  // Adds rows [first, end) of all images to `to`.
  void add_rows(int64_t first, int64_t end, T* to) const {
    auto* lines = static_cast<Line<S>*>(thread_scratch(static_cast<size_t>(z.r * z.s) * sizeof(Line<S>)));
    for (int64_t i = 0; i < registers.count(); i += tile.registers)
      for (int64_t j = 0; j < tile.width; j += tile.columns)
        for (int64_t row = first; row < end; ++row)
          for (int64_t q = j; q < smaller(tile.width, j + tile.columns); q += tile.block) {
            const int64_t outputs = smaller(tile.block, tile.width - q), count = window.lines(row / z.p, row % z.p, q, outputs, lines);
            with_window(window.taps, window.stride(),
                        [&](auto taps, auto stride) { add_block<taps, stride>(lines, count, gy.at(row / z.p, row % z.p, q), outputs, i, to); });
          }
  }

  template <int taps, int stride> void add_block(const Line<S>* lines, int64_t count, const S* from, int64_t outputs, int64_t first, T* to) const {
    const int64_t step = window.step * x.stride_w;
    for (int64_t i = first; i < smaller(registers.count(), first + tile.registers); ++i) {
      const int64_t c = registers.channel(i), channels = registers.channels(i);
      const auto load = [&](const S* p) { return taps > 1 ? V::load(p) : V::load(p, channels); };
      if (far) {
        prefetch_new(lines, count, z.stride_h, kBlock * stride, step, c);
        prefetch_ahead<0>(from + c, kBlock, gy.stride_w);
      }
      V g[kBlock];
#pragma GCC unroll 8
      for (int b = 0; b < kBlock; ++b) g[b] = b < outputs ? load(from + b * gy.stride_w + c) : V(T(0));
      for (int64_t l = 0; l < count; ++l) {
        T* sums = to + (i * z.r * z.s + lines[l].tap) * V::lanes;
        V sum[taps];
#pragma GCC unroll 8
        for (int s = 0; s < taps; ++s) sum[s] = V::load(sums + s * V::lanes);
        slide<taps, stride, V>(lines[l], c, channels, step, [&](int b, int s, V column) { sum[s] = sum[s] + column * g[b]; });
#pragma GCC unroll 8
        for (int s = 0; s < taps; ++s) sum[s].store(sums + s * V::lanes);
      }
    }
  }

  // w = the parts' sums, added up in their order
  void write(const T* sums_of_parts, S* w) const {
    parallel_ranges(registers.count(), 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        for (int64_t t = 0; t < z.r * z.s; ++t) {
          const T* from = sums_of_parts + (i * z.r * z.s + t) * V::lanes;
          V sum = V::load(from);
          for (int64_t part = 1; part < parts(z); ++part) sum = sum + V::load(from + part * sums());
          sum.scatter(w + registers.channel(i) * z.w_stride[0] + t / z.s * z.w_stride[2] + t % z.s * z.w_stride[3], z.w_stride[0],
                      registers.channels(i));
        }
    });
  }
};

Status run(const Conv2dArgs& a, Workspace& workspace) {
  with_stored_type(a.shape.dtype, [&]<class S>() {
    using T = Compute<S>;
    const DepthwiseWeight<S> d(a);
    const int64_t count = parts(a.shape), rows = a.shape.n * a.shape.p;
    T* sums = static_cast<T*>(workspace.data);
    parallel_for(count, [&](int64_t part) {
      T* own = sums + part * d.sums();
      for (int64_t i = 0; i < d.sums(); ++i) own[i] = 0;
      d.add_rows(part * rows / count, (part + 1) * rows / count, own);
    });
    d.write(sums, static_cast<S*>(a.w));
  });
  return Status::ok;
}
size_t workspace(const Conv2dArgs& a) { return static_cast<size_t>(parts(a.shape)) * filter_bytes(a.shape); }
double error(const Conv2dArgs& a) { return 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.n * a.shape.p * a.shape.q)); }

}  // namespace

TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_grad_weight_depthwise){
    .name = "depthwise", .supports = is_depthwise, .workspace = workspace, .error = error, .run = run};

}  // namespace tapetum::kernels
