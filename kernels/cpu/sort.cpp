// Values become unsigned keys in their order; key and place are compared as one, so that an unstable sort gives the stable order.
// One version serves every instruction set.
#include "kernels/sort.h"

#include <algorithm>

#include "kernels/cpu/vec.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {
namespace {

bool supports(const TopkArgs&) { return kBaseline; }

// Integers: the sign bit flipped. Floating-point: negative numbers have all bits flipped, the others the sign bit; -0 counts as 0,
// and any NaN is above infinity.
inline uint64_t key_of(int64_t x) { return static_cast<uint64_t>(x) ^ (uint64_t{1} << 63); }
inline uint64_t key_of(double x) {
  if (x != x) return ~uint64_t{0};
  const double positive_zero = x + 0.0;
  uint64_t bits;
  std::memcpy(&bits, &positive_zero, sizeof bits);
  return bits >> 63 ? ~bits : bits | uint64_t{1} << 63;
}
template <class T> uint64_t key_of(T x) {
  if constexpr (std::is_integral_v<T>)
    return key_of(static_cast<int64_t>(x));
  else
    return key_of(cast<double>(x));
}

struct Entry {
  uint64_t key;
  int64_t place;
  bool operator<(const Entry& o) const { return key < o.key || (key == o.key && place < o.place); }
};

template <class T> void select_line(const TopkArgs& a, int64_t line, Entry* entries) {
  const auto& s = a.shape;
  const int64_t o = line / s.inner, at = line % s.inner;
  const T* x = static_cast<const T*>(a.x) + o * s.length * s.inner + at;
  const uint64_t flip = a.descending ? ~uint64_t{0} : 0;
  for (int64_t i = 0; i < s.length; ++i) entries[i] = {key_of(x[i * s.inner]) ^ flip, i};
  if (a.k < s.length) std::nth_element(entries, entries + a.k, entries + s.length);
  std::sort(entries, entries + a.k);
  for (int64_t i = 0; i < a.k; ++i) {
    const int64_t to = (o * a.k + i) * s.inner + at;
    static_cast<T*>(a.values)[to] = x[entries[i].place * s.inner];
    a.indices[to] = entries[i].place;
  }
}

// A unit sorts neighbouring lines, one after the other in its own part of the workspace.
int64_t units_of(const TopkArgs& a) {
  const int64_t lines = a.shape.outer * a.shape.inner;
  return lines < 64 ? lines : 64;
}
size_t workspace_of(const TopkArgs& a) { return static_cast<size_t>(units_of(a) * a.shape.length) * sizeof(Entry); }

Status topk(const TopkArgs& a, Workspace& workspace) {
  if (a.k == 0) return Status::ok;
  const int64_t lines = a.shape.outer * a.shape.inner, units = units_of(a);
  with_type(a.shape.dtype, [&]<class T>() {
    parallel_for(units, [&](int64_t unit) {
      Entry* entries = static_cast<Entry*>(workspace.data) + unit * a.shape.length;
      for (int64_t line = unit * lines / units; line < (unit + 1) * lines / units; ++line) select_line<T>(a, line, entries);
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(TopkArgs, topk_select){.name = "select", .supports = supports, .workspace = workspace_of, .run = topk};

}  // namespace tapetum::kernels
