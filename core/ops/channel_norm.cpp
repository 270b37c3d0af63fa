// Batch, instance and group norm: one op over sets of images and groups of channels (kernels/norm.h), that an activation may end.
#include <fmt/core.h>

#include "core/autograd/apply.h"
#include "core/autograd/recompute.h"
#include "core/ops/activation.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/launch.h"
#include "core/ops/layout.h"
#include "core/ops/norm.h"
#include "core/ops/promotion.h"
#include "core/ops/reduce.h"
#include "core/ops/view.h"
#include "kernels/norm.h"

namespace tapetum {
namespace {

// Which values share statistics.
struct Sets {
  int64_t sets;   // 1: over the whole batch; N: of each image
  int64_t group;  // neighbouring channels
  double eps;
  ConvActivation activation = ConvActivation::none;
};

// Elements of one plane, or volume.
int64_t inner_size(const Tensor& x) {
  int64_t l = 1;
  for (int d = 2; d < x.dim(); ++d) l *= x.size(d);
  return l;
}

// The type of weight and bias; both have one.
DType parameter_type(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return weight.defined() ? weight.dtype() : bias.defined() ? bias.dtype() : x.dtype();
}

// An uninitialised tensor like x, and the kernels' view of it.
struct Geometry {
  Tensor y;
  kernels::ChannelNormShape shape{};
  bool channels_last;

  Geometry(const Tensor& x, const Sets& o, DType parameters)
      : y(empty_image(x.shape(), x.dtype(), x.device(), {x})), channels_last(y.is_channels_last()) {
    const int64_t n = x.size(0), l = inner_size(x);
    shape = {o.sets, o.sets ? n / o.sets : 0, x.size(1), l, o.group, channels_last || l == 1, x.dtype(), parameters};
  }
  Tensor like(const Tensor& x) const { return channels_last ? tapetum::channels_last(x) : contiguous(x); }
};

const double* doubles_of(const Tensor& t) { return static_cast<const double*>(t.raw()); }

Tensor normalise(const Sets& o, const Geometry& to, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                 const Tensor& var) {
  Tensor y = to.y;
  launch(kernels::channel_norm_forward, x.device(), x.dtype(),
         {to.shape, o.eps, x.raw(), data_or_null(weight), data_or_null(bias), doubles_of(mean), doubles_of(var), y.mutable_raw(), o.activation});
  return y;
}

// `fixed`: mean and var do not depend on x.
Gradients normalise_backward(const Context& c, const Sets& o, bool fixed, const Tensor& gy, const Tensor& mean, const Tensor& var) {
  const Tensor x = c.saved(0), weight = c.saved(1), bias = c.saved(2);
  const DType parameters = parameter_type(x, weight, bias);
  const Geometry to(x, o, parameters);
  const auto vector = [&](bool wanted) { return wanted ? empty({x.size(1)}, parameters, x.device()) : Tensor(); };
  const Tensor gx = c.needs(0) ? to.y : Tensor(), gweight = vector(c.needs(1)), gbias = vector(c.needs(2));
  const auto out = [](const Tensor& t) { return const_cast<void*>(data_or_null(t)); };
  const Tensor dense = to.like(x), dense_gy = to.like(gy), w = dense_or_none(weight), b = dense_or_none(bias);
  launch(kernels::channel_norm_backward, x.device(), x.dtype(),
         {to.shape, o.eps, fixed, dense.raw(), data_or_null(w), dense_gy.raw(), doubles_of(mean), doubles_of(var), out(gx), out(gweight), out(gbias),
          o.activation, data_or_null(b)});
  return {gx, gweight, gbias};
}

Shape per_channel(const Tensor& x) {
  Shape s(x.dim(), 1);
  s[1] = x.size(1);
  return s;
}

// The end of a norm, in x's type.
Tensor finish(Tensor y, const Tensor& weight, const Tensor& bias, ConvActivation activation, DType dtype) {
  if (weight.defined()) y = y * reshape(weight, per_channel(y));
  if (bias.defined()) y = y + reshape(bias, per_channel(y));
  return to(activate(y, activation), dtype);
}

// Statistics of x itself; Kind says over which sets. The outputs behind the first are these statistics, for running ones: they have no gradient.
template <class Kind> struct ChannelNormOp {
  static constexpr OpInfo info = Kind::info;
  using Options = typename Kind::Options;
  static std::array<Tensor, 3> forward(Context& c, const Options& o, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const Sets sets = Kind::sets(o, x);
    const Geometry to(x, sets, parameter_type(x, weight, bias));
    const Tensor dense = to.like(x);
    Tensor mean = empty({sets.sets, x.size(1) / sets.group}, DType::f64, x.device()), var = empty(mean.shape(), DType::f64, x.device());
    launch(kernels::channel_moments, x.device(), x.dtype(),
           {to.shape, dense.raw(), static_cast<double*>(mean.mutable_raw()), static_cast<double*>(var.mutable_raw())});
    c.save(mean, var);
    return {normalise(sets, to, dense, dense_or_none(weight), dense_or_none(bias), mean, var), mean, var};
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    return normalise_backward(c, Kind::sets(o, c.saved(0)), false, gy, c.saved(3), c.saved(4));
  }
  static Tensor twin(const Options& o, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const Sets sets = Kind::sets(o, x);
    const Tensor grouped = reshape(to(x, compute_type(x.dtype())), {x.size(0), x.size(1) / sets.group, sets.group * inner_size(x)});
    const Shape dims = sets.sets == 1 ? Shape{0, 2} : Shape{2};
    const Tensor centred = grouped - mean(grouped, dims, true);
    const Tensor y = reshape(centred / sqrt(mean(centred * centred, dims, true) + sets.eps), x.shape());
    return finish(y, weight, bias, sets.activation, x.dtype());
  }
};

struct Eps {
  double eps;
  template <class S, class V> static void fields(S& s, V&& v) { v("eps", s.eps); }
};
struct Groups {
  int64_t groups;
  double eps;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("groups", s.groups);
    v("eps", s.eps);
  }
};

struct Ending {
  ConvActivation activation;
  double eps;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("activation", s.activation);
    v("eps", s.eps);
  }
};

