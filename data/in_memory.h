// Keeps what is slow to make: decoded files, procedural pictures.
#pragma once
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "data/dataset.h"

namespace tapetum::data {

// Each sample is made once, when it is first asked for, and kept. Only for data sets that draw nothing from the stream: augment outside,
// Transformed(InMemory(set), ...). Copies share the samples.
template <Dataset D> class InMemory {
 public:
  explicit InMemory(D dataset) : kept_(std::make_shared<Kept>(std::move(dataset))) {}
  int64_t size() const { return kept_->dataset.size(); }
  SampleOf<D> get(int64_t index, RandomStream& stream) const {
    if (index < 0 || index >= size()) return kept_->dataset.get(index, stream);  // the data set's own error
    Slot& slot = kept_->slots[static_cast<size_t>(index)];
    std::call_once(slot.made, [&] { slot.sample = kept_->dataset.get(index, stream); });  // one that throws is tried again
    return slot.sample;
  }
  std::string name(int64_t index) const { return name_of_sample(kept_->dataset, index); }

 private:
  struct Slot {
    std::once_flag made;
    SampleOf<D> sample;
  };
  struct Kept {
    explicit Kept(D d) : dataset(std::move(d)), slots(static_cast<size_t>(dataset.size())) {}
    D dataset;
    std::vector<Slot> slots;
  };
  std::shared_ptr<Kept> kept_;
};

}  // namespace tapetum::data
