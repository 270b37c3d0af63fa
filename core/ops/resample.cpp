#include "core/ops/resample.h"

#include <numeric>

#include "core/ops/creation.h"
#include "core/ops/launch.h"
#include "core/ops/layout.h"
#include "core/ops/promotion.h"
#include "core/ops/view.h"
#include "kernels/resize.h"

namespace tapetum {
namespace {

// A matrix on the tensors' device, with weights in the type computed in.
struct DeviceTaps {
  Tensor start, index, weight;

  DeviceTaps(const SparseRows& m, DType dtype, Device device)
      : start(moved(m.start, DType::i32, device)), index(moved(m.index, DType::i32, device)), weight(moved(m.weight, dtype, device)) {}

  kernels::Taps taps() const { return {static_cast<const int32_t*>(start.raw()), static_cast<const int32_t*>(index.raw()), weight.raw()}; }

 private:
  template <class T> static Tensor moved(const std::vector<T>& values, DType dtype, Device device) {
    Tensor t = empty({static_cast<int64_t>(values.size())}, dtype);
    with_type(dtype, [&]<class To>() {
      for (size_t i = 0; i < values.size(); ++i) static_cast<To*>(t.mutable_raw())[i] = cast<To>(values[i]);
    });
    return to(t, device);
  }
};

}  // namespace

SparseRows SparseRows::transposed() const {
  const size_t rows = start.size() - 1;
  SparseRows t{static_cast<int64_t>(rows)};
  t.start.assign(static_cast<size_t>(columns) + 1, 0);
  for (int32_t column : index) ++t.start[static_cast<size_t>(column) + 1];
  std::partial_sum(t.start.begin(), t.start.end(), t.start.begin());
  t.index.resize(index.size());
  t.weight.resize(index.size());
  std::vector<int32_t> next = t.start;
  for (size_t r = 0; r < rows; ++r)
    for (auto k = static_cast<size_t>(start[r]); k < static_cast<size_t>(start[r + 1]); ++k) {
      const auto to = static_cast<size_t>(next[static_cast<size_t>(index[k])]++);
      t.index[to] = static_cast<int32_t>(r);
      t.weight[to] = weight[k];
    }
  return t;
}

Tensor resample(const Tensor& x, const SparseRows& rows, const SparseRows& columns) {
  const int64_t p = static_cast<int64_t>(rows.start.size()) - 1, q = static_cast<int64_t>(columns.start.size()) - 1;
  Tensor y = empty_image({x.size(0), x.size(1), p, q}, x.dtype(), x.device(), {x});
  if (x.device().kind == DeviceKind::meta || y.numel() == 0) return y;
  const bool last = p * q == 1 ? x.is_channels_last() : y.is_channels_last();  // one pixel lies the same in both formats
  const Tensor dense = last ? channels_last(x) : contiguous(x);
  const int64_t planes = last ? x.size(0) : x.size(0) * x.size(1), c = last ? x.size(1) : 1;
  const DType compute = compute_type(x.dtype());
  const DeviceTaps a(rows, compute, x.device()), b(columns, compute, x.device());
  launch(kernels::resample2d, x.device(), x.dtype(),
         {{planes, x.size(2), x.size(3), p, q, c, x.dtype()}, dense.raw(), y.mutable_raw(), a.taps(), b.taps()});
  return y;
}

}  // namespace tapetum
