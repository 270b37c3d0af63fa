#include "tests/models/derived.h"

#include <cmath>

#include "core/ops/view.h"

namespace tapetum::test {
namespace {

bool ends_with(const std::string& text, const char* end) { return std::string_view(text).ends_with(end); }

void fill_uniform(Tensor& t, const std::string& key, double low, double high) {
  uint64_t state = 0xCBF29CE484222325;
  for (const unsigned char c : key) state = (state ^ c) * 0x100000001B3;
  float* p = t.mutable_data<float>();
  for (int64_t i = 0; i < t.numel(); ++i) {
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    p[i] = static_cast<float>(low + (high - low) * (static_cast<double>(z >> 11) * 0x1p-53));
  }
}

void fill(Tensor& t, const std::string& key, double gain) {
  if (ends_with(key, "running_mean")) return fill_uniform(t, key, -0.2, 0.2);
  if (ends_with(key, "running_var")) return fill_uniform(t, key, 0.5, 1.5);
  if (ends_with(key, "bias")) return fill_uniform(t, key, -0.1, 0.1);
  if (t.size(0) == t.numel()) return fill_uniform(t, key, 0.8 * gain, 1.2 * gain);  // norms and layer scales
  if (t.size(0) == 1) return fill_uniform(t, key, -0.5, 0.5);                       // tokens and positions
  const double fan_in = static_cast<double>(t.numel()) / static_cast<double>(t.size(0)), bound = std::sqrt(6 / fan_in);
  fill_uniform(t, key, -bound, bound);
}

}  // namespace

Tensor derived_uniform(const std::string& key, const Shape& shape, double low, double high) {
  Tensor t = empty(shape);
  fill_uniform(t, key, low, high);
  return t;
}

void fill_by_name(nn::Module& model, double gain) {
  for (const auto& [key, t] : model.state_dict()) {
    Tensor shared = t;
    if (t.dtype() == DType::f32) fill(shared, key, gain);
  }
}

}  // namespace tapetum::test
