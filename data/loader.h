// Batches of a data set, loaded ahead by worker threads.
//
//   DataLoader loader(SyntheticCells({.count = 64}), {.batch_size = 4, .shuffle = true, .workers = 2});
//   for (int epoch = 0; epoch < 10; ++epoch)
//     for (auto& batch : loader) step(batch.image, batch.mask);
//
// Each loop over the loader is the next epoch, with an order of its own. Order and augmentation follow from (seed, epoch, index) alone,
// never from the number of workers. An error in a worker is thrown here, as SampleError, when its batch is due; the loop may go on after
// it. state() and start() resume exactly; leaving a loop early, and destroying the loader at any time, are fine. With `device` on a GPU,
// batches are copied there ahead, through pinned memory, and are for work on the stream that was current when the loader was made.
#pragma once
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "data/collate.h"
#include "data/dataset.h"
#include "data/loader_core.h"
#include "data/transfer.h"

namespace tapetum::data {

template <Dataset D> class DataLoader {
 public:
  using Sample = SampleOf<D>;

  DataLoader(D dataset, const LoaderOptions& options)
      : core_(std::make_unique<LoaderCore>(std::make_unique<Source>(std::move(dataset), options.device), options)) {}

  class Iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = Sample;
    explicit Iterator(DataLoader* loader) : loader_(loader) { ++*this; }
    Sample& operator*() const { return loader_->current_->batch; }
    Iterator& operator++() {
      loader_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !loader_->current_; }

   private:
    DataLoader* loader_;
  };

  Iterator begin() {
    core_->begin_epoch();
    return Iterator(this);
  }
  std::default_sentinel_t end() const { return {}; }

  int64_t size() const { return core_->batches_per_epoch(); }  // batches in an epoch
  const D& dataset() const { return source().dataset; }
  LoaderState state() const { return core_->state(); }
  void start(int64_t epoch, int64_t batch = 0) { core_->start({epoch, batch}); }  // where the next loop begins

 private:
  struct Batch final : LoadedBatch {
    std::vector<Sample> samples;
    Sample batch;
    std::optional<cuda::Event> arrival;  // of a batch on its way to a GPU
  };

  struct Source final : BatchSource {
    Source(D d, Device device) : dataset(std::move(d)) {
      if (device.kind == DeviceKind::cuda) transfer.emplace(device);
    }
    int64_t size() const override { return dataset.size(); }
    std::unique_ptr<LoadedBatch> begin_batch(size_t count) const override {
      auto batch = std::make_unique<Batch>();
      batch->samples.reserve(count);
      return batch;
    }
    void add_sample(LoadedBatch& batch, int64_t index, RandomStream stream) const override {
      static_cast<Batch&>(batch).samples.push_back(dataset.get(index, stream));
    }
    void finish_batch(LoadedBatch& loaded) const override {
      auto& batch = static_cast<Batch&>(loaded);
      batch.batch = collate(batch.samples);
      batch.samples.clear();
      if (!transfer) return;
      Sample::fields(batch.batch, [&](const char*, Tensor& t) {
        if (t.defined()) t = transfer->start(t);
      });
      batch.arrival = transfer->arrival();
    }
    std::string name(int64_t index) const override { return name_of_sample(dataset, index); }
    D dataset;
    std::optional<Transfer> transfer;
  };
  const Source& source() const { return static_cast<const Source&>(core_->source()); }

  void advance() {
    current_.reset();
    current_.reset(static_cast<Batch*>(core_->next().release()));
    if (current_ && current_->arrival) source().transfer->wait_for(*current_->arrival);
  }

  std::unique_ptr<LoaderCore> core_;
  std::unique_ptr<Batch> current_;
};

}  // namespace tapetum::data
