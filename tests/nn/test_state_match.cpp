#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/nearest.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "nn/containers.h"
#include "nn/conv.h"
#include "nn/init.h"
#include "nn/norm.h"
#include "nn/state_match.h"

namespace tapetum::nn {
namespace {

Sequential small() { return Sequential(Conv2d(1, 2, 3), BatchNorm2d(2)); }

}  // namespace

TEST_CASE("state match: what is missing, unexpected, of another shape, and probably renamed") {
  Sequential model = small();
  StateDict state = model.state_dict();
  REQUIRE(match_state(model, state).fits());
  REQUIRE(match_state(model, state).matching == 7);

  StateDict other;
  for (const auto& [name, t] : state)
    if (name != "1.running_mean") other.set(name == "0.weight" ? "conv.weight" : name, name == "0.bias" ? zeros({3}) : t);
  other.set("extra", zeros({2}));
  const StateMatch match = match_state(model, other);
  REQUIRE_FALSE(match.fits());
  REQUIRE(match.matching == 4);
  REQUIRE(match.report.missing == std::vector<std::string>{"0.weight", "1.running_mean"});
  REQUIRE(match.report.unexpected == std::vector<std::string>{"conv.weight", "extra"});
  REQUIRE(match.report.mismatched == std::vector<std::string>{"0.bias [3], expected [2]"});
  REQUIRE(match.renamed == std::vector<std::pair<std::string, std::string>>{{"0.weight", "conv.weight"}, {"1.running_mean", "extra"}});
  REQUIRE(match.summary() ==
          "4 of 7 tensors fit; 2 missing: 0.weight, 1.running_mean; 2 unexpected: conv.weight, extra; 1 of another shape: 0.bias [3], expected [2]");
  REQUIRE(match_state(model, other, 0).renamed.empty());
}

TEST_CASE("load_state_dict: files from before batches were counted load, and the count stays") {
  Sequential model = small();
  StateDict state;
  for (const auto& [name, t] : model.state_dict())
    if (name != "1.num_batches_tracked") state.set(name, t + 1);
  REQUIRE(model.load_state_dict(state).complete());
  REQUIRE(model.state_dict().at("1.num_batches_tracked").item() == 0);
  REQUIRE(model.state_dict().at("1.running_mean").data<float>()[0] == 1);
}

TEST_CASE("init: skipped while a Skip lives, on this thread, nested too") {
  Parameter p(zeros({4}));
  {
    const init::Skip skip;
    { const init::Skip inner; }
    init::ones_(p);
    init::normal_(p);
    init::trunc_normal_(p);
  }
  for (float v : p.span<float>()) REQUIRE(v == 0);
  init::ones_(p);
  for (float v : p.span<float>()) REQUIRE(v == 1);
}

TEST_CASE("nearest: by letters to change") {
  REQUIRE(edit_distance("", "abc") == 3);
  REQUIRE(edit_distance("kitten", "sitting") == 3);
  REQUIRE(nearest("resnet19", {"vgg16", "resnet18", "resnet101"}, 2) == std::vector<std::string>{"resnet18", "resnet101"});
  REQUIRE(nearest("x", {}, 3).empty());
}

}  // namespace tapetum::nn
