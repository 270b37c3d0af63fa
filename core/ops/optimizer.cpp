#include "core/ops/optimizer.h"

#include <fmt/core.h>

#include "core/autograd/modes.h"
#include "core/ops/creation.h"
#include "core/ops/launch.h"
#include "core/ops/promotion.h"
#include "core/ops/view.h"
#include "kernels/optimizer.h"

namespace tapetum {
namespace {

void check_fits(const char* op, const char* what, const Tensor& t, const Tensor& parameter) {
  check_same(op, t, parameter);
  if (!(t.shape() == parameter.shape()))
    throw ShapeError(
        fmt::format("{}: a {} must have its parameter's shape {}, got {}", op, what, to_string(parameter.shape()), to_string(t.shape())));
}

void check_scalar(const char* op, const char* what, const Tensor& t, const Tensor& parameter, int64_t numbers = 1) {
  if (t.dtype() != DType::f64 || t.numel() < numbers)
    throw DTypeError(fmt::format("{}: the {} must be f64 [], got {} {}", op, what, name_of(t.dtype()), to_string(t.shape())));
  if (!(t.device() == parameter.device())) throw DeviceError(fmt::format("{}: the {} is not on the parameters' device", op, what));
}

void check_item(const char* op, const StepItem& item) {
  const Tensor& p = item.value;
  if (!is_floating(p.dtype()) || kernel_type(p) != p.dtype())
    throw DTypeError(
        fmt::format("{}: parameters must be f32 or f64, or of 16 bits on cuda, got {} on '{}'", op, name_of(p.dtype()), to_string(p.device())));
  if (item.source.defined()) check_fits(op, "gradient", item.source, p);
  for (const Tensor& s : item.state)
    if (s.defined()) check_fits(op, "state", s, p);
  if (item.step.defined()) check_scalar(op, "step count", item.step, p);
}

// Arrays in the order of the parameter, without gaps: the tensors themselves, or copies that `finish` writes back.
class Arrays {
 public:
  Arrays(const std::vector<StepItem>& items, DType dtype) {
    for (const StepItem& item : items) {
      if (item.value.dtype() != dtype) continue;
      const Shape strides = dense_strides_like(item.value);
      kernels::OptimizerTensor a{};
      a.count = item.value.numel();
      a.value = array(item.value, strides, true);
      if (item.source.defined()) a.source = array(item.source, strides, false);
      for (int j = 0; j < 3; ++j)
        if (item.state[j].defined()) a.state[j] = array(item.state[j], strides, true);
      if (item.step.defined()) a.step = static_cast<double*>(changed(item.step));
      shape_.elements += a.count;
      arrays_.push_back(a);
    }
    shape_.tensors = static_cast<int64_t>(arrays_.size());
    shape_.dtype = dtype;
  }
  bool empty() const { return arrays_.empty(); }
  const kernels::OptimizerShape& shape() const { return shape_; }
  const kernels::OptimizerTensor* data() const { return arrays_.data(); }
  void finish() {
    for (auto& [to, from] : written_) copy_(to, from);
  }

 private:
  void* changed(Tensor t) {
    ++t.impl().storage->version;
    return t.mutable_raw();
  }
  void* array(const Tensor& t, const Shape& strides, bool written) {
    if (t.strides() == strides) return written ? changed(t) : const_cast<void*>(t.raw());
    Tensor copy = empty_strided(t.shape(), strides, t.dtype(), t.device());
    copy_(copy, t);
    if (written)
      written_.emplace_back(t.detach(), copy);
    else
      read_.push_back(copy);
    return copy.mutable_raw();
  }
  kernels::OptimizerShape shape_{};
  std::vector<kernels::OptimizerTensor> arrays_;
  std::vector<std::pair<Tensor, Tensor>> written_;
  std::vector<Tensor> read_;
};

// launch(arrays, device) for each dtype in the list.
template <class F> void for_each_dtype(const char* op, const std::vector<StepItem>& items, F launch) {
  for (const StepItem& item : items) check_item(op, item);
  NoGrad no_grad;
  for (const DType dtype : {DType::f32, DType::f64, DType::f16, DType::bf16}) {
    Arrays arrays(items, dtype);
    if (arrays.empty()) continue;
    launch(arrays, items[0].value.device());
    arrays.finish();
  }
}

void check_found_inf(const char* op, const std::vector<StepItem>& items, const Tensor& found_inf) {
  for (const StepItem& item : items)
    if (found_inf.defined()) check_scalar(op, "found_inf", found_inf, item.value);
}
void check_scalars(const char* op, const std::vector<StepItem>& items, const StepScalars& scalars) {
  for (const StepItem& item : items) check_scalar(op, "learning rate", scalars.lr, item.value);
  check_found_inf(op, items, scalars.found_inf);
}
const double* pointer(const Tensor& scalar) { return static_cast<const double*>(data_or_null(scalar)); }

// Gradients alone.
std::vector<StepItem> items_of(const char* op, const std::vector<Tensor>& gradients) {
  std::vector<StepItem> items;
  for (const Tensor& g : gradients) {
    check_same(op, g, gradients[0]);
    items.push_back({g.detach(), {}, {}, {}});
  }
  return items;
}

}  // namespace

void sgd_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const SgdStepOptions& o) {
  check_scalars("sgd_step", items, scalars);
  for_each_dtype("sgd_step", items, [&](const Arrays& a, Device device) {
    launch(kernels::sgd_step, device, a.shape().dtype,
           {a.shape(), a.data(), pointer(scalars.lr), pointer(scalars.found_inf), o.momentum, o.dampening, o.weight_decay, o.nesterov});
  });
}

