#include "examples/common/classifier.h"

#include <fmt/format.h>

#include <optional>

#include "core/error.h"
#include "data/file.h"
#include "models/presets.h"
#include "nn/init.h"
#include "nn/state_match.h"

namespace tp = tapetum;

namespace programs {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string from_metadata(const tp::Metadata& metadata, const char* key) {
  const auto at = metadata.find(key);
  return at == metadata.end() ? "" : at->second;
}

[[noreturn]] void throw_unfit(const ClassifierSource& source, const std::string& name, const tp::nn::StateMatch& match,
                              const tp::StateDict& weights) {
  const auto others = models_that_fit(weights);
  const std::string remedy = others.empty() ? fmt::format("`weights diff {} --model {}` lists the names", source.weights, name)
                                            : fmt::format("they are those of --model {}", fmt::join(others, " or "));
  throw tp::Error(fmt::format("{}: not the weights of {}: {}; {}", source.weights, name, match.summary(), remedy));
}

}  // namespace

tp::nn::Box<tp::models::Classifier> model_for(const std::string& name, tp::StateDict weights, const tp::models::CreateOptions& options) {
  const tp::nn::init::Skip skip;
  auto model = tp::models::create(name, options);
  model->adapt(weights);
  tp::models::CreateOptions fitted = options;
  const std::string last = std::string(model->classifier_name()) + ".weight";
  if (const tp::Tensor* w = weights.find(last); w && w->dim() >= 2 && w->size(0) > 0 && !options.classes) fitted.classes = w->size(0);
  for (const auto& [key, t] : model->state_dict())
    if (t.dim() == 4) {  // the first convolution
      if (const tp::Tensor* w = weights.find(key); w && w->dim() == 4 && w->size(1) > 0) fitted.in_channels = w->size(1);
      break;
    }
  if (fitted.classes != options.classes || fitted.in_channels != options.in_channels) model = tp::models::create(name, fitted);
  return model;
}

tp::nn::StateMatch adapted_match(tp::models::Classifier& model, tp::StateDict weights, size_t most) {
  model.adapt(weights);
  return tp::nn::match_state(model, weights, most);
}

std::vector<std::string> models_that_fit(const tp::StateDict& weights) {
  std::vector<std::string> names;
  for (const tp::models::ModelEntry& entry : tp::models::list())
    if (auto model = model_for(entry.name, weights, {}); adapted_match(*model, weights, 0).fits()) names.push_back(entry.name);
  return names;
}

LoadedClassifier load_classifier(const ClassifierSource& source) {
  tp::Weights weights = tp::load_weights(source.weights, {.key = source.key});
  const std::string name = source.model.empty() ? from_metadata(weights.metadata, "model") : source.model;
  if (name.empty()) throw tp::Error(fmt::format("{}: does not say which model it belongs to: --model NAME is needed", source.weights));
  const auto chosen = tp::models::preset_for(name, weights, weights.metadata);
  auto model = model_for(name, weights, {.image_size = chosen.preprocess.crop});
  model->adapt(weights);
  const tp::nn::StateMatch match = tp::nn::match_state(*model, weights, 0);
  if (!match.fits()) throw_unfit(source, name, match, weights);
  model->load_state_dict(weights);
  model->eval();
  const int64_t classes = weights.at(std::string(model->classifier_name()) + ".weight").size(0);
  return {name, std::move(model), classes, chosen.preprocess, chosen.reason, lines_of(from_metadata(weights.metadata, "classes")), weights.notes};
}

std::vector<std::string> read_labels_file(const std::string& path, int64_t classes) {
  std::vector<std::string> labels;
  for (std::string line : lines_of(tp::data::read_file(path))) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) labels.push_back(line.substr(line.rfind('\t') + 1));
  }
  if (static_cast<int64_t>(labels.size()) != classes)
    throw tp::FormatError(fmt::format("{}: has {} names, but the weights have {} classes: one name a line is needed", path, labels.size(), classes));
  return labels;
}

tp::Metadata classifier_metadata(const std::string& model, const std::vector<std::string>& labels, const tp::data::Preprocess& preprocess) {
  return {{"model", model}, {"classes", fmt::format("{}", fmt::join(labels, "\n"))}, {"preprocess", to_string(preprocess)}};
}

}  // namespace programs
