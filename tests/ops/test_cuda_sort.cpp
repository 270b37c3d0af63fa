// Sorting long lines on CUDA: every candidate gives the CPU's values and places.
#if defined(TAPETUM_WITH_CUDA)
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "kernels/sort.h"
#include "tapetum.h"

namespace tapetum::test {
namespace {

constexpr DType all_dtypes[] = {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8, DType::boolean};

bool same_bits(const Tensor& there, const Tensor& b) {
  const Tensor a = to(there, DeviceKind::cpu);
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

// Values of both signs with many ties; of floating-point types also NaN, infinities and both zeros.
Tensor mixed(const Shape& shape, DType dtype) {
  Tensor x = round(rand(shape, -300, 300, DType::f64)) * (is_floating(dtype) ? 0.25 : 1);
  if (dtype == DType::i64) x = x * 0x1p40;
  if (is_floating(dtype)) {
    double* p = x.mutable_data<double>();
    const double odd[] = {NAN, -NAN, INFINITY, -INFINITY, 0.0, -0.0};
    for (int64_t i = 0; i < x.numel(); i += 7) p[i] = odd[i / 7 % 6];
  }
  return to(dtype == DType::u8 ? abs(x) : x, dtype);
}

void check_sorted(const Tensor& x, int64_t k, int dim, bool largest, const char* kernel) {
  const auto [values, places] = topk(x, k, dim, {.largest = largest});
  kernels::KernelGuard guard(kernel);
  const auto [there, places_there] = topk(to(x, DeviceKind::cuda), k, dim, {.largest = largest});
  INFO(kernel << " of " << to_string(x.shape()) << " " << name_of(x.dtype()) << " along " << dim << ", k " << k << (largest ? ", largest" : ""));
  REQUIRE(same_bits(there, values));
  REQUIRE(same_bits(places_there, places));
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (int c = 0; const char* name = kernels::topk_forward.candidate(DeviceKind::cuda, c); ++c)
    if (name != std::string("block")) all.push_back(std::string("topk_forward:") + name);
  return all;
}

}  // namespace

TEST_CASE("cuda sort: every dtype, both ways, over tiles of a long line", "[emulated]") {
  manual_seed(21);
  for (const std::string& kernel : names())
    for (DType dtype : all_dtypes)
      for (bool largest : {false, true}) check_sorted(mixed({9001}, dtype), 9001, 0, largest, kernel.c_str());
}

TEST_CASE("cuda sort: lines in any place, and parts of them", "[emulated]") {
  manual_seed(22);
  for (const std::string& kernel : names())
    for (DType dtype : {DType::f32, DType::f64, DType::u8}) {
      check_sorted(mixed({3, 4099}, dtype), 4099, 1, false, kernel.c_str());
      check_sorted(mixed({2, 2100, 3}, dtype), 2100, 1, true, kernel.c_str());
      check_sorted(mixed({4097, 2}, dtype), 1500, 0, true, kernel.c_str());
    }
}

}  // namespace tapetum::test
#endif
