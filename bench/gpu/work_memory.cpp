// Where memory counts: elementwise, reductions, norms, pooling, other sizes and layouts.
#include "bench/gpu/work_makers.h"
#include "core/ops/activation.h"
#include "core/ops/elementwise.h"
#include "core/ops/loss.h"
#include "core/ops/norm.h"
#include "core/ops/pool.h"
#include "core/ops/reduce.h"
#include "core/ops/resize.h"
#include "core/ops/softmax.h"

namespace tapetum::bench {
namespace {

Work copy(const Bench& b) {
  return [x = b.values({b.size(0)}), y = b.values({b.size(0)})]() mutable { copy_(y, x); };
}

// rows columns
Tensor lines(const Bench& b) { return b.values({b.size(0), b.size(1)}); }

// elements
template <class Op> Work unary(const Bench& b, Op op) {
  return b.differentiate({b.values({b.size(0)})}, [=](const Tensors& x) { return op(x[0]); });
}

template <class Op> Work of_lines(const Bench& b, Op op) {
  return b.differentiate({lines(b)}, [=](const Tensors& x) { return op(x[0]); });
}

template <class Op> Work of_images(const Bench& b, Op op) {
  return b.differentiate({b.images()}, [=](const Tensors& x) { return op(x[0]); });
}

Work layer_norm_lines(const Bench& b) {
  const Shape line{b.size(1)};
  return b.differentiate({lines(b), b.values(line), b.values(line)}, [=](const Tensors& x) { return layer_norm(x[0], line, x[1], x[2]); });
}

// N C H W, with the statistics of the batch
Work batch_norm_images(const Bench& b) {
  const Shape channels{b.size(1)};
  const Tensor mean = to(zeros(channels), b.device), variance = to(ones(channels), b.device);
  return b.differentiate({b.images(), b.values(channels), b.values(channels)},
                         [=](const Tensors& x) { return batch_norm(x[0], mean, variance, x[1], x[2], {.training = true}); });
}

// N C H W groups
Work group_norm_images(const Bench& b) {
  const Shape channels{b.size(1)};
  return b.differentiate({b.images(), b.values(channels), b.values(channels)},
                         [groups = b.size(4)](const Tensors& x) { return group_norm(x[0], groups, x[1], x[2]); });
}

// elements
Work sum_of_two(const Bench& b) {
  return b.differentiate({b.values({b.size(0)}), b.values({b.size(0)})}, [](const Tensors& x) { return add(x[0], x[1]); });
}

// N C H W, each channel by a factor of its own
Work scaled_channels(const Bench& b) {
  return b.differentiate({b.images(), b.values({1, b.size(1), 1, 1})}, [](const Tensors& x) { return mul(x[0], x[1]); });
}

// N C H W R stride padding
Work max_pool(const Bench& b) {
  return of_images(b,
                   [r = b.size(4), o = MaxPool2dOptions{.stride = b.size(5), .padding = b.size(6)}](const Tensor& x) { return max_pool2d(x, r, o); });
}
Work avg_pool(const Bench& b) {
  return of_images(b,
                   [r = b.size(4), o = AvgPool2dOptions{.stride = b.size(5), .padding = b.size(6)}](const Tensor& x) { return avg_pool2d(x, r, o); });
}

// N C H W P Q
template <Interpolation Mode> Work resize(const Bench& b) {
  return of_images(b, [o = InterpolateOptions{.size = {b.size(4), b.size(5)}, .mode = Mode}](const Tensor& x) { return interpolate(x, o); });
}

// N C H W and as many channels again
Work concatenation(const Bench& b) {
  return b.differentiate({b.images(), b.images()}, [](const Tensors& x) { return cat({x[0], x[1]}, 1); });
}

// N classes H W
Work cross_entropy_pixels(const Bench& b) {
  const Tensor labels = to(rand({b.size(0), b.size(2), b.size(3)}, 0, static_cast<double>(b.size(1)), DType::f32, b.device), DType::i64);
  return of_images(b, [=](const Tensor& x) { return cross_entropy(x, labels); });
}

// N C H W, row-major, to the same numbers with the channels innermost and back
Work nchw_to_nhwc(const Bench& b) {
  return b.differentiate({b.values({b.size(0), b.size(1), b.size(2), b.size(3)})}, [](const Tensors& x) {
    return contiguous(permute(x[0], {0, 2, 3, 1}));
  });
}

}  // namespace

const Makers& memory_makers() {
  static const Makers makers{
      {"copy", copy},
      {"relu", [](const Bench& b) { return unary(b, [](const Tensor& x) { return relu(x); }); }},
      {"gelu", [](const Bench& b) { return unary(b, [](const Tensor& x) { return gelu(x); }); }},
      {"silu", [](const Bench& b) { return unary(b, [](const Tensor& x) { return silu(x); }); }},
      {"sigmoid", [](const Bench& b) { return unary(b, [](const Tensor& x) { return sigmoid(x); }); }},
      {"exp", [](const Bench& b) { return unary(b, [](const Tensor& x) { return exp(x); }); }},
      {"add", sum_of_two},
      {"mul_channels", scaled_channels},
      {"sum_all", [](const Bench& b) { return unary(b, [](const Tensor& x) { return sum(x); }); }},
      {"max_all", [](const Bench& b) { return unary(b, [](const Tensor& x) { return amax(x); }); }},
      {"sum_rows", [](const Bench& b) { return of_lines(b, [](const Tensor& x) { return sum(x, {1}); }); }},
      {"sum_columns", [](const Bench& b) { return of_lines(b, [](const Tensor& x) { return sum(x, {0}); }); }},
      {"max_rows", [](const Bench& b) { return of_lines(b, [](const Tensor& x) { return max(x, 1).values; }); }},
      {"sum_channels", [](const Bench& b) { return of_images(b, [](const Tensor& x) {
                                              return sum(x, {0, 2, 3});
                                            }); }},
      {"mean_pixels", [](const Bench& b) { return of_images(b, [](const Tensor& x) {
                                             return mean(x, {2, 3});
                                           }); }},
      {"softmax", [](const Bench& b) { return of_lines(b, [](const Tensor& x) { return softmax(x, -1); }); }},
      {"log_softmax", [](const Bench& b) { return of_lines(b, [](const Tensor& x) { return log_softmax(x, -1); }); }},
      {"cross_entropy", cross_entropy_pixels},
      {"layer_norm", layer_norm_lines},
      {"batch_norm", batch_norm_images},
      {"group_norm", group_norm_images},
      {"max_pool2d", max_pool},
      {"avg_pool2d", avg_pool},
      {"adaptive_avg_pool2d", [](const Bench& b) { return of_images(b, [p = b.size(4)](const Tensor& x) { return adaptive_avg_pool2d(x, p); }); }},
      {"resize_bilinear", resize<Interpolation::bilinear>},
      {"resize_nearest", resize<Interpolation::nearest>},
      {"cat", concatenation},
      {"nchw_to_nhwc", nchw_to_nhwc},
      {"transpose", [](const Bench& b) { return of_lines(b, [](const Tensor& x) { return contiguous(transpose(x, 0, 1)); }); }},
  };
  return makers;
}

}  // namespace tapetum::bench
