// Values are spread over the threads. Bound by the latency of memory: one version serves every instruction set.
#include "kernels/search.h"

#include "kernels/cpu/vec.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kGrain = 4096;

bool supports(const SearchArgs&) { return kBaseline; }

template <class T> using Compared = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;

Status search(const SearchArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_type(z.dtype, [&]<class T>() {
    using C = Compared<T>;
    parallel_ranges(z.lines * z.values, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* line = static_cast<const T*>(a.sorted) + (z.shared ? 0 : i / z.values * z.length);
        a.y[i] = place_in<C>(line, z.length, cast<C>(static_cast<const T*>(a.values)[i]), z.right, [](T x) { return cast<C>(x); });
      }
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(SearchArgs, search_sorted_binary){.name = "binary", .supports = supports, .run = search};

}  // namespace tapetum::kernels
