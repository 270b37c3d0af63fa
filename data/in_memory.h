// Keeps what is slow to make: decoded files, procedural pictures.
#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"

namespace tapetum::data {

// Each sample is made once, when it is first asked for, and kept; errors are not. Only for data sets that draw nothing from the stream: augment
// outside, Transformed(InMemory(set), ...). Copies share the samples.
template <Dataset D> class InMemory {
 public:
  explicit InMemory(D dataset) : kept_(std::make_shared<Kept>(std::move(dataset))) {}
  int64_t size() const { return kept_->dataset.size(); }
  SampleOf<D> get(int64_t index, RandomStream& stream) const {
    if (index < 0 || index >= size()) return kept_->dataset.get(index, stream);  // the data set's own error
    Slot& slot = kept_->slots[static_cast<size_t>(index)];
    std::lock_guard lock(slot.mutex);
    if (!slot.sample) slot.sample = kept_->dataset.get(index, stream);
    return *slot.sample;
  }
  std::string name(int64_t index) const { return name_of_sample(kept_->dataset, index); }
  std::vector<int64_t> labels() const requires requires(const D& d) { d.labels(); }
  { return kept_->dataset.labels(); }
  const std::vector<std::string>& classes() const requires requires(const D& d) { d.classes(); }
  { return kept_->dataset.classes(); }

 private:
  struct Slot {
    std::mutex mutex;  // not std::once_flag: what throws in it is not tried again everywhere (GCC bug 66146)
    std::optional<SampleOf<D>> sample;
  };
  struct Kept {
    explicit Kept(D d) : dataset(std::move(d)), slots(static_cast<size_t>(dataset.size())) {}
    D dataset;
    std::vector<Slot> slots;
  };
  std::shared_ptr<Kept> kept_;
};

}  // namespace tapetum::data
