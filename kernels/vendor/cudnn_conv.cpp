// Convolutions by cuDNN, which tries its algorithms once for each large shape, and takes its heuristic's choice for a small one and while a graph is
// captured. Images are dense, channels first or last; a filter laid out otherwise goes through the workspace. f32 is not multiplied in TF32.
#include <algorithm>
#include <array>

#include "kernels/conv.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/vendor/cudnn.cuh"
#include "kernels/vendor/plans.cuh"

namespace tapetum::kernels {
namespace {

constexpr size_t kGreatestWorkspace = size_t{1} << 30, kFilterAlignment = 256;
constexpr double kLarge = 1e9;  // operations that take longer than a launch
constexpr int kMostAlgorithms = 16;

struct Key {
  Conv2dShape shape;
  int64_t precision, device;
};

struct Plan {
  Status status = Status::device_error;
  CudnnTensor x, y, bias;
  CudnnFilter w;
  CudnnConvolution convolution;
  bool channels_last = false;
  size_t filter_bytes = 0;  // of the workspace, before the library's own
  int algorithm = 0;
  size_t library_bytes = 0;
};

struct Buffers {
  void *x, *w, *y;
};

// The three primitives under one name each: what they differ in is the order of their operands.
struct Forward {
  static constexpr const char* kSlot = "conv2d_forward";
  using Algorithm = cudnnConvolutionFwdAlgo_t;
  using Trial = cudnnConvolutionFwdAlgoPerf_t;
  static constexpr int kCount = CUDNN_CONVOLUTION_FWD_ALGO_COUNT;
  static constexpr std::array kInexact{CUDNN_CONVOLUTION_FWD_ALGO_FFT, CUDNN_CONVOLUTION_FWD_ALGO_FFT_TILING, CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD,
                                       CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED};

  static cudnnStatus_t guess(cudnnHandle_t h, const Plan& p, int* found, Trial* trials) {
    return cudnnGetConvolutionForwardAlgorithm_v7(h, p.x, p.w, p.convolution, p.y, kMostAlgorithms, found, trials);
  }
  static cudnnStatus_t time(cudnnHandle_t h, const Plan& p, const Buffers& b, int* found, Trial* trials, void* room, size_t bytes) {
    return cudnnFindConvolutionForwardAlgorithmEx(h, p.x, b.x, p.w, b.w, p.convolution, p.y, b.y, kMostAlgorithms, found, trials, room, bytes);
  }
  static cudnnStatus_t workspace(cudnnHandle_t h, const Plan& p, Algorithm a, size_t* bytes) {
    return cudnnGetConvolutionForwardWorkspaceSize(h, p.x, p.w, p.convolution, p.y, a, bytes);
  }
  static cudnnStatus_t run(cudnnHandle_t h, const Plan& p, const Buffers& b, Algorithm a, void* room) {
    const float one = 1, zero = 0;
    return cudnnConvolutionForward(h, &one, p.x, b.x, p.w, b.w, p.convolution, a, room, p.library_bytes, &zero, p.y, b.y);
  }
  static double depth(const Conv2dShape& z) { return static_cast<double>(z.c / z.groups * z.r * z.s); }
  static constexpr bool kWritesFilter = false;
  static const CudnnTensor& result(const Plan& p) { return p.y; }
  static void* result(const Conv2dArgs& a) { return a.y; }
  static int64_t channels(const Conv2dShape& z) { return z.k; }
};

struct GradInput {
  static constexpr const char* kSlot = "conv2d_grad_input";
  using Algorithm = cudnnConvolutionBwdDataAlgo_t;
  using Trial = cudnnConvolutionBwdDataAlgoPerf_t;
  static constexpr int kCount = CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT;
  static constexpr std::array kInexact{CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT, CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT_TILING,
                                       CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD, CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED};

