// What the forward convolution does to its sums, bias included, while they are in the cache.
#pragma once
#include "kernels/conv.h"
#include "kernels/cpu/conv_patches.h"
#include "kernels/cpu/math.h"

namespace tapetum::kernels {
namespace {

// y = activation(y + residual); the gradients have neither.
template <class T> class Epilogue {
 public:
  Epilogue() = default;
  explicit Epilogue(const Conv2dArgs& a)
      : residual_(images(static_cast<const T*>(a.residual), a.shape.n, a.shape.p, a.shape.q, a.shape.residual_stride)),
        activation_(a.shape.activation) {}

  // Channels from `first` on.
  Epilogue from_channel(int64_t first) const {
    Epilogue e = *this;
    if (e.residual_.data) e.residual_.data += first * residual_.stride_c;
    return e;
  }
  // Channels [c, c + channels) of one pixel, which lie side by side at y.
  void operator()(T* y, int64_t n, int64_t h, int64_t w, int64_t c, int64_t channels) const {
    if (!residual_.data && activation_ == ConvActivation::none) return;
    const auto& r = residual_;
    const T* added = r.data ? r.data + n * r.stride_n + h * r.stride_h + w * r.stride_w + c * r.stride_c : nullptr;
    for (int64_t i = 0; i < channels; i += Vec<T>::lanes) {
      const int64_t count = channels - i;
      Vec<T> sum = Vec<T>::load(y + i, count);
      if (added) sum = sum + Vec<T>::gather(added + i * r.stride_c, r.stride_c, count);
      activate(sum).store(y + i, count);
    }
  }

 private:
  Vec<T> activate(Vec<T> x) const {
    const Vec<T> zero(T(0)), one(T(1));
    if (activation_ == ConvActivation::relu) return select(x < zero, zero, x);
    return activation_ == ConvActivation::silu ? x / (one + exp(-x)) : x;
  }

  Images<const T> residual_{};
  ConvActivation activation_ = ConvActivation::none;
};

}  // namespace
}  // namespace tapetum::kernels
