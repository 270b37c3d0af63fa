#include <catch2/catch.hpp>
#include <fmt/core.h>
#include <fstream>
#include <sstream>

#include "tapetum.h"
#include "tests/fixtures.h"

namespace tapetum {
namespace {

struct Recorded {
  std::string name;
  int64_t parameters;
  std::vector<std::string> keys;   // "conv1.weight 64x3x7x7"
  std::vector<std::string> drops;  // "classifier.0 0.5": names of modules and their probabilities
};

void add_module(Recorded& model, const std::string& line) {
  std::istringstream words(line);
  std::string module, name, shape;
  words >> module;
  const std::string prefix = module == "." ? "" : module + '.';
  while (words >> name >> shape) {
    if (name == "p") {
      model.drops.push_back(module + ' ' + shape);
      continue;
    }
    if (name != "norm") {
      model.keys.push_back(prefix + name + ' ' + shape);
      continue;
    }
    for (const char* tensor : {"weight", "bias", "running_mean", "running_var"}) model.keys.push_back(prefix + tensor + ' ' + shape);
    model.keys.push_back(prefix + "num_batches_tracked ");
  }
}

std::vector<Recorded> recorded_models() {
  std::vector<Recorded> models;
  std::ifstream file(test::fixture("models.keys"));
  for (std::string line; std::getline(file, line);) {
    if (line[0] == '[')
      models.push_back({line.substr(1, line.find(']') - 1), std::stoll(line.substr(line.find(']') + 1)), {}, {}});
    else
      add_module(models.back(), line);
  }
  return models;
}

std::vector<std::string> keys_of(nn::Module& model) {
  std::vector<std::string> keys;
  for (const auto& [key, t] : model.state_dict()) {
    std::string shape;
    for (const int64_t n : t.shape()) shape += (shape.empty() ? "" : "x") + std::to_string(n);
    keys.push_back(key + ' ' + shape);
  }
  return keys;
}

std::vector<std::string> drops_of(nn::Module& model) {
  std::vector<std::string> drops;
  for (const auto& [name, module] : model.named_modules()) {
    const auto* dropout = dynamic_cast<nn::Dropout*>(module);
    const auto* path = dynamic_cast<nn::DropPath*>(module);
    if (const double p = dropout ? dropout->p : path ? path->p : 0; p > 0) drops.push_back(fmt::format("{} {:.6g}", name, p));
  }
  return drops;
}

bool large(const Recorded& model) { return model.parameters > 30'000'000; }

void check_keys(bool of_large_ones) {
  int64_t models = 0;
  for (const Recorded& expected : recorded_models()) {
    if (large(expected) != of_large_ones) continue;
    INFO(expected.name);
    ++models;
    const nn::init::Skip skip;
    auto model = models::create(expected.name);
    const auto keys = keys_of(*model);
    for (size_t i = 0; i < std::min(keys.size(), expected.keys.size()); ++i) REQUIRE(keys[i] == expected.keys[i]);
    REQUIRE(keys.size() == expected.keys.size());
    REQUIRE(model->parameter_count() == expected.parameters);
    REQUIRE(drops_of(*model) == expected.drops);
  }
  REQUIRE(models > 10);
}

}  // namespace

TEST_CASE("zoo: keys, shapes, their order and what is dropped are torchvision's", "[parity]") { check_keys(false); }
TEST_CASE("zoo: keys, shapes, their order and what is dropped are torchvision's, in large networks", "[parity][slow]") { check_keys(true); }

TEST_CASE("zoo: every name of the list has recorded keys") {
  const auto recorded = recorded_models();
  REQUIRE(recorded.size() == models::list().size());
  for (const models::ModelEntry& entry : models::list()) {
    INFO(entry.name);
    const auto same = [&](const Recorded& model) { return model.name == entry.name; };
    REQUIRE(std::find_if(recorded.begin(), recorded.end(), same) != recorded.end());
    REQUIRE(std::ifstream(test::fixture("../../models/" + std::string(entry.family) + ".h")).good());
  }
}

}  // namespace tapetum
