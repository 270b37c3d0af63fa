// Rows of the columns, one tap of one plane each, are spread over the threads; to fold, planes are, so that no two threads add to one pixel.
// Memory-bound: a row is copied or added at once where the stride is 1.
#include "kernels/fold.h"

#include "kernels/cpu/vec.h"
#include "kernels/parallel.h"
#include "kernels/round.h"

namespace tapetum::kernels {
namespace {

bool supports(const FoldArgs& a) { return serves(a.shape.dtype); }

struct Range {
  int64_t begin, end;
};
// The outputs whose tap, `shift` behind output times stride, lies inside.
Range outputs_of(const FoldAxis& axis, int64_t shift) {
  const int64_t begin = shift >= 0 ? 0 : ceil_div(-shift, axis.stride);
  const int64_t end = axis.in > shift ? (axis.in - 1 - shift) / axis.stride + 1 : 0;
  return {begin < axis.out ? begin : axis.out, end < begin ? begin < axis.out ? begin : axis.out : end < axis.out ? end : axis.out};
}
int64_t shift_of(const FoldAxis& axis, int64_t tap) { return tap * axis.dilation - axis.padding; }

Status unfold(const FoldArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    parallel_for(z.n * z.c * z.h.size * z.w.size, [&](int64_t row) {
      const int64_t plane = row / (z.h.size * z.w.size), down = shift_of(z.h, row / z.w.size % z.h.size), right = shift_of(z.w, row % z.w.size);
      const T* image = static_cast<const T*>(a.image) + plane * z.h.in * z.w.in;
      T* columns = static_cast<T*>(a.columns) + row * z.h.out * z.w.out;
      const Range inside = outputs_of(z.w, right);
      for (int64_t p = 0; p < z.h.out; ++p, columns += z.w.out) {
        const int64_t h = p * z.h.stride + down;
        const bool exists = h >= 0 && h < z.h.in;
        const int64_t begin = exists ? inside.begin : z.w.out, end = exists ? inside.end : z.w.out;
        const T* line = exists ? image + h * z.w.in + right : nullptr;
        for (int64_t q = 0; q < begin; ++q) columns[q] = 0;
        if (z.w.stride == 1 && begin < end)
          std::memcpy(columns + begin, line + begin, static_cast<size_t>(end - begin) * sizeof(T));
        else
          for (int64_t q = begin; q < end; ++q) columns[q] = line[q * z.w.stride];
        for (int64_t q = end; q < z.w.out; ++q) columns[q] = 0;
      }
    });
  });
  return Status::ok;
}

template <class T> void add_row(const FoldShape& z, const T* columns, T* line, Range q) {
  using V = Vec<T>;
  if (z.w.stride != 1) {
    for (int64_t i = q.begin; i < q.end; ++i) line[i * z.w.stride] += columns[i];
    return;
  }
  for (int64_t i = q.begin; i < q.end; i += V::lanes) (V::load(line + i, q.end - i) + V::load(columns + i, q.end - i)).store(line + i, q.end - i);
}

Status fold(const FoldArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    parallel_for(z.n * z.c, [&](int64_t plane) {
      T* image = static_cast<T*>(a.image) + plane * z.h.in * z.w.in;
      const T* columns = static_cast<const T*>(a.columns) + plane * z.h.size * z.w.size * z.h.out * z.w.out;
      for (int64_t i = 0; i < z.h.in * z.w.in; ++i) image[i] = 0;
      for (int64_t r = 0; r < z.h.size; ++r)
        for (int64_t s = 0; s < z.w.size; ++s) {
          const int64_t down = shift_of(z.h, r), right = shift_of(z.w, s);
          const Range rows = outputs_of(z.h, down), inside = outputs_of(z.w, right);
          for (int64_t p = rows.begin; p < rows.end && inside.begin < inside.end; ++p)
            add_row(z, columns + p * z.w.out, image + (p * z.h.stride + down) * z.w.in + right, inside);
          columns += z.h.out * z.w.out;
        }
    });
  });
  return Status::ok;
}

double error_fold(const FoldArgs& a) { return 4 + static_cast<double>(a.shape.h.size * a.shape.w.size); }

}  // namespace

TAPETUM_CPU_CANDIDATE(FoldArgs, unfold_rows){.name = "rows", .supports = supports, .run = unfold};
TAPETUM_CPU_CANDIDATE(FoldArgs, fold_planes){.name = "planes", .supports = supports, .error = error_fold, .run = fold};

}  // namespace tapetum::kernels
