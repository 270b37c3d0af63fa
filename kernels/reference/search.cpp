// Elements that stand before the value are counted from the beginning of the line.
#include "kernels/search.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports(const SearchArgs&) { return true; }

// a < b, with NaN above all numbers.
template <class T> bool comes_before(T a, T b) { return a < b || (b != b && a == a); }

template <class T> auto comparable(T x) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<int64_t>(x);
  else
    return cast<double>(x);
}

Status search(const SearchArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_type(z.dtype, [&]<class T>() {
    for (int64_t i = 0; i < z.lines * z.values; ++i) {
      const T* line = static_cast<const T*>(a.sorted) + (z.shared ? 0 : i / z.values * z.length);
      const auto value = comparable(static_cast<const T*>(a.values)[i]);
      a.y[i] = 0;
      const auto stands_before = [&](auto element) { return z.right ? !comes_before(value, element) : comes_before(element, value); };
      while (a.y[i] < z.length && stands_before(comparable(line[a.y[i]]))) ++a.y[i];
    }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(SearchArgs, search_sorted_reference){.name = "reference", .supports = supports, .run = search};

}  // namespace tapetum::kernels
