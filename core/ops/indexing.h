// x(0, slice(1, 3), ellipsis, none, mask, indices): PyTorch's indexing. Numbers, slices, none and ellipsis give views; masks (bool) and
// index tensors (i64) copy: their broadcast shape takes the place of the dimensions they index, in front where a slice parts them.
#pragma once
#include <type_traits>

#include "core/tensor.h"

namespace tapetum {

struct Slice {
  int64_t start, end, step;
};
constexpr int64_t kToEnd = INT64_MAX;
inline Slice slice(int64_t start, int64_t end = kToEnd, int64_t step = 1) { return {start, end, step}; }
inline Slice slice() { return {0, kToEnd, 1}; }  // all

struct Ellipsis {};
struct None {};
inline constexpr Ellipsis ellipsis;  // as many whole dimensions as are missing
inline constexpr None none;          // a new dimension of size 1

struct Index {
  enum class Kind { number, slice, ellipsis, none, tensor } kind;
  Slice range{};  // of a number: start
  Tensor tensor;
  template <class T>
  requires std::is_integral_v<T> Index(T n) : kind(Kind::number), range{static_cast<int64_t>(n), 0, 0} {}
  Index(Slice s) : kind(Kind::slice), range(s) {}
  Index(Ellipsis) : kind(Kind::ellipsis) {}
  Index(None) : kind(Kind::none) {}
  Index(const Tensor& t) : kind(Kind::tensor), tensor(t) {}
};

Tensor index(const Tensor& x, const Index* indices, int count);

// A copy of x with `values`, which broadcast to the shape of x(indices...), put (or added) where x(indices...) reads: index tensors, masks, and
// undefined tensors for whole dimensions. Of equal places the last one stays; sums are taken in order. x and values have one dtype.
Tensor index_put(const Tensor& x, TensorList indices, const Tensor& values, bool accumulate = false);
void index_put_(Tensor& x, TensorList indices, const Tensor& values, bool accumulate = false);  // in place, also through a view

template <class... I> Tensor Tensor::operator()(const I&... indices) const {
  const Index list[] = {Index(indices)...};
  return index(*this, list, static_cast<int>(sizeof...(I)));
}

}  // namespace tapetum