void adam_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const AdamStepOptions& o) {
  check_scalars("adam_step", items, scalars);
  if (o.amsgrad && o.rule != kernels::AdamRule::adam) throw Error(fmt::format("adam_step: amsgrad is Adam's, got it with {}", name_of(o.rule)));
  if (o.rule == kernels::AdamRule::nadam)
    for (const StepItem& item : items) check_scalar("adam_step", "step count with its product of momenta", item.step, item.value, 2);
  for_each_dtype("adam_step", items, [&](const Arrays& a, Device device) {
    launch(kernels::adam_step, device, a.shape().dtype,
           {a.shape(), a.data(), pointer(scalars.lr), pointer(scalars.found_inf), o.beta1, o.beta2, o.eps, o.weight_decay, o.decoupled, o.amsgrad,
            o.rule, o.momentum_decay});
  });
}

void adagrad_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const AdagradStepOptions& o) {
  check_scalars("adagrad_step", items, scalars);
  for_each_dtype("adagrad_step", items, [&](const Arrays& a, Device device) {
    launch(kernels::adagrad_step, device, a.shape().dtype,
           {a.shape(), a.data(), pointer(scalars.lr), pointer(scalars.found_inf), o.lr_decay, o.weight_decay, o.eps});
  });
}

void lion_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const LionStepOptions& o) {
  check_scalars("lion_step", items, scalars);
  for_each_dtype("lion_step", items, [&](const Arrays& a, Device device) {
    launch(kernels::lion_step, device, a.shape().dtype,
           {a.shape(), a.data(), pointer(scalars.lr), pointer(scalars.found_inf), o.beta1, o.beta2, o.weight_decay});
  });
}

void lamb_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const LambStepOptions& o) {
  check_scalars("lamb_step", items, scalars);
  for_each_dtype("lamb_step", items, [&](const Arrays& a, Device device) {
    launch(kernels::lamb_step, device, a.shape().dtype,
           {a.shape(), a.data(), pointer(scalars.lr), pointer(scalars.found_inf), o.beta1, o.beta2, o.eps, o.weight_decay});
  });
}

void lookahead_step_(const std::vector<StepItem>& items, const LookaheadStepOptions& o, const Tensor& found_inf) {
  check_found_inf("lookahead_step", items, found_inf);
  if (o.period < 1) throw Error(fmt::format("lookahead_step: the period must be at least 1, got {}", o.period));
  std::vector<StepItem> own = items;
  for (StepItem& item : own) item.source = item.value;  // kernels that share a loop read one
  for_each_dtype("lookahead_step", own, [&](const Arrays& a, Device device) {
    launch(kernels::lookahead_step, device, a.shape().dtype, {a.shape(), a.data(), pointer(found_inf), o.alpha, o.period});
  });
}

void rmsprop_step_(const std::vector<StepItem>& items, const StepScalars& scalars, const RmspropStepOptions& o) {
  check_scalars("rmsprop_step", items, scalars);
  for_each_dtype("rmsprop_step", items, [&](const Arrays& a, Device device) {
    launch(kernels::rmsprop_step, device, a.shape().dtype,
           {a.shape(), a.data(), pointer(scalars.lr), pointer(scalars.found_inf), o.alpha, o.eps, o.weight_decay, o.momentum, o.centered});
  });
}

void ema_step_(const std::vector<StepItem>& items, const EmaStepOptions& o) {
  for_each_dtype("ema_step", items, [&](const Arrays& a, Device device) {
    launch(kernels::ema_step, device, a.shape().dtype, {a.shape(), a.data(), o.decay, o.warm_up});
  });
}

void unscale_(const std::vector<Tensor>& gradients, const Tensor& scale, Tensor found_inf) {
  const auto items = items_of("unscale", gradients);
  for (const StepItem& item : items) {
    check_scalar("unscale", "scale", scale, item.value);
    check_scalar("unscale", "found_inf", found_inf, item.value);
  }
  ++found_inf.impl().storage->version;
  for_each_dtype("unscale", items, [&](const Arrays& a, Device device) {
    launch(kernels::unscale, device, a.shape().dtype, {a.shape(), a.data(), pointer(scale), static_cast<double*>(found_inf.mutable_raw())});
  });
}

Tensor clip_norm_(const std::vector<Tensor>& gradients, double limit, double p) {
  if (!(p > 0)) throw Error(fmt::format("clip_norm: the norm's order must be positive, got {}", p));
  Tensor norm = zeros({}, DType::f64, gradients.empty() ? Device() : gradients[0].device());
  if (gradients.empty()) return norm;
  for_each_dtype("clip_norm", items_of("clip_norm", gradients), [&](const Arrays& a, Device device) {
    launch(kernels::clip_norm, device, a.shape().dtype, {a.shape(), a.data(), limit, p, static_cast<double*>(norm.mutable_raw())});
  });
  return norm;
}

}  // namespace tapetum
