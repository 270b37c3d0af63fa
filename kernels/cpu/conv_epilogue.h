// What the forward convolution does to its sums, bias included, while they are in the cache.
#pragma once
#include "kernels/conv.h"
#include "kernels/cpu/activation.h"
#include "kernels/cpu/conv_patches.h"

namespace tapetum::kernels {
namespace {

// y = activation(scale y + shift + residual) with a residual that is stored as S; the gradients have none of these.
template <class S> class Epilogue {
  using T = Compute<S>;

 public:
  Epilogue() = default;
  explicit Epilogue(const Conv2dArgs& a)
      : residual_(images(static_cast<const S*>(a.residual), a.shape.n, a.shape.p, a.shape.q, a.shape.residual_stride)),
        scale_(static_cast<const T*>(a.scale)),
        shift_(static_cast<const T*>(a.shift)),
        activation_(a.shape.activation) {}

  // Channels from `first` on.
  Epilogue from_channel(int64_t first) const {
    Epilogue e = *this;
    if (e.residual_.data) e.residual_.data += first * residual_.stride_c;
    if (e.scale_) e.scale_ += first, e.shift_ += first;
    return e;
  }
  bool is_empty() const { return !scale_ && !residual_.data && activation_ == ConvActivation::none; }
  // Channels [c, c + channels) of one pixel: a register of them, or as they lie side by side at y.
  Vec<T> operator()(Vec<T> sum, int64_t n, int64_t h, int64_t w, int64_t c, int64_t channels) const {
    if (scale_) sum = sum * Vec<T>::load(scale_ + c, channels) + Vec<T>::load(shift_ + c, channels);
    if (residual_.data) sum = sum + Vec<T>::gather(residual_.at(n, h, w) + c * residual_.stride_c, residual_.stride_c, channels);
    return with_activation(activation_, [&]<ConvActivation A>() { return activate<A>(sum); });
  }
  void operator()(T* y, int64_t n, int64_t h, int64_t w, int64_t c, int64_t channels) const {
    if (is_empty()) return;
    for (int64_t i = 0; i < channels; i += Vec<T>::lanes)
      (*this)(Vec<T>::load(y + i, channels - i), n, h, w, c + i, channels - i).store(y + i, channels - i);
  }

 private:
  Images<const S> residual_{};
  const T *scale_ = nullptr, *shift_ = nullptr;
  ConvActivation activation_ = ConvActivation::none;
};

}  // namespace
}  // namespace tapetum::kernels
