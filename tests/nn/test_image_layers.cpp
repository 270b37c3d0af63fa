#include <catch2/catch.hpp>

#include "tapetum.h"

namespace tapetum {
namespace {

// A filter of ones counts the pixels below it that are not padding.
Tensor counts(const Shape& shape, Size2 kernel, const nn::Conv2dOptions& options) {
  nn::Conv2dSame conv(1, 1, kernel, options);
  nn::init::ones_(conv.weight);
  return conv(ones(shape)).detach();
}

double at(const Tensor& x, int64_t row, int64_t column) { return x(0, 0, row, column).item(); }
double greatest_difference(const Tensor& a, const Tensor& b) { return amax(abs(a.detach() - b.detach())).item(); }

}  // namespace

TEST_CASE("Conv2dSame: ceil(size / stride) rows, and an odd zero comes last, as in TensorFlow") {
  const Tensor even = counts({1, 1, 4, 6}, 3, {.stride = 2, .bias = false});  // one row in all: below
  REQUIRE(even.shape() == Shape{1, 1, 2, 3});
  REQUIRE((at(even, 0, 0) == 9 && at(even, 1, 0) == 6 && at(even, 0, 2) == 6 && at(even, 1, 2) == 4));
  const Tensor odd = counts({1, 1, 5, 5}, 3, {.stride = 2, .bias = false});  // one row on each side
  REQUIRE(odd.shape() == Shape{1, 1, 3, 3});
  REQUIRE((at(odd, 0, 0) == 4 && at(odd, 1, 1) == 9 && at(odd, 2, 2) == 4));
  REQUIRE(counts({1, 1, 7, 5}, {5, 3}, {.stride = {3, 1}, .dilation = {1, 2}, .bias = false}).shape() == Shape{1, 1, 3, 5});
  REQUIRE(counts({1, 1, 6, 6}, 1, {.stride = 2, .bias = false}).shape() == Shape{1, 1, 3, 3});  // no zeros: a window ends before the image does
  REQUIRE_THROWS_AS(counts({1, 4, 4}, 3, {}), ShapeError);
}

TEST_CASE("Conv2dSame: with stride 1 it is a convolution with padding 'same'") {
  nn::Conv2dSame same(2, 3, {4, 3});
  const Tensor x = rand({2, 2, 6, 5});
  REQUIRE(greatest_difference(same(x), conv2d(x, same.weight, same.bias, {.padding = "same"})) < 1e-6);
}

TEST_CASE("LayerNorm2d: norms the channels of each pixel, in either layout") {
  nn::LayerNorm2d norm(5, {.eps = 1e-3});
  nn::init::uniform_(norm.weight);
  nn::init::uniform_(norm.bias);
  const Tensor x = rand({2, 5, 3, 4}), mean_of = mean(x, {1}, true), variance = var(x, {1}, {.correction = 0, .keepdim = true});
  const Tensor expected = (x - mean_of) * rsqrt(variance + 1e-3) * view(norm.weight, {5, 1, 1}) + view(norm.bias, {5, 1, 1});
  REQUIRE(greatest_difference(norm(x), expected) < 1e-5);
  REQUIRE(greatest_difference(norm(channels_last(x)), expected) < 1e-5);
  REQUIRE_THROWS_AS(norm(rand({2, 5, 3})), ShapeError);
}

TEST_CASE("Permute: orders dimensions, inside a Sequential") {
  nn::Sequential layers(nn::Permute({0, 2, 3, 1}), nn::Permute({0, 3, 1, 2}));
  const Tensor x = rand({2, 3, 4, 5});
  REQUIRE(layers[0](x).shape() == Shape{2, 4, 5, 3});
  REQUIRE(greatest_difference(layers(x), x) == 0);
}

}  // namespace tapetum
