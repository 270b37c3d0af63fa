// Elements picked by an index along one dimension. Memory bound: index, walked and the picked elements of the table are read or written once.
//   gather: one thread an element.
//   scatter, scatter_add: a thread owns the elements k of one line's table with k mod owners equal to its number, walks the whole line's
//   index in ascending order and leaves the others' elements alone. No two threads meet, so results are the reference's, bit for bit.
#include "kernels/index.h"

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/report.cuh"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kWantedThreads = 1 << 15, kMostOwners = 256;  // owners read the index once each: no more than fill the device

__device__ bool in_range(int64_t index, const IndexShape& s) { return index >= 0 && index < s.limit; }
__device__ int64_t position_of(const IndexShape& s, int64_t i, int64_t line) { return i * s.lines.count + line; }

template <class T> __global__ void __launch_bounds__(kThreads) gather_threads_kernel(IndexArgs a, bool along_lines) {
  const auto& s = a.shape;
  const int64_t at = thread_number();
  if (at >= s.length * s.lines.count) return;
  const int64_t i = along_lines ? at % s.length : at / s.lines.count, line = along_lines ? at / s.length : at % s.lines.count;
  const auto o = offsets_of(s.lines, line, s.lines.ndim);
  const int64_t index = a.index[o.at[1] + i * s.step[1]];
  const bool good = in_range(index, s);
  static_cast<T*>(a.walked)[o.at[0] + i * s.step[0]] = good ? static_cast<const T*>(a.table)[o.at[2] + index * s.step[2]] : T(0);
  if (!good) report(a.bad, position_of(s, i, line), index);
}

struct Put {
  template <class T> __device__ static T of(T, T walked) { return walked; }
};
struct Add {
  template <class T> __device__ static T of(T table, T walked) {
    if constexpr (sizeof(T) == 2)
      return T(static_cast<float>(table) + static_cast<float>(walked));
    else
      return static_cast<T>(table + walked);
  }
};

// owners: a power of two.
template <class F, class T> __global__ void __launch_bounds__(kThreads) scatter_owners_kernel(IndexArgs a, int64_t owners) {
  const auto& s = a.shape;
  const int64_t line = thread_number() % s.lines.count, own = thread_number() / s.lines.count;
  if (own >= owners) return;
  const auto o = offsets_of(s.lines, line, s.lines.ndim);
  const T* walked = static_cast<const T*>(a.walked) + o.at[0];
  T* table = static_cast<T*>(a.table) + o.at[2];
  for (int64_t i = 0; i < s.length; ++i) {
    const int64_t index = a.index[o.at[1] + i * s.step[1]];
    if ((index & (owners - 1)) != own) continue;
    if (!in_range(index, s))
      report(a.bad, position_of(s, i, line), index);
    else
      table[index * s.step[2]] = F::of(table[index * s.step[2]], walked[i * s.step[0]]);
  }
}

int64_t owners_of(const IndexShape& s) {
  int64_t owners = 1;
  while (2 * owners <= s.limit && 2 * owners <= kMostOwners && owners * s.lines.count < kWantedThreads) owners *= 2;
  return owners;
}

bool is_empty(const IndexArgs& a) { return a.shape.length == 0 || a.shape.lines.count == 0; }

template <class F, class T> Status launch_scatter(const IndexArgs& a, const Workspace& w) {
  const int64_t owners = owners_of(a.shape);
  return status_of(gpu::launch<scatter_owners_kernel<F, T>>(launch_threads(a.shape.lines.count * owners, w), a, owners));
}

Status gather(const IndexArgs& a, Workspace& w) {
  if (is_empty(a)) return Status::ok;
  const gpu::Launch at = launch_threads(a.shape.length * a.shape.lines.count, w);
  const bool along_lines = a.shape.step[0] == 1;  // neighbours of a line lie side by side
  return with_bits(a.shape.dtype, [&]<class T>() { return status_of(gpu::launch<gather_threads_kernel<T>>(at, a, along_lines)); });
}
Status scatter(const IndexArgs& a, Workspace& w) {
  if (is_empty(a)) return Status::ok;
  return with_bits(a.shape.dtype, [&]<class T>() { return launch_scatter<Put, T>(a, w); });
}
Status scatter_add(const IndexArgs& a, Workspace& w) {
  if (is_empty(a)) return Status::ok;
  return with_type(a.shape.dtype, [&]<class T>() { return launch_scatter<Add, T>(a, w); });
}

bool supports(const IndexArgs&) { return true; }

}  // namespace

TAPETUM_CANDIDATE(IndexArgs, gather_cuda){.name = "threads", .supports = supports, .run = gather};
TAPETUM_CANDIDATE(IndexArgs, scatter_cuda){.name = "owners", .supports = supports, .run = scatter};
TAPETUM_CANDIDATE(IndexArgs, scatter_add_cuda){.name = "owners", .supports = supports, .run = scatter_add};

}  // namespace tapetum::kernels
