// Convolutions by cuDNN, whose fastest engines are timed once for each large shape; for a small one, and while a graph is captured, the heuristic's
// first is taken. Images are dense, channels first or last; a filter laid out otherwise goes through the workspace. f32 is not multiplied in TF32.
#include "kernels/conv.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/vendor/cudnn.cuh"
#include "kernels/vendor/plans.cuh"

namespace tapetum::kernels {
namespace {

constexpr double kLarge = 1e9;  // operations that take longer than a launch
constexpr size_t kMostTimed = 8;

// One of the three primitives: how its node is called, and what its operands are called there.
struct Role {
  const char* slot;
  cudnnBackendDescriptorType_t node;
  cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
  bool writes_x, writes_w;
};
constexpr Role kForward{"conv2d_forward",
                        CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
                        false,
                        false};
constexpr Role kGradInput{"conv2d_grad_input",
                          CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
                          true,
                          false};
constexpr Role kGradWeight{"conv2d_grad_weight",
                           CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
                           false,
                           true};

struct Key {
  Conv2dShape shape;
  int64_t precision, device;
};

struct Plan {
  Status status = Status::device_error;
  CudnnGraph graph;
  CudnnEngine engine{};
};

enum Name : int64_t { kX = 1, kW, kY };

// What holds before the library is asked, which takes any strides that its engines can.
bool is_expressible(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  const auto aligned = [](const void* data) { return reinterpret_cast<uintptr_t>(data) % CudnnGraph::kAlignment == 0; };
  const auto walks = [](const int64_t(&strides)[4]) { return *std::min_element(strides, strides + 4) > 0; };
  return z.dtype != DType::f64 && !a.bias && !a.is_fused() && std::min({z.n, z.c, z.h, z.w, z.k, z.r, z.s, z.p, z.q}) > 0 && walks(z.x_stride) &&
         walks(z.w_stride) && walks(z.y_stride) && aligned(a.x) && aligned(a.w) && aligned(a.y);
}

CudnnPart& add_strided(CudnnGraph& graph, Name name, DType dtype, std::initializer_list<int64_t> sizes, const int64_t (&s)[4]) {
  return graph.add_tensor(name, dtype, sizes, {s[0], s[1], s[2], s[3]});
}

// Below or to the right: as much as before where that gives the output's size, otherwise what it takes.
int64_t padding_behind(int64_t size, int64_t padding, int64_t filter, int64_t dilation, int64_t stride, int64_t output) {
  const int64_t span = dilation * (filter - 1) + 1;
  return output == 1 + (size + 2 * padding - span) / stride ? padding : (output - 1) * stride + span - size - padding;
}

CudnnPart& add_node(CudnnGraph& graph, const Conv2dShape& z, const Role& role) {
  CudnnPart& convolution = graph.add(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  const auto set = [&](cudnnBackendAttributeName_t name, int64_t h, int64_t w) { convolution.set(name, CUDNN_TYPE_INT64, {h, w}); };
  convolution.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, {int64_t{2}})
      .set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT})
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, {CUDNN_CROSS_CORRELATION});
  set(CUDNN_ATTR_CONVOLUTION_DILATIONS, z.dilation_h, z.dilation_w);
  set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, z.stride_h, z.stride_w);
  set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, z.padding_h, z.padding_w);
  set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding_behind(z.h, z.padding_h, z.r, z.dilation_h, z.stride_h, z.p),
      padding_behind(z.w, z.padding_w, z.s, z.dilation_w, z.stride_w, z.q));
  return graph.add(role.node)
      .set(role.convolution, convolution.finish())
      .set(role.x, add_strided(graph, kX, z.dtype, {z.n, z.c, z.h, z.w}, z.x_stride))
      .set(role.w, add_strided(graph, kW, z.dtype, {z.k, z.c / z.groups, z.r, z.s}, z.w_stride))
      .set(role.y, add_strided(graph, kY, z.dtype, {z.n, z.k, z.p, z.q}, z.y_stride))
      .set(role.alpha, CUDNN_TYPE_FLOAT, {1.0f})
      .set(role.beta, CUDNN_TYPE_FLOAT, {0.0f})
      .finish();
}

bool is_capturing() {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  return cudaStreamIsCapturing(static_cast<cudaStream_t>(current_stream()), &status) != cudaSuccess || status != cudaStreamCaptureStatusNone;
}

// Transforms lose digits: the caller must allow that, and has f32 to lose them of.
bool may_transform(DType dtype) { return dtype == DType::f32 && conv_precision() == ConvPrecision::f4; }

