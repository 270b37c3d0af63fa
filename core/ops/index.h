// Elements picked by integer tensors. Indices are i64 or i32, not negative; one outside its dimension throws IndexError with its place.
// gather and gather_backward are adjoints of each other, so any order of differentiation stays among them.
#pragma once
#include "core/tensor.h"

namespace tapetum {

// y[i][j][k] = x[i][index[i][j][k]][k] for dim = 1; index has x's number of dimensions and fits into x outside dim.
Tensor gather(const Tensor& x, int dim, const Tensor& index);

// A copy of x with src (no smaller than index in any dimension) put, or added, where gather would read.
// Of equal indices the last one stays; sums are always taken in the index's order.
Tensor scatter(const Tensor& x, int dim, const Tensor& index, const Tensor& src);
Tensor scatter(const Tensor& x, int dim, const Tensor& index, double value);
Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& src);
Tensor gather_backward(const Tensor& gy, int dim, const Tensor& index, const Shape& shape);  // gy added to zeros of that shape

Tensor take_along_dim(const Tensor& x, const Tensor& index, int dim);                // gather, broadcasting x and index outside dim
Tensor index_select(const Tensor& x, int dim, const Tensor& index);                  // index [n]: slices of x in that order
Tensor index_add(const Tensor& x, int dim, const Tensor& index, const Tensor& src);  // x with slices of src added: adjoint of index_select

Tensor nonzero(const Tensor& x);  // [n, dims] i64: places of elements that are not 0, in row-major order. Waits for a device
Tensor masked_select(const Tensor& x, const Tensor& mask);  // [n]: elements where mask holds, after broadcasting; row-major order
Tensor one_hot(const Tensor& index, int64_t classes = -1);  // [..., classes] i64; -1: the greatest index + 1
// [n] counts of 0 .. n-1 in x [m], or sums of their weights [m]; n = max(greatest + 1, minlength). Weighted sums have the weights' dtype.
Tensor bincount(const Tensor& x, const Tensor& weights = {}, int64_t minlength = 0);

struct EmbeddingOptions {
  int64_t padding_idx = -1;  // its row receives no gradient; -1: none
  template <class S, class V> static void fields(S& s, V&& v) { v("padding_idx", s.padding_idx); }
};

// Rows of weight [V, D] by index [...] -> [..., D].
Tensor embedding(const Tensor& index, const Tensor& weight, const EmbeddingOptions& options = {});

}  // namespace tapetum
