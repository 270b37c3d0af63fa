// Channels innermost: registers run over channels, rows of outputs (of inputs, for the gradient) are spread over the threads.
// Otherwise registers run over the columns of outputs, and windows cut by the border are done one by one.
#include "kernels/pool.h"

#include <limits>

#include "kernels/cpu/vec.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"

namespace tapetum::kernels {
namespace {

bool supports(const MaxPool2dArgs& a) { return stores(a.shape.dtype); }

double error_scatter(const MaxPool2dArgs& a) { return 4 + static_cast<double>(a.shape.h.size * a.shape.w.size); }

constexpr int64_t kGrain = 16384;  // elements of one unit of work
int64_t rows_of(int64_t row) { return row >= kGrain ? 1 : kGrain / (row + 1) + 1; }

bool channels_innermost(const int64_t (&stride)[4]) { return stride[1] == 1; }

// An integer for each lane of T.
template <class T> using Lanes = decltype(typename Vec<T>::Raw{} > typename Vec<T>::Raw{});
template <class T> using Place = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;

template <class T> Lanes<T> load_index(const int32_t* p, int64_t n) {
  Lanes<T> v{};
  if (sizeof(T) == sizeof *p && n >= Vec<T>::lanes)
    std::memcpy(&v, p, sizeof v);
  else
    for (int64_t i = 0; i < n && i < Vec<T>::lanes; ++i) v[i] = p[i];
  return v;
}
template <class T> void store_index(Lanes<T> v, int32_t* p, int64_t stride, int64_t n) {
  if (sizeof(T) == sizeof *p && n >= Vec<T>::lanes && stride == 1)
    std::memcpy(p, &v, sizeof v);
  else
    for (int64_t i = 0; i < n && i < Vec<T>::lanes; ++i) p[i * stride] = static_cast<int32_t>(v[i]);
}

struct Range {
  int64_t begin, end;
};
Range window(const PoolAxis& axis, int64_t p) { return {axis.begin(p), axis.end(p)}; }

template <class T> struct Best {
  Vec<T> value;
  Lanes<T> place;
};

// For up to n lanes, `lane_stride` elements of x apart: the maximum over h x w and its place, `place` where nothing is greater. `first` holds the
// lanes' places of x[0].
template <class S, class T = Compute<S>>
Best<T> best_of(const MaxPool2dShape& z, const S* x, int64_t lane_stride, int64_t n, Range h, Range w, int64_t place, Lanes<T> first) {
  using V = Vec<T>;
  Best<T> best{V(-std::numeric_limits<T>::infinity()), first + static_cast<Place<T>>(place)};
  for (int64_t i = h.begin; i < h.end; i += z.h.dilation)
    for (int64_t j = w.begin; j < w.end; j += z.w.dilation) {
      const V v = V::gather(x + i * z.x_stride[2] + j * z.x_stride[3], lane_stride, n);
      const Lanes<T> better = (v.raw > best.value.raw) | (v.raw != v.raw);
      best.value = better ? v.raw : best.value.raw;
      best.place = better ? first + static_cast<Place<T>>(i * z.w.in + j) : best.place;
    }
  return best;
}

template <class S> void forward_row_of_channels(const MaxPool2dArgs& a, int64_t n, int64_t p) {
  using T = Compute<S>;
  const auto& z = a.shape;
  const S* x = static_cast<const S*>(a.x) + n * z.x_stride[0];
  const Range h = window(z.h, p);
  for (int64_t q = 0; q < z.w.out; ++q) {
    const Range w = window(z.w, q);
    S* y = static_cast<S*>(a.y) + n * z.y_stride[0] + p * z.y_stride[2] + q * z.y_stride[3];
    int32_t* index = a.index + n * z.index_stride[0] + p * z.index_stride[2] + q * z.index_stride[3];
    const int64_t place = first_place(z, p, q);
    for (int64_t c = 0; c < z.c; c += Vec<T>::lanes) {
      const auto best = best_of(z, x + c, 1, z.c - c, h, w, place, Lanes<T>{});
      best.value.store(y + c, z.c - c);
      store_index<T>(best.place, index + c, 1, z.c - c);
    }
  }
}

// Whether the windows of q and of the lanes after it have all their columns inside, so that one range, shifted, serves them all.
bool whole_windows(const PoolAxis& w, int64_t q, int64_t lanes) {
  const int64_t last = q + lanes - 1;
  return w.size > 0 && last < w.out && q * w.stride >= w.padding && last * w.stride - w.padding + (w.size - 1) * w.dilation < w.in;
}

template <class S> void forward_row_of_columns(const MaxPool2dArgs& a, int64_t n, int64_t c, int64_t p) {
  using T = Compute<S>;
  using V = Vec<T>;
  const auto& z = a.shape;
  const S* x = static_cast<const S*>(a.x) + n * z.x_stride[0] + c * z.x_stride[1];
  S* y = static_cast<S*>(a.y) + n * z.y_stride[0] + c * z.y_stride[1] + p * z.y_stride[2];
  int32_t* index = a.index + n * z.index_stride[0] + c * z.index_stride[1] + p * z.index_stride[2];
  Lanes<T> steps{};
  for (int64_t i = 0; i < V::lanes; ++i) steps[i] = static_cast<Place<T>>(i * z.w.stride);
  for (int64_t q = 0; q < z.w.out;) {
    const int64_t lanes = whole_windows(z.w, q, V::lanes) ? V::lanes : 1;
    const int64_t place = first_place(z, p, q);
    const auto best =
        best_of(z, x, z.w.stride * z.x_stride[3], lanes, window(z.h, p), window(z.w, q), place, lanes > 1 && place >= 0 ? steps : Lanes<T>{});
    best.value.scatter(y + q * z.y_stride[3], z.y_stride[3], lanes);
    store_index<T>(best.place, index + q * z.index_stride[3], z.index_stride[3], lanes);
    q += lanes;
  }
}

Status forward(const MaxPool2dArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_stored_type(z.dtype, [&]<class S>() {
    if (channels_innermost(z.x_stride) && channels_innermost(z.y_stride) && channels_innermost(z.index_stride))
      return parallel_ranges(z.n * z.h.out, rows_of(z.w.out * z.c), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) forward_row_of_channels<S>(a, i / z.h.out, i % z.h.out);
      });
    parallel_ranges(z.n * z.c * z.h.out, rows_of(z.w.out), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) forward_row_of_columns<S>(a, i / z.h.out / z.c, i / z.h.out % z.c, i % z.h.out);
    });
  });
  return Status::ok;
}

