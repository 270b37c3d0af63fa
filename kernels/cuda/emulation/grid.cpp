// Runs the blocks of a grid on a pool of OS threads.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fmt/core.h>
#include <mutex>
#include <thread>
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/launch.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/scheduler.h"

namespace tapetum::emulation {
namespace {

// The block of this OS thread; made when it first runs one.
Block& own_block() {
  static thread_local const std::unique_ptr<Block> own = [] {
    auto b = std::make_unique<Block>();
    current_block = b.get();
    b->native = native_fiber();
    provide_signal_stack();
    return b;
  }();
  return *own;
}

struct Job {
  explicit Job(const LaunchDesc& d) : launch(d), blocks(static_cast<uint64_t>(d.grid.x) * d.grid.y * d.grid.z) {}
  const LaunchDesc& launch;
  const uint64_t blocks;
  std::atomic<uint64_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::string message;
  unsigned helpers = 0;  // that still work on it
};

uint3 index_in(const dim3& size, uint64_t i) {
  return {static_cast<unsigned>(i % size.x), static_cast<unsigned>(i / size.x % size.y), static_cast<unsigned>(i / size.x / size.y)};
}

void prepare(Block& b, const LaunchDesc& d) {
  gridDim = d.grid;
  blockDim = d.block;
  b.nthreads = d.block.x * d.block.y * d.block.z;
  b.nwarps = (b.nthreads + kLanes - 1) / kLanes;
  for (unsigned t = 0; t < b.nthreads; ++t) b.thread_idx[t] = index_in(d.block, t);
  b.invoke = d.invoke;
  b.args = d.args.get();
  b.schedule = config().schedule;
  b.dynamic_shared.resize(d.smem);
  if constexpr (kTsan) {  // nothing may be allocated while TSan takes the emulator for a CUDA thread
    b.fibers.reserve(kMaxThreads);
    for (NamedBarrier& n : b.named) n.waiting.reserve(kMaxThreads);
    grow_fibers(b, b.nthreads);
  }
}

// Depends on the block alone, so that a random schedule can be repeated with any number of OS threads.
uint64_t seed_of(uint64_t block) {
  const uint64_t seed = config().seed * 0x9e3779b97f4a7c15ull ^ (block + 1) * 0xd1342543de82ef95ull;
  return seed ? seed : 1;
}

bool run_one(Block& b, const LaunchDesc& d, uint64_t block) {
  b.random = seed_of(block);
  if (!run_block(b, index_in(d.grid, block))) return false;
  if (b.dynamic_shared.intact()) return true;
  b.current = 0;
  b.message = fmt::format("write past the end of dynamic shared memory ({} bytes)", d.smem);
  return false;
}

// Takes blocks until none is left or one has failed.
void work_on(Job& job) {
  Block& b = own_block();
  prepare(b, job.launch);
  b.name = job.launch.name;
  while (!job.failed) {
    uint64_t i = job.next.fetch_add(1, std::memory_order_relaxed);
    if (i >= job.blocks) break;
    if (b.schedule == Schedule::reverse) i = job.blocks - 1 - i;
    if (run_one(b, job.launch, i)) continue;
    std::lock_guard lock(job.mutex);
    if (!job.failed.exchange(true)) job.message = place_of(b, b.current) + ": " + b.message;
  }
  b.name = {};  // a crash from now on is not the kernel's
}

class Pool {
 public:
  // Runs the job on `n` OS threads, of which the caller is one.
  void run(Job& job, unsigned n) {
    {
      std::lock_guard lock(mutex_);
      while (threads_.size() + 1 < n) threads_.emplace_back([this] { loop(); });
      job_ = &job;
      wanted_ = job.helpers = n - 1;
      ++generation_;
    }
    start_.notify_all();
    work_on(job);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return job.helpers == 0; });
    job_ = nullptr;
  }
  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    start_.notify_all();
    for (std::thread& t : threads_) t.join();
  }

 private:
  void loop() {
    uint64_t seen = 0;
    for (;;) {
      Job* job;
      {
        std::unique_lock lock(mutex_);
        start_.wait(lock, [&] { return stop_ || (generation_ != seen && job_ && wanted_ > 0); });
        if (stop_) return;
        seen = generation_;
        --wanted_;
        job = job_;
      }
      work_on(*job);
      {
        std::lock_guard lock(mutex_);
        --job->helpers;
      }
      done_.notify_one();
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  Job* job_ = nullptr;
  unsigned wanted_ = 0;
  uint64_t generation_ = 0;
  bool stop_ = false;
};

unsigned os_threads(uint64_t blocks) {
  if (kAsan || kTsan) return 1;  // __shared__ variables are plain statics
  const unsigned most = config().threads ? config().threads : std::max(1u, std::thread::hardware_concurrency());
  return static_cast<unsigned>(std::min<uint64_t>(most, blocks));
}

}  // namespace

std::string run_grid(const LaunchDesc& d) {
  static Pool pool;
  const CrashReports reports;
  Job job(d);
  const bool counted = profile::counts();
  if (counted) profile::begin_launch(d);
  const unsigned n = counted ? 1 : os_threads(job.blocks);
  if (n == 1)
    work_on(job);
  else
    pool.run(job, n);
  if (counted) profile::end_launch();
  return job.message;
}

}  // namespace tapetum::emulation
