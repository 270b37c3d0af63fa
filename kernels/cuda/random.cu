// One thread a block of the Philox stream: four words, four elements. The CPU's numbers: all is worked out in double and rounded once.
// Writes size_of(dtype) bytes an element; normal is bound by its logarithms and cosines.
#include "kernels/random.h"

#include <numbers>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/neighbours.cuh"

namespace tapetum::kernels {
namespace {

struct Uniform {
  __device__ static void values(const PhiloxWords& w, const RandomArgs& a, double (&y)[4]) {
    for (int i = 0; i < 4; ++i) y[i] = a.a + (a.b - a.a) * unit_interval(w.at[i]);
  }
};
struct Normal {
  __device__ static void values(const PhiloxWords& w, const RandomArgs& a, double (&y)[4]) {
    for (int i = 0; i < 4; i += 2) {
      const double radius = sqrt(-2 * log(1 - unit_interval(w.at[i]))), angle = 2 * std::numbers::pi * unit_interval(w.at[i + 1]);
      y[i] = a.a + a.b * radius * cos(angle);
      y[i + 1] = a.a + a.b * radius * sin(angle);
    }
  }
};
struct Bernoulli {
  __device__ static void values(const PhiloxWords& w, const RandomArgs& a, double (&y)[4]) {
    for (int i = 0; i < 4; ++i) y[i] = unit_interval(w.at[i]) < a.a;
  }
};

template <class Draw, class T> __global__ void __launch_bounds__(kThreads) random_blocks_kernel(RandomArgs a) {
  const int64_t block = thread_number(), first = 4 * block;
  if (first >= a.count) return;
  double y[4];
  Draw::values(philox(a.call.resolved(), static_cast<uint64_t>(block)), a, y);
  T* out = static_cast<T*>(a.y) + first;
  write_neighbours<4>(
      a.count - first, [&](int q) { return out + q; }, [&](int q) { return cast<T>(y[q]); });
}

template <class Draw> Status run(const RandomArgs& a, Workspace& w) {
  if (a.count == 0) return Status::ok;
  const gpu::Launch at = launch_threads((a.count + 3) / 4, w);
  switch (a.dtype) {
    case DType::f64:
      return status_of(gpu::launch<random_blocks_kernel<Draw, double>>(at, a));
    case DType::f32:
      return status_of(gpu::launch<random_blocks_kernel<Draw, float>>(at, a));
    case DType::f16:
      return status_of(gpu::launch<random_blocks_kernel<Draw, Half>>(at, a));
    default:
      return status_of(gpu::launch<random_blocks_kernel<Draw, BFloat16>>(at, a));
  }
}

bool supports(const RandomArgs& a) { return is_floating(a.dtype); }

}  // namespace

TAPETUM_CANDIDATE(RandomArgs, random_uniform_cuda){.name = "blocks", .supports = supports, .run = run<Uniform>};
TAPETUM_CANDIDATE(RandomArgs, random_normal_cuda){.name = "blocks", .supports = supports, .run = run<Normal>};
TAPETUM_CANDIDATE(RandomArgs, random_bernoulli_cuda){.name = "blocks", .supports = supports, .run = run<Bernoulli>};

}  // namespace tapetum::kernels
