// What a data set is: samples by index, with all randomness (augmentation) from the stream that get() is handed.
#pragma once
#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/tensor.h"
#include "data/sample.h"

namespace tapetum::data {

// A sample is a struct that names its tensors once, in fields(): collating, copies to a GPU and files go over it. get() is called from several
// threads at once. An optional `std::string name(int64_t index) const` names the sample in errors.
template <class D>
concept Dataset = requires(const D& d, int64_t index, RandomStream& stream) {
  { d.size() } -> std::convertible_to<int64_t>;
  d.get(index, stream);
};

template <class D> using SampleOf = decltype(std::declval<const D&>().get(int64_t{0}, std::declval<RandomStream&>()));

template <Dataset D> std::string name_of_sample(const D& d, int64_t index) {
  if constexpr (requires { d.name(index); }) return d.name(index);
  return {};
}

// Any data set of one sample type, behind one type: what is chosen at run time. Copies share the data set.
template <class Sample> class AnyDataset {
 public:
  template <Dataset D>
  requires(!std::same_as<D, AnyDataset>) AnyDataset(D d) : held_(std::make_shared<Held<D>>(std::move(d))) {}
  int64_t size() const { return held_->size(); }
  Sample get(int64_t index, RandomStream& stream) const { return held_->get(index, stream); }
  std::string name(int64_t index) const { return held_->name(index); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual int64_t size() const = 0;
    virtual Sample get(int64_t index, RandomStream& stream) const = 0;
    virtual std::string name(int64_t index) const = 0;
  };
  template <class D> struct Held final : Base {
    explicit Held(D d) : dataset(std::move(d)) {}
    int64_t size() const override { return dataset.size(); }
    Sample get(int64_t index, RandomStream& stream) const override { return dataset.get(index, stream); }
    std::string name(int64_t index) const override { return name_of_sample(dataset, index); }
    D dataset;
  };
  std::shared_ptr<const Base> held_;
};

using ImageData = AnyDataset<ImageSample>;

// Some samples of a data set, in the order of `indices`.
template <Dataset D> class Subset {
 public:
  Subset(D dataset, std::vector<int64_t> indices) : dataset_(std::move(dataset)), indices_(std::move(indices)) {}
  int64_t size() const { return static_cast<int64_t>(indices_.size()); }
  SampleOf<D> get(int64_t index, RandomStream& stream) const { return dataset_.get(indices_.at(static_cast<size_t>(index)), stream); }
  std::string name(int64_t index) const { return name_of_sample(dataset_, indices_.at(static_cast<size_t>(index))); }
  const std::vector<int64_t>& indices() const { return indices_; }

  // Of a data set that has classes: data/classification.h.
  std::vector<int64_t> labels() const requires requires(const D& d) { d.labels(); }
  {
    const std::vector<int64_t> all = dataset_.labels();
    std::vector<int64_t> some;
    for (int64_t i : indices_) some.push_back(all.at(static_cast<size_t>(i)));
    return some;
  }
  const std::vector<std::string>& classes() const requires requires(const D& d) { d.classes(); }
  { return dataset_.classes(); }

 private:
  D dataset_;
  std::vector<int64_t> indices_;
};

// `fraction` of `count` indices, drawn by `seed` and in ascending order, second; the others first. Either part gets at least one sample:
// throws ShapeError when that cannot be, and for a fraction outside 0..1.
std::pair<std::vector<int64_t>, std::vector<int64_t>> split_indices(int64_t count, double fraction, uint64_t seed);

template <Dataset D> std::pair<Subset<D>, Subset<D>> split(const D& dataset, double fraction, uint64_t seed) {
  auto [first, second] = split_indices(dataset.size(), fraction, seed);
  return {Subset<D>(dataset, std::move(first)), Subset<D>(dataset, std::move(second))};
}

}  // namespace tapetum::data
