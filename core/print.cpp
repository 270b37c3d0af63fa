#include "core/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/autograd/modes.h"
#include "core/autograd/node.h"
#include "core/error.h"

namespace tapetum {
namespace {

constexpr int64_t kThreshold = 1000, kEdge = 3;
constexpr size_t kLineWidth = 80;

double element(const Tensor& x, int64_t offset) {
  return with_type(x.dtype(), [&]<class T>() { return cast<double>(static_cast<const T*>(x.raw())[offset]); });
}
int64_t integer(const Tensor& x, int64_t offset) {
  return with_type(x.dtype(), [&]<class T>() { return cast<int64_t>(static_cast<const T*>(x.raw())[offset]); });
}

// The indices of one dimension that are shown; -1 stands for the gap.
std::vector<int64_t> shown(int64_t size, bool summarise) {
  std::vector<int64_t> at;
  for (int64_t i = 0; i < size; ++i) {
    if (!summarise || size <= 2 * kEdge || i < kEdge || i >= size - kEdge)
      at.push_back(i);
    else if (i == kEdge)
      at.push_back(-1);
  }
  return at;
}

class Printer {
 public:
  explicit Printer(const Tensor& x) : x_(x), summarise_(x.numel() > kThreshold) {
    visit(0, 0, [&](int64_t offset) { values_.push_back(element(x_, offset)); });
    choose_format();
    visit(0, 0, [&](int64_t offset) { width_ = std::max(width_, number(offset).size()); });
  }

  std::string text(int dim, int64_t offset, size_t indent) const {
    if (dim == x_.dim()) return fmt::format("{:>{}}", number(offset), width_);
    std::string out = "[";
    const bool inner = dim == x_.dim() - 1;
    const size_t per_line = std::max<size_t>(1, (kLineWidth - std::min(kLineWidth - 1, indent + 1)) / (width_ + 2));
    size_t written = 0;
    for (int64_t i : shown(x_.size(dim), summarise_)) {
      if (written > 0) out += inner && written % per_line != 0 ? ", " : inner ? ",\n" + std::string(indent + 1, ' ') : gap(dim, indent);
      out += i < 0 ? "..." : text(dim + 1, offset + i * x_.strides()[dim], indent + 1);
      ++written;
    }
    return out + "]";
  }

 private:
  std::string gap(int dim, size_t indent) const {
    return "," + std::string(static_cast<size_t>(x_.dim() - dim - 1), '\n') + std::string(indent + 1, ' ');
  }

  template <class F> void visit(int dim, int64_t offset, F f) const {
    if (dim == x_.dim()) return f(offset);
    for (int64_t i : shown(x_.size(dim), summarise_))
      if (i >= 0) visit(dim + 1, offset + i * x_.strides()[dim], f);
  }

  // PyTorch's rule: whole numbers without digits, a wide range in scientific form, four digits otherwise.
  void choose_format() {
    double low = INFINITY, high = 0;
    whole_ = true;
    for (double v : values_) {
      if (!std::isfinite(v)) continue;
      whole_ = whole_ && v == std::floor(v);
      if (v == 0) continue;
      low = std::min(low, std::fabs(v));
      high = std::max(high, std::fabs(v));
    }
    if (high > 0) scientific_ = high / low > 1000 || high > 1e8 || (!whole_ && low < 1e-4);
    if (whole_ && high <= 1e8) scientific_ = false;
  }

  std::string number(int64_t offset) const {
    if (x_.dtype() == DType::boolean) return integer(x_, offset) ? "true" : "false";
    if (!is_floating(x_.dtype())) return fmt::format("{}", integer(x_, offset));
    const double v = element(x_, offset);
    if (!std::isfinite(v)) return fmt::format("{}", v);
    return scientific_ ? fmt::format("{:.4e}", v) : whole_ ? fmt::format("{:.0f}.", v) : fmt::format("{:.4f}", v);
  }

  const Tensor& x_;
  bool summarise_, whole_ = false, scientific_ = false;
  std::vector<double> values_;
  size_t width_ = 0;
};

std::string facts(const Tensor& x) {
  std::string out;
  const bool usual = x.dtype() == DType::f32 || x.dtype() == DType::i64 || x.dtype() == DType::boolean;
  if (x.numel() == 0 && x.dim() != 1) out += fmt::format(", size={}", to_string(x.shape()));
  if (!usual) out += fmt::format(", dtype={}", name_of(x.dtype()));
  if (x.device().kind != DeviceKind::cpu) out += fmt::format(", device='{}'", to_string(x.device()));
  if (x.impl().grad_fn)
    out += fmt::format(", grad_fn=<{}>", x.impl().grad_fn->name());
  else if (x.impl().requires_grad)
    out += ", requires_grad=true";
  return out;
}

}  // namespace

std::string to_string(const Tensor& x) {
  if (!x.defined()) return "tensor(undefined)";
  if (x.device().kind != DeviceKind::cpu) return fmt::format("tensor(..., size={}{})", to_string(x.shape()), facts(x));
  if (x.numel() == 0) return fmt::format("tensor([]{})", facts(x));
  return "tensor(" + Printer(x).text(0, 0, 7) + facts(x) + ")";
}

}  // namespace tapetum
