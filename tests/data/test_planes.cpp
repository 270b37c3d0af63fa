#include <catch2/catch.hpp>

#include <cmath>

#include "data/blur.h"
#include "data/white_noise.h"

namespace tapetum::data {

TEST_CASE("mirror: repeats the line forwards and backwards") {
  const int64_t expected[] = {2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1};
  for (int64_t i = -4; i < 8; ++i) REQUIRE(mirror(i, 3) == expected[i + 4]);
  REQUIRE(mirror(-1'000'001, 1) == 0);
}

TEST_CASE("gaussian blur: keeps constants and sums, on lines shorter than the filter too") {
  std::vector<float> flat(7 * 2, 3.f);
  gaussian_blur(flat.data(), 7, 2, 4);
  for (float v : flat) REQUIRE(v == Approx(3));
  std::vector<float> spot(21 * 21, 0.f);
  spot[10 * 21 + 10] = 1;
  gaussian_blur(spot.data(), 21, 21, 2);
  REQUIRE(spot[10 * 21 + 10] == Approx(1 / (2 * 3.14159 * 4)).epsilon(0.01));
  REQUIRE(spot[10 * 21 + 8] == Approx(spot[8 * 21 + 10]));
  float sum = 0;
  for (float v : spot) sum += v;
  REQUIRE(sum == Approx(1));
}

TEST_CASE("white noise: mean, deviation, tails and neighbours are those of independent normal values") {
  RandomStream stream(11);
  std::vector<float> x(100'001);
  fill_normal(stream, x.data(), x.size());
  double sum = 0, squares = 0, product = 0;
  int beyond_two = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    sum += x[i];
    squares += x[i] * x[i];
    if (i) product += x[i] * x[i - 1];
    beyond_two += std::abs(x[i]) > 2;
  }
  const auto n = static_cast<double>(x.size());
  REQUIRE((std::abs(sum / n) < 0.015 && std::abs(squares / n - 1) < 0.02 && std::abs(product / n) < 0.015));
  REQUIRE(beyond_two / n == Approx(0.0455).margin(0.003));
}

}  // namespace tapetum::data
