// Cross-entropy. Forward reads the logits three times (maximum, sum, with
// smoothing the weighted sum), once from memory, and keeps lse. 16-bit logits
// are computed in float, and lse stays so. The losses and weights of a block's
// pixels are added in double; a last kernel adds the blocks' totals in order.
#include "kernels/loss.h"

#include <limits>

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/lines.cuh"
#include "kernels/cuda/report.cuh"

namespace tapetum::kernels {
namespace {

constexpr unsigned kMaxBlocks = 1024;

template <class Args> bool supports(const Args& a) { return is_floating(a.shape.dtype); }
template <class Args> double error(const Args& a) { return 8 + __builtin_sqrt(static_cast<double>(a.shape.length)); }

struct Totals {
  double loss, weight;
};
__device__ Totals shuffle_xor(const Totals& t, int bits) { return {shuffle_xor(t.loss, bits), shuffle_xor(t.weight, bits)}; }
__device__ Totals add(const Totals& a, const Totals& b) { return {a.loss + b.loss, a.weight + b.weight}; }

template <class T> __device__ Compute<T> weight_of(const void* weight, int64_t c) {
  return weight ? widen(static_cast<const T*>(weight)[c]) : Compute<T>(1);
}

template <class T, int lanes> __device__ Compute<T> log_sum_exp(const Line<lanes>& line, const T* x) {
  using C = Compute<T>;
  C top = -std::numeric_limits<C>::infinity(), sum = 0;
  line.for_each([&](int64_t, int64_t at) {
    const C v = widen(x[at]);
    top = top < v ? v : top;
  });
  top = max_lanes<lanes>(top);
  line.for_each([&](int64_t, int64_t at) { sum += exp(widen(x[at]) - top); });
  return top + log(sum_lanes<lanes>(sum));
}

__device__ bool is_class(int64_t t, int64_t classes) { return t >= 0 && t < classes; }

// The loss of a pixel whose target t is a class.
template <class T, int lanes> __device__ Compute<T> loss_of(const CrossEntropyForwardArgs& a, const Line<lanes>& line, Compute<T> lse, int64_t t) {
  using C = Compute<T>;
  const T* x = static_cast<const T*>(a.x);
  const C e = static_cast<C>(a.options.label_smoothing), hit = (1 - e) * weight_of<T>(a.weight, t) * (lse - widen(x[line.first + t * line.stride]));
  if (e == 0) return hit;
  C smooth = 0;
  line.for_each([&](int64_t c, int64_t at) { smooth += weight_of<T>(a.weight, c) * (lse - widen(x[at])); });
  return hit + e / static_cast<C>(line.length) * sum_lanes<lanes>(smooth);
}

// A thread or warp walks every so-many-th pixel, so that there are not too many
// blocks.
template <class T, int lanes> __global__ void __launch_bounds__(kThreads) cross_entropy_forward_kernel(CrossEntropyForwardArgs a, Totals* of_block) {
  const int64_t pixels = line_count(a.shape), step = int64_t{gridDim.x} * kThreads / lanes;
  const bool first_lane = threadIdx.x % lanes == 0;
  Totals totals{0, 0};
  for (int64_t pixel = line_of_thread<lanes>(); pixel < pixels; pixel += step) {
    const Line<lanes> line(a.shape, pixel);
    const Compute<T> lse = log_sum_exp(line, static_cast<const T*>(a.x));
    const int64_t t = a.target[pixel];
    const bool counts = is_class(t, line.length) && t != a.options.ignore_index;
    const Compute<T> loss = counts ? loss_of<T>(a, line, lse, t) : Compute<T>(0);
    if (!first_lane) continue;
    totals = add(totals, {loss, counts ? weight_of<T>(a.weight, t) : Compute<T>(0)});
    if (!counts && t != a.options.ignore_index) report(a.bad, pixel, t);
    static_cast<Compute<T>*>(a.lse)[pixel] = lse;
    if (a.options.reduction == Reduction::none) static_cast<T*>(a.loss)[pixel] = narrow<T>(loss);
  }
  totals = reduce_block(totals, add);
  if (threadIdx.x == 0) of_block[blockIdx.x] = totals;
}

// One block.
template <class T>
__global__ void __launch_bounds__(kThreads) cross_entropy_total_kernel(CrossEntropyForwardArgs a, const Totals* of_block, unsigned blocks) {
  Totals totals{0, 0};
  for (unsigned b = threadIdx.x; b < blocks; b += kThreads) totals = add(totals, of_block[b]);
  totals = reduce_block(totals, add);
  if (threadIdx.x) return;
  if (a.options.reduction == Reduction::mean) totals.loss /= totals.weight;
  if (a.options.reduction != Reduction::none) *static_cast<T*>(a.loss) = narrow<T>(static_cast<Compute<T>>(totals.loss));
  *static_cast<Compute<T>*>(a.total_weight) = static_cast<Compute<T>>(totals.weight);
}

unsigned blocks_of(const LineShape& s) {
  const unsigned blocks = blocks_for(line_count(s), kThreads / (has_warp_per_line(s) ? kWarp : 1));
  return blocks < kMaxBlocks ? blocks : kMaxBlocks;
}

size_t workspace(const CrossEntropyForwardArgs& a) { return blocks_of(a.shape) * sizeof(Totals); }

template <class T> cudaError_t launch_forward(const CrossEntropyForwardArgs& a, const Workspace& w) {
  const unsigned blocks = blocks_of(a.shape);
  Totals* of_block = static_cast<Totals*>(w.data);
  const gpu::Launch at{.grid = dim3(blocks), .block = kThreads, .stream = stream_of(w)};
  const auto sum_pixels = [&] {
    return has_warp_per_line(a.shape) ? gpu::launch<cross_entropy_forward_kernel<T, kWarp>>(at, a, of_block)
                                      : gpu::launch<cross_entropy_forward_kernel<T, 1>>(at, a, of_block);
  };
  const auto sum_blocks = [&] {
    return gpu::launch<cross_entropy_total_kernel<T>>({.grid = dim3(1), .block = kThreads, .stream = stream_of(w)}, a, of_block, blocks);
  };
  const cudaError_t error = blocks ? sum_pixels() : cudaSuccess;
  return error == cudaSuccess ? sum_blocks() : error;
}

Status forward(const CrossEntropyForwardArgs& a, Workspace& w) {
  return status_of(with_floating_type(a.shape.dtype, [&]<class T>() { return launch_forward<T>(a, w); }));
}

// gx_c = g (p_c ((1 - e) w_t + e/C sum w) - (1 - e) w_t [c = t] - e/C w_c), p =
// exp(x - lse)
template <class T, int lanes> __global__ void __launch_bounds__(kThreads) cross_entropy_backward_kernel(CrossEntropyBackwardArgs a) {
  const int64_t pixel = line_of_thread<lanes>();
  if (pixel >= line_count(a.shape)) return;
  const Line<lanes> line(a.shape, pixel);
  using C = Compute<T>;
  const C e = static_cast<C>(a.options.label_smoothing), share = e / static_cast<C>(line.length);
  C all = 0;
  if (e != 0) line.for_each([&](int64_t c, int64_t) { all += weight_of<T>(a.weight, c); });
  all = sum_lanes<lanes>(all);
  const int64_t t = a.target[pixel];
  const bool ignored = t == a.options.ignore_index || !is_class(t, line.length);  // the forward pass has reported a wrong one
  C g = widen(static_cast<const T*>(a.gy)[a.options.reduction == Reduction::none ? pixel : 0]);
  if (a.options.reduction == Reduction::mean) g /= *static_cast<const C*>(a.total_weight);
  const C hit = ignored ? C(0) : (1 - e) * weight_of<T>(a.weight, t), lse = static_cast<const C*>(a.lse)[pixel];
  const T* x = static_cast<const T*>(a.x);
  T* gx = static_cast<T*>(a.gx);
  line.for_each([&](int64_t c, int64_t at) {
    const C slope = exp(widen(x[at]) - lse) * (hit + share * all) - (c == t ? hit : C(0)) - share * weight_of<T>(a.weight, c);
    gx[at] = narrow<T>(ignored ? C(0) : g * slope);
  });
}

Status backward(const CrossEntropyBackwardArgs& a, Workspace& w) {
  if (line_count(a.shape) * a.shape.length == 0) return Status::ok;
  return status_of(with_floating_type(a.shape.dtype, [&]<class T>() {
    return has_warp_per_line(a.shape) ? gpu::launch<cross_entropy_backward_kernel<T, kWarp>>(launch_lines(a.shape, kWarp, w), a)
                                      : gpu::launch<cross_entropy_backward_kernel<T, 1>>(launch_lines(a.shape, 1, w), a);
  }));
}

}  // namespace

TAPETUM_CANDIDATE(CrossEntropyForwardArgs, cross_entropy_forward_cuda){
    .name = "lines", .supports = supports, .workspace = workspace, .error = error, .run = forward};
TAPETUM_CANDIDATE(CrossEntropyBackwardArgs, cross_entropy_backward_cuda){.name = "lines", .supports = supports, .error = error, .run = backward};

}  // namespace tapetum::kernels
