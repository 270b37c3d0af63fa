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
  using V = Vec<T>;

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
  V operator()(V sum, int64_t n, int64_t h, int64_t w, int64_t c, int64_t channels) const {
    for_channels(c, channels, [&](auto apply) { sum = apply(sum, n, h, w); });
    return sum;
  }
  void operator()(T* y, int64_t n, int64_t h, int64_t w, int64_t c, int64_t channels) const {
    if (is_empty()) return;
    for (int64_t i = 0; i < channels; i += V::lanes) (*this)(V::load(y + i, channels - i), n, h, w, c + i, channels - i).store(y + i, channels - i);
  }
  // f(apply), apply(sum, n, h, w) being that for a register of channels [c, c + channels): what all pixels share is looked up once.
  template <class F> void for_channels(int64_t c, int64_t channels, F f) const {
    const V scale = scale_ ? V::load(scale_ + c, channels) : V(T(1)), shift = scale_ ? V::load(shift_ + c, channels) : V(T(0));
    with_activation(activation_, [&]<ConvActivation A>() {
      f([&](V sum, int64_t n, int64_t h, int64_t w) {
        if (scale_) sum = sum * scale + shift;
        if (residual_.data) sum = sum + V::gather(residual_.at(n, h, w) + c * residual_.stride_c, residual_.stride_c, channels);
        return activate<A>(sum);
      });
    });
  }

 private:
  Images<const S> residual_{};
  const T *scale_ = nullptr, *shift_ = nullptr;
  ConvActivation activation_ = ConvActivation::none;
};

}  // namespace
}  // namespace tapetum::kernels