// f(place in the plane of x, element of y) for the outputs of one plane; place -1 where the index lies outside.
template <class S, class F> void for_each_pair(const MaxPool2dArgs& a, int64_t n, int64_t c, F f) {
  const auto& z = a.shape;
  S* y = static_cast<S*>(a.y) + n * z.y_stride[0] + c * z.y_stride[1];
  const int32_t* index = a.index + n * z.index_stride[0] + c * z.index_stride[1];
  for (int64_t p = 0; p < z.h.out; ++p)
    for (int64_t q = 0; q < z.w.out; ++q) {
      const int64_t place = index[p * z.index_stride[2] + q * z.index_stride[3]];
      f(place >= 0 && place < z.h.in * z.w.in ? place : -1, y[p * z.y_stride[2] + q * z.y_stride[3]]);
    }
}

Status gather(const MaxPool2dArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_stored_type(z.dtype, [&]<class S>() {
    parallel_ranges(z.n * z.c, rows_of(z.h.out * z.w.out), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const S* x = static_cast<const S*>(a.x) + i / z.c * z.x_stride[0] + i % z.c * z.x_stride[1];
        for_each_pair<S>(a, i / z.c, i % z.c,
                         [&](int64_t at, S& y) { y = at < 0 ? S(0.f) : x[at / z.w.in * z.x_stride[2] + at % z.w.in * z.x_stride[3]]; });
      }
    });
  });
  return Status::ok;
}

template <class S> void scatter_plane(const MaxPool2dArgs& a, int64_t n, int64_t c) {
  using T = Compute<S>;
  const auto& z = a.shape;
  const int64_t size = z.h.in * z.w.in;
  T* sums = static_cast<T*>(thread_scratch(static_cast<size_t>(size) * sizeof(T)));
  for (int64_t i = 0; i < size; ++i) sums[i] = 0;
  for_each_pair<S>(a, n, c, [&](int64_t at, const S& y) {
    if (at >= 0) sums[at] += cast<T>(y);
  });
  S* x = static_cast<S*>(a.x) + n * z.x_stride[0] + c * z.x_stride[1];
  for (int64_t i = 0; i < size; ++i) x[i / z.w.in * z.x_stride[2] + i % z.w.in * z.x_stride[3]] = cast<S>(sums[i]);
}

// One row of x: each element looks at the outputs whose windows can hold it, so no two threads write the same place.
template <class S> void scatter_row_of_channels(const MaxPool2dArgs& a, int64_t n, int64_t h) {
  using T = Compute<S>;
  using V = Vec<T>;
  const auto& z = a.shape;
  const S* y = static_cast<const S*>(a.y) + n * z.y_stride[0];
  const int32_t* index = a.index + n * z.index_stride[0];
  const Range ps{z.h.first_output(h), z.h.last_output(h)};
  for (int64_t w = 0; w < z.w.in; ++w) {
    S* x = static_cast<S*>(a.x) + n * z.x_stride[0] + h * z.x_stride[2] + w * z.x_stride[3];
    const Range qs{z.w.first_output(w), z.w.last_output(w)};
    for (int64_t c = 0; c < z.c; c += V::lanes) {
      V sum(T(0));
      for (int64_t p = ps.begin; p <= ps.end; ++p)
        for (int64_t q = qs.begin; q <= qs.end; ++q) {
          const V v = V::load(y + p * z.y_stride[2] + q * z.y_stride[3] + c, z.c - c);
          const Lanes<T> here =
              load_index<T>(index + p * z.index_stride[2] + q * z.index_stride[3] + c, z.c - c) == static_cast<Place<T>>(h * z.w.in + w);
          sum = sum + V(here ? v.raw : V(T(0)).raw);
        }
      sum.store(x + c, z.c - c);
    }
  }
}

Status scatter(const MaxPool2dArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_stored_type(z.dtype, [&]<class S>() {
    if (channels_innermost(z.x_stride) && channels_innermost(z.y_stride) && channels_innermost(z.index_stride))
      return parallel_ranges(z.n * z.h.in, rows_of(z.w.in * z.c), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) scatter_row_of_channels<S>(a, i / z.h.in, i % z.h.in);
      });
    parallel_ranges(z.n * z.c, rows_of(z.h.in * z.w.in), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) scatter_plane<S>(a, i / z.c, i % z.c);
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(MaxPool2dArgs, max_pool2d_forward_vec){.name = "vec", .supports = supports, .run = forward};
TAPETUM_CPU_CANDIDATE(MaxPool2dArgs, max_pool2d_gather_vec){.name = "vec", .supports = supports, .run = gather};
TAPETUM_CPU_CANDIDATE(MaxPool2dArgs, max_pool2d_scatter_vec){.name = "vec", .supports = supports, .error = error_scatter, .run = scatter};

}  // namespace tapetum::kernels
