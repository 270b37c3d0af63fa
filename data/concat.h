// Data sets one after the other.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "data/classification.h"

namespace tapetum::data {

// Of one type: for several, ConcatDataset<ClassificationData>({Cifar10(...), ImageFolder(...)}). Data sets with classes must have the same ones,
// else FormatError.
template <Dataset D> class ConcatDataset {
 public:
  explicit ConcatDataset(std::vector<D> datasets) : datasets_(std::move(datasets)) {
    for (const D& d : datasets_) ends_.push_back(size() + d.size());
    if constexpr (Labelled<D>)
      for (const D& d : datasets_)
        if (d.classes() != datasets_[0].classes()) throw FormatError("concat_dataset: the data sets must have the same classes in the same order");
  }
  int64_t size() const { return ends_.empty() ? 0 : ends_.back(); }
  SampleOf<D> get(int64_t index, RandomStream& stream) const {
    const auto [dataset, within] = find(index);
    return datasets_[dataset].get(within, stream);
  }
  std::string name(int64_t index) const {
    const auto [dataset, within] = find(index);
    return name_of_sample(datasets_[dataset], within);
  }
  std::vector<int64_t> labels() const requires Labelled<D> {
    std::vector<int64_t> all;
    for (const D& d : datasets_) {
      const std::vector<int64_t> some = d.labels();
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }
  const std::vector<std::string>& classes() const requires Labelled<D> { return datasets_.at(0).classes(); }

 private:
  std::pair<size_t, int64_t> find(int64_t index) const {
    if (index < 0 || index >= size())
      throw IndexError("concat_dataset: expected an index below " + std::to_string(size()) + ", got " + std::to_string(index));
    size_t dataset = 0;
    while (index >= ends_[dataset]) ++dataset;
    return {dataset, dataset == 0 ? index : index - ends_[dataset - 1]};
  }
  std::vector<D> datasets_;
  std::vector<int64_t> ends_;  // samples in a data set and those before it
};

}  // namespace tapetum::data
