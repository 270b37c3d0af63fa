// Where arithmetic counts.
#include "bench/gpu/work_makers.h"
#include "core/ops/attention.h"
#include "core/ops/conv.h"
#include "core/ops/matmul.h"

namespace tapetum::bench {
namespace {

// M N K; a transposed operand lies in memory the other way round
template <bool TransposeA, bool TransposeB> Work matrix_product(const Bench& b) {
  const auto matrix = [&](int64_t rows, int64_t columns, bool transposed) {
    return b.values(transposed ? Shape{columns, rows} : Shape{rows, columns});
  };
  return b.differentiate({matrix(b.size(0), b.size(2), TransposeA), matrix(b.size(2), b.size(1), TransposeB)}, [](const Tensors& x) {
    return matmul(TransposeA ? transpose(x[0], 0, 1) : x[0], TransposeB ? transpose(x[1], 0, 1) : x[1]);
  });
}

// N C H W K R stride padding [groups]
Work convolution(const Bench& b) {
  const auto format = [&](const Tensor& x) { return x.size(1) < 4 && b.size(1) < 4 ? x : channels_last(x); };
  const int64_t groups = b.size_or(8, 1);
  const Conv2dOptions options{.stride = b.size(6), .padding = Size2(b.size(7)), .groups = groups};
  const Tensor x = b.values({b.size(0), b.size(1), b.size(2), b.size(3)}), w = b.values({b.size(4), b.size(1) / groups, b.size(5), b.size(5)});
  return b.differentiate({format(x), format(w)}, [=](const Tensors& x) { return conv2d(x[0], x[1], options); });
}

// N C H W K R stride
Work transposed_convolution(const Bench& b) {
  const ConvTranspose2dOptions options{.stride = b.size(6)};
  return b.differentiate({b.images(), b.values({b.size(1), b.size(4), b.size(5), b.size(5)})},
                         [=](const Tensors& x) { return conv_transpose2d(x[0], x[1], {}, options); });
}

// N heads tokens head
Work attention(const Bench& b) {
  const Shape shape{b.size(0), b.size(1), b.size(2), b.size(3)};
  return b.differentiate({b.values(shape), b.values(shape), b.values(shape)},
                         [](const Tensors& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); });
}

}  // namespace

const Makers& product_makers() {
  static const Makers makers{
      {"matmul", matrix_product<false, false>},
      {"matmul_nt", matrix_product<false, true>},
      {"matmul_tn", matrix_product<true, false>},
      {"matmul_tt", matrix_product<true, true>},
      {"conv2d", convolution},
      {"conv_transpose2d", transposed_convolution},
      {"attention", attention},
  };
  return makers;
}

}  // namespace tapetum::bench
