// Sorts lines digit by digit, the least significant first, 8 bits at a time (Knuth, TAOCP 3, 5.2.5). A pass moves keys and places in three
// launches, each of a block for every tile of a line:
//   count: how often each digit occurs in the tile;
//   scan: a warp for each digit of a line turns the tiles' counts into the number of that digit before the tile;
//   scatter: elements are ranked within the tile, put into order in shared memory, and written in runs of one digit.
// Equal digits keep their order, so the sort is stable. 20 bytes an element and pass for keys of 32 bits, 28 for 64; as many passes as the
// dtype has bytes, and 28 (36) bytes to make keys and to write the result.
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/sort_lines.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kDigits = 256, kWarps = kThreads / kWarp;
static_assert(kDigits == kThreads);                             // thread d looks after digit d
template <class K> constexpr int kRounds = 64 / sizeof(K);      // elements of a thread
template <class K> constexpr int kTile = kRounds<K>* kThreads;  // elements of a block: 32 KB of keys and places, or 24 KB

template <class K> struct Elements {
  K* keys;
  int32_t* places;
};

// Tiles of lines, and the counts [line, digit, tile] with their sums [line, digit].
struct Tiles {
  int64_t length, per_line;
  int32_t *counts, *totals;
};
template <class K> struct Tile {
  int64_t line, number, begin, count;  // begin: of its elements among all
  __device__ explicit Tile(const Tiles& t) : line(blockIdx.x / t.per_line), number(blockIdx.x % t.per_line) {
    const int64_t first = number * kTile<K>, left = t.length - first;
    begin = line * t.length + first;
    count = left < kTile<K> ? left : kTile<K>;
  }
};

template <class K> __device__ int digit_of(K key, int shift) { return static_cast<int>(key >> shift & (kDigits - 1)); }

template <class K> __global__ void __launch_bounds__(kThreads) topk_radix_count_kernel(Tiles t, int shift, const K* keys) {
  __shared__ int count[kDigits];
  const Tile<K> tile(t);
  count[threadIdx.x] = 0;
  __syncthreads();
  for (int64_t i = threadIdx.x; i < tile.count; i += kThreads) atomicAdd(&count[digit_of(keys[tile.begin + i], shift)], 1);
  __syncthreads();
  t.counts[(tile.line * kDigits + threadIdx.x) * t.per_line + tile.number] = count[threadIdx.x];
}

__global__ void __launch_bounds__(kThreads) topk_radix_scan_kernel(Tiles t, int64_t digits) {
  const int64_t digit = thread_number() / kWarp;
  const int lane = threadIdx.x % kWarp;
  if (digit >= digits) return;
  int32_t* counts = t.counts + digit * t.per_line;
  int32_t before = 0;
  for (int64_t first = 0; first < t.per_line; first += kWarp) {
    const int64_t i = first + lane;
    const int32_t count = i < t.per_line ? counts[i] : 0, through = scan_lanes(count);
    if (i < t.per_line) counts[i] = before + through - count;
    before += __shfl_sync(kAllLanes, through, kWarp - 1);
  }
  if (lane == 0) t.totals[digit] = before;
}

// What a block sorts its tile in.
template <class K> struct Sorter {
  int of_warp[kWarps][kDigits];  // how many of a digit a warp has seen; then how many of it other warps have before
  int first[kDigits];            // of the digit's elements in `keys`
  int64_t moved[kDigits];        // from there to where it goes among all
  K keys[kTile<K>];
  int32_t places[kTile<K>];
};

// Ranks of the warp's elements among those of the same digit, in the order in which they stand. Lanes with one digit find each other.
template <class K, class D> __device__ void rank_in_warp(int (&seen)[kDigits], const D& digits, int (&rank)[kRounds<K>]) {
  const unsigned below = (1u << threadIdx.x % kWarp) - 1;
  for (int round = 0; round < kRounds<K>; ++round) {
    const int digit = digits(round);
    const unsigned peers = __match_any_sync(kAllLanes, digit);
    if (digit < kDigits) rank[round] = seen[digit] + __popc(peers & below);
    __syncwarp();
    if (digit < kDigits && !(peers & below)) seen[digit] += __popc(peers);
    __syncwarp();
  }
}

// The digit's counts become the numbers of earlier warps; then where its elements begin in the tile, and how far they move.
template <class K> __device__ void place_digits(const Tiles& t, const Tile<K>& tile, Sorter<K>& s) {
  const int digit = threadIdx.x;
  int count = 0, unused;
  for (int w = 0; w < kWarps; ++w) {
    const int own = s.of_warp[w][digit];
    s.of_warp[w][digit] = count;
    count += own;
  }
  const int64_t row = tile.line * kDigits + digit;
  const int first = sum_before(count, unused), smaller = sum_before(t.totals[row], unused);
  s.first[digit] = first;
  s.moved[digit] = tile.line * t.length + smaller + t.counts[row * t.per_line + tile.number] - first;
}

