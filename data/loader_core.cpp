#include "data/loader_core.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "core/profiler_scope.h"

namespace tapetum::data {

SampleError::SampleError(int64_t index, const std::string& name, const std::string& cause)
    : Error(name.empty() ? fmt::format("sample {}: {}", index, cause) : fmt::format("sample {} ({}): {}", index, name, cause)), index(index) {}

struct LoaderCore::Impl {
  struct Result {
    std::unique_ptr<LoadedBatch> batch;
    std::exception_ptr error;
  };

  std::unique_ptr<const BatchSource> source;
  LoaderOptions options;

  std::mutex mutex;  // guards all below
  std::condition_variable work, done;
  LoaderState state;
  bool running = false, stopping = false;
  uint64_t generation = 0;            // of the epoch being loaded: results of an older one are dropped
  std::vector<int64_t> order;         // of this epoch
  int64_t issued = 0;                 // the next batch that a worker takes
  std::map<int64_t, Result> results;  // of batches not yet handed out
  std::vector<std::thread> threads;

  int64_t batches() const {
    const auto n = static_cast<int64_t>(order.size());
    return options.drop_last ? n / options.batch_size : (n + options.batch_size - 1) / options.batch_size;
  }
  std::vector<int64_t> indices_of(int64_t batch) const {
    const auto first = order.begin() + batch * options.batch_size;
    return {first, first + std::min(options.batch_size, static_cast<int64_t>(order.end() - first))};
  }
  bool may_issue() const { return running && issued < batches() && issued < state.batches + int64_t{options.workers} * options.prefetch; }

  void begin();
  void cancel();
  std::unique_ptr<LoadedBatch> take();
  void work_until_stopped();

  // Null when the epoch was cancelled meanwhile: asked between samples, so that nobody waits for a whole batch.
  template <class Cancelled> Result load(const std::vector<int64_t>& indices, int64_t epoch, Cancelled cancelled) const;
  void add_sample(LoadedBatch& batch, int64_t index, int64_t epoch) const;
};

void LoaderCore::Impl::add_sample(LoadedBatch& batch, int64_t index, int64_t epoch) const try {
  source->add_sample(batch, index, sample_stream(options.seed, epoch, index));
} catch (const std::exception& e) {
  throw SampleError(index, source->name(index), e.what());
}

template <class Cancelled>
LoaderCore::Impl::Result LoaderCore::Impl::load(const std::vector<int64_t>& indices, int64_t epoch, Cancelled cancelled) const try {
  profiler::Scope profiled("load batch");
  Result result{source->begin_batch(indices.size()), nullptr};
  for (int64_t index : indices) {
    if (cancelled()) return {};
    add_sample(*result.batch, index, epoch);
  }
  source->finish_batch(*result.batch);
  return result;
} catch (...) {
  return {nullptr, std::current_exception()};
}

void LoaderCore::Impl::work_until_stopped() {
  std::unique_lock lock(mutex);
  for (;;) {
    work.wait(lock, [&] { return stopping || may_issue(); });
    if (stopping) return;
    const int64_t batch = issued++, epoch = state.epoch;
    const uint64_t mine = generation;
    const auto indices = indices_of(batch);
    lock.unlock();
    Result result = load(indices, epoch, [&] {
      const std::lock_guard guard(mutex);
      return stopping || generation != mine;
    });
    lock.lock();
    if (generation == mine) {
      results[batch] = std::move(result);
      done.notify_all();
    }
  }
}

void LoaderCore::Impl::cancel() {
  ++generation;
  running = false;
  results.clear();
}

void LoaderCore::Impl::begin() {
  const bool left_early = running;
  cancel();
  if (left_early) state = {state.epoch + 1, 0};
  order = options.sampler->order(state.epoch);
  for (int64_t index : order)
    if (index < 0 || index >= source->size())
      throw Error(fmt::format("loader: the sampler gives index {}, the data set has {}", index, source->size()));
  issued = state.batches;
  running = true;
  work.notify_all();
}

std::unique_ptr<LoadedBatch> LoaderCore::Impl::take() {
  std::unique_lock lock(mutex);
  if (!running) return nullptr;
  if (state.batches >= batches()) {
    cancel();
    state = {state.epoch + 1, 0};
    return nullptr;
  }
  const int64_t wanted = state.batches;
  Result result;
  if (threads.empty()) {
    result = load(indices_of(wanted), state.epoch, [] { return false; });
  } else {
    profiler::Scope profiled("wait for batch");
    done.wait(lock, [&] { return results.contains(wanted); });
    result = std::move(results.extract(wanted).mapped());
  }
  ++state.batches;
  work.notify_all();
  if (result.error) std::rethrow_exception(result.error);
  return std::move(result.batch);
}

LoaderCore::LoaderCore(std::unique_ptr<const BatchSource> source, const LoaderOptions& options) : impl_(std::make_unique<Impl>()) {
  if (options.batch_size < 1 || options.workers < 0 || options.prefetch < 1)
    throw Error(fmt::format("loader: expected batch_size >= 1, workers >= 0 and prefetch >= 1, got {}, {} and {}", options.batch_size,
                            options.workers, options.prefetch));
  auto& m = *impl_;
  m.source = std::move(source);
  m.options = options;
  if (!m.options.sampler) {
    const int64_t count = m.source->size();
    if (options.shuffle)
      m.options.sampler = std::make_shared<RandomSampler>(count, options.seed);
    else
      m.options.sampler = std::make_shared<SequentialSampler>(count);
  }
  m.order = m.options.sampler->order(0);
  for (int i = 0; i < options.workers; ++i) m.threads.emplace_back([&m] { m.work_until_stopped(); });
}

LoaderCore::~LoaderCore() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->work.notify_all();
  for (std::thread& t : impl_->threads) t.join();
}

const BatchSource& LoaderCore::source() const { return *impl_->source; }

int64_t LoaderCore::batches_per_epoch() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->batches();
}

LoaderState LoaderCore::state() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->state;
}

void LoaderCore::start(LoaderState state) {
  if (state.epoch < 0 || state.batches < 0)
    throw Error(fmt::format("loader: epoch and batches must not be negative, got {} and {}", state.epoch, state.batches));
  const std::lock_guard lock(impl_->mutex);
  impl_->cancel();
  impl_->state = state;
}

void LoaderCore::begin_epoch() {
  const std::lock_guard lock(impl_->mutex);
  impl_->begin();
}

std::unique_ptr<LoadedBatch> LoaderCore::next() { return impl_->take(); }

}  // namespace tapetum::data
