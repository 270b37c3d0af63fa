#include "tests/ops/case.h"

#include <catch2/catch.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include "core/autograd/modes.h"
#include "core/engine/grad_check.h"
#include "kernels/allocator.h"
#include "kernels/parallel.h"
#include "tests/ops/vendor.h"

namespace tapetum::test {
namespace {

using kernels::Isa;
using kernels::KernelGuard;

enum class Layout { contiguous, permuted, sliced };
constexpr const char* kLayoutNames[] = {"contiguous", "permuted", "sliced"};

// 16-bit values meet two: strides are those of f32, and what differs is how a value is read.
std::vector<Layout> layouts_of(DType dtype) {
  if (size_of(dtype) == 2) return {Layout::contiguous, Layout::sliced};
  return {Layout::contiguous, Layout::permuted, Layout::sliced};
}

// The same values in other strides.
Tensor with_layout(const Tensor& x, Layout layout) {
  if (layout == Layout::contiguous || x.dim() == 0) return x;
  if (layout == Layout::permuted) {
    if (x.dim() == 4) return channels_last(x);
    return x.dim() < 2 ? x : transpose(contiguous(transpose(x, 0, -1)), 0, -1);
  }
  Shape wide = x.shape();
  wide[x.dim() - 1] = 2 * wide[x.dim() - 1] + 3;
  Tensor room = full(wide, std::numeric_limits<double>::quiet_NaN(), x.dtype(), x.device());
  Tensor y = slice(room, -1, 2, wide[x.dim() - 1] - 1, 2);
  copy_(y, x);
  return y;
}

std::vector<Tensor> with_layout(const std::vector<Tensor>& xs, Layout layout) {
  std::vector<Tensor> out;
  for (const Tensor& x : xs) out.push_back(with_layout(x, layout));
  return out;
}

// Other values: the first index of a dimension repeated with stride 0.
std::vector<Tensor> repeated(const std::vector<Tensor>& xs, int dim) {
  std::vector<Tensor> out;
  for (const Tensor& x : xs) out.push_back(x.dim() && x.numel() ? expand(slice(x, dim, 0, 1), x.shape()) : x);
  return out;
}

// The op's result, and the gradients of its inputs for a cotangent whose values depend on the result's shape alone; it lies as the result does.
std::vector<Tensor> run(const Case& row, const std::vector<Tensor>& inputs) {
  if (row.flat) return {row.op(inputs)};
  std::vector<Tensor> xs;
  for (const Tensor& x : inputs) xs.push_back(x.detach().set_requires_grad());
  const Tensor y = row.op(xs);
  const GeneratorState keep = random_state();
  manual_seed(7);
  Tensor gy = empty_like(y);
  copy_(gy, rand(y.shape(), -1, 1, DType::bf16, y.device()));  // what bf16 holds, every type holds
  set_random_state(keep);
  std::vector<Tensor> all{y.detach()};
  for (const Tensor& g : grad({y}, xs, {gy})) all.push_back(g);
  return all;
}

void check_guards() {
  INFO("memory outside of a tensor or workspace was written");
  REQUIRE(kernels::damaged_blocks() == 0);
}

// The same on f64 inputs with every slot forced to the reference.
std::vector<Tensor> oracle(const Case& row, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> exact;
  for (const Tensor& x : inputs) exact.push_back(to(x, DType::f64));
  std::vector<std::string> specs;
  for (const auto* slot : row.slots) specs.push_back(std::string(slot->name) + ":reference");
  std::vector<std::unique_ptr<KernelGuard>> guards;
  for (const auto& s : specs) guards.push_back(std::make_unique<KernelGuard>(s));
  auto results = run(row, exact);
  while (!guards.empty()) guards.pop_back();  // guards nest: the last goes first
  INFO(row.name << ": the reference");
  check_guards();
  return results;
}

// How far a result may lie from the exact one: `relative` times the greatest exact value, and `absolute`.
struct Tolerance {
  double relative, absolute = 0;
};

// Kernels' errors are bounded in units of what they compute in. For 16-bit inputs that is f32, and each run adds the rounding of its result to
// 16 bits: half an eps of it, or half a step where f16 is subnormal. What an op does with one error it does with the other.
// (dtype: the coarsest of inputs and result; the enum runs from fine to coarse.)
Tolerance tolerance(const kernels::RunRecord& runs, DType dtype, double amplification) {
  const double compute = dtype == DType::f64 ? 0x1p-52 : 0x1p-23, eps = dtype == DType::f16 ? 0x1p-10 : dtype == DType::bf16 ? 0x1p-7 : 0;
  const double step = dtype == DType::f16 ? 0x1p-24 : 0;
  return {amplification * (runs.error * compute + runs.runs * eps / 2), amplification * runs.runs * step / 2};
}

// The value nearest to x in a dtype: beyond the greatest one infinity.
double rounded(double x, DType dtype) {
  return with_type(dtype, [&]<class T>() { return cast<double>(cast<T>(x)); });
}

void compare(const Tensor& y, const Tensor& exact, const Tolerance& tolerance) {
  REQUIRE(y.defined() == exact.defined());
  if (!y.defined()) return;
  REQUIRE(y.shape() == exact.shape());
  const Tensor a = contiguous(to(to(y, DeviceKind::cpu), DType::f64)), b = contiguous(to(exact, DType::f64));
  const double *given = a.data<double>(), *right = b.data<double>();
  double scale = 0, worst = 0;
  for (int64_t i = 0; i < a.numel(); ++i) {
    const double u = given[i], v = right[i];
    if (std::isfinite(v)) scale = std::fmax(scale, std::fabs(v));
    if (u == v || u == rounded(v, y.dtype()) || (std::isnan(u) && std::isnan(v))) continue;  // the same infinity, or NaN on both sides
    const double d = std::fabs(u - v);
    worst = d <= worst ? worst : d;  // a NaN is kept
  }
  const double allowed = is_floating(y.dtype()) ? tolerance.relative * scale + tolerance.absolute : 0;
  INFO("greatest difference " << worst << ", allowed " << allowed);
  CHECK(worst <= allowed);  // and on to the next: which candidates, layouts and dtypes fail says more than the first
}

// The last candidate of a device's list serves every call; on the CPU that is the one before the reference too.
bool serves_every_call(const kernels::SlotBase& slot, DeviceKind device, int index) {
  const int behind = device == DeviceKind::cpu ? 2 : 1;
  return slot.candidate(device, index + 1) == nullptr || slot.candidate(device, index + behind) == nullptr;
}

void check_candidate(const Case& row, const kernels::SlotBase& slot, DeviceKind device, int index, const std::vector<Tensor>& xs,
                     const std::vector<Tensor>& exact) {
  const std::string spec = std::string(slot.name) + ":" + slot.candidate(device, index);
  kernels::last_run() = {};
  std::vector<Tensor> results;
  try {
    KernelGuard guard(spec);
    results = run(row, xs);
  } catch (const UnsupportedKernel&) {
    INFO("only candidates before the last listed one may refuse a call");
    REQUIRE_FALSE(serves_every_call(slot, device, index));
    return;
  }
  const kernels::RunRecord runs = kernels::last_run();
  for (size_t i = 0; i < results.size(); ++i) {
    INFO((i ? "gradient of input " + std::to_string(i - 1) : std::string("result")));
    if (!results[i].defined()) {
      REQUIRE_FALSE(exact[i].defined());
      continue;
    }
    if (i) REQUIRE(results[i].dtype() == xs[i - 1].dtype());
    const DType coarsest = std::max(results[i].dtype(), xs.empty() ? DType::f64 : xs[0].dtype());
    compare(results[i], exact[i], tolerance(runs, coarsest, row.amplification));
  }
  check_guards();
}

enum class Whose { ours, vendor };
Whose whose(std::string_view candidate) { return candidate == "cub" || candidate == "cublas" || candidate == "cudnn" ? Whose::vendor : Whose::ours; }

void check_slots(const Case& row, DeviceKind device, const std::vector<Tensor>& xs, const std::vector<Tensor>& exact, const std::string& where,
                 Whose owner = Whose::ours) {
  const bool half = !xs.empty() && size_of(xs[0].dtype()) == 2;
  const bool reference = !half && kernels::active_isa() == Isa::baseline;  // references have f32 and f64, and are the same on all
  for (const auto* slot : row.slots)
    for (int c = 0; const char* name = slot->candidate(device, c); ++c) {
      if (whose(name) != owner || (!reference && std::string_view(name) == "reference")) continue;
      INFO(row.name << " " << slot->name << ":" << name << " " << (xs.empty() ? "" : name_of(xs[0].dtype())) << " " << where);
      check_candidate(row, *slot, device, c, xs, exact);
    }
}

void check_candidates_on(const Case& row, const std::vector<Tensor>& xs, const std::vector<Tensor>& exact, const char* layout) {
  for (Isa isa : kernels::kIsas) {
    if (!kernels::has_isa(isa) || (isa > Isa::avx512 && (xs.empty() || xs[0].dtype() != DType::bf16))) continue;  // those differ in bf16 alone
    kernels::IsaGuard isa_guard(isa);
    check_slots(row, DeviceKind::cpu, xs, exact, std::string(kernels::name_of(isa)) + " " + layout);
  }
}

// What f calls: ops with the shapes of their inputs, and options.
struct Call {
  std::string op, shapes, options;
};
template <class F> std::vector<Call> traced(F f) {
  struct Collector final : Tracer {
    std::vector<Call> calls;
    void op(const OpInfo& info, const std::string& options, const Tensor* inputs, size_t count, const Tensor*, size_t) override {
      std::string shapes;
      for (size_t i = 0; i < count; ++i) shapes += " " + (inputs[i].defined() ? to_string(inputs[i].shape()) : "none");
      calls.push_back({info.name, shapes, options});
    }
  } collector;
  Modes m = modes;
  m.tracer = &collector;
  ModesGuard guard(m);
  f();
  return collector.calls;
}

// False for an op that is not made for its inputs' dtype, and says so.
bool takes_dtype(const Case& row, const std::vector<Tensor>& xs) {
  try {
    row.op(xs);
    return true;
  } catch (const DTypeError&) {
    return false;
  }
}

}  // namespace

std::vector<Tensor> make_inputs(const Case& row, DType dtype, uint64_t seed) {
  manual_seed(seed);
  std::vector<Tensor> xs;
  for (const Shape& s : row.shapes) xs.push_back(rand(s, row.low, row.high, dtype));
  return xs;
}

void check_candidates(const Case& row) {
  if (row.bench) return;  // large: timed, not checked in every layout
  kernels::GuardWords guards;
  for (DType dtype : {DType::f32, DType::f64, DType::f16, DType::bf16}) {
    const auto inputs = make_inputs(row, dtype);
    if (!takes_dtype(row, inputs)) continue;
    const auto exact = oracle(row, inputs);
    for (Layout layout : layouts_of(dtype)) check_candidates_on(row, with_layout(inputs, layout), exact, kLayoutNames[static_cast<int>(layout)]);
    for (int dim : {0, -1}) {
      if (!row.constant_lines) continue;
      const auto xs = repeated(inputs, dim);
      check_candidates_on(row, xs, oracle(row, xs), dim ? "last repeated" : "first repeated");
    }
  }
}

void check_sample(const Case& row, int index) {
  constexpr DType dtypes[] = {DType::f32, DType::f32, DType::f16, DType::f32,
                              DType::f64, DType::f32, DType::bf16};                        // 7 and 3 layouts: all pairs occur
  const auto inputs = make_inputs(row, dtypes[index % std::ssize(dtypes)], 1000 + index);  // never the cotangent's seed: what is parallel cancels
  const int layout = index % 3;
  std::string calls;
  for (const Call& c : traced([&] { row.op(inputs); })) calls += c.op + c.shapes + " " + c.options + "\n";
  INFO(calls);
  kernels::GuardWords guards;
  check_candidates_on(row, with_layout(inputs, static_cast<Layout>(layout)), oracle(row, inputs), kLayoutNames[layout]);
}

static void check_on_cuda(const Case& row, Whose owner) {
  for (DType dtype : {DType::f32, DType::f64, DType::f16, DType::bf16}) {
    const auto inputs = make_inputs(row, dtype);
    std::vector<Tensor> there;
    for (const Tensor& x : inputs) there.push_back(to(x, DeviceKind::cuda));
    if (!takes_dtype(row, there)) continue;
    const auto exact = oracle(row, inputs);
    for (Layout layout : {Layout::contiguous, Layout::permuted, Layout::sliced})
      check_slots(row, DeviceKind::cuda, with_layout(there, layout), exact, std::string("cuda ") + kLayoutNames[static_cast<int>(layout)], owner);
  }
}

void check_cuda(const Case& row) {
  if (row.bench || row.shapes.empty()) return;  // without an input nothing says which device
  for (const auto* slot : row.slots) {
    INFO(row.name << " " << slot->name << " has no CUDA kernel");
    REQUIRE(slot->candidate(DeviceKind::cuda, 0) != nullptr);
  }
  check_on_cuda(row, Whose::ours);
}

bool has_vendor(const Case& row) {
  for (const auto* slot : row.slots)
    for (int c = 0; const char* name = slot->candidate(DeviceKind::cuda, c); ++c)
      if (whose(name) == Whose::vendor) return true;
  return false;
}

void check_vendor(const Case& row) {
  if (!row.bench && has_vendor(row)) check_on_cuda(row, Whose::vendor);
}

void check_gradients(const Case& row) {
  if (row.flat || row.bench) return;
  const auto inputs = make_inputs(row, DType::f64);
  for (const Tensor& x : inputs)
    if (x.numel() == 0 || x.numel() > 400) return;  // finite differences of small cases only
  const auto first = check_gradient(row.op, inputs);
  INFO(row.name << ": first order error " << first.error << ", greatest " << first.greatest);
  REQUIRE(first.ok(1e-6));
  const auto second = check_second_gradient(row.op, inputs);
  INFO(row.name << ": second order error " << second.error << ", greatest " << second.greatest);
  REQUIRE(second.ok(1e-6));
}

void check_determinism(const Case& row) {
  const int before = kernels::thread_count();
  kernels::GuardWords guards;
  const auto inputs = make_inputs(row, DType::f32);
  std::vector<Tensor> first;
  for (int threads : {1, 2, 4}) {
    kernels::set_thread_count(threads);
    const auto results = run(row, inputs);
    INFO(row.name << ", " << threads << " threads");
    check_guards();
    for (size_t i = 0; i < results.size(); ++i) {
      const Tensor dense = results[i].defined() ? contiguous(results[i]) : Tensor();
      if (threads == 1) first.push_back(dense);
      if (!dense.defined()) continue;
      INFO("result " << i);
      REQUIRE(std::memcmp(first[i].raw(), dense.raw(), static_cast<size_t>(dense.numel()) * size_of(dense.dtype())) == 0);
    }
  }
  kernels::set_thread_count(before);
}

void check_twin(const Case& row) {
  if (row.flat || row.bench) return;
  auto inputs = make_inputs(row, DType::f64);
  for (Tensor& x : inputs) x.set_requires_grad();
  const Tensor y = row.op(inputs);
  const Tensor gy = rand(y.shape(), -1, 1, DType::f64);
  const auto of_kernel = grad({y}, inputs, {gy}, {.retain_graph = true});
  const auto of_twin = grad({y}, inputs, {gy}, {.create_graph = true});
  for (size_t i = 0; i < inputs.size(); ++i) {
    INFO(row.name << " input " << i);
    compare(of_kernel[i], of_twin[i].defined() ? of_twin[i].detach() : of_twin[i], {1024 * row.amplification * 0x1p-52});
  }
}

void print_trace(const Case& row) {
  auto xs = make_inputs(row, DType::f32);
  const auto calls = traced([&] {
    run(row, xs);
    if (row.flat) return;
    for (Tensor& x : xs) x.set_requires_grad();
    const Tensor y = row.op(xs);
    xs.push_back(rand(y.shape(), -1, 1, y.dtype()).set_requires_grad());
    std::vector<Tensor> first, cotangents;  // second order, for what runs there only
    for (const Tensor& g : grad({y}, {xs.begin(), xs.end() - 1}, {xs.back()}, {.create_graph = true}))
      if (g.defined() && g.requires_grad()) first.push_back(g);
    for (const Tensor& g : first) cotangents.push_back(rand(g.shape(), -1, 1, g.dtype()));
    if (!first.empty()) grad(first, xs, cotangents);
  });
  for (const Call& c : calls) std::printf("traced\t%s\t%s\n", c.op.c_str(), c.options.c_str());
}

void print_dtypes(const Case& row) {
  if (row.bench || row.shapes.empty()) return;
  for (DType dtype : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8, DType::boolean}) {
    std::vector<Tensor> xs;
    for (const Tensor& x : make_inputs(row, DType::f64)) xs.push_back(to(x, dtype));
    const char* works = "forward";
    try {
      if (is_floating(dtype) && !row.flat)
        run(row, xs), works = "gradient";
      else
        row.op(xs);
    } catch (const DTypeError&) {
      works = "nothing";
    }
    std::printf("dtype\t%s\t%s\t%s\n", row.name, name_of(dtype), works);
  }
}

}  // namespace tapetum::test
