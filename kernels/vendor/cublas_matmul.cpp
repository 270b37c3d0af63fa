// Matrix products by cuBLASLt, whose heuristic chooses a kernel once for each shape. Its matrices are column-major: it computes c^T = b^T a^T.
#include <cublasLt.h>

#include <algorithm>
#include <optional>

#include "kernels/cuda/allocator.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/matmul.h"
#include "kernels/vendor/plans.cuh"

namespace tapetum::kernels {
namespace {

constexpr size_t kWorkspace = size_t{32} << 20;
constexpr uint32_t kGreatestAlignment = 256;

// A column-major matrix whose columns begin `lead` elements apart, or the transpose of one.
struct Stored {
  int64_t transposed, rows, columns, lead;
};

// The matrix [rows, columns] with these strides; a stride along one element means nothing.
std::optional<Stored> stored(int64_t rows, int64_t row, int64_t columns, int64_t column) {
  if ((row == 1 || rows == 1) && (column >= rows || columns == 1)) return Stored{0, rows, columns, columns == 1 ? rows : column};
  if ((column == 1 || columns == 1) && (row >= columns || rows == 1)) return Stored{1, columns, rows, rows == 1 ? columns : row};
  return std::nullopt;
}

struct Product {
  Stored left, right, result;  // b^T, a^T and c^T
  int64_t left_step, right_step, result_step, batch;
  int64_t left_alignment, right_alignment, result_alignment, bias_alignment;  // bytes; of the bias 0 when there is none
  DType dtype;
  int64_t tf32, device;
};

int64_t alignment_of(const void* data) {
  const auto address = reinterpret_cast<uintptr_t>(data) | kGreatestAlignment;
  return static_cast<int64_t>(address & -address);
}

bool in_tf32(const MatmulArgs& a) { return a.shape.dtype == DType::f32 && float32_matmul_precision() == Float32MatmulPrecision::high; }

std::optional<Product> product_of(const MatmulArgs& a) {
  const MatmulShape& z = a.shape;
  if (z.m <= 0 || z.n <= 0 || z.k <= 0 || z.batch.count <= 0 || z.batch.count > INT32_MAX || z.batch.ndim > 1) return std::nullopt;
  const auto left = stored(z.n, z.b.column, z.k, z.b.row), right = stored(z.k, z.a.column, z.m, z.a.row);
  const auto result = stored(z.n, z.c.column, z.m, z.c.row);
  if (!left || !right || !result || result->transposed) return std::nullopt;
  const auto step = [&](int operand) { return z.batch.ndim ? z.batch.stride[operand][0] : 0; };
  return Product{.left = *left,
                 .right = *right,
                 .result = *result,
                 .left_step = step(1),
                 .right_step = step(0),
                 .result_step = step(2),
                 .batch = z.batch.count,
                 .left_alignment = alignment_of(a.b),
                 .right_alignment = alignment_of(a.a),
                 .result_alignment = alignment_of(a.c),
                 .bias_alignment = a.bias ? alignment_of(a.bias) : 0,
                 .dtype = z.dtype,
                 .tf32 = in_tf32(a),
                 .device = current_device()};
}

// cuBLASLt's descriptors are plain memory: a run works on a copy, in which it sets its bias.
struct Plan {
  Status status = Status::device_error;
  cublasLtHandle_t handle;
  cublasLtMatmulDescOpaque_t product;
  cublasLtMatrixLayoutOpaque_t left, right, result;
  cublasLtMatmulAlgo_t algorithm;
  size_t workspace = 0;
};

bool ok(cublasStatus_t status) { return status == CUBLAS_STATUS_SUCCESS; }

// Of the current device; null when the library fails. Threads share it.
cublasLtHandle_t handle() {
  static std::mutex mutex;
  static cublasLtHandle_t handles[kMaxDevices] = {};
  std::lock_guard lock(mutex);
  cublasLtHandle_t& mine = handles[current_device()];
  const OutsideCapture allowed;
  if (!mine && !ok(cublasLtCreate(&mine))) mine = nullptr;
  return mine;
}

cudaDataType_t type_of(DType dtype) {
  return dtype == DType::f64 ? CUDA_R_64F : dtype == DType::f32 ? CUDA_R_32F : dtype == DType::f16 ? CUDA_R_16F : CUDA_R_16BF;
}

template <class T> bool set(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t name, const T& value) {
  return ok(cublasLtMatmulDescSetAttribute(d, name, &value, sizeof value));
}
template <class T> bool set(cublasLtMatrixLayout_t d, cublasLtMatrixLayoutAttribute_t name, const T& value) {
  return ok(cublasLtMatrixLayoutSetAttribute(d, name, &value, sizeof value));
}
template <class T> bool set(cublasLtMatmulPreference_t d, cublasLtMatmulPreferenceAttributes_t name, const T& value) {
  return ok(cublasLtMatmulPreferenceSetAttribute(d, name, &value, sizeof value));
}

bool describe_matrix(cublasLtMatrixLayout_t d, const Stored& s, int64_t step, const Product& p) {
  return ok(cublasLtMatrixLayoutInit(d, type_of(p.dtype), static_cast<uint64_t>(s.rows), static_cast<uint64_t>(s.columns), s.lead)) &&
         set(d, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<int32_t>(p.batch)) && set(d, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, step);
}

bool describe_product(cublasLtMatmulDesc_t d, const Product& p, const void* bias) {
  const bool wide = p.dtype == DType::f64;
  const cublasOperation_t operations[] = {CUBLAS_OP_N, CUBLAS_OP_T};
  const cublasComputeType_t compute = wide ? CUBLAS_COMPUTE_64F : p.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  return ok(cublasLtMatmulDescInit(d, compute, wide ? CUDA_R_64F : CUDA_R_32F)) &&
         set(d, CUBLASLT_MATMUL_DESC_TRANSA, operations[p.left.transposed]) && set(d, CUBLASLT_MATMUL_DESC_TRANSB, operations[p.right.transposed]) &&
         (!bias || (set(d, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS) && set(d, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias)));
}

// Parts of a sum stay in f32 where the result is of 16 bits.
bool describe_preference(cublasLtMatmulPreference_t d, const Product& p) {
  const auto bytes = [](int64_t alignment) { return static_cast<uint32_t>(alignment); };
  const uint32_t reductions = is_compute(p.dtype) ? CUBLASLT_REDUCTION_SCHEME_MASK : CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  return ok(cublasLtMatmulPreferenceInit(d)) && set(d, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspace) &&
         set(d, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions) &&
         set(d, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, bytes(p.left_alignment)) &&
         set(d, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, bytes(p.right_alignment)) &&
         set(d, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, bytes(p.result_alignment)) &&
         set(d, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, bytes(p.result_alignment));
}

std::shared_ptr<const Plan> make(const Product& p, const void* bias) {
  auto plan = std::make_shared<Plan>();
  plan->handle = handle();
  cublasLtMatmulPreferenceOpaque_t preference;
  if (!plan->handle || !describe_product(&plan->product, p, bias) || !describe_matrix(&plan->left, p.left, p.left_step, p) ||
      !describe_matrix(&plan->right, p.right, p.right_step, p) || !describe_matrix(&plan->result, p.result, p.result_step, p) ||
      !describe_preference(&preference, p))
    return plan;
  cublasLtMatmulHeuristicResult_t best{};
  int found = 0;
  const OutsideCapture allowed;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(plan->handle, &plan->product, &plan->left, &plan->right, &plan->result, &plan->result,
                                                               &preference, 1, &best, &found);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE || (ok(status) && (found == 0 || !ok(best.state))))
    return nullptr;
  if (!ok(status)) return plan;
  plan->status = Status::ok;
  plan->algorithm = best.algo;
  plan->workspace = best.workspaceSize;
  return plan;
}

std::shared_ptr<const Plan> plan_of(const MatmulArgs& a) {
  static auto& cache = *new PlanCache<Product, Plan>;
  const auto p = product_of(a);
  return p ? cache.find(*p, [&] { return make(*p, a.bias); }) : nullptr;
}

bool supports(const MatmulArgs& a) { return is_wanted("matmul_forward", "cublas") && plan_of(a); }
size_t workspace(const MatmulArgs& a) {
  const auto plan = plan_of(a);
  return plan ? plan->workspace : 0;
}
// As of our own on tensor cores.
double error(const MatmulArgs& a) {
  constexpr double kTf32 = 0x1p13;  // 11 bits of each factor remain
  const double k = static_cast<double>(a.shape.k);
  return (in_tf32(a) ? kTf32 : 4) + 2 * __builtin_sqrt(k) + (is_compute(a.shape.dtype) && !in_tf32(a) ? 0 : k / 16);
}

Status run(const MatmulArgs& a, Workspace& w) {
  const auto made = plan_of(a);
  if (!made || made->status != Status::ok) return Status::device_error;
  Plan plan = *made;
  if (a.bias && !set(&plan.product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, a.bias)) return Status::device_error;
  const bool wide = a.shape.dtype == DType::f64;
  const float one = 1, zero = 0;
  const double wide_one = 1, wide_zero = 0;
  const cublasStatus_t status = cublasLtMatmul(plan.handle, &plan.product, wide ? static_cast<const void*>(&wide_one) : &one, a.b, &plan.left, a.a,
                                               &plan.right, wide ? static_cast<const void*>(&wide_zero) : &zero, a.c, &plan.result, a.c, &plan.result,
                                               &plan.algorithm, w.data, w.bytes, stream_of(w));
  return ok(status) ? Status::ok : Status::device_error;
}

}  // namespace

TAPETUM_CANDIDATE(MatmulArgs, matmul_cublas){
    .name = "cublas", .supports = supports, .prefers = by_name_alone, .workspace = workspace, .error = error, .run = run};

}  // namespace tapetum::kernels