struct BatchNorm {
  static constexpr OpInfo info{"batch_norm"}, inference{"batch_norm_inference"};
  using Options = Eps;
  static Sets sets(const Eps& o, const Tensor&) { return {1, 1, o.eps}; }
};
struct BatchNormAct {
  static constexpr OpInfo info{"batch_norm_act"}, inference{"batch_norm_act_inference"};
  using Options = Ending;
  static Sets sets(const Ending& o, const Tensor&) { return {1, 1, o.eps, o.activation}; }
};
struct GroupNorm {
  static constexpr OpInfo info{"group_norm", Autocast::f32};
  using Options = Groups;
  static Sets sets(const Groups& o, const Tensor& x) { return {x.size(0), x.size(1) / o.groups, o.eps}; }
};
struct InstanceNorm {
  static constexpr OpInfo info{"instance_norm"};
  using Options = Eps;
  static Sets sets(const Eps& o, const Tensor& x) { return {x.size(0), 1, o.eps}; }
};

// With given statistics [C]: an affine map of each channel.
template <class Kind> struct BatchNormInferenceOp {
  static constexpr OpInfo info = Kind::inference;
  using Options = typename Kind::Options;
  static Tensor forward(Context&, const Options& o, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                        const Tensor& var) {
    const Sets sets = Kind::sets(o, x);
    const Geometry to(x, sets, parameter_type(x, weight, bias));
    return normalise(sets, to, to.like(x), dense_or_none(weight), dense_or_none(bias), to_double(mean), to_double(var));
  }
  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    Gradients gs = normalise_backward(c, Kind::sets(o, c.saved(0)), true, gy, to_double(c.saved(3)), to_double(c.saved(4)));
    gs.push_back({});
    gs.push_back({});
    return gs;
  }
  static Tensor twin(const Options& o, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean, const Tensor& var) {
    const Shape shape = per_channel(x);
    const Tensor wide = to(x, compute_type(x.dtype()));
    const Tensor y = (wide - reshape(mean.detach(), shape)) / sqrt(reshape(var.detach(), shape) + o.eps);
    return finish(y, weight, bias, Kind::sets(o, x).activation, x.dtype());
  }
  static Tensor to_double(const Tensor& t) { return contiguous(to(t, DType::f64)); }
};

void check_vector(const char* op, const char* name, const Tensor& x, const Tensor& t) {
  if (!t.defined()) return;
  if (t.dtype() != x.dtype() && t.dtype() != compute_type(x.dtype()))
    throw DTypeError(fmt::format("{}: {} must be {} as the input, got {}", op, name, name_of(x.dtype()), name_of(t.dtype())));
  check_device(op, x, t);
  if (!(t.shape() == Shape{x.size(1)}))
    throw ShapeError(
        fmt::format("{}: {} must be [C] with C = {}, got {} (input {})", op, name, x.size(1), to_string(t.shape()), to_string(x.shape())));
}

