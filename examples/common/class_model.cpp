#include "examples/common/class_model.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "core/error.h"
#include "core/serialization/weights.h"
#include "examples/common/classifier.h"
#include "models/presets.h"
#include "nn/init.h"
#include "nn/state_match.h"

namespace tp = tapetum;

namespace programs {
namespace {

tp::models::CreateOptions create_options(const ClassOptions& o, const ClassSets& sets, const tp::data::Preprocess& p) {
  return {.classes = static_cast<int64_t>(sets.classes.size()),
          .in_channels = p.channels(),
          .image_size = p.crop,
          .dropout = o.dropout,
          .drop_path = o.drop_path};
}

tp::Size2 own_size(const std::string& name) {
  for (const tp::models::ModelEntry& m : tp::models::list())
    if (name == m.name) return m.image_size;
  return 224;  // create() will say that there is no such model
}

// A last layer as nn::Linear and nn::Conv2d begin. Some architectures begin it for a thousand classes, which is far too much for a few.
void begin_head(ClassModel& m) {
  for (auto& [name, t] : m.model->named_parameters()) {
    if (!name.starts_with(m.head())) continue;
    if (t.dim() > 1)
      tp::nn::init::kaiming_uniform_(t, {.a = std::sqrt(5.0)});
    else
      tp::nn::init::zeros_(t);
  }
}

// All tensors but those of the last layer come from the file.
void load_backbone(const ClassOptions& o, tp::Weights& weights, ClassModel& m) {
  m.model->adapt(weights);
  tp::StateDict state;
  for (const auto& [name, t] : m.model->state_dict()) {
    const tp::Tensor* from = weights.find(name);
    if (name.starts_with(m.head()))
      state.set(name, t);
    else if (from)
      state.set(name, *from);
  }
  const tp::nn::StateMatch match = tp::nn::match_state(*m.model, state, 0);
  if (!match.fits()) {
    const auto others = models_that_fit(weights);
    throw tp::Error(fmt::format("{}: not the weights of {}: {}{}", o.weights, m.name, match.summary(),
                                others.empty() ? "" : fmt::format("; they are those of --model {}", fmt::join(others, " or "))));
  }
  m.model->load_state_dict(state);
  begin_head(m);
}

}  // namespace

ClassModel make_class_model(const ClassOptions& o, const ClassSets& sets) {
  if (o.weights.empty()) {
    const tp::data::Preprocess p = preprocess_for(o, own_size(o.model));
    return {o.model, tp::models::create(o.model, create_options(o, sets, p)), p, {}};
  }
  tp::Weights weights = tp::load_weights(o.weights, {.key = o.key});
  const auto said = weights.metadata.find("model");
  const std::string name = o.model.empty() && said != weights.metadata.end() ? said->second : o.model;
  if (name.empty()) throw tp::Error(fmt::format("{}: does not say which model it belongs to: --model NAME is needed", o.weights));
  const tp::models::ChosenPreset preset = tp::models::preset_for(name, weights, weights.metadata);
  tp::data::Preprocess p = preset.preprocess;
  if (!(o.size == tp::Size2(0))) {
    p.resize = p.resize * std::min(o.size.h, o.size.w) / std::min(p.crop.h, p.crop.w);
    p.crop = o.size;
  }
  ClassModel m{name, tp::models::create(name, create_options(o, sets, p)), p, weights.notes};
  m.notes.push_back(fmt::format("preprocessing {}", preset.reason));
  load_backbone(o, weights, m);
  return m;
}

std::vector<RatedParameters> rated_parameters(const ClassOptions& o, ClassModel& m) {
  std::map<std::string, RatedParameters> groups;  // by prefix; "" has all the others
  const auto prefix_of = [&](const std::string& key) { return key == "head" ? m.head() : key; };
  groups[""].lr = o.freeze == "backbone" ? 0 : o.lr;
  for (const auto& [key, rate] : o.group_lr) groups[prefix_of(key)].lr = rate;
  for (auto& [name, t] : m.model->named_parameters()) {
    std::string best;
    for (const auto& [prefix, group] : groups)
      if (name.starts_with(prefix) && prefix.size() > best.size()) best = prefix;
    if (groups[best].lr == 0) t.set_requires_grad(false);
    groups[best].parameters.push_back(t);
  }
  std::vector<RatedParameters> rated;
  for (const auto& [key, rate] : o.group_lr)
    if (groups[prefix_of(key)].parameters.empty())
      throw UsageError(fmt::format("--lr-{}: no parameter of {} has a name that begins so", key, m.name));
  for (auto& [prefix, group] : groups)
    if (group.lr > 0 && !group.parameters.empty()) rated.push_back(std::move(group));
  if (rated.empty()) throw UsageError("every learning rate is 0: nothing would learn");
  return rated;
}

}  // namespace programs