  static cudnnStatus_t guess(cudnnHandle_t h, const Plan& p, int* found, Trial* trials) {
    return cudnnGetConvolutionBackwardDataAlgorithm_v7(h, p.w, p.y, p.convolution, p.x, kMostAlgorithms, found, trials);
  }
  static cudnnStatus_t time(cudnnHandle_t h, const Plan& p, const Buffers& b, int* found, Trial* trials, void* room, size_t bytes) {
    return cudnnFindConvolutionBackwardDataAlgorithmEx(h, p.w, b.w, p.y, b.y, p.convolution, p.x, b.x, kMostAlgorithms, found, trials, room, bytes);
  }
  static cudnnStatus_t workspace(cudnnHandle_t h, const Plan& p, Algorithm a, size_t* bytes) {
    return cudnnGetConvolutionBackwardDataWorkspaceSize(h, p.w, p.y, p.convolution, p.x, a, bytes);
  }
  static cudnnStatus_t run(cudnnHandle_t h, const Plan& p, const Buffers& b, Algorithm a, void* room) {
    const float one = 1, zero = 0;
    return cudnnConvolutionBackwardData(h, &one, p.w, b.w, p.y, b.y, p.convolution, a, room, p.library_bytes, &zero, p.x, b.x);
  }
  static double depth(const Conv2dShape& z) { return static_cast<double>(z.k / z.groups * z.r * z.s); }
  static constexpr bool kWritesFilter = false;
  static const CudnnTensor& result(const Plan& p) { return p.x; }
  static void* result(const Conv2dArgs& a) { return a.x; }
  static int64_t channels(const Conv2dShape& z) { return z.c; }
};

struct GradWeight {
  static constexpr const char* kSlot = "conv2d_grad_weight";
  using Algorithm = cudnnConvolutionBwdFilterAlgo_t;
  using Trial = cudnnConvolutionBwdFilterAlgoPerf_t;
  static constexpr int kCount = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT;
  static constexpr std::array kInexact{CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT_TILING,
                                       CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED};

