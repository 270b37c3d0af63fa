// The threads behind DataLoader: they know batches as numbers and results as something owned, and no sample type.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/error.h"
#include "data/sampler.h"

namespace tapetum::data {

struct LoaderOptions {
  int64_t batch_size = 1;
  bool shuffle = false;
  int workers = 0;   // threads that load; 0: the caller's own, when it asks
  int prefetch = 2;  // batches that each worker may be ahead
  bool drop_last = false;
  uint64_t seed = 0;
  std::shared_ptr<const Sampler> sampler = nullptr;  // instead of shuffle
  Device device = {};                                // where batches come out: those loaded ahead are on their way to a GPU meanwhile
};

// The next batch is number `batches` of `epoch`. Saved and restored, a run goes on with exactly the batches it would have had.
struct LoaderState {
  int64_t epoch = 0, batches = 0;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("epoch", s.epoch);
    v("batches", s.batches);
  }
};

// Any error while a sample was made; the text names the sample and holds the cause's text.
struct SampleError : Error {
  SampleError(int64_t index, const std::string& name, const std::string& cause);
  int64_t index;
};

struct LoadedBatch {
  virtual ~LoadedBatch() = default;
};

class BatchSource {
 public:
  virtual ~BatchSource() = default;
  virtual int64_t size() const = 0;
  virtual std::unique_ptr<LoadedBatch> begin_batch(size_t count) const = 0;
  virtual void add_sample(LoadedBatch& batch, int64_t index, RandomStream stream) const = 0;
  virtual void finish_batch(LoadedBatch& batch) const = 0;
  virtual std::string name(int64_t index) const = 0;
};

class LoaderCore {
 public:
  LoaderCore(std::unique_ptr<const BatchSource> source, const LoaderOptions& options);  // throws Error for options that make no sense
  ~LoaderCore();                                                                        // waits for at most one sample a worker
  LoaderCore(const LoaderCore&) = delete;

  const BatchSource& source() const;
  int64_t batches_per_epoch() const;
  LoaderState state() const;
  void start(LoaderState state);
  void begin_epoch();                   // from the state; after an epoch that was left early, the next one
  std::unique_ptr<LoadedBatch> next();  // null at the end of the epoch

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tapetum::data
