// Random numbers of other shapes than RandomStream has.
#pragma once
#include <vector>

#include "core/random.h"

namespace tapetum::data {

double draw_gamma(RandomStream& stream, double alpha);  // scale 1; alpha > 0 (Marsaglia and Tsang, 2000)
double draw_beta(RandomStream& stream, double a, double b);
std::vector<double> draw_dirichlet(RandomStream& stream, double alpha, int64_t count);  // `count` parts of 1

}  // namespace tapetum::data