bool keeps_the_rules(const CudnnNotes& notes, DType dtype) {
  const bool transforms = notes.have(CUDNN_NUMERICAL_NOTE_WINOGRAD) || notes.have(CUDNN_NUMERICAL_NOTE_FFT);
  const bool rounds = notes.have(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS) || notes.have(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION) ||
                      (dtype == DType::f32 && notes.have(CUDNN_NUMERICAL_NOTE_TENSOR_CORE));
  return !rounds && (!transforms || may_transform(dtype));
}

bool run_engine(const CudnnSession& session, const CudnnEngine& engine, const Conv2dArgs& a, void* room) {
  return execute(session, engine, {kX, kW, kY}, {a.x, a.w, a.y}, room);
}

// Milliseconds of a run; infinite if it fails.
float time_of(const CudnnSession& session, const CudnnEngine& engine, const Conv2dArgs& a) {
  constexpr int kRuns = 3;
  const auto stream = static_cast<cudaStream_t>(current_stream());
  void* const room = engine.workspace ? allocate_device(engine.workspace) : nullptr;
  float milliseconds = 0;
  cudaEvent_t begin = nullptr, end = nullptr;
  bool good = (room || !engine.workspace) && run_engine(session, engine, a, room) && cudaEventCreate(&begin) == cudaSuccess &&
              cudaEventCreate(&end) == cudaSuccess && cudaEventRecord(begin, stream) == cudaSuccess;
  for (int i = 0; i < kRuns; ++i) good = good && run_engine(session, engine, a, room);
  good = good && cudaEventRecord(end, stream) == cudaSuccess && cudaEventSynchronize(end) == cudaSuccess &&
         cudaEventElapsedTime(&milliseconds, begin, end) == cudaSuccess;
  if (begin) cudaEventDestroy(begin);
  if (end) cudaEventDestroy(end);
  if (room) release_device(room);
  return good ? milliseconds / kRuns : __builtin_inff();
}

template <const Role& role> std::shared_ptr<const Plan> make(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  auto plan = std::make_shared<Plan>();
  const CudnnSession session;
  if (!session) return plan;
  const OutsideCapture allowed;
  const bool timed = 2.0 * static_cast<double>(z.n * z.p * z.q * z.k * (z.c / z.groups) * z.r * z.s) >= kLarge && !is_capturing();
  auto engines = plan->graph.engines(session, add_node(plan->graph, z, role), timed ? kMostTimed : 1,
                                     [&](const CudnnNotes& notes) { return keeps_the_rules(notes, z.dtype); });
  if (engines.empty()) return nullptr;
  size_t best = 0;
  float least = __builtin_inff();
  for (size_t i = 0; timed && i < engines.size(); ++i)
    if (const float t = time_of(session, engines[i], a); t < least) least = t, best = i;
  plan->engine = std::move(engines[best]);
  plan->status = Status::ok;
  return plan;
}

template <const Role& role> std::shared_ptr<const Plan> plan_of(const Conv2dArgs& a) {
  static auto& cache = *new PlanCache<Key, Plan>;
  if (!is_expressible(a)) return nullptr;
  return cache.find({a.shape, static_cast<int64_t>(conv_precision()), current_device()}, [&] { return make<role>(a); });
}

template <const Role& role> bool supports(const Conv2dArgs& a) { return is_wanted(role.slot, "cudnn") && plan_of<role>(a); }
template <const Role& role> size_t workspace(const Conv2dArgs& a) {
  const auto plan = plan_of<role>(a);
  return plan ? plan->engine.workspace : 0;
}
// As of our own: sums of products, which tensor cores cut off, or Winograd's transforms where those are allowed.
template <const Role& role> double error(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  const int64_t channels = role.writes_x ? z.k : z.c;
  const double depth = static_cast<double>(role.writes_w ? z.n * z.p * z.q : channels / z.groups * z.r * z.s), root = __builtin_sqrt(depth);
  if (may_transform(z.dtype)) return 64 + 16 * root;
  return 8 + 2 * root + (z.dtype == DType::f32 ? 0 : depth / 16);
}

template <const Role& role> Status run(const Conv2dArgs& a, Workspace& w) {
  const auto plan = plan_of<role>(a);
  if (!plan || plan->status != Status::ok) return Status::device_error;
  return run_engine(CudnnSession(), plan->engine, a, w.data) ? Status::ok : Status::device_error;
}

}  // namespace

#define CUDNN(role, Role)                                                                                                                       \
  TAPETUM_CANDIDATE(Conv2dArgs, conv2d_##role##_cudnn) {                                                                                        \
    .name = "cudnn", .supports = supports<Role>, .prefers = by_name_alone, .workspace = workspace<Role>, .error = error<Role>, .run = run<Role> \
  }

CUDNN(forward, kForward);
CUDNN(grad_input, kGradInput);
CUDNN(grad_weight, kGradWeight);

}  // namespace tapetum::kernels
