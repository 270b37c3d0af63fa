// A step of augmentation behind one type: what it is called, its options, and what it does to a sample.
//
//   const Transform augment = Compose{.transforms = {HorizontalFlip{}, OneOf{.transforms = {GaussianBlur{}, MotionBlur{}}, .p = 0.3},
//                                                       ToTensor{}}};
//   augment(sample, stream);          // image, mask, boxes and keypoints together
//   print(to_string(augment));        // Compose( HorizontalFlip(p=0.5), ...
//   to_json(augment), transform_from_json(text, "augment.json")
//
// A transform is a struct: public options, `static constexpr const char* kName`, fields(), and operator()(ImageSample&, RandomStream&)
// const. All its randomness comes from the stream. It replaces the sample's tensors and never writes into them: a data set may hand out
// those that it keeps. It is called from several threads at once. Its option p is the probability that it does anything.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/random.h"
#include "data/dataset.h"
#include "data/sample.h"
#include "data/transforms/options.h"

namespace tapetum::data {

void check_probability(const char* name, double p);  // throws Error unless 0 to 1
void check_range(const char* name, const char* option, Range range, double least, double most);
void check_range(const char* name, const char* option, IntRange range, int64_t least, int64_t most);

// Copies share the step. One made from a struct whose options make no sense throws: `p` and what its check() looks at.
class Transform {
 public:
  Transform() = default;  // must not be called
  template <class T>
  requires(!std::is_same_v<std::remove_cvref_t<T>, Transform> && std::is_invocable_v<const std::remove_cvref_t<T>&, ImageSample&, RandomStream&>)
      Transform(T&& step)
      : held_(std::make_shared<const Held<std::remove_cvref_t<T>>>(std::forward<T>(step))) {}

  explicit operator bool() const { return static_cast<bool>(held_); }
  void operator()(ImageSample& sample, RandomStream& stream) const { held_->apply(sample, stream); }
  const char* name() const { return held_->name(); }                          // null: a callable without a name
  void visit(OptionVisitor& visitor) const { held_->visit(visitor, false); }  // sees copies of the options
  void visit_defaults(OptionVisitor& visitor) const { held_->visit(visitor, true); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void apply(ImageSample& sample, RandomStream& stream) const = 0;
    virtual const char* name() const = 0;
    virtual void visit(OptionVisitor& visitor, bool defaults) const = 0;
  };
  template <class T> struct Held final : Base {
    template <class U> explicit Held(U&& s) : step(std::forward<U>(s)) {
      if constexpr (requires { T::kName; }) {
        check_probability(T::kName, step.p);
        if constexpr (requires { step.check(); }) step.check();
      }
    }
    void apply(ImageSample& sample, RandomStream& stream) const override { step(sample, stream); }
    const char* name() const override {
      if constexpr (requires { T::kName; })
        return T::kName;
      else
        return nullptr;
    }
    void visit(OptionVisitor& visitor, bool defaults) const override {
      if constexpr (requires { T::kName; }) {
        T copy = defaults ? T{} : step;
        T::fields(copy, visitor);
      }
    }
    T step;
  };
  std::shared_ptr<const Base> held_;
};

std::string to_string(
    const Transform& transform);  // `HorizontalFlip(p=0.5)`; one that holds others has a line for each, and for what is not the default

// {"transform": "HorizontalFlip", "p": 0.5}; what an option's default is may be left out, a list is a Compose. Reading is strict: an unknown
// transform or option, a wrong type and options that make no sense throw FormatError naming file, place and option.
std::string to_json(const Transform& transform);                                // throws Error for a step that has no name
Transform transform_from_json(std::string_view text, const std::string& name);  // `name` stands for the file in errors
Transform read_transform(const std::string& path);

std::vector<std::string> transform_names();  // of all that JSON can name

// A data set whose samples pass through a transform.
template <Dataset D> class Transformed {
 public:
  Transformed(D dataset, Transform transform) : dataset_(std::move(dataset)), transform_(std::move(transform)) {}
  int64_t size() const { return dataset_.size(); }
  ImageSample get(int64_t index, RandomStream& stream) const {
    ImageSample sample = dataset_.get(index, stream);
    transform_(sample, stream);
    return sample;
  }
  std::string name(int64_t index) const { return name_of_sample(dataset_, index); }

 private:
  D dataset_;
  Transform transform_;
};

}  // namespace tapetum::data
