// What the library's main kernels do to memory. The limits are what they reach: a change that breaks coalescing, reads more than before or adds
// a bank conflict fails here, and one that does better lowers its row.
#include <catch2/catch.hpp>

#include "kernels/attention.h"
#include "kernels/boxes.h"
#include "kernels/conv.h"
#include "kernels/elementwise.h"
#include "kernels/matmul.h"
#include "kernels/norm.h"
#include "kernels/pool.h"
#include "kernels/reduce.h"
#include "kernels/softmax.h"
#include "tapetum.h"
#include "tests/profile/counts.h"
#include "tests/profile/slot_counts.h"

namespace tapetum::test {
namespace {

using Inputs = std::vector<Tensor>;
constexpr double kNone = 0;  // it does not do that

struct Limits {
  double loads, stores;          // bytes in sectors for each different byte
  double read_use, written_use;  // least share of its sectors' bytes that a request asks for
  double conflicts;              // wavefronts for each that is needed; ldmatrix and cp.async included
};

struct Row {
  const kernels::SlotBase& slot;
  const char *candidate, *kernel;  // a part of its name
  DType dtype;
  std::vector<Shape> shapes;
  std::function<Tensor(const Inputs&)> op;
  Limits limits;
};

Tensor convolve(const Inputs& x) { return conv2d(x[0], x[1], {.padding = 1}); }
Tensor convolve_each(const Inputs& x) { return conv2d(x[0], x[1], {.padding = 1, .groups = 64}); }
Tensor attend(const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }
Tensor add(const Inputs& x) { return x[0] + x[1]; }
Tensor transposed(const Inputs& x) { return contiguous(transpose(x[0], 0, 1)); }
Tensor probabilities(const Inputs& x) { return softmax(x[0], 1); }
Tensor normalise(const Inputs& x) { return layer_norm(x[0], {512}, x[1], x[2]); }
Tensor sum_lines(const Inputs& x) { return sum(x[0], {1}); }
Tensor pool(const Inputs& x) { return max_pool2d(x[0], 2); }
Tensor product(const Inputs& x) { return matmul(x[0], x[1]); }
// Boxes of 20 to 120 pixels.
Tensor suppress(const Inputs& x) { return nms(cat({x[0] * 1000, x[0] * 1000 + 20 + x[1] * 100}, 1), x[2], 0.5); }

const Shape kQueries{1, 2, 192, 64}, kSquare{256, 256}, kImage{1, 64, 28, 28}, kFilter{64, 64, 3, 3};

const std::vector<Row> rows = {
    {kernels::add_forward, "threads", "elementwise_contiguous", DType::f32, {kSquare, kSquare}, add, {1, 1, 1, 1, kNone}},
    {kernels::copy_forward, "transposed", "copy_transposed", DType::f32, {kSquare}, transposed, {1, 1, 1, 1, 1}},
    {kernels::copy_forward, "transposed", "copy_transposed", DType::bf16, {kSquare}, transposed, {1, 1, 1, 1, 1}},
    {kernels::softmax_forward, "registers", "softmax_held_forward", DType::f32, {{64, 1024}}, probabilities, {1, 1, 1, 1, kNone}},
    {kernels::softmax_forward, "lines", "softmax_forward", DType::f32, {{64, 2048}}, probabilities, {3, 1, 1, 1, kNone}},
    {kernels::layer_norm_forward, "warps", "layer_norm_forward", DType::f32, {{64, 512}, {512}, {512}}, normalise, {4.85, 1, 1, 1, kNone}},
    {kernels::sum_forward, "parts", "reduce_rows", DType::f32, {{64, 4096}}, sum_lines, {1, 8, 1, 1, kNone}},
    {kernels::matmul_forward, "tiled", "matmul_tiled", DType::f32, {kSquare, kSquare}, product, {4, 1, 1, 1, 1}},
    {kernels::matmul_forward, "mma", "matmul_mma", DType::bf16, {kSquare, kSquare}, product, {4, 1, 1, 1, 1}},
    {kernels::matmul_forward, "hopper", "matmul_hopper", DType::bf16, {kSquare, kSquare}, product, {1.5, 1, 1, 1, kNone}},
    {kernels::conv2d_forward, "winograd_f4", "winograd_input", DType::f32, {kImage, kFilter}, convolve, {2.05, 1, 1, 1, kNone}},
    {kernels::conv2d_forward, "winograd_f4", "winograd_product", DType::f32, {kImage, kFilter}, convolve, {1, 1, 1, 1, 1}},
    {kernels::conv2d_forward, "implicit_gemm", "implicit_gemm", DType::f32, {kImage, kFilter}, convolve, {28.67, 1, 0.27, 1, 1}},
    {kernels::conv2d_forward, "implicit_gemm_mma", "implicit_gemm_mma_kernel", DType::bf16, {kImage, kFilter}, convolve, {10.46, 1, 1, 1, 1}},
    {kernels::conv2d_forward, "depthwise", "depthwise_kernel", DType::f32, {kImage, {64, 1, 3, 3}}, convolve_each, {9.57, 1, 1, 1, kNone}},
    {kernels::attention_forward, "registers", "attention_forward", DType::f32, {kQueries, kQueries, kQueries}, attend, {2.34, 1.02, 1, 1, 1}},
    {kernels::attention_forward, "tiles", "attention_forward", DType::f32, {kQueries, kQueries, kQueries}, attend, {6, 1.11, 1, 1, 1}},
    {kernels::attention_forward, "flash", "attention_forward", DType::bf16, {kQueries, kQueries, kQueries}, attend, {2.34, 1.97, 1, 0.5, 1}},
    {kernels::attention_forward, "hopper", "attention_forward", DType::bf16, {kQueries, kQueries, kQueries}, attend, {1.67, 1.97, 1, 0.5, kNone}},
    {kernels::max_pool2d_forward, "threads", "max_pool2d", DType::f32, {{1, 8, 64, 64}}, pool, {2, 1, 0.5, 1, kNone}},
    {kernels::nms_forward, "chunks", "nms_mask", DType::f32, {{320, 2}, {320, 2}, {320}}, suppress, {9.7, 1.2, 0.61, 0.83, 1}},
};

// Of the only launch of the row's kernel.
profile::Kernel counted(const Row& row) {
  manual_seed(1);
  Inputs xs;
  for (const Shape& s : row.shapes) xs.push_back(to(rand(s, 0, 1, row.dtype), DeviceKind::cuda));
  const NoGrad off;
  const SlotCounts counts = count_slot(row.slot, row.candidate, [&](const auto&) { row.op(xs); });
  CHECK(counts.candidate == row.candidate);
  std::vector<profile::Kernel> found;
  for (const profile::Kernel& k : counts.kernels)
    if (k.name.find(row.kernel) != k.name.npos) found.push_back(k);
  REQUIRE(found.size() == 1);
  return found[0];
}

double ratio(uint64_t a, uint64_t b) { return b ? static_cast<double>(a) / static_cast<double>(b) : kNone; }

profile::Counters sum_of(const profile::Kernel& k, std::initializer_list<Kind> kinds) {
  profile::Counters sum;
  for (Kind kind : kinds) sum += k.total(kind);
  return sum;
}

Limits reached_by(const profile::Kernel& k) {
  const auto read = sum_of(k, {Kind::global_load, Kind::cp_async, Kind::tma_load}), written = sum_of(k, {Kind::global_store, Kind::global_atomic});
  const auto shared = sum_of(k, {Kind::shared_load, Kind::shared_store, Kind::cp_async_shared, Kind::ldmatrix});
  return {ratio(k.loaded(), k.unique_read), ratio(k.stored(), k.unique_written), ratio(read.ideal_sectors, read.sectors),
          ratio(written.ideal_sectors, written.sectors), ratio(shared.wavefronts, shared.ideal_wavefronts)};
}

}  // namespace

TEST_CASE("profile: the library's kernels read, write and share memory as they did", "[profile]") {
  for (const Row& row : rows) {
    const profile::Kernel k = counted(row);
    INFO(row.slot.name << ":" << row.candidate << "\n" << profile::text({k}));
    const Limits got = reached_by(k);
    CHECK(got.loads <= row.limits.loads);
    CHECK(got.stores <= row.limits.stores);
    CHECK(got.read_use >= row.limits.read_use);
    CHECK(got.written_use >= row.limits.written_use);
    CHECK(got.conflicts <= row.limits.conflicts);
  }
}

TEST_CASE("profile: matrix instructions do the operations of a product", "[profile]") {
  for (const char* candidate : {"mma", "hopper"}) {
    manual_seed(1);
    const Tensor a = to(rand({256, 256}, 0, 1, DType::bf16), DeviceKind::cuda);
    const SlotCounts counts = count_slot(kernels::matmul_forward, candidate, [&](const auto&) { matmul(a, a); });
    REQUIRE(counts.kernels.size() == 1);
    CHECK(counts.kernels[0].flops() == 2 * 256 * 256 * 256);
    CHECK(counts.flops == 2.0 * 256 * 256 * 256);
  }
}

}  // namespace tapetum::test
