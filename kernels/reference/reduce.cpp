// The obvious loops: floating-point values in double, integers in int64.
#include "kernels/reduce.h"

#include "kernels/candidates.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

bool supports(const ReduceArgs&) { return true; }
bool supports_cumsum(const CumsumArgs&) { return true; }

template <class A> A read(const ReduceArgs& a, int64_t base, int64_t i) {
  return with_type(a.x_dtype, [&]<class T>() { return cast<A>(static_cast<const T*>(a.x)[base + offsets_of(a.reduced, i, a.reduced.ndim).at[0]]); });
}

template <class A> void write(const ReduceArgs& a, int64_t at, A value) {
  with_type(a.y_dtype, [&]<class T>() { static_cast<T*>(a.y)[at] = cast<T>(value); });
}

template <class A, class F> void for_each_output(const ReduceArgs& a, F value) {
  for (int64_t i = 0; i < a.kept.count; ++i) {
    const auto o = offsets_of(a.kept, i, a.kept.ndim);
    write(a, o.at[0], value(o.at[1]));
  }
}

template <class F> void with_accumulator(DType compute, F f) {
  if (compute == DType::i64) return f.template operator()<int64_t>();
  f.template operator()<double>();
}

// first: the index to begin with, start: the value before it.
template <auto combine> Status fold(const ReduceArgs& a, int64_t first, int start) {
  with_accumulator(a.compute, [&]<class A>() {
    for_each_output<A>(a, [&](int64_t base) {
      A total = first ? read<A>(a, base, 0) : static_cast<A>(start);
      for (int64_t i = first; i < a.reduced.count; ++i) total = combine(total, read<A>(a, base, i));
      return total;
    });
  });
  return Status::ok;
}

// Whether b takes the place of a.
template <int sign, class T> bool beats(T b, T a) { return a == a && (b != b || (sign > 0 ? b > a : b < a)); }

template <int sign> Status find(const ReduceArgs& a, Workspace&) {
  with_accumulator(a.compute, [&]<class A>() {
    for_each_output<int64_t>(a, [&](int64_t base) {
      int64_t best = 0;
      for (int64_t i = 1; i < a.reduced.count; ++i)
        if (beats<sign>(read<A>(a, base, i), read<A>(a, base, best))) best = i;
      return best;
    });
  });
  return Status::ok;
}

Status sum(const ReduceArgs& a, Workspace&) {
  return fold<[](auto x, auto y) { return x + y; }>(a, 0, 0);
}
Status prod(const ReduceArgs& a, Workspace&) {
  return fold<[](auto x, auto y) { return x * y; }>(a, 0, 1);
}
Status amax(const ReduceArgs& a, Workspace&) {
  return fold<[](auto x, auto y) { return beats<1>(y, x) ? y : x; }>(a, 1, 0);
}
Status amin(const ReduceArgs& a, Workspace&) {
  return fold<[](auto x, auto y) { return beats<-1>(y, x) ? y : x; }>(a, 1, 0);
}

Status cumsum(const CumsumArgs& a, Workspace&) {
  with_type(a.dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, int64_t>) {
      using A = std::conditional_t<std::is_same_v<T, int64_t>, int64_t, double>;
      for (int64_t o = 0; o < a.outer; ++o)
        for (int64_t i = 0; i < a.inner; ++i) {
          A total = 0;
          for (int64_t l = 0; l < a.length; ++l) {
            const int64_t at = (o * a.length + l) * a.inner + i;
            total += static_cast<const T*>(a.x)[at];
            static_cast<T*>(a.y)[at] = static_cast<T>(total);
          }
        }
    }
  });
  return Status::ok;
}

}  // namespace

#define REDUCE(op, function) \
  TAPETUM_CANDIDATE(ReduceArgs, op##_reference) { .name = "reference", .supports = supports, .run = function }
REDUCE(sum, sum);
REDUCE(prod, prod);
REDUCE(amax, amax);
REDUCE(amin, amin);
REDUCE(argmax, find<1>);
REDUCE(argmin, find<-1>);
TAPETUM_CANDIDATE(CumsumArgs, cumsum_reference){.name = "reference", .supports = supports_cumsum, .run = cumsum};

}  // namespace tapetum::kernels