template <class K> __global__ void __launch_bounds__(kThreads) topk_radix_scatter_kernel(Tiles t, int shift, Elements<K> from, Elements<K> to) {
  Sorter<K>& s = *gpu::dynamic_shared<Sorter<K>>();
  const Tile<K> tile(t);
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  K key[kRounds<K>];
  int rank[kRounds<K>];
  for (int w = 0; w < kWarps; ++w) s.of_warp[w][threadIdx.x] = 0;
  // A warp takes neighbouring elements, so that its rounds and the warps stand in order.
  const auto index = [=](int round) { return (warp * kRounds<K> + round) * kWarp + lane; };
  for (int round = 0; round < kRounds<K>; ++round) key[round] = index(round) < tile.count ? from.keys[tile.begin + index(round)] : 0;
  __syncthreads();
  rank_in_warp<K>(
      s.of_warp[warp], [&](int round) { return index(round) < tile.count ? digit_of(key[round], shift) : kDigits; }, rank);
  __syncthreads();
  place_digits(t, tile, s);
  __syncthreads();
  for (int round = 0; round < kRounds<K>; ++round)
    if (index(round) < tile.count) {
      const int digit = digit_of(key[round], shift), at = s.first[digit] + s.of_warp[warp][digit] + rank[round];
      s.keys[at] = key[round];
      s.places[at] = from.places[tile.begin + index(round)];
    }
  __syncthreads();
  for (int i = threadIdx.x; i < tile.count; i += kThreads) {
    const int64_t at = s.moved[digit_of(s.keys[i], shift)] + i;
    to.keys[at] = s.keys[i];
    to.places[at] = s.places[i];
  }
}

// Two sets of keys and places, and the counts.
template <class K> struct Room {
  Elements<K> from, to;
  Tiles tiles;
  static int64_t per_line(const TopkArgs& a) { return blocks_for(a.shape.length, kTile<K>); }
  static size_t bytes(const TopkArgs& a) {
    const auto elements = static_cast<size_t>(lines_of(a) * a.shape.length), digits = static_cast<size_t>(lines_of(a) * kDigits);
    return elements * 2 * (sizeof(K) + sizeof(int32_t)) + digits * static_cast<size_t>(per_line(a) + 1) * sizeof(int32_t);
  }
  Room(const TopkArgs& a, void* memory) {
    const int64_t elements = lines_of(a) * a.shape.length;
    K* keys = static_cast<K*>(memory);
    auto* places = reinterpret_cast<int32_t*>(keys + 2 * elements);
    from = {keys, places}, to = {keys + elements, places + elements};
    int32_t* totals = places + 2 * elements;
    tiles = {a.shape.length, per_line(a), totals + lines_of(a) * kDigits, totals};
  }
};

template <class K> cudaError_t pass(const TopkArgs& a, const Room<K>& r, int shift, const Workspace& w) {
  const int64_t digits = lines_of(a) * kDigits;
  const gpu::Launch tiles{.grid = dim3(static_cast<unsigned>(lines_of(a) * r.tiles.per_line)), .block = kThreads, .stream = stream_of(w)};
  gpu::Launch sorters = tiles;
  sorters.smem = sizeof(Sorter<K>);
  cudaError_t e = gpu::launch<topk_radix_count_kernel<K>>(tiles, r.tiles, shift, r.from.keys);
  if (e == cudaSuccess) e = gpu::launch<topk_radix_scan_kernel>(launch_threads(digits, w, kWarp), r.tiles, digits);
  return e == cudaSuccess ? gpu::launch<topk_radix_scatter_kernel<K>>(sorters, r.tiles, shift, r.from, r.to) : e;
}

template <class T> cudaError_t sort_lines(const TopkArgs& a, const Workspace& w) {
  Room<Key<T>> r(a, w.data);
  cudaError_t e = gpu::launch<topk_keys_kernel<T>>(launch_threads(lines_of(a) * a.shape.length, w), a, r.from.keys, r.from.places);
  for (int shift = 0; shift < static_cast<int>(8 * sizeof(T)) && e == cudaSuccess; shift += 8) {
    e = pass(a, r, shift, w);
    std::swap(r.from, r.to);
  }
  return e == cudaSuccess ? gpu::launch<topk_write_kernel<T>>(launch_threads(lines_of(a) * a.k, w), a, r.from.places) : e;
}

Status radix(const TopkArgs& a, Workspace& w) {
  if (is_nothing(a)) return Status::ok;
  return with_type(a.shape.dtype, [&]<class T>() { return status_of(sort_lines<T>(a, w)); });
}
size_t workspace(const TopkArgs& a) {
  return with_type(a.shape.dtype, [&]<class T>() { return Room<Key<T>>::bytes(a); });
}

// What a block sorts by itself would leave most of a tile empty.
bool supports(const TopkArgs& a) { return a.shape.length > kRun && a.shape.length <= INT32_MAX; }
// Where the launches are worth it; merging leaves most of a long line alone when a small part of it is asked for.
bool prefers(const TopkArgs& a) { return lines_of(a) * a.shape.length >= 1 << 15 && 4 * a.k >= a.shape.length; }

}  // namespace

TAPETUM_CANDIDATE(TopkArgs, topk_radix_cuda){.name = "radix", .supports = supports, .prefers = prefers, .workspace = workspace, .run = radix};

}  // namespace tapetum::kernels
