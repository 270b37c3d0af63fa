#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "tapetum.h"

namespace tapetum {
namespace {

struct Results {
  std::vector<Tensor> training;  // output, gradients, buffers after a step
  Tensor evaluation;             // behind it
  std::set<std::string> ops;     // of that
};

template <class M> Results results(M& model, const Tensor& x, bool fused) {
  const bool before = nn::fusion();
  nn::set_fusion(fused);
  model.train();
  model.zero_grad();
  Tensor y = model(x);
  mean(y * y).backward();
  Results r{{y.detach()}, {}, {}};
  for (const Tensor& p : model.parameters()) r.training.push_back(p.grad());
  for (const Tensor& b : model.buffers()) r.training.push_back(to(b, DType::f64));
  model.eval();
  {
    InferenceMode mode;
    profiler::Profile profile;
    r.evaluation = model(x);
    for (const profiler::Event& e : profile.events())
      if (e.kind == profiler::Kind::op) r.ops.insert(e.name);
  }
  nn::set_fusion(before);
  return r;
}

double greatest_difference(const Tensor& a, const Tensor& b) { return amax(abs(a - b)).item(); }

// `tolerance` of training; in evaluation convolutions apply their norms, which rounds otherwise: differences are a share of the greatest value.
template <class M> void check(M& together, M& apart, const Tensor& x, double tolerance) {
  const Results a = results(together, x, true), b = results(apart, x, false);
  REQUIRE(a.training.size() == b.training.size());
  for (size_t i = 0; i < a.training.size(); ++i) {
    INFO("tensor " << i);
    REQUIRE(greatest_difference(a.training[i], b.training[i]) <= tolerance);
  }
  const double share = x.dtype() == DType::f32 ? 2e-5 : 1e-12;
  REQUIRE(greatest_difference(a.evaluation, b.evaluation) <= share * amax(abs(b.evaluation)).item());
  REQUIRE(a.ops.count("conv2d_act") == 1);
  for (const char* norm : {"batch_norm_inference", "batch_norm_act_inference"}) REQUIRE(a.ops.count(norm) == 0);
  REQUIRE(b.ops.count("conv2d_act") == 0);
  REQUIRE(b.ops.count("batch_norm_inference") == 1);
}

}  // namespace

// One of each block that has a batch norm. ReLU is the same bits; SiLU is compared in f64.
TEST_CASE("fuse: networks give what they give layer by layer, in training and in evaluation") {
  struct Row {
    const char* name;
    int64_t size;
    DType dtype;
  };
  const Row rows[] = {{"simple_cnn", 8, DType::f32},       {"resnet18", 33, DType::f32},          {"resnet50", 33, DType::f32},
                      {"resnet20", 11, DType::f32},        {"mobilenet_v2", 33, DType::f32},      {"mobilenet_v3_small", 33, DType::f32},
                      {"efficientnet_b0", 33, DType::f64}, {"efficientnet_lite0", 33, DType::f32}};
  for (const Row& row : rows) {
    INFO(row.name);
    manual_seed(3);
    const bool sized = std::string(row.name) == "simple_cnn";
    auto together = models::create(row.name, {.classes = 3, .image_size = sized ? row.size : 0, .dropout = 0, .drop_path = 0});
    together->to(row.dtype);
    auto apart = together;
    check(*together, *apart, to(randn({2, 3, row.size, row.size}), row.dtype), row.dtype == DType::f32 ? 0 : 1e-9);
  }
}

TEST_CASE("fuse: a U-Net gives what it gives layer by layer") {
  manual_seed(3);
  models::UNet together({.width = 4, .depth = 2}), apart = nn::clone(together);
  check(together, apart, randn({2, 3, 16, 21}), 0);
}

}  // namespace tapetum
