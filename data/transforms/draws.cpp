#include "data/transforms/draws.h"

#include <cmath>

namespace tapetum::data {

// Below alpha = 1: a draw for alpha + 1 times u^(1 / alpha).
double draw_gamma(RandomStream& stream, double alpha) {
  if (alpha < 1) {
    const double u = 1 - stream.uniform();
    return draw_gamma(stream, alpha + 1) * std::pow(u, 1 / alpha);
  }
  const double d = alpha - 1. / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = stream.normal(), v = std::pow(1 + c * x, 3), u = 1 - stream.uniform();
    if (v > 0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double draw_beta(RandomStream& stream, double a, double b) {
  const double x = draw_gamma(stream, a), y = draw_gamma(stream, b);
  return x + y > 0 ? x / (x + y) : 0.5;  // both vanish for tiny parameters only
}

std::vector<double> draw_dirichlet(RandomStream& stream, double alpha, int64_t count) {
  std::vector<double> parts;
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += parts.emplace_back(draw_gamma(stream, alpha));
  for (double& part : parts) part = sum > 0 ? part / sum : 1 / static_cast<double>(count);
  return parts;
}

}  // namespace tapetum::data
