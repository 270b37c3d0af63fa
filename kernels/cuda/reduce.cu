// Sums, products, extremes and where they are. Memory bound: x is read once. What is combined with what depends on the shape alone.
//   rows: a warp for each output, its lanes side by side along the reduced values: for x that is dense there.
//   columns: 32 outputs a block and 8 threads for each, or one where little is reduced: for x that is dense along the kept dimension.
// Long reductions are cut into parts, so that few outputs fill the device and no thread adds many values in a row; a second kernel
// combines the parts' results.
#include <limits>

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/reduce.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

constexpr int kColumnThreads = 8;
constexpr int64_t kPerThread = 64;  // values that a thread combines in a row, as long as there are fewer parts than
constexpr int64_t kMaxParts = 2048;

bool supports(const ReduceArgs& a) { return is_compute(a.compute) || a.compute == DType::i64; }
double error(const ReduceArgs& a) { return 4 + __builtin_sqrt(static_cast<double>(a.reduced.count)); }

// A reduction carries a State through its tree: here the value alone.
template <class T> struct OfValues {
  using State = T;
  static __device__ T of(T value, int64_t) { return value; }
  static __device__ T result(T total) { return total; }
};

template <class T> struct Sum : OfValues<T> {
  static __device__ T start() { return 0; }
  static __device__ T combine(T a, T b) { return a + b; }
};

template <class T> struct Prod : OfValues<T> {
  static __device__ T start() { return 1; }
  static __device__ T combine(T a, T b) { return a * b; }
};

// Whether b takes the place of a: NaN wins.
template <int sign, class T> __device__ bool beats(T b, T a) { return a == a && (b != b || (sign > 0 ? b > a : b < a)); }

template <int sign, class T> __device__ T worst() {
  using L = std::numeric_limits<T>;
  if constexpr (L::has_infinity) return sign > 0 ? -L::infinity() : L::infinity();
  return sign > 0 ? L::lowest() : L::max();
}

template <int sign> struct Extreme {
  template <class T> struct Of : OfValues<T> {
    static __device__ T start() { return worst<sign, T>(); }
    static __device__ T combine(T a, T b) { return beats<sign>(b, a) ? b : a; }
  };
};

template <class T> struct Found {
  T value;
  int64_t index;
};
template <class T> __device__ Found<T> shuffle_xor(const Found<T>& f, int bits) { return {shuffle_xor(f.value, bits), shuffle_xor(f.index, bits)}; }

// The first of equals.
template <int sign> struct Place {
  template <class T> struct Of {
    using State = Found<T>;
    static __device__ State start() { return {worst<sign, T>(), INT64_MAX}; }
    static __device__ State of(T value, int64_t index) { return {value, index}; }
    static __device__ State combine(const State& a, const State& b) {
      const bool replaces = beats<sign>(b.value, a.value) || (!beats<sign>(a.value, b.value) && b.index < a.index);
      return replaces ? b : a;
    }
    static __device__ int64_t result(const State& s) { return s.index; }
  };
};

// How the reduced values are cut, and where the parts' results go: null: straight to y.
template <class State> struct Parts {
  int64_t count, length;
  State* results;
};

// The combination of every `step`-th value of a part, from the first-th on.
template <class R, class T> __device__ typename R::State fold(const ReduceArgs& a, int64_t x, int64_t begin, int64_t length, int first, int step) {
  const int64_t end = begin + length < a.reduced.count ? begin + length : a.reduced.count;
  auto total = R::start();
  for (int64_t i = begin + first; i < end; i += step) {
    const int64_t at = a.reduced.ndim == 1 ? i * a.reduced.stride[0][0] : offsets_of(a.reduced, i, a.reduced.ndim).at[0];
    total = R::combine(total, R::of(read<T>(a.x, a.x_dtype, x + at), i));
  }
  return total;
}

template <class R>
__device__ void store(const ReduceArgs& a, const Parts<typename R::State>& parts, int64_t output, int64_t part, const typename R::State& total) {
  if (parts.results)
    parts.results[output * parts.count + part] = total;
  else
    write(a.y, a.y_dtype, offsets_of(a.kept, output, a.kept.ndim).at[0], R::result(total));
}

// A warp, of which every lane combines some values, for each part of an output.
template <class R, class T> __global__ void __launch_bounds__(kThreads) reduce_rows_kernel(ReduceArgs a, Parts<typename R::State> parts) {
  const int64_t warp = thread_number() / kWarp;
  if (warp >= a.kept.count * parts.count) return;
  const int64_t output = warp / parts.count, part = warp % parts.count;
  const int lane = threadIdx.x % kWarp;
  const int64_t x = offsets_of(a.kept, output, a.kept.ndim).at[1];
  auto total = fold<R, T>(a, x, part * parts.length, parts.length, lane, kWarp);
  total = reduce_lanes(total, [](const auto& u, const auto& v) { return R::combine(u, v); });
  if (lane == 0) store<R>(a, parts, output, part, total);
}

