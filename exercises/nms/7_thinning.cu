// Thin out points until no two are near each other, the first ones first: a warp walks the bits of those that are still to be decided.
//
// y[i] = 1 if point i stays, else 0: it stays if none of those that stay before it is nearer than kNear.
//
// `neighbours` finds all pairs beforehand: bit j % 32 of near[i][j / 32] says whether j is near i; each point is near itself. There are at most
// 32 * 32 points, so that the lanes of one warp have all their bits, a word each, and go from a point that stays to the next without a look at
// those between. What to write:
//   - this lane's word, of points that may still stay: there may be less than 32 for it, or none;
//   - as long as any lane has some: the first of all, by __ballot_sync and __ffs, which all lanes have to know (__shfl_sync). It stays, and
//     all lanes strike those near it;
//   - the result: a lane writes neighbours of other lanes' bits, as y has whole sectors.
// The idea: docs/ladders/nms.md, step 7. (Such a radius is what the detectors of keypoints in images end with.)
#include "exercises/harness/exercise.h"

constexpr int kWarp = 32, kThreads = 128;
constexpr float kNear = 0.1f;

__global__ void neighbours(unsigned* near, const float2* x, int n, int words) {
  const int i = static_cast<int>(blockIdx.y), word = static_cast<int>(blockIdx.x * kThreads + threadIdx.x) / kWarp;
  const int j = word * kWarp + static_cast<int>(threadIdx.x) % kWarp;
  if (word >= words) return;
  const float2 a = x[i], b = j < n ? x[j] : make_float2(INFINITY, INFINITY);
  const unsigned bits = __ballot_sync(0xffffffff, (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y) < kNear * kNear);
  if (j % kWarp == 0) near[i * words + word] = bits;
}

__global__ void thinning(float* y, const unsigned* near, int n, int words) {
  const int lane = static_cast<int>(threadIdx.x);
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int n = a.sizes[0], words = static_cast<int>(cover(n, kWarp));
  auto* near = reinterpret_cast<unsigned*>(a.scratch);
  const cudaError_t error = gpu::launch<neighbours>({.grid = dim3(cover(n, kThreads), static_cast<unsigned>(n)), .block = kThreads}, near,
                                                    reinterpret_cast<const float2*>(a.x[0]), n, words);
  if (error != cudaSuccess) return error;
  return gpu::launch<thinning>({.grid = 1, .block = kWarp}, a.y, near, n, words);
}
Shapes inputs(const Sizes& s) { return Shapes{{s[0], 2}}; }
Sizes output(const Sizes& s) { return s; }
Sizes scratch(const Sizes& s) { return Sizes{s[0], static_cast<int>(cover(s[0], kWarp))}; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(s[0], 1);
  for (int i = 0; i < s[0]; ++i)
    for (int j = 0; j < i; ++j)
      if (y[j] > 0 && std::hypot(x[0][2 * i] - x[0][2 * j], x[0][2 * i + 1] - x[0][2 * j + 1]) < kNear) y[i] = 0;
  return y;
}

// Of 512 points 62 stay. `neighbours` has two loads and a store for each of 512 x 16 words.
constexpr int kStay = 62, kWords = 16, kRequests = 3 * 512 * kWords + kStay + kWords;
const Exercise exercise{
    .launch = launch,
    .tested = {{96}, {1}, {33}, {300}, {77}},
    .counted = {512},
    .low = 0,
    .high = 1,
    .inputs = inputs,
    .output = output,
    .scratch = scratch,
    .reference = reference,
    .limits = {{Count::shuffles, kStay + kWords},
               {Count::bytes_stored, 32 * 512 * kWords + 4 * 512},
               {Count::global_requests, kRequests},
               {Count::shared_requests, 0},
               {Count::barriers, 0}},
};
const Register registered(__FILE__, exercise);
