#include "data/transforms/compose.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"

namespace tapetum::data {
namespace {

void check_steps(const char* name, const std::vector<Transform>& steps, size_t least) {
  if (steps.size() < least) throw Error(fmt::format("{}: expected at least {} transform, got {}", name, least, steps.size()));
  for (size_t i = 0; i < steps.size(); ++i)
    if (!steps[i]) throw Error(fmt::format("{}: transform {} is empty", name, i));
}

// The stricter of both.
TargetRules joined(const TargetRules& a, const Compose& b) {
  return {std::max(a.min_visibility, b.min_visibility), std::max(a.min_area, b.min_area), a.drop_empty_boxes || b.drop_empty_boxes,
          a.keep_outside_keypoints || b.keep_outside_keypoints};
}

// Sets a sample's rules for as long as it lives, through exceptions too.
class ScopedRules {
 public:
  ScopedRules(ImageSample& sample, const TargetRules& rules) : sample_(sample), outer_(sample.rules) { sample.rules = rules; }
  ~ScopedRules() { sample_.rules = outer_; }
  ScopedRules(const ScopedRules&) = delete;

 private:
  ImageSample& sample_;
  TargetRules outer_;
};

}  // namespace

void Compose::check() const {
  check_steps(kName, transforms, 0);
  if (!(min_visibility >= 0 && min_visibility <= 1)) throw Error(fmt::format("{}: expected min_visibility of 0 to 1, got {}", kName, min_visibility));
  if (!(min_area >= 0)) throw Error(fmt::format("{}: expected min_area of 0 or more, got {}", kName, min_area));
}

void Compose::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const ScopedRules scoped(sample, joined(sample.rules, *this));
  check_sample(kName, sample);
  for (const Transform& step : transforms) step(sample, stream);
}

void OneOf::check() const {
  check_steps(kName, transforms, 1);
  if (weights.empty()) return;
  if (weights.size() != transforms.size())
    throw Error(fmt::format("{}: expected a weight for each of {} transforms, got {}", kName, transforms.size(), weights.size()));
  double sum = 0;
  for (const double w : weights) {
    if (!(w >= 0)) throw Error(fmt::format("{}: expected weights of 0 or more, got {}", kName, w));
    sum += w;
  }
  if (!(sum > 0)) throw Error(fmt::format("{}: expected a weight above 0", kName));
}

void OneOf::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  if (weights.empty()) {
    transforms[static_cast<size_t>(stream.integer(static_cast<int64_t>(transforms.size())))](sample, stream);
    return;
  }
  double sum = 0;
  for (const double w : weights) sum += w;
  double at = stream.uniform(0, sum);
  size_t chosen = 0;
  for (size_t i = 0; i < weights.size() && at >= 0; ++i)
    if (weights[i] > 0) chosen = i, at -= weights[i];
  transforms[chosen](sample, stream);
}

void SomeOf::check() const {
  check_steps(kName, transforms, 1);
  if (n < 1 || n > static_cast<int64_t>(transforms.size()))
    throw Error(fmt::format("{}: expected n of 1 to {}, got {}", kName, transforms.size(), n));
}

// Each step is taken with the probability that is left for it, so that every choice of n is alike.
void SomeOf::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  int64_t wanted = n, left = static_cast<int64_t>(transforms.size());
  for (const Transform& step : transforms)
    if (stream.integer(left--) < wanted) {
      --wanted;
      step(sample, stream);
    }
}

void RandomApply::check() const { check_steps(kName, transforms, 0); }

void RandomApply::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  for (const Transform& step : transforms) step(sample, stream);
}

}  // namespace tapetum::data
