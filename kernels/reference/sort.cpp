// An element's rank is the number of elements that come before it.
#include "kernels/sort.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports(const TopkArgs&) { return true; }

// a < b, with NaN above all numbers.
template <class T> bool less(T a, T b) {
  if constexpr (std::is_integral_v<T>) return a < b;
  const double u = cast<double>(a), v = cast<double>(b);
  return u < v || (u == u && v != v);
}

Status topk(const TopkArgs& a, Workspace&) {
  const auto& s = a.shape;
  with_type(s.dtype, [&]<class T>() {
    for (int64_t line = 0; line < s.outer * s.inner; ++line) {
      const int64_t o = line / s.inner, at = line % s.inner;
      const T* x = static_cast<const T*>(a.x) + o * s.length * s.inner + at;
      const auto precedes = [&](int64_t i, int64_t j) {
        const T u = x[(a.descending ? j : i) * s.inner], v = x[(a.descending ? i : j) * s.inner];
        return less(u, v) || (!less(v, u) && i < j);
      };
      for (int64_t i = 0; i < s.length; ++i) {
        int64_t rank = 0;
        for (int64_t j = 0; j < s.length; ++j) rank += precedes(j, i);
        if (rank >= a.k) continue;
        const int64_t to = (o * a.k + rank) * s.inner + at;
        static_cast<T*>(a.values)[to] = x[i * s.inner];
        a.indices[to] = i;
      }
    }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(TopkArgs, topk_reference){.name = "reference", .supports = supports, .run = topk};

}  // namespace tapetum::kernels
