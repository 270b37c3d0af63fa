// The toolkit's radix sort of the same keys, as a yardstick: chosen by name alone, and only in trees that nvcc compiles.
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_segmented_radix_sort.cuh>

#include "kernels/cuda/sort_lines.cuh"

namespace tapetum::kernels {
namespace {

// Where line i begins.
struct Begins {
  using value_type = int64_t;
  int64_t length, from;
  __host__ __device__ int64_t operator[](int64_t i) const { return (from + i) * length; }
};

template <class K> struct Room {
  cub::DoubleBuffer<K> keys;
  cub::DoubleBuffer<int32_t> places;
  void* sorter;
  static size_t bytes(int64_t elements) { return 2 * static_cast<size_t>(elements) * (sizeof(K) + sizeof(int32_t)); }
  Room(void* memory, int64_t elements) {
    K* k = static_cast<K*>(memory);
    auto* p = reinterpret_cast<int32_t*>(k + 2 * elements);
    keys = {k, k + elements};
    places = {p, p + elements};
    sorter = p + 2 * elements;
  }
};

// With `sorter` null it says in `bytes` what the sorter needs.
template <class T> cudaError_t sort_keys(const TopkArgs& a, void* sorter, size_t& bytes, Room<Key<T>>& r, cudaStream_t stream) {
  const int64_t lines = lines_of(a), length = a.shape.length;
  constexpr int bits = 8 * sizeof(T);
  if (lines == 1) return cub::DeviceRadixSort::SortPairs(sorter, bytes, r.keys, r.places, length, 0, bits, stream);
  const Begins begins{length, 0}, ends{length, 1};
  return cub::DeviceSegmentedRadixSort::SortPairs(sorter, bytes, r.keys, r.places, lines * length, lines, begins, ends, 0, bits, stream);
}

template <class T> size_t bytes_of_sorter(const TopkArgs& a) {
  Room<Key<T>> none(nullptr, 0);
  size_t bytes = 0;
  sort_keys<T>(a, nullptr, bytes, none, nullptr);
  return bytes;
}

size_t workspace(const TopkArgs& a) {
  if (is_nothing(a)) return 0;
  return with_type(a.shape.dtype, [&]<class T>() { return Room<Key<T>>::bytes(lines_of(a) * a.shape.length) + bytes_of_sorter<T>(a); });
}

template <class T> cudaError_t sort_lines(const TopkArgs& a, const Workspace& w) {
  const int64_t elements = lines_of(a) * a.shape.length;
  Room<Key<T>> r(w.data, elements);
  size_t bytes = w.bytes - Room<Key<T>>::bytes(elements);
  cudaError_t e = gpu::launch<topk_keys_kernel<T>>(launch_threads(elements, w), a, r.keys.Current(), r.places.Current());
  if (e == cudaSuccess) e = sort_keys<T>(a, r.sorter, bytes, r, stream_of(w));
  return e == cudaSuccess ? gpu::launch<topk_write_kernel<T>>(launch_threads(lines_of(a) * a.k, w), a, r.places.Current()) : e;
}

Status cub_sort(const TopkArgs& a, Workspace& w) {
  if (is_nothing(a)) return Status::ok;
  return with_type(a.shape.dtype, [&]<class T>() { return status_of(sort_lines<T>(a, w)); });
}

bool supports(const TopkArgs& a) { return a.shape.length <= INT32_MAX; }
bool by_name_alone(const TopkArgs&) { return false; }

}  // namespace

TAPETUM_CANDIDATE(TopkArgs, topk_cub_cuda){.name = "cub", .supports = supports, .prefers = by_name_alone, .workspace = workspace, .run = cub_sort};

}  // namespace tapetum::kernels