// Outputs along x, the threads of an output along y; the grid's y are the parts.
template <class R, class T> __global__ void __launch_bounds__(kThreads) reduce_columns_kernel(ReduceArgs a, Parts<typename R::State> parts) {
  __shared__ typename R::State of_thread[kThreads];
  const int64_t output = blockIdx.x * int64_t{blockDim.x} + threadIdx.x, part = blockIdx.y;
  auto total = R::start();
  if (output < a.kept.count) {
    const int64_t x = offsets_of(a.kept, output, a.kept.ndim).at[1];
    total = fold<R, T>(a, x, part * parts.length, parts.length, static_cast<int>(threadIdx.y), static_cast<int>(blockDim.y));
  }
  of_thread[threadIdx.y * blockDim.x + threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y || output >= a.kept.count) return;
  for (unsigned i = 1; i < blockDim.y; ++i) total = R::combine(total, of_thread[i * blockDim.x + threadIdx.x]);
  store<R>(a, parts, output, part, total);
}

// A warp for each output combines its parts' results.
template <class R> __global__ void __launch_bounds__(kThreads) reduce_parts_kernel(ReduceArgs a, Parts<typename R::State> parts) {
  const int64_t output = thread_number() / kWarp;
  if (output >= a.kept.count) return;
  const int lane = threadIdx.x % kWarp;
  auto total = R::start();
  for (int64_t i = lane; i < parts.count; i += kWarp) total = R::combine(total, parts.results[output * parts.count + i]);
  total = reduce_lanes(total, [](const auto& u, const auto& v) { return R::combine(u, v); });
  if (lane == 0) store<R>(a, {1, 0, nullptr}, output, 0, total);
}

struct Plan {
  bool columns;
  int threads;  // for each output
  int64_t parts;

  explicit Plan(const ReduceArgs& a) {
    const int64_t count = a.reduced.count;
    const bool few = count < kWarp, side_by_side = row_stride(a.kept, 1) == 1 && row_stride(a.reduced, 0) != 1;
    columns = few || side_by_side;
    threads = !columns ? kWarp : few ? 1 : kColumnThreads;
    const int64_t wanted = blocks_for(count, threads * kPerThread);
    parts = wanted < 1 ? 1 : wanted < kMaxParts ? wanted : kMaxParts;
  }
};

template <class F> auto with_number(DType compute, F f) {
  return compute == DType::i64 ? f.template operator()<int64_t>() : with_compute_type(compute, f);
}

template <template <class> class R> size_t workspace(const ReduceArgs& a) {
  const int64_t parts = Plan(a).parts;
  const size_t state = with_number(a.compute, [&]<class T>() { return sizeof(typename R<T>::State); });
  return parts == 1 ? 0 : static_cast<size_t>(a.kept.count * parts) * state;
}

template <class R, class T> cudaError_t launch(const ReduceArgs& a, Workspace& w) {
  const Plan plan(a);
  const int64_t length = (a.reduced.count + plan.parts - 1) / plan.parts;
  const Parts<typename R::State> parts{plan.parts, length, static_cast<typename R::State*>(w.data)};
  const unsigned outputs = static_cast<unsigned>(kThreads / plan.threads);
  const gpu::Launch columns{.grid = dim3(blocks_for(a.kept.count, outputs), static_cast<unsigned>(plan.parts)),
                            .block = dim3(outputs, static_cast<unsigned>(plan.threads)),
                            .stream = stream_of(w)};
  const cudaError_t error = plan.columns ? gpu::launch<reduce_columns_kernel<R, T>>(columns, a, parts)
                                         : gpu::launch<reduce_rows_kernel<R, T>>(launch_threads(a.kept.count * plan.parts, w, kWarp), a, parts);
  if (error != cudaSuccess || plan.parts == 1) return error;
  return gpu::launch<reduce_parts_kernel<R>>(launch_threads(a.kept.count, w, kWarp), a, parts);
}

template <template <class> class R> Status run(const ReduceArgs& a, Workspace& w) {
  if (a.kept.count == 0) return Status::ok;
  return status_of(with_number(a.compute, [&]<class T>() { return launch<R<T>, T>(a, w); }));
}

}  // namespace

#define REDUCE(op, R) \
  TAPETUM_CANDIDATE(ReduceArgs, op##_cuda) { .name = "parts", .supports = supports, .workspace = workspace<R>, .error = error, .run = run<R> }
REDUCE(sum, Sum);
REDUCE(prod, Prod);
REDUCE(amax, Extreme<1>::Of);
REDUCE(amin, Extreme<-1>::Of);
REDUCE(argmax, Place<1>::Of);
REDUCE(argmin, Place<-1>::Of);

}  // namespace tapetum::kernels
