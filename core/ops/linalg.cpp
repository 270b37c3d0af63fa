#include "core/ops/linalg.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "core/autograd/apply.h"
#include "core/ops/activation.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/launch.h"
#include "core/ops/linalg_dense.h"
#include "core/ops/matmul.h"
#include "core/ops/reduce.h"
#include "core/ops/view.h"

namespace tapetum::linalg {
namespace {

Tensor t(const Tensor& a) { return transpose(a, -2, -1); }
Tensor column_scaled(const Tensor& a, const Tensor& s) { return a * unsqueeze(s, -2); }  // a diag(s)
Tensor row_scaled(const Tensor& s, const Tensor& a) { return unsqueeze(s, -1) * a; }     // diag(s) a
Tensor diagonal_mask(int64_t n) { return eye(n, -1, DType::boolean); }
Tensor diagonal_matrix(const Tensor& s) { return where(diagonal_mask(s.size(-1)), unsqueeze(s, -1), 0); }
Tensor symmetric(const Tensor& a) { return (a + t(a)) * 0.5; }

Shape batch_of(const Tensor& a) {
  Shape batch;
  for (int d = 0; d + 2 < a.dim(); ++d) batch.push_back(a.size(d));
  return batch;
}
Shape with(Shape batch, std::initializer_list<int64_t> last) {
  for (int64_t n : last) batch.push_back(n);
  return batch;
}
Tensor result(const Tensor& like, const Shape& shape) { return empty(shape, like.dtype(), like.device()); }
dense::Batch matrices(const Tensor& a) { return {batch_of(a).numel(), a.dtype()}; }

void check(const char* op, const Tensor& a, bool square) {
  if (a.device().kind == DeviceKind::cuda)
    throw DeviceError(fmt::format("linalg.{}: runs on the CPU alone, got a tensor on '{}'", op, to_string(a.device())));
  if (a.dtype() != DType::f32 && a.dtype() != DType::f64)
    throw DTypeError(fmt::format("linalg.{}: expected f32 or f64, got {}", op, name_of(a.dtype())));
  if (a.dim() < 2 || (square && a.size(-1) != a.size(-2)))
    throw ShapeError(fmt::format("linalg.{}: expected matrices [..., {}], got {}", op, square ? "n, n" : "m, n", to_string(a.shape())));
}

// A call of a public function: `a` is its matrix, checked; autocast is off while this lives.
struct Call {
  Call(const char* op, const Tensor& matrix, bool square) : a(cast(matrix)) { check(op, a, square); }
  const Casting cast{Autocast::f32};
  const Tensor a;
};

// Runs f on matrices that exist: nothing to do on the meta device, or without elements.
template <class F> void run(const char* op, const char* why, const Tensor& a, F f) {
  if (a.device().kind == DeviceKind::meta || a.numel() == 0) return;
  if (const int64_t failed = f(); failed >= 0) throw Error(fmt::format("linalg.{}: matrix {} of {} is {}", op, failed, to_string(a.shape()), why));
}

struct SolveOp {
  static constexpr OpInfo info{"linalg_solve", Autocast::f32};
  using Options = NoOptions;
  static Tensor forward(Context& c, const Options&, const Tensor& a, const Tensor& b) {
    Tensor x = result(b, b.shape());
    const Tensor left = contiguous(a), right = contiguous(b);
    run("solve", "singular", a, [&] { return dense::solve(matrices(a), a.size(-1), b.size(-1), left.raw(), right.raw(), x.mutable_raw()); });
    c.save(a);
    c.save_output(0);
    return x;
  }
  static Gradients backward(const Context& c, const Options&, const Tensor& gx) {
    const Tensor gb = solve(t(c.saved(0)), gx);
    return {c.needs(0) ? -matmul(gb, t(c.saved(1))) : Tensor(), gb};
  }
};

struct SlogdetOp {
  static constexpr OpInfo info{"linalg_slogdet", Autocast::f32};
  using Options = NoOptions;
  using Outputs = std::array<Tensor, 2>;
  static Outputs forward(Context& c, const Options&, const Tensor& a) {
    Tensor sign = ones(batch_of(a), a.dtype(), a.device()), magnitude = zeros(batch_of(a), a.dtype(), a.device());
    const Tensor matrix = contiguous(a);
    run("slogdet", "", a, [&] {
      dense::determinant(matrices(a), a.size(-1), matrix.raw(), sign.mutable_raw(), magnitude.mutable_raw());
      return int64_t{-1};
    });
    c.save(a);
    return {sign, magnitude};
  }
  static Gradients backward(const Context& c, const Options&, const Outputs& g) {  // the sign is a step
    return {g[1].defined() ? unsqueeze(unsqueeze(g[1], -1), -1) * t(inv(c.saved(0))) : Tensor()};
  }
};

// The product of all other numbers of a line, for each: exact where some are 0.
Tensor products_of_others(const Tensor& s) { return prod(where(diagonal_mask(s.size(-1)), 1, unsqueeze(s, -2)), {-1}); }

struct DetOp {
  static constexpr OpInfo info{"linalg_det", Autocast::f32};
  using Options = NoOptions;
  static Tensor forward(Context& c, const Options&, const Tensor& a) {
    const Slogdet d = slogdet(a);
    c.save(a);
    c.save_output(0);
    return d.sign * exp(d.logabsdet);
  }
  // det(a) a^-T; of a singular matrix its cofactors, from u diag(s) vh.
  static Gradients backward(const Context& c, const Options&, const Tensor& g) {
    const Tensor a = c.saved(0), y = c.saved(1), wide = unsqueeze(unsqueeze(g, -1), -1);
    if (a.device().kind == DeviceKind::meta || !any(y == 0).item()) return {wide * unsqueeze(unsqueeze(y, -1), -1) * t(inv(a))};
    const Svd d = svd(a);
    const Tensor sign = slogdet(d.u.detach()).sign * slogdet(d.vh.detach()).sign;
    return {wide * unsqueeze(unsqueeze(sign, -1), -1) * matmul(column_scaled(d.u, products_of_others(d.s)), d.vh)};
  }
};

struct CholeskyOp {
  static constexpr OpInfo info{"linalg_cholesky", Autocast::f32};
  using Options = NoOptions;
  static Tensor forward(Context& c, const Options&, const Tensor& a) {
    Tensor l = result(a, a.shape());
    const Tensor matrix = contiguous(a);
    run("cholesky", "not positive-definite", a, [&] { return dense::cholesky(matrices(a), a.size(-1), matrix.raw(), l.mutable_raw()); });
    c.save_output(0);
    return l;
  }
  // l^-T phi(l^T gl) l^-1, made symmetric; phi keeps the lower triangle and half of the diagonal (Murray 2016).
  static Gradients backward(const Context& c, const Options&, const Tensor& gl) {
    const Tensor l = c.saved(0), lower = tril(matmul(t(l), gl)), phi = where(diagonal_mask(l.size(-1)), lower * 0.5, lower);
    return {symmetric(t(solve(t(l), t(solve(t(l), phi)))))};
  }
};

struct QrOp {  // m >= n
  static constexpr OpInfo info{"linalg_qr", Autocast::f32};
  using Options = NoOptions;
  using Outputs = std::array<Tensor, 2>;
  static Outputs forward(Context& c, const Options&, const Tensor& a) {
    const int64_t m = a.size(-2), n = a.size(-1);
    Tensor q = result(a, a.shape()), r = result(a, with(batch_of(a), {n, n}));
    const Tensor matrix = contiguous(a);
    run("qr", "", a, [&] {
      dense::qr(matrices(a), m, n, matrix.raw(), q.mutable_raw(), r.mutable_raw());
      return int64_t{-1};
    });
    c.save_output(0);
    c.save_output(1);
    return {q, r};
  }
  // (gq + q copyltu(r gr^T - gq^T q)) r^-T, copyltu(x) the lower triangle on both sides (Walter and Lehmann 2018).
  static Gradients backward(const Context& c, const Options&, const Outputs& g) {
    const Tensor q = c.saved(0), r = c.saved(1), gq = g[0].defined() ? g[0] : zeros_like(q);
    Tensor m = -matmul(t(gq), q);
    if (g[1].defined()) m = m + matmul(r, t(g[1]));
    const Tensor both = tril(m) + t(tril(m, -1));
    return {t(solve(r, t(gq + matmul(q, both))))};
  }
};

// 1 / (x_j - x_i), 0 on the diagonal.
Tensor inverse_differences(const Tensor& x) {
  const Tensor mask = diagonal_mask(x.size(-1)), differences = unsqueeze(x, -2) - unsqueeze(x, -1);
  return where(mask, 0, reciprocal(where(mask, 1, differences)));
}

struct EighOp {
  static constexpr OpInfo info{"linalg_eigh", Autocast::f32};
  using Options = NoOptions;
  using Outputs = std::array<Tensor, 2>;
  static Outputs forward(Context& c, const Options&, const Tensor& a) {
    Tensor values = result(a, with(batch_of(a), {a.size(-1)})), vectors = result(a, a.shape());
    const Tensor matrix = contiguous(a);
    run("eigh", "not finite", a, [&] { return dense::eigh(matrices(a), a.size(-1), matrix.raw(), values.mutable_raw(), vectors.mutable_raw()); });
    c.save_output(0);
    c.save_output(1);
    return {values, vectors};
  }
  // v (diag(g_values) + v^T g_vectors / (value_j - value_i)) v^T, made symmetric
  static Gradients backward(const Context& c, const Options&, const Outputs& g) {
    const Tensor v = c.saved(1);
    Tensor inner;
    if (g[1].defined()) inner = matmul(t(v), g[1]) * inverse_differences(c.saved(0));
    if (g[0].defined()) inner = inner.defined() ? inner + diagonal_matrix(g[0]) : diagonal_matrix(g[0]);
    return {symmetric(matmul(matmul(v, inner), t(v)))};
  }
};

struct SvdOp {
  static constexpr OpInfo info{"linalg_svd", Autocast::f32};
  using Options = NoOptions;
  using Outputs = std::array<Tensor, 3>;
  static Outputs forward(Context& c, const Options&, const Tensor& a) {
    const int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
    const Shape batch = batch_of(a);
    Tensor u = result(a, with(batch, {m, k})), s = result(a, with(batch, {k})), vh = result(a, with(batch, {k, n}));
    const Tensor matrix = contiguous(a);
    run("svd", "not finite", a, [&] { return dense::svd(matrices(a), m, n, matrix.raw(), u.mutable_raw(), s.mutable_raw(), vh.mutable_raw()); });
    for (int i = 0; i < 3; ++i) c.save_output(i);
    return {u, s, vh};
  }
  // u (diag(gs) + (skew(u^T gu) / e) s + s skew(v^T gv) / e) vh, e_ij = s_j^2 - s_i^2, and what moves u and v out of their spaces, which others
  // than square matrices leave room for (Townsend 2016; PyTorch's form).
  static Gradients backward(const Context& c, const Options&, const Outputs& g) {
    const Tensor u = c.saved(0), s = c.saved(1), vh = c.saved(2);
    const auto turned = [&](const Tensor& x) { return (x - t(x)) * inverse_differences(square(s)); };
    Tensor inner = zeros(with(batch_of(u), {s.size(-1), s.size(-1)}), u.dtype(), u.device());
    if (g[1].defined()) inner = inner + diagonal_matrix(g[1]);
    if (g[0].defined()) inner = inner + column_scaled(turned(matmul(t(u), g[0])), s);
    if (g[2].defined()) inner = inner + row_scaled(s, turned(matmul(vh, t(g[2]))));
    Tensor ga = matmul(matmul(u, inner), vh);
    if (g[0].defined() && u.size(-2) > s.size(-1)) {
      const Tensor moved = column_scaled(g[0], reciprocal(s));
      ga = ga + matmul(moved - matmul(u, matmul(t(u), moved)), vh);
    }
    if (g[2].defined() && vh.size(-1) > s.size(-1)) {
      const Tensor moved = row_scaled(reciprocal(s), g[2]);
      ga = ga + matmul(u, moved - matmul(matmul(moved, t(vh)), vh));
    }
    return {ga};
  }
};

struct PinvOp {
  static constexpr OpInfo info{"linalg_pinv", Autocast::f32};
  struct Options {
    double rtol;
    template <class S, class V> static void fields(S& s, V&& v) { v("rtol", s.rtol); }
  };
  static Tensor forward(Context& c, const Options& o, const Tensor& a) {
    const Svd d = svd(a);
    c.save(a);
    c.save_output(0);
    if (d.s.size(-1) == 0) return zeros(with(batch_of(a), {a.size(-1), a.size(-2)}), a.dtype(), a.device());
    const Tensor counts = d.s > amax(d.s, {-1}, true) * o.rtol;
    return matmul(column_scaled(t(d.vh), where(counts, reciprocal(where(counts, d.s, 1)), 0)), t(d.u));
  }
  // For a constant rank (Golub and Pereyra 1973): -p^T g p^T + (1 - a p) ... of both sides.
  static Gradients backward(const Context& c, const Options&, const Tensor& g) {
    const Tensor a = c.saved(0), p = c.saved(1), gh = t(g);  // gh [m, n]
    const Tensor left = matmul(gh, p), right = matmul(p, gh);
    return {-matmul(matmul(t(p), g), t(p)) + matmul(gh - matmul(a, right), matmul(p, t(p))) + matmul(matmul(t(p), p), gh - matmul(left, a))};
  }
};

}  // namespace

Tensor solve(const Tensor& matrix, const Tensor& right) {
  const auto [cast, a] = Call("solve", matrix, true);
  const Tensor b = cast(right);
  check_same("linalg.solve", a, b);
  if (b.dim() == 1 || b.shape() == with(batch_of(a), {a.size(-1)})) return squeeze(solve(a, unsqueeze(b, -1)), -1);
  if (b.dim() < 2 || b.size(-2) != a.size(-1))
    throw ShapeError(
        fmt::format("linalg.solve: expected a [..., n, n] and b [..., n, k] or [..., n], got {} and {}", to_string(a.shape()), to_string(b.shape())));
  const Shape batch = broadcast("linalg.solve", batch_of(a), batch_of(b));
  return apply<SolveOp>({}, expand(a, with(batch, {a.size(-2), a.size(-1)})), expand(b, with(batch, {b.size(-2), b.size(-1)})));
}

Tensor inv(const Tensor& matrix) {
  const auto [cast, a] = Call("inv", matrix, true);
  return solve(a, to(eye(a.size(-1), -1, a.dtype()), a.device()));
}

Tensor det(const Tensor& matrix) {
  const auto [cast, a] = Call("det", matrix, true);
  return apply<DetOp>({}, a);
}

Slogdet slogdet(const Tensor& matrix) {
  const auto [cast, a] = Call("slogdet", matrix, true);
  const auto [sign, magnitude] = apply<SlogdetOp>({}, a);
  return {sign, magnitude};
}

Tensor logdet(const Tensor& a) {
  const Slogdet d = slogdet(a);
  return where(d.sign < 0, std::numeric_limits<double>::quiet_NaN(), d.logabsdet);
}

Tensor cholesky(const Tensor& matrix) {
  const auto [cast, a] = Call("cholesky", matrix, true);
  return apply<CholeskyOp>({}, a);
}

Qr qr(const Tensor& matrix) {
  const auto [cast, a] = Call("qr", matrix, false);
  const int64_t m = a.size(-2), n = a.size(-1);
  const auto [q, r] = apply<QrOp>({}, m < n ? slice(a, -1, 0, m) : a);
  return m < n ? Qr{q, cat({r, matmul(t(q), slice(a, -1, m, n))}, -1)} : Qr{q, r};
}

Eigh eigh(const Tensor& matrix) {
  const auto [cast, a] = Call("eigh", matrix, true);
  const auto [values, vectors] = apply<EighOp>({}, a);
  return {values, vectors};
}
Tensor eigvalsh(const Tensor& a) { return eigh(a).values; }

Svd svd(const Tensor& matrix) {
  const auto [cast, a] = Call("svd", matrix, false);
  const auto [u, s, vh] = apply<SvdOp>({}, a);
  return {u, s, vh};
}
Tensor svdvals(const Tensor& a) { return svd(a).s; }

Tensor pinv(const Tensor& matrix, std::optional<double> rtol) {
  const auto [cast, a] = Call("pinv", matrix, false);
  const double eps = a.dtype() == DType::f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  return apply<PinvOp>({rtol.value_or(eps * static_cast<double>(std::max(a.size(-1), a.size(-2))))}, a);
}

Tensor lstsq(const Tensor& matrix, const Tensor& right, std::optional<double> rtol) {
  const auto [cast, a] = Call("lstsq", matrix, false);
  const Tensor b = cast(right);
  check_same("linalg.lstsq", a, b);
  if (b.dim() < 2 || b.size(-2) != a.size(-2))
    throw ShapeError(
        fmt::format("linalg.lstsq: expected a [..., m, n] and b [..., m, k], got {} and {}", to_string(a.shape()), to_string(b.shape())));
  return matmul(pinv(a, rtol), b);
}

}  // namespace tapetum::linalg
