// Elements become unsigned keys in their order; key and place are compared as one, so that no two are equal and the order is stable.
//   block: a line of at most kRun elements is sorted in shared memory by one block. Reads and writes each element once.
//   merge: longer lines are sorted in runs of kRun, which are then merged in pairs: a thread an element, whose place in the merged run is its own
//   plus the number of the other run's elements before it. Moves 32 bytes an element in each of log2(length / kRun) passes.
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/sort_lines.cuh"

namespace tapetum::kernels {
namespace {

struct Entry {
  uint64_t key;
  int64_t place;
};
__device__ bool operator<(const Entry& a, const Entry& b) { return a.key < b.key || (a.key == b.key && a.place < b.place); }

template <class T> __device__ Entry entry_of(T x, int64_t place, bool descending) { return {key_of(x, descending), place}; }

// Batcher's bitonic network (1968) over a power of two of entries, two for each thread of the block.
__device__ void sort_in_block(Entry* entries, unsigned size) {
  for (unsigned sorted = 2; sorted <= size; sorted *= 2)
    for (unsigned apart = sorted / 2; apart > 0; apart /= 2) {
      __syncthreads();
      const unsigned low = threadIdx.x / apart * apart * 2 + threadIdx.x % apart, high = low + apart;
      const bool ascending = (low & sorted) == 0;
      const Entry a = entries[low], b = entries[high];
      if ((b < a) == ascending) {
        entries[low] = b;
        entries[high] = a;
      }
    }
  __syncthreads();
}

// Loads and sorts one run of a line into shared memory; the rest of `size` is filled with what comes last.
template <class T> __device__ Entry* sorted_run(const TopkArgs& a, int64_t from, int64_t begin, unsigned size) {
  Entry* entries = gpu::dynamic_shared<Entry>();
  for (unsigned e = threadIdx.x; e < size; e += blockDim.x) {
    const int64_t i = begin + e;
    entries[e] =
        i < a.shape.length ? entry_of(static_cast<const T*>(a.x)[from + i * a.shape.inner], i, a.descending) : Entry{~uint64_t{0}, INT64_MAX};
  }
  sort_in_block(entries, size);
  return entries;
}

template <class T> __global__ void __launch_bounds__(kRun / 2) topk_block_kernel(TopkArgs a) {
  const Line line = line_of(a, blockIdx.x);
  const Entry* entries = sorted_run<T>(a, line.from, 0, 2 * blockDim.x);
  for (int64_t rank = threadIdx.x; rank < a.k; rank += blockDim.x) put<T>(a, line, rank, entries[rank].place);
}

template <class T> __global__ void __launch_bounds__(kRun / 2) topk_merge_runs_kernel(TopkArgs a, int64_t runs, Entry* sorted) {
  const int64_t line = blockIdx.x / runs, begin = blockIdx.x % runs * kRun;
  const Entry* entries = sorted_run<T>(a, line_of(a, line).from, begin, kRun);
  for (int64_t e = threadIdx.x; e < kRun && begin + e < a.shape.length; e += blockDim.x) sorted[line * a.shape.length + begin + e] = entries[e];
}

__device__ int64_t count_before(const Entry* sorted, int64_t count, const Entry& e) {
  int64_t low = 0;
  while (low < count) {
    const int64_t middle = (low + count) / 2;
    if (sorted[middle] < e)
      low = middle + 1;
    else
      count = middle;
  }
  return low;
}

// Merges runs in pairs. What is not among the first k of its run is not among those of the line: it stays behind, and is looked at no more.
__global__ void __launch_bounds__(kThreads) topk_merge_pairs_kernel(TopkArgs a, int64_t run, const Entry* from, Entry* to) {
  const int64_t length = a.shape.length, at = thread_number();
  if (at >= a.shape.outer * a.shape.inner * length) return;
  const int64_t line = at / length * length, i = at % length, rank = i % run;
  if (rank >= a.k) return;
  const int64_t pair = i / (2 * run) * 2 * run, other = i - rank == pair ? pair + run : pair;
  const int64_t left = length - other < run ? length - other : run, others = left < 0 ? 0 : left < a.k ? left : a.k;
  to[line + pair + rank + count_before(from + line + other, others, from[at])] = from[at];
}

template <class T> __global__ void __launch_bounds__(kThreads) topk_merge_write_kernel(TopkArgs a, const Entry* sorted) {
  const int64_t at = thread_number();
  if (at >= a.shape.outer * a.shape.inner * a.k) return;
  const int64_t line = at / a.k, rank = at % a.k;
  put<T>(a, line_of(a, line), rank, sorted[line * a.shape.length + rank].place);
}

Status block(const TopkArgs& a, Workspace& w) {
  if (is_nothing(a)) return Status::ok;
  unsigned size = 2 * kWarp;
  while (size < a.shape.length) size *= 2;
  const gpu::Launch at{.grid = dim3(static_cast<unsigned>(lines_of(a))), .block = size / 2, .smem = size * sizeof(Entry), .stream = stream_of(w)};
  return with_type(a.shape.dtype, [&]<class T>() { return status_of(gpu::launch<topk_block_kernel<T>>(at, a)); });
}

template <class T> cudaError_t merge_lines(const TopkArgs& a, Entry* from, Entry* to, const Workspace& w) {
  const int64_t runs = blocks_for(a.shape.length, kRun);
  const gpu::Launch blocks{
      .grid = dim3(static_cast<unsigned>(lines_of(a) * runs)), .block = kRun / 2, .smem = kRun * sizeof(Entry), .stream = stream_of(w)};
  const gpu::Launch elements = launch_threads(lines_of(a) * a.shape.length, w);
  const gpu::Launch results = launch_threads(lines_of(a) * a.k, w);
  cudaError_t e = gpu::launch<topk_merge_runs_kernel<T>>(blocks, a, runs, from);
  for (int64_t run = kRun; run < a.shape.length && e == cudaSuccess; run *= 2) {
    e = gpu::launch<topk_merge_pairs_kernel>(elements, a, run, from, to);
    std::swap(from, to);
  }
  return e == cudaSuccess ? gpu::launch<topk_merge_write_kernel<T>>(results, a, from) : e;
}

Status merge(const TopkArgs& a, Workspace& w) {
  if (is_nothing(a)) return Status::ok;
  Entry* entries = static_cast<Entry*>(w.data);
  return with_type(a.shape.dtype, [&]<class T>() { return status_of(merge_lines<T>(a, entries, entries + lines_of(a) * a.shape.length, w)); });
}
size_t merge_workspace(const TopkArgs& a) { return static_cast<size_t>(2 * lines_of(a) * a.shape.length) * sizeof(Entry); }

bool supports_block(const TopkArgs& a) { return a.shape.length <= kRun; }
bool supports_merge(const TopkArgs&) { return true; }

}  // namespace

TAPETUM_CANDIDATE(TopkArgs, topk_block_cuda){.name = "block", .supports = supports_block, .run = block};
TAPETUM_CANDIDATE(TopkArgs, topk_merge_cuda){.name = "merge", .supports = supports_merge, .workspace = merge_workspace, .run = merge};

}  // namespace tapetum::kernels
