// Non-maximum suppression of boxes from best to worst, kChunk of them at a time, so that memory grows with n and not with n^2:
//   mask: a block for 64 x 256 pairs of the chunk; a thread gathers 64 bits of one box: which of the worse ones it strikes.
//   settle: one block goes through the chunk 64 boxes at a time: a warp settles these among themselves, then all threads strike worse ones.
//     Writes who stays, and how many, in the device's memory.
//   sweep: a thread for each box behind the chunk meets those that the chunk kept, until one of them strikes it.
// Boxes that fit one chunk take two launches. About 20 operations a pair, from shared memory: bound by arithmetic.
#include "kernels/box_overlap.h"
#include "kernels/boxes.h"
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/launch.cuh"

namespace tapetum::kernels {
namespace {

using Word = unsigned long long;
constexpr int kBits = 64, kChunk = 2048, kWords = kChunk / kBits;
constexpr int kNeighbours = kThreads / kBits;  // words of a box that neighbouring threads gather: as many as a sector holds

template <class T> struct Member {
  Box<T> box;
  int64_t group;
};
template <class T> struct alignas(16) Corners { T x1, y1, x2, y2; };
template <class T> __device__ Box<T> load_box(const void* boxes, int64_t place) {
  if (reinterpret_cast<uintptr_t>(boxes) % 16) return box_at(static_cast<const T*>(boxes), place);
  const Corners<T> c = static_cast<const Corners<T>*>(boxes)[place];  // at once
  return make_box(c.x1, c.y1, c.x2, c.y2);
}
template <class T> __device__ Member<T> member(const NmsArgs& a, int64_t place) {
  return {load_box<T>(a.boxes, place), a.classes ? a.classes[place] : 0};
}
template <class T> __device__ bool rivals(const Member<T>& a, const Member<T>& b, T threshold) {
  return a.group == b.group && iou(a.box, b.box) > threshold;
}

// What launches hand on: the mask, the chunk's first place in `kept`, and a bit for each box that an earlier chunk struck.
struct State {
  Word* mask;  // [kChunk, kWords]
  int64_t* kept_before;
  unsigned* struck;
};

__device__ int64_t chunk_end(const NmsArgs& a, int64_t first) { return first + kChunk < a.count ? first + kChunk : a.count; }
__device__ int boxes_from(int64_t begin, int64_t end) { return static_cast<int>(end - begin < kBits ? end - begin : kBits); }

// mask[row][word] bit j: the row's box strikes box 64 word + j of the chunk; among the 64 of the row itself: is struck by it.
template <class T> __global__ void __launch_bounds__(kThreads) nms_mask_kernel(NmsArgs a, T threshold, int64_t first, State s) {
  const int thread = threadIdx.x, part = thread % kNeighbours, row_word = blockIdx.y, word = blockIdx.x * kNeighbours + part;
  if (static_cast<int>(blockIdx.x + 1) * kNeighbours <= row_word) return;
  __shared__ Member<T> columns[kNeighbours][kBits + 1];  // those that a warp reads at once lie in different banks
  const int64_t end = chunk_end(a, first), row = first + row_word * kBits + thread / kNeighbours, column = first + blockIdx.x * int64_t{kThreads};
  if (column + thread < end) columns[thread / kBits][thread % kBits] = member<T>(a, a.order[column + thread]);
  __syncthreads();
  if (row >= end || word < row_word) return;
  const Member<T> mine = member<T>(a, a.order[row]);
  const int meets = word == row_word ? thread / kNeighbours : boxes_from(first + word * kBits, end);
  Word bits = 0;
  for (int j = 0; j < meets; ++j) bits |= static_cast<Word>(rivals(mine, columns[part][j], threshold)) << j;
  s.mask[(row - first) * kWords + word] = bits;
}

// Of 64 boxes, two for each lane of a warp, those that stay: not `gone` before, nor struck by a better one that stays. In each round those are
// decided whose better ones are: as many rounds as the longest chain of strikes.
__device__ Word settled(Word gone, const Word (&struck_by)[2]) {
  const int lane = threadIdx.x % kWarp;
  Word stay = 0;
  while (~(gone | stay)) {
    Word now_gone = 0, now_stay = 0;
    for (int half = 0; half < 2; ++half) {
      const bool open = !((gone | stay) >> (lane + half * kWarp) & 1);
      now_gone |= static_cast<Word>(__ballot_sync(kAllLanes, open && (struck_by[half] & stay))) << half * kWarp;
      now_stay |= static_cast<Word>(__ballot_sync(kAllLanes, open && !(struck_by[half] & ~gone))) << half * kWarp;
    }
    gone |= now_gone;
    stay |= now_stay;
  }
  return stay;
}

__global__ void __launch_bounds__(kThreads) nms_settle_kernel(NmsArgs a, int64_t first, State s) {
  __shared__ Word gone[kWords], settled_word;
  const int thread = threadIdx.x, later = thread % kWords;  // the word that this thread strikes
  const int64_t end = chunk_end(a, first), before = first ? *a.found : 0;
  if (thread < kWords) {
    const int64_t box = first + thread * kBits;
    gone[thread] = first && box < end ? s.struck[box / 32] | static_cast<Word>(s.struck[box / 32 + 1]) << 32 : 0;
  }
  int64_t kept = before;
  for (int word = 0; first + word * kBits < end; ++word) {
    const int64_t row = first + word * kBits;
    const int count = boxes_from(row, end);
    const Word* mask = s.mask + word * kBits * kWords;
    __syncthreads();  // all have struck
    if (thread < kWarp) {
      Word struck_by[2];
      for (int half = 0; half < 2; ++half) struck_by[half] = thread + half * kWarp < count ? mask[(thread + half * kWarp) * kWords + word] : 0;
      const Word missing = count < kBits ? ~Word{0} << count : 0;
      const Word stay = settled(gone[word] | missing, struck_by);
      if (thread == 0) settled_word = stay;
    }
    __syncthreads();
    const Word stay = settled_word;
    if (thread < count && (stay >> thread & 1)) a.kept[kept + __popcll(stay & ((Word{1} << thread) - 1))] = a.order[row + thread];
    kept += __popcll(stay);
    Word strikes = 0;
    for (int i = thread / kWords; i < count && later > word && first + later * kBits < end; i += kThreads / kWords)
      if (stay >> i & 1) strikes |= mask[i * kWords + later];
    if (strikes) atomicOr(&gone[later], strikes);
  }
  if (thread == 0) {
    *s.kept_before = before;
    *a.found = kept;
  }
}

template <class T> __global__ void __launch_bounds__(kThreads) nms_sweep_kernel(NmsArgs a, T threshold, int64_t first, State s) {
  __shared__ Member<T> kept[kThreads];
  const int64_t rank = first + kChunk + thread_number(), end = *a.found;
  unsigned& struck = s.struck[rank / kWarp];  // of the warp: one lane reads and writes it
  const unsigned before = __shfl_sync(kAllLanes, first && threadIdx.x % kWarp == 0 ? struck : 0, 0);
  bool gone = rank >= a.count || (before >> rank % kWarp & 1);
  Member<T> mine{};
  if (!gone) mine = member<T>(a, a.order[rank]);
  for (int64_t tile = *s.kept_before; tile < end; tile += kThreads) {
    if (tile + threadIdx.x < end) kept[threadIdx.x] = member<T>(a, a.kept[tile + threadIdx.x]);
    __syncthreads();
    for (int i = 0; i < kThreads && tile + i < end && !gone; ++i) gone = rivals(kept[i], mine, threshold);
    if (__syncthreads_and(gone)) break;
  }
  const unsigned bits = __ballot_sync(kAllLanes, gone);
  if (threadIdx.x % kWarp == 0) struck = bits;
}

constexpr size_t kMaskBytes = sizeof(Word) * kChunk * kWords;
size_t workspace(const NmsArgs& a) { return kMaskBytes + sizeof(int64_t) + static_cast<size_t>(blocks_for(a.count, kThreads)) * (kThreads / 8); }

template <class T> cudaError_t suppress(const NmsArgs& a, const State& s, const Workspace& w) {
  const T threshold = threshold_in<T>(a.threshold);
  cudaError_t e = cudaSuccess;
  for (int64_t first = 0; first < a.count && e == cudaSuccess; first += kChunk) {
    const int64_t rest = a.count - first, behind = rest - kChunk;
    const unsigned words = blocks_for(rest < kChunk ? rest : kChunk, kBits);
    const dim3 tiles(blocks_for(words, kNeighbours), words);
    e = gpu::launch<nms_mask_kernel<T>>({.grid = tiles, .block = kThreads, .stream = stream_of(w)}, a, threshold, first, s);
    if (e == cudaSuccess) e = gpu::launch<nms_settle_kernel>({.grid = 1, .block = kThreads, .stream = stream_of(w)}, a, first, s);
    if (e == cudaSuccess && behind > 0) e = gpu::launch<nms_sweep_kernel<T>>(launch_threads(behind, w), a, threshold, first, s);
  }
  return e;
}

Status nms(const NmsArgs& a, Workspace& w) {
  if (a.count == 0) return status_of(cudaMemsetAsync(a.found, 0, sizeof *a.found, stream_of(w)));
  char* memory = static_cast<char*>(w.data);
  const State s{reinterpret_cast<Word*>(memory), reinterpret_cast<int64_t*>(memory + kMaskBytes),
                reinterpret_cast<unsigned*>(memory + kMaskBytes + sizeof(int64_t))};
  return with_compute_type(a.dtype, [&]<class T>() { return status_of(suppress<T>(a, s, w)); });
}

bool supports(const NmsArgs& a) { return is_compute(a.dtype); }

}  // namespace

TAPETUM_CANDIDATE(NmsArgs, nms_cuda){.name = "chunks", .supports = supports, .workspace = workspace, .run = nms};

}  // namespace tapetum::kernels
