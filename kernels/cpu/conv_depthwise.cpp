// Depthwise convolution (as many groups as channels on both sides) in channels_last: each pixel is a short sum of products along channels.
// Little arithmetic for each byte, so what counts is that x is loaded few times, from a near cache, and fetched early from a far one.
#include "kernels/conv.h"
#include "kernels/cpu/conv_depthwise.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"

namespace tapetum::kernels {
namespace {

// One call: out from in, whichever of x and y they are.
template <class S> struct Depthwise {
  using T = Compute<S>;
  using V = Vec<T>;
  const Conv2dShape& z;
  Role role;
  Images<const S> in;
  Images<S> out;
  const S* bias;
  Epilogue<S> epilogue;
  ChannelRegisters<T> registers;
  T* filter;  // [registers, R, S, lanes]
  int64_t phases_h, phases_w;
  Tile tile;
  bool far;

  Depthwise(const Conv2dArgs& a, Role role, void* workspace)
      : z(a.shape),
        role(role),
        bias(static_cast<const S*>(a.bias)),
        epilogue(a),
        registers{z.c},
        filter(static_cast<T*>(workspace)),
        phases_h(role == Role::forward ? 1 : z.stride_h),
        phases_w(role == Role::forward ? 1 : z.stride_w) {
    const auto x = images(static_cast<S*>(a.x), z.n, z.h, z.w, z.x_stride), y = images(static_cast<S*>(a.y), z.n, z.p, z.q, z.y_stride);
    in = constant(role == Role::forward ? x : y), out = role == Role::forward ? y : x;
    tile = Tile(ceil_div(out.w, phases_w), registers.count(),
                z.r * (role == Role::forward ? z.stride_w : 1) * V::lanes * static_cast<int64_t>(sizeof(S)));
    far = is_far(z);
    pack_filter(static_cast<const S*>(a.w));
  }

  void pack_filter(const S* w) {
    T* to = filter;
    for (int64_t i = 0; i < registers.count(); ++i)
      for (int64_t r = 0; r < z.r; ++r)
        for (int64_t s = 0; s < z.s; ++s, to += V::lanes)
          V::gather(w + registers.channel(i) * z.w_stride[0] + r * z.w_stride[2] + s * z.w_stride[3], z.w_stride[0], registers.channels(i)).store(to);
  }

  // Rows [first, end) of image n.
  void run_rows(int64_t n, int64_t first, int64_t end) const {
    auto* lines = static_cast<Line<S>*>(thread_scratch(static_cast<size_t>(z.r * z.s) * sizeof(Line<S>)));
    for (int64_t i = 0; i < registers.count(); i += tile.registers)
      for (int64_t j = 0; j < tile.width; j += tile.columns)
        for (int64_t h = first; h < end; ++h)
          for (int64_t phase = 0; phase < phases_w; ++phase) run_tile(n, h, phase, j, i, lines);
  }

  void run_tile(int64_t n, int64_t h, int64_t phase, int64_t begin, int64_t first, Line<S>* lines) const {
    const Window<S> window(in, taps_of(role, h % phases_h, z.r, z.stride_h, z.padding_h, z.dilation_h),
                           taps_of(role, phase, z.s, z.stride_w, z.padding_w, z.dilation_w), z.s, z.c < V::lanes);
    const int64_t end = smaller(ceil_div(out.w - phase, phases_w), begin + tile.columns);
    for (int64_t j = begin; j < end; j += tile.block) {
      const int64_t outputs = smaller(tile.block, end - j), count = window.lines(n, h / phases_h, j, outputs, lines);
      with_window(window.taps, window.stride(),
                  [&](auto taps, auto stride) { run_block<taps, stride>(window, lines, count, first, outputs, n, h, j * phases_w + phase); });
    }
  }

  template <int taps, int stride>
  [[gnu::noinline]] void run_block(const Window<S>& window, const Line<S>* lines, int64_t count, int64_t first, int64_t outputs, int64_t n, int64_t h,
                                   int64_t w) const {
    const int64_t step = window.step * in.stride_w, to_step = phases_w * out.stride_w, tap = window.columns.step * V::lanes;
    S* const to = out.at(n, h, w);
    for (int64_t i = first; i < smaller(registers.count(), first + tile.registers); ++i) {
      const int64_t c = registers.channel(i), channels = registers.channels(i);
      const T* elements = filter + i * z.r * z.s * V::lanes;
      const V start = bias ? V::load(bias + c, channels) : V(T(0));
      if (far) {
        prefetch_new(lines, count, z.stride_h, kBlock * stride, step, c);
        prefetch_ahead<1>(to + c, kBlock, to_step);
      }
      V sum[kBlock];
#pragma GCC unroll 8
      for (int b = 0; b < kBlock; ++b) sum[b] = start;
      for (int64_t l = 0; l < count; ++l) {
        V element[taps];
#pragma GCC unroll 8
        for (int s = 0; s < taps; ++s) element[s] = V::load(elements + lines[l].tap * V::lanes + s * tap);
        slide<taps, stride, V>(lines[l], c, channels, step, [&](int b, int s, V x) { sum[b] = sum[b] + x * element[s]; });
      }
      if (taps > 1 && epilogue.is_empty()) {
        S* y = to + c;
#pragma GCC unroll 8
        for (int b = 0; b < kBlock; ++b, y += to_step)
          if (b < outputs) sum[b].store(y);
      } else {
        V block[kBlock];
#pragma GCC unroll 8
        for (int b = 0; b < kBlock; ++b) block[b] = sum[b];
        finish(block, outputs, n, h, w, c, channels);
      }
    }
  }

  [[gnu::noinline]] void finish(const V* block, int64_t outputs, int64_t n, int64_t h, int64_t w, int64_t c, int64_t channels) const {
    const int64_t step = phases_w * out.stride_w;
    S* y = out.at(n, h, w) + c;
    epilogue.for_channels(c, channels, [&](auto apply) {
      for (int64_t b = 0; b < outputs; ++b, y += step) apply(block[b], n, h, w + b * phases_w).store(y, channels);
    });
  }
};

constexpr int64_t kUnits = 64, kRows = 4;  // units wanted, and the least rows of one

template <Role role> Status run(const Conv2dArgs& a, Workspace& workspace) {
  with_stored_type(a.shape.dtype, [&]<class S>() {
    const Depthwise<S> d(a, role, workspace.data);
    const int64_t bands = std::max<int64_t>(1, smaller(ceil_div(kUnits, std::max<int64_t>(d.out.n, 1)), d.out.h / kRows));
    parallel_for(d.out.n * bands, [&](int64_t unit) {
      const int64_t n = unit / bands, band = unit % bands;
      d.run_rows(n, band * d.out.h / bands, (band + 1) * d.out.h / bands);
    });
  });
  return Status::ok;
}
size_t workspace(const Conv2dArgs& a) { return filter_bytes(a.shape); }
double error(const Conv2dArgs& a) { return result_error(a, 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.r * a.shape.s))); }

}  // namespace

TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_forward_depthwise){
    .name = "depthwise", .supports = is_depthwise, .workspace = workspace, .error = error, .run = run<Role::forward>};
TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_grad_input_depthwise){
    .name = "depthwise", .supports = is_depthwise, .workspace = workspace, .error = error, .run = run<Role::grad_input>};

}  // namespace tapetum::kernels
