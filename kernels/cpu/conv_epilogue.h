// What the forward convolution does to its sums, bias included, while they are in the cache.
#pragma once
#include "kernels/conv.h"
#include "kernels/cpu/conv_patches.h"
#include "kernels/cpu/math.h"

namespace tapetum::kernels {
namespace {

// y = activation(y + residual) with a residual that is stored as S; the gradients have neither.
template <class S> class Epilogue {
  using T = Compute<S>;

 public:
  Epilogue() = default;
  explicit Epilogue(const Conv2dArgs& a)
      : residual_(images(static_cast<const S*>(a.residual), a.shape.n, a.shape.p, a.shape.q, a.shape.residual_stride)),
        activation_(a.shape.activation) {}

  // Channels from `first` on.
  Epilogue from_channel(int64_t first) const {
    Epilogue e = *this;
    if (e.residual_.data) e.residual_.data += first * residual_.stride_c;
    return e;
  }
  bool is_empty() const { return !residual_.data && activation_ == ConvActivation::none; }
  // Channels [c, c + channels) of one pixel: a register of them, or as they lie side by side at y.
  Vec<T> operator()(Vec<T> sum, int64_t n, int64_t h, int64_t w, int64_t c, int64_t channels) const {
    if (residual_.data) sum = sum + Vec<T>::gather(residual_.at(n, h, w) + c * residual_.stride_c, residual_.stride_c, channels);
    return activate(sum);
  }
  void operator()(T* y, int64_t n, int64_t h, int64_t w, int64_t c, int64_t channels) const {
    if (is_empty()) return;
    for (int64_t i = 0; i < channels; i += Vec<T>::lanes)
      (*this)(Vec<T>::load(y + i, channels - i), n, h, w, c + i, channels - i).store(y + i, channels - i);
  }

 private:
  Vec<T> activate(Vec<T> x) const {
    const Vec<T> zero(T(0)), one(T(1));
    if (activation_ == ConvActivation::relu) return select(x < zero, zero, x);
    return activation_ == ConvActivation::silu ? x / (one + exp(-x)) : x;
  }

  Images<const S> residual_{};
  ConvActivation activation_ = ConvActivation::none;
};

}  // namespace
}  // namespace tapetum::kernels
