#include "core/ops/compare.h"

#include <fmt/core.h>

#include "core/ops/creation.h"
#include "core/ops/pointwise.h"
#include "core/ops/promotion.h"

namespace tapetum {
namespace {

#define COMPARISON(Op, name, slot)                                                                            \
  struct Op {                                                                                                 \
    static constexpr OpInfo info{name};                                                                       \
    using Options = NoOptions;                                                                                \
    static Tensor forward(Context&, const Options&, const Tensor& a, const Tensor& b) {                       \
      return pointwise(info, kernels::slot, {a, b}, Result::boolean);                                         \
    }                                                                                                         \
    static Gradients backward(const Context&, const Options&, const Tensor&) { return {Tensor(), Tensor()}; } \
  }
COMPARISON(EqOp, "eq", eq_forward);
COMPARISON(NeOp, "ne", ne_forward);
COMPARISON(LtOp, "lt", lt_forward);
COMPARISON(LeOp, "le", le_forward);
COMPARISON(GtOp, "gt", gt_forward);
COMPARISON(GeOp, "ge", ge_forward);
COMPARISON(LogicalAndOp, "logical_and", logical_and_forward);
COMPARISON(LogicalOrOp, "logical_or", logical_or_forward);
COMPARISON(LogicalXorOp, "logical_xor", logical_xor_forward);
#undef COMPARISON

#define PREDICATE(Op, name, slot)                                                                                                     \
  struct Op {                                                                                                                         \
    static constexpr OpInfo info{name};                                                                                               \
    using Options = NoOptions;                                                                                                        \
    static Tensor forward(Context&, const Options&, const Tensor& x) { return pointwise(info, kernels::slot, {x}, Result::boolean); } \
    static Gradients backward(const Context&, const Options&, const Tensor&) { return {Tensor()}; }                                   \
  }
PREDICATE(LogicalNotOp, "logical_not", logical_not_forward);
PREDICATE(IsNanOp, "isnan", isnan_forward);
PREDICATE(IsFiniteOp, "isfinite", isfinite_forward);
#undef PREDICATE

struct WhereOp {
  static constexpr OpInfo info{"where"};
  using Options = NoOptions;
  static Tensor forward(Context& c, const Options&, const Tensor& condition, const Tensor& a, const Tensor& b) {
    c.save(condition);
    const DType common = promote({a, b});
    const Shape shape = broadcast("where", broadcast("where", a.shape(), b.shape()), condition.shape());
    const Tensor* like = a.shape() == shape ? &a : b.shape() == shape ? &b : condition.shape() == shape ? &condition : nullptr;
    Tensor y = empty_strided(shape, like ? dense_strides_like(*like) : contiguous_strides(shape), common, a.device());
    pointwise_into(kernels::where_forward, y, {condition, a, b}, common);
    return y;
  }
  static Gradients backward(const Context& c, const Options&, const Tensor& gy) {
    const Tensor condition = c.saved(0), zero = full({}, 0, gy.dtype(), gy.device());
    return {Tensor(), c.needs(1) ? where(condition, gy, zero) : zero, c.needs(2) ? where(condition, zero, gy) : zero};
  }
};

}  // namespace

#define COMPARISON(op, Op)                                                    \
  Tensor op(const Tensor& a, const Tensor& b) { return apply<Op>({}, a, b); } \
  Tensor op(const Tensor& a, Scalar b) { return apply<Op>({}, a, scalar_like(b, a)); }
COMPARISON(eq, EqOp)
COMPARISON(ne, NeOp)
COMPARISON(lt, LtOp)
COMPARISON(le, LeOp)
COMPARISON(gt, GtOp)
COMPARISON(ge, GeOp)
#undef COMPARISON

Tensor isnan(const Tensor& x) { return is_floating(x.dtype()) ? apply<IsNanOp>({}, x) : full(x.shape(), 0, DType::boolean, x.device()); }
Tensor isfinite(const Tensor& x) { return is_floating(x.dtype()) ? apply<IsFiniteOp>({}, x) : full(x.shape(), 1, DType::boolean, x.device()); }
Tensor logical_not(const Tensor& x) { return apply<LogicalNotOp>({}, x); }
Tensor logical_and(const Tensor& a, const Tensor& b) { return apply<LogicalAndOp>({}, a, b); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return apply<LogicalOrOp>({}, a, b); }
Tensor logical_xor(const Tensor& a, const Tensor& b) { return apply<LogicalXorOp>({}, a, b); }

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  if (condition.dtype() != DType::boolean) throw DTypeError(fmt::format("where: condition must be bool, got {}", name_of(condition.dtype())));
  check_device("where", condition, a);
  check_device("where", a, b);
  return apply<WhereOp>({}, condition, a, b);
}
Tensor where(const Tensor& condition, const Tensor& a, Scalar b) { return where(condition, a, scalar_like(b, a)); }
Tensor where(const Tensor& condition, Scalar a, const Tensor& b) { return where(condition, scalar_like(a, b), b); }
Tensor where(const Tensor& condition, Scalar a, Scalar b) { return where(condition, scalar_like(a, condition), scalar_like(b, condition)); }

Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) { return where(mask, full({}, value, x.dtype(), x.device()), x); }

}  // namespace tapetum