  static cudnnStatus_t guess(cudnnHandle_t h, const Plan& p, int* found, Trial* trials) {
    return cudnnGetConvolutionBackwardFilterAlgorithm_v7(h, p.x, p.y, p.convolution, p.w, kMostAlgorithms, found, trials);
  }
  static cudnnStatus_t time(cudnnHandle_t h, const Plan& p, const Buffers& b, int* found, Trial* trials, void* room, size_t bytes) {
    return cudnnFindConvolutionBackwardFilterAlgorithmEx(h, p.x, b.x, p.y, b.y, p.convolution, p.w, b.w, kMostAlgorithms, found, trials, room, bytes);
  }
  static cudnnStatus_t workspace(cudnnHandle_t h, const Plan& p, Algorithm a, size_t* bytes) {
    return cudnnGetConvolutionBackwardFilterWorkspaceSize(h, p.x, p.y, p.convolution, p.w, a, bytes);
  }
  static cudnnStatus_t run(cudnnHandle_t h, const Plan& p, const Buffers& b, Algorithm a, void* room) {
    const float one = 1, zero = 0;
    return cudnnConvolutionBackwardFilter(h, &one, p.x, b.x, p.y, b.y, p.convolution, a, room, p.library_bytes, &zero, p.w, b.w);
  }
  static double depth(const Conv2dShape& z) { return static_cast<double>(z.n * z.p * z.q); }
  static constexpr bool kWritesFilter = true;
};

// Strides of a dense tensor of these sizes; those of single elements mean nothing.
bool is_dense(const int64_t (&sizes)[4], const int64_t (&strides)[4], bool channels_last) {
  constexpr int orders[2][4] = {{3, 2, 1, 0}, {1, 3, 2, 0}};
  int64_t stride = 1;
  for (int d : orders[channels_last]) {
    if (sizes[d] != 1 && strides[d] != stride) return false;
    stride *= sizes[d];
  }
  return stride <= INT32_MAX;
}

bool has_format(const Conv2dShape& z, bool channels_last) {
  return is_dense({z.n, z.c, z.h, z.w}, z.x_stride, channels_last) && is_dense({z.n, z.k, z.p, z.q}, z.y_stride, channels_last);
}

int64_t output_size(int64_t size, int64_t padding, int64_t filter, int64_t dilation, int64_t stride) {
  return 1 + (size + 2 * padding - dilation * (filter - 1) - 1) / stride;
}

// What holds before the library is asked.
bool is_expressible(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  const auto aligned = [](const void* data) { return reinterpret_cast<uintptr_t>(data) % 16 == 0; };
  return z.dtype != DType::f64 && std::min({z.n, z.c, z.h, z.w, z.k, z.r, z.s, z.p, z.q}) > 0 && (has_format(z, true) || has_format(z, false)) &&
         z.p == output_size(z.h, z.padding_h, z.r, z.dilation_h, z.stride_h) && z.q == output_size(z.w, z.padding_w, z.s, z.dilation_w, z.stride_w) &&
         !a.is_fused() && (!a.bias || z.dtype == DType::f32) &&  // the bias is a second pass over the result
         aligned(a.x) && aligned(a.w) && aligned(a.y);
}

template <class... N> std::array<int, sizeof...(N)> narrow_all(N... n) { return {static_cast<int>(n)...}; }

bool describe(Plan& p, const Conv2dShape& z, int64_t bias_channels) {
  const cudnnDataType_t type = cudnn_type_of(z.dtype);
  const cudnnTensorFormat_t format = p.channels_last ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW;
  const auto [n, c, h, w, k, r, s, out_h, out_w] = narrow_all(z.n, z.c, z.h, z.w, z.k, z.r, z.s, z.p, z.q);
  const auto [pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, groups, channels] =
      narrow_all(z.padding_h, z.padding_w, z.stride_h, z.stride_w, z.dilation_h, z.dilation_w, z.groups, bias_channels);
  return ok(cudnnSetTensor4dDescriptor(p.x, format, type, n, c, h, w)) && ok(cudnnSetTensor4dDescriptor(p.y, format, type, n, k, out_h, out_w)) &&
         ok(cudnnSetTensor4dDescriptor(p.bias, format, type, 1, channels, 1, 1)) &&
         ok(cudnnSetFilter4dDescriptor(p.w, type, format, k, c / groups, r, s)) &&
         ok(cudnnSetConvolution2dDescriptor(p.convolution, pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, CUDNN_CROSS_CORRELATION,
                                            CUDNN_DATA_FLOAT)) &&
         ok(cudnnSetConvolutionGroupCount(p.convolution, groups)) &&
         ok(cudnnSetConvolutionMathType(p.convolution, z.dtype == DType::f32 ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH));
}

// Between a filter of any strides and a dense one, whose elements are numbered as they lie.
template <class T, bool gather>
__global__ void __launch_bounds__(kThreads) conv2d_filter_copy_kernel(Conv2dShape z, bool channels_last, T* filter, T* dense) {
  const int64_t i = thread_number(), c = z.c / z.groups, pixels = z.r * z.s;
  if (i >= z.k * c * pixels) return;
  const int64_t channel = channels_last ? i % c : i / pixels % c, pixel = channels_last ? i / c % pixels : i % pixels;
  T& element = filter[i / (c * pixels) * z.w_stride[0] + channel * z.w_stride[1] + pixel / z.s * z.w_stride[2] + pixel % z.s * z.w_stride[3]];
  if constexpr (gather)
    dense[i] = element;
  else
    element = dense[i];
}
template <bool gather> cudaError_t copy_filter(const Conv2dArgs& a, const Plan& p, void* dense, cudaStream_t stream) {
  const Conv2dShape& z = a.shape;
  const gpu::Launch at{.grid = blocks_for(z.k * (z.c / z.groups) * z.r * z.s, kThreads), .block = kThreads, .stream = stream};
  const auto copy = [&]<class T>(T*) {
    return gpu::launch<conv2d_filter_copy_kernel<T, gather>>(at, z, p.channels_last, static_cast<T*>(a.w), static_cast<T*>(dense));
  };
  return z.dtype == DType::f32 ? copy(static_cast<float*>(nullptr)) : copy(static_cast<uint16_t*>(nullptr));
}

bool is_capturing() {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  return cudaStreamIsCapturing(static_cast<cudaStream_t>(current_stream()), &status) != cudaSuccess || status != cudaStreamCaptureStatusNone;
}

// Transforms lose digits: the caller must allow that, and has f32 to lose them of.
template <class Role> bool is_allowed(typename Role::Algorithm algorithm, const Conv2dShape& z) {
  const bool exact = z.dtype != DType::f32 || conv_precision() != ConvPrecision::f4;
  return !exact || std::count(Role::kInexact.begin(), Role::kInexact.end(), algorithm) == 0;
}

template <class Role> struct Trials {
  typename Role::Trial of[kMostAlgorithms];
  int count = 0;
};

// The algorithms, the fastest first, by running each on the operands.
template <class Role> bool time_all(cudnnHandle_t handle, const Plan& p, const Conv2dArgs& a, Trials<Role>& trials) {
  size_t greatest = 0;
  for (int i = 0; i < Role::kCount; ++i) {
    const auto algorithm = static_cast<typename Role::Algorithm>(i);
    size_t bytes = 0;
    if (is_allowed<Role>(algorithm, a.shape) && ok(Role::workspace(handle, p, algorithm, &bytes)) && bytes <= kGreatestWorkspace)
      greatest = std::max(greatest, bytes);
  }
  const size_t bytes = p.filter_bytes + greatest;
  char* const room = bytes ? static_cast<char*>(allocate_device(bytes)) : nullptr;
  if (bytes && !room) return false;
  const Buffers b{a.x, p.filter_bytes ? room : a.w, a.y};
  const bool timed = ok(Role::time(handle, p, b, &trials.count, trials.of, room + p.filter_bytes, greatest));
  if (room) release_device(room);
  return timed;
}

// Takes the first that keeps to the rules, if there is one.
template <class Role> bool choose(cudnnHandle_t handle, Plan& p, const Conv2dShape& z, const Trials<Role>& trials) {
  for (int i = 0; i < trials.count; ++i) {
    const auto& t = trials.of[i];
    const bool tensor_cores = t.mathType == CUDNN_TENSOR_OP_MATH || t.mathType == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
    if (!ok(t.status) || !is_allowed<Role>(t.algo, z) || (z.dtype == DType::f32 && tensor_cores)) continue;
    if (z.dtype != DType::f32 && !ok(cudnnSetConvolutionMathType(p.convolution, t.mathType))) continue;
    if (!ok(Role::workspace(handle, p, t.algo, &p.library_bytes)) || p.library_bytes > kGreatestWorkspace) continue;
    p.algorithm = t.algo;
    return true;
  }
  return false;
}

template <class Role> std::shared_ptr<const Plan> make(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  auto plan = std::make_shared<Plan>();
  plan->channels_last = has_format(z, true);
  const int64_t c = z.c / z.groups, elements = z.k * c * z.r * z.s;
  if (!is_dense({z.k, c, z.r, z.s}, z.w_stride, plan->channels_last))
    plan->filter_bytes = (static_cast<size_t>(elements) * size_of(z.dtype) + kFilterAlignment - 1) / kFilterAlignment * kFilterAlignment;
  const CudnnSession session;
  if (!session) return plan;
  int64_t bias_channels = 1;
  if constexpr (!Role::kWritesFilter) bias_channels = Role::channels(z);
  if (!describe(*plan, z, bias_channels)) return nullptr;
  const OutsideCapture allowed;
  Trials<Role> trials;
  const double operations = 2.0 * static_cast<double>(z.n * z.p * z.q * elements);
  const bool timed = operations >= kLarge && !is_capturing() && time_all(session, *plan, a, trials) && choose(session, *plan, z, trials);
  if (!timed && !(ok(Role::guess(session, *plan, &trials.count, trials.of)) && choose(session, *plan, z, trials))) return nullptr;
  plan->status = Status::ok;
  return plan;
}

template <class Role> std::shared_ptr<const Plan> plan_of(const Conv2dArgs& a) {
  static auto& cache = *new PlanCache<Key, Plan>;
  if (!is_expressible(a)) return nullptr;
  return cache.find({a.shape, static_cast<int64_t>(conv_precision()), current_device()}, [&] { return make<Role>(a); });
}

template <class Role> bool supports(const Conv2dArgs& a) { return is_wanted(Role::kSlot, "cudnn") && plan_of<Role>(a); }
template <class Role> size_t workspace(const Conv2dArgs& a) {
  const auto plan = plan_of<Role>(a);
  return plan ? plan->filter_bytes + plan->library_bytes : 0;
}
// As of our own: sums of products, or Winograd's transforms where those are allowed.
template <class Role> double error(const Conv2dArgs& a) {
  const bool exact = a.shape.dtype != DType::f32 || conv_precision() != ConvPrecision::f4;
  return (exact ? 8 : 64) + (exact ? 2 : 16) * __builtin_sqrt(Role::depth(a.shape)) + (a.shape.dtype != DType::f32 ? Role::depth(a.shape) / 16 : 0);
}

template <class Role> Status run(const Conv2dArgs& a, Workspace& w) {
  const auto plan = plan_of<Role>(a);
  if (!plan || plan->status != Status::ok) return Status::device_error;
  const Plan& p = *plan;
  char* const room = static_cast<char*>(w.data);
  const Buffers b{a.x, p.filter_bytes ? room : a.w, a.y};
  if (p.filter_bytes && !Role::kWritesFilter && copy_filter<true>(a, p, room, stream_of(w)) != cudaSuccess) return Status::device_error;
  {
    const CudnnSession session;
    if (!session || !ok(Role::run(session, p, b, static_cast<typename Role::Algorithm>(p.algorithm), room + p.filter_bytes)))
      return Status::device_error;
    if constexpr (!Role::kWritesFilter) {
      const float one = 1;
      if (a.bias && !ok(cudnnAddTensor(session, &one, p.bias, a.bias, &one, Role::result(p), Role::result(a)))) return Status::device_error;
    }
  }
  if (p.filter_bytes && Role::kWritesFilter && copy_filter<false>(a, p, room, stream_of(w)) != cudaSuccess) return Status::device_error;
  return Status::ok;
}

}  // namespace

#define CUDNN(role, Role)                                                                                                                       \
  TAPETUM_CANDIDATE(Conv2dArgs, conv2d_##role##_cudnn) {                                                                                        \
    .name = "cudnn", .supports = supports<Role>, .prefers = by_name_alone, .workspace = workspace<Role>, .error = error<Role>, .run = run<Role> \
  }

CUDNN(forward, Forward);
CUDNN(grad_input, GradInput);
CUDNN(grad_weight, GradWeight);

}  // namespace tapetum::kernels
