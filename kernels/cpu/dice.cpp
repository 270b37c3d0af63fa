// Dense lines (channels_last) are walked pixel by pixel, far-apart ones (row-major) class by class with pixels in the lanes.
// Each unit of pixels sums on its own; the units' sums are added in order, in double.
#include "kernels/dice.h"

#include "kernels/cpu/lines.h"
#include "kernels/cpu/report.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {
namespace {

template <class Args> bool supports(const Args& a) { return serves(a.shape.dtype); }
double error(const DiceSumsArgs& a) { return 8 + __builtin_sqrt(static_cast<double>(a.shape.outer * a.shape.inner)); }

// Pixels first to first + n - 1; class c of pixel i is at begin[i * pixel + c * step].
struct Pixels {
  int64_t first, n, offset, pixel, step;
};

Pixels pixels_of(const LineShape& s, const LineUnits& units, int64_t unit) {
  const int64_t group = unit / units.per_group, begin = unit % units.per_group * units.lines, n = smaller(units.lines, units.rows - begin);
  if (s.inner == 1) return {begin, n, begin * s.length, s.length, 1};
  return {group * s.inner + begin, n, group * s.length * s.inner + begin, 1, s.inner};
}

// 1 where the pixel counts, 0 where its label is ignored or wrong.
template <class T> T counts(const DiceSumsArgs& a, int64_t pixel) {
  const int64_t t = a.target[pixel];
  if (t == a.ignore_index) return 0;
  if (t >= 0 && t < a.shape.length) return 1;
  report(a.bad, pixel, t);
  return 0;
}

template <class T> void sum_sizes(const DiceSumsArgs& a, const Pixels& px, const T* p, const T* counted, T* size) {
  if (px.step == 1) {
    for (int64_t i = 0; i < px.n; ++i)
      for (int64_t c = 0; c < a.shape.length && counted[i] != 0; ++c) {
        const T v = p[i * px.pixel + c];
        size[c] += a.squared ? v * v : v;
      }
    return;
  }
  using V = Vec<T>;
  for (int64_t c = 0; c < a.shape.length; ++c) {
    V sum(T(0));
    for (int64_t i = 0; i < px.n; i += V::lanes) {
      const V v = V::load(p + c * px.step + i, px.n - i), w = V::load(counted + i, px.n - i);
      sum = sum + (a.squared ? v * v : v) * w;
    }
    size[c] += sum.sum();
  }
}

// Each unit's part of the workspace: which of its pixels count, and three sums per class.
size_t part_of(const DiceSumsArgs& a, const LineUnits& units) { return static_cast<size_t>(units.lines + 3 * a.shape.length); }
size_t workspace_of(const DiceSumsArgs& a) {
  const LineUnits units(a.shape);
  return static_cast<size_t>(units.count) * part_of(a, units) * size_of(a.shape.dtype);
}

Status forward(const DiceSumsArgs& a, Workspace& workspace) {
  const auto& s = a.shape;
  const LineUnits units(s);
  const auto part = static_cast<int64_t>(part_of(a, units));
  with_served_type(s.dtype, [&]<class T>() {
    T* const parts = static_cast<T*>(workspace.data);
    parallel_for(units.count, [&](int64_t unit) {
      const Pixels px = pixels_of(s, units, unit);
      const T* p = static_cast<const T*>(a.p) + px.offset;
      T *sums = parts + unit * part, *counted = sums + 3 * s.length;
      for (int64_t i = 0; i < 3 * s.length; ++i) sums[i] = 0;
      for (int64_t i = 0; i < px.n; ++i) {
        counted[i] = counts<T>(a, px.first + i);
        if (counted[i] == 0) continue;
        const int64_t t = a.target[px.first + i];
        sums[t] += p[i * px.pixel + t * px.step];
        sums[2 * s.length + t] += 1;
      }
      sum_sizes(a, px, p, counted, sums + s.length);
    });
    for (int64_t i = 0; i < 3 * s.length; ++i) {
      double total = 0;
      for (int64_t unit = 0; unit < units.count; ++unit) total += parts[unit * part + i];
      static_cast<T*>(a.sums)[i] = static_cast<T>(total);
    }
  });
  return Status::ok;
}

Status backward(const DiceSumsBackwardArgs& a, Workspace&) {
  const auto& s = a.shape;
  const LineUnits units(s);
  with_served_type(s.dtype, [&]<class T>() {
    const T *overlap = static_cast<const T*>(a.gsums), *size = overlap + s.length;
    parallel_for(units.count, [&](int64_t unit) {
      const Pixels px = pixels_of(s, units, unit);
      const T* p = static_cast<const T*>(a.p) + px.offset;
      T* gp = static_cast<T*>(a.gp) + px.offset;
      const auto slope = [&](int64_t i, int64_t c) { return size[c] * (a.squared ? 2 * p[i * px.pixel + c * px.step] : T(1)); };
      if (px.step == 1) {
        for (int64_t i = 0; i < px.n; ++i)
          for (int64_t c = 0; c < s.length; ++c) gp[i * px.pixel + c] = slope(i, c);
      } else {
        for (int64_t c = 0; c < s.length; ++c)
          for (int64_t i = 0; i < px.n; ++i) gp[c * px.step + i] = slope(i, c);
      }
      for (int64_t i = 0; i < px.n; ++i) {
        const int64_t t = a.target[px.first + i];
        if (t != a.ignore_index)
          gp[i * px.pixel + t * px.step] += overlap[t];
        else
          for (int64_t c = 0; c < s.length; ++c) gp[i * px.pixel + c * px.step] = 0;
      }
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(DiceSumsArgs, dice_sums_forward_vec){
    .name = "vec", .supports = supports, .workspace = workspace_of, .error = error, .run = forward};
TAPETUM_CPU_CANDIDATE(DiceSumsBackwardArgs, dice_sums_backward_vec){.name = "vec", .supports = supports, .run = backward};

}  // namespace tapetum::kernels
