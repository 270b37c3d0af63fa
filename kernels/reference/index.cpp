#include "kernels/index.h"

#include "kernels/candidates.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

bool supports(const IndexArgs&) { return true; }
bool supports_nonzero(const NonzeroArgs&) { return true; }

// f(walked element, table element) for every index in range, in ascending order of i on each line.
template <class F> Status for_each_pair(const IndexArgs& a, F f) {
  const auto& s = a.shape;
  with_type(s.dtype, [&]<class T>() {
    for (int64_t i = 0; i < s.length; ++i)
      for (int64_t line = 0; line < s.lines.count; ++line) {
        const auto o = offsets_of(s.lines, line, s.lines.ndim);
        const int64_t index = a.index[o.at[1] + i * s.step[1]], position = i * s.lines.count + line;
        if (index >= 0 && index < s.limit)
          f(static_cast<T*>(a.walked)[o.at[0] + i * s.step[0]], static_cast<T*>(a.table)[o.at[2] + index * s.step[2]]);
        else if (position < a.bad->position)
          *a.bad = {position, index};
      }
  });
  return Status::ok;
}

Status gather(const IndexArgs& a, Workspace&) {
  return for_each_pair(a, [](auto& walked, auto& table) { walked = table; });
}
Status scatter(const IndexArgs& a, Workspace&) {
  return for_each_pair(a, [](auto& walked, auto& table) { table = walked; });
}
Status scatter_add(const IndexArgs& a, Workspace&) {
  return for_each_pair(a, []<class T>(T& walked, T& table) {
    if constexpr (std::is_integral_v<T>)
      table = static_cast<T>(table + walked);
    else
      table = cast<T>(cast<double>(table) + cast<double>(walked));
  });
}

Status nonzero(const NonzeroArgs& a, Workspace&) {
  *a.found = 0;
  with_type(a.shape.dtype, [&]<class T>() {
    for (int64_t i = 0; i < a.shape.count; ++i)
      if (cast<bool>(static_cast<const T*>(a.x)[i])) {
        int64_t rest = i;
        for (int64_t d = a.shape.dims - 1; d >= 0 && a.indices; rest /= a.shape.size[d], --d)
          a.indices[*a.found * a.shape.dims + d] = rest % a.shape.size[d];
        ++*a.found;
      }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(IndexArgs, gather_reference){.name = "reference", .supports = supports, .run = gather};
TAPETUM_CANDIDATE(IndexArgs, scatter_reference){.name = "reference", .supports = supports, .run = scatter};
TAPETUM_CANDIDATE(IndexArgs, scatter_add_reference){.name = "reference", .supports = supports, .run = scatter_add};
TAPETUM_CANDIDATE(NonzeroArgs, nonzero_reference){.name = "reference", .supports = supports_nonzero, .run = nonzero};

}  // namespace tapetum::kernels