void check_inputs(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_floating(op, x);
  if (x.dim() < 2 || x.dim() > 5 || x.size(1) == 0)
    throw ShapeError(fmt::format("{}: expected [N, C, ...] with 2 to 5 dimensions and C > 0, got {}", op, to_string(x.shape())));
  check_vector(op, "weight", x, weight);
  check_vector(op, "bias", x, bias);
}

// Weight and bias in one type: their own where they agree, else the one computed in.
template <class Op, class... Statistics>
auto normalised(const typename Op::Options& o, const Tensor& x, const Tensor& weight, const Tensor& bias, const Statistics&... statistics) {
  const bool agree = !weight.defined() || !bias.defined() || weight.dtype() == bias.dtype();
  const DType parameters = agree ? parameter_type(x, weight, bias) : compute_type(x.dtype());
  const auto read = [&](const Tensor& t) { return t.defined() ? to(t, parameters) : t; };
  return apply<Op>(o, x, read(weight), read(bias), statistics...);
}

void move_towards(Tensor running, const Tensor& value, double factor, double momentum) {
  const Tensor target = reshape(to(value, running.dtype()), running.shape());
  copy_(running, running * (1 - momentum) + target * (momentum * factor));
}

template <class Kind>
Tensor batch_normalised(const typename Kind::Options& kind, const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                        const Tensor& weight, const Tensor& bias, const BatchNormOptions& o) {
  const char* op = Kind::info.name;
  check_inputs(op, x, weight, bias);
  check_vector(op, "running_mean", x, running_mean);
  check_vector(op, "running_var", x, running_var);
  if (!o.training) {
    if (!running_mean.defined() || !running_var.defined()) throw Error(fmt::format("{}: running statistics are needed outside training", op));
    return normalised<BatchNormInferenceOp<Kind>>(kind, x, weight, bias, running_mean, running_var);
  }
  const int64_t count = x.numel() / x.size(1);
  if (count == 1) throw ShapeError(fmt::format("{}: training needs more than one value for each channel, got input {}", op, to_string(x.shape())));
  const auto [y, mean, var] = normalised<ChannelNormOp<Kind>>(kind, x, weight, bias);
  if (count > 0 && !recomputing) {
    NoGrad no_grad;
    if (running_mean.defined()) move_towards(running_mean, mean.detach(), 1, o.momentum);
    if (running_var.defined()) move_towards(running_var, var.detach(), static_cast<double>(count) / static_cast<double>(count - 1), o.momentum);
  }
  return y;
}

}  // namespace

Tensor batch_norm(const Tensor& x, Tensor running_mean, Tensor running_var, const Tensor& weight, const Tensor& bias, const BatchNormOptions& o) {
  return batch_normalised<BatchNorm>({o.eps}, x, running_mean, running_var, weight, bias, o);
}

Tensor batch_norm_act(const Tensor& x, Tensor running_mean, Tensor running_var, const Tensor& weight, const Tensor& bias, ConvActivation activation,
                      const BatchNormOptions& o) {
  return batch_normalised<BatchNormAct>({activation, o.eps}, x, running_mean, running_var, weight, bias, o);
}

ChannelAffine batch_norm_affine(const Tensor& running_mean, const Tensor& running_var, const Tensor& weight, const Tensor& bias, double eps) {
  const DType type = compute_type(running_var.dtype());
  const auto wide = [type](const Tensor& t) { return to_or_none(t, type); };
  const Tensor deviation = rsqrt(wide(running_var) + eps), scale = weight.defined() ? wide(weight) * deviation : deviation;
  const Tensor moved = wide(running_mean) * scale;
  return {scale, bias.defined() ? wide(bias) - moved : -moved};
}

Tensor group_norm(const Tensor& input, int64_t groups, const Tensor& factors, const Tensor& shifts, const GroupNormOptions& o) {
  const Casting cast(GroupNorm::info.autocast);
  const Tensor x = cast(input), weight = cast(factors), bias = cast(shifts);
  check_inputs("group_norm", x, weight, bias);
  if (groups < 1 || x.size(1) % groups != 0)
    throw ShapeError(fmt::format("group_norm: {} groups do not divide the channels of {}", groups, to_string(x.shape())));
  return normalised<ChannelNormOp<GroupNorm>>({groups, o.eps}, x, weight, bias)[0];
}

Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& o) {
  check_inputs("instance_norm", x, weight, bias);
  if (x.size(0) > 0 && inner_size(x) == 1)
    throw ShapeError(fmt::format("instance_norm: more than one value is needed for each channel of an image, got input {}", to_string(x.shape())));
  return normalised<ChannelNormOp<InstanceNorm>>({o.eps}, x, weight, bias)[0];
}

}  // namespace tapetum
