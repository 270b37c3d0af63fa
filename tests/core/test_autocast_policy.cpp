// Which op runs in which dtype, against PyTorch: tests/fixtures/autocast.tsv, made by make_autocast.py beside it.
#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "tapetum.h"
#include "tests/fixtures.h"

namespace tapetum::test {
namespace {

using Inputs = std::vector<Tensor>;
struct Row {
  const char* name;
  std::vector<Shape> shapes;
  std::function<Tensor(const Inputs&)> op;
};

const Shape square{4, 4}, image{2, 4, 8, 8}, four{4};
Tensor labels() { return zeros({2, 8, 8}, DType::i64); }

#define ONE(name)                                                \
  {                                                              \
#name, {square }, [](const Inputs& x) { return name(x[0]); } \
  }
#define TWO(name)                                                              \
  {                                                                            \
#name, {square, square }, [](const Inputs& x) { return name(x[0], x[1]); } \
  }

const std::vector<Row> rows = {
    {"conv1d", {{2, 3, 8}, {4, 3, 3}}, [](const Inputs& x) { return conv1d(x[0], x[1]); }},
    {"conv2d", {image, {4, 4, 3, 3}, four}, [](const Inputs& x) { return conv2d(x[0], x[1], x[2]); }},
    {"conv_transpose2d", {image, {4, 4, 2, 2}}, [](const Inputs& x) { return conv_transpose2d(x[0], x[1]); }},
    TWO(matmul),
    {"bmm", {{2, 4, 4}, {2, 4, 4}}, [](const Inputs& x) { return bmm(x[0], x[1]); }},
    {"linear", {square, square, four}, [](const Inputs& x) { return linear(x[0], x[1], x[2]); }},
    {"einsum",
     {square, square},
     [](const Inputs& x) {
       return tapetum::einsum("ij,jk->ik", {x[0], x[1]});
     }},
    {"scaled_dot_product_attention",
     {{1, 2, 4, 8}, {1, 2, 4, 8}, {1, 2, 4, 8}},
     [](const Inputs& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }},
    {"softmax", {square}, [](const Inputs& x) { return softmax(x[0], 1); }},
    {"log_softmax", {square}, [](const Inputs& x) { return log_softmax(x[0], 1); }},
    ONE(exp),
    ONE(log),
    ONE(log1p),
    {"pow", {square}, [](const Inputs& x) { return pow(x[0], 3); }},
    ONE(rsqrt),
    ONE(reciprocal),
    ONE(sum),
    ONE(prod),
    {"cumsum", {square}, [](const Inputs& x) { return cumsum(x[0], 1); }},
    ONE(norm),
    {"logsumexp", {square}, [](const Inputs& x) { return logsumexp(x[0], {1}); }},
    ONE(softplus),
    {"layer_norm", {square, four, four}, [](const Inputs& x) { return layer_norm(x[0], four, x[1], x[2]); }},
    {"group_norm", {image, four, four}, [](const Inputs& x) { return group_norm(x[0], 2, x[1], x[2]); }},
    {"batch_norm", {image, four, four}, [](const Inputs& x) { return batch_norm(x[0], {}, {}, x[1], x[2], {.training = true}); }},
    {"instance_norm", {image}, [](const Inputs& x) { return instance_norm(x[0]); }},
    TWO(cosine_similarity),
    TWO(cdist),
    TWO(mse_loss),
    TWO(l1_loss),
    TWO(smooth_l1_loss),
    TWO(huber_loss),
    TWO(kl_div),
    {"cross_entropy", {image}, [](const Inputs& x) { return cross_entropy(x[0], labels()); }},
    {"nll_loss", {image}, [](const Inputs& x) { return nll_loss(x[0], labels()); }},
    TWO(binary_cross_entropy),
    TWO(binary_cross_entropy_with_logits),
    ONE(mean),
    ONE(var),
    {"std", {square}, [](const Inputs& x) { return tapetum::std(x[0]); }},
    ONE(amax),
    ONE(abs),
    ONE(sqrt),
    ONE(sin),
    ONE(erf),
    ONE(sigmoid),
    ONE(tanh),
    ONE(relu),
    ONE(gelu),
    ONE(silu),
    ONE(mish),
    ONE(elu),
    ONE(hardswish),
    ONE(leaky_relu),
    {"clamp", {square}, [](const Inputs& x) { return clamp(x[0], 0, 1); }},
    {"max_pool2d", {image}, [](const Inputs& x) { return max_pool2d(x[0], 2); }},
    {"avg_pool2d", {image}, [](const Inputs& x) { return avg_pool2d(x[0], 2); }},
    {"adaptive_avg_pool2d", {image}, [](const Inputs& x) { return adaptive_avg_pool2d(x[0], 1); }},
    {"interpolate", {image}, [](const Inputs& x) { return interpolate(x[0], {.scale_factor = 2, .mode = Interpolation::bilinear}); }},
    {"pad",
     {image},
     [](const Inputs& x) {
       return pad(x[0], {1, 1, 1, 1}, {.mode = PadMode::reflect});
     }},
    {"dropout", {square}, [](const Inputs& x) { return dropout(x[0], 0.5); }},
    TWO(add),
    TWO(mul),
    TWO(div),
    TWO(maximum),
    {"cat",
     {square, square},
     [](const Inputs& x) {
       return tapetum::cat({x[0], x[1]});
     }},
    {"stack",
     {square, square},
     [](const Inputs& x) {
       return tapetum::stack({x[0], x[1]});
     }},
    {"where",
     {square, square},
     [](const Inputs& x) {
       return where(ones({4, 4}, DType::boolean), x[0], x[1]);
     }},
    {"grid_sample", {image, {2, 4, 4, 2}}, [](const Inputs& x) { return grid_sample(x[0], x[1]); }},
    {"scatter_add",
     {square, square},
     [](const Inputs& x) {
       return scatter_add(x[0], 0, zeros({4, 4}, DType::i64), x[1]);
     }},
    {"quantile", {square}, [](const Inputs& x) { return quantile(x[0], 0.5); }},
    {"sort", {square}, [](const Inputs& x) { return sort(x[0]).values; }},
    {"solve", {square, square}, [](const Inputs& x) { return linalg::solve(x[0], x[1]); }},
    {"inv", {square}, [](const Inputs& x) { return linalg::inv(x[0]); }},
    {"svdvals", {square}, [](const Inputs& x) { return linalg::svdvals(x[0]); }},
};

// What PyTorch does: the results' dtypes on the CPU for inputs in f32, in 16 bits and mixed, and the list for CUDA.
struct Policy {
  std::string cpu[3], cuda;
};
std::map<std::string, Policy> policies() {
  std::ifstream file(fixture("autocast.tsv"));
  std::map<std::string, Policy> all;
  for (std::string line; std::getline(file, line);) {
    if (line[0] == '#') continue;
    std::istringstream fields(line);
    std::string name;
    Policy p;
    fields >> name >> p.cpu[0] >> p.cpu[1] >> p.cpu[2] >> p.cuda;
    all[name] = p;
  }
  return all;
}

// The lists for CUDA hold on every device. What they do not name is as on the CPU.
std::string expected(const std::string& name, const Policy& p, int inputs) {
  const std::string as_given[] = {"f32", "bf16", "bf16"};
  if (name == "interpolate" || name == "pad") return as_given[inputs];  // docs/mixed-precision.md says why
  if (p.cuda == "lower") return "bf16";
  if (p.cuda == "f32") return "f32";
  if (p.cuda == "promote") return inputs == 1 ? "bf16" : "f32";
  return p.cpu[inputs];
}

}  // namespace

TEST_CASE("autocast: every op's result has the dtype that PyTorch's lists say", "[parity]") {
  const auto known = policies();
  REQUIRE(known.size() == rows.size());
  for (const Row& row : rows)
    for (int inputs = 0; inputs < 3; ++inputs) {
      std::vector<Tensor> xs;
      manual_seed(1);
      for (const Shape& s : row.shapes) xs.push_back(to(rand(s, 0.25, 0.75), inputs == 0 || (inputs == 2 && !xs.empty()) ? DType::f32 : DType::bf16));
      INFO(row.name << ", inputs " << inputs);
      Autocast amp(DeviceKind::cpu, DType::bf16);
      REQUIRE(name_of(row.op(xs).dtype()) == expected(row.name, known.at(row.name), inputs));
    }
}

TEST_CASE("autocast: losses of our own and their weights are in f32") {
  const Tensor x = to(rand({2, 3, 4, 4}), DType::bf16), weight = to(ones({3}), DType::bf16), classes = zeros({2, 4, 4}, DType::i64);
  Autocast amp(DeviceKind::cpu, DType::bf16);
  REQUIRE(dice_loss(x, classes).dtype() == DType::f32);
  REQUIRE(focal_loss(x, classes, {.alpha = weight}).dtype() == DType::f32);
  REQUIRE(sigmoid_focal_loss(x, zeros(x.shape())).dtype() == DType::f32);
  REQUIRE(cross_entropy(x, classes, {.weight = weight}).dtype() == DType::f32);
  REQUIRE(nll_loss(x, classes, {.weight = weight}).dtype() == DType::f32);
  REQUIRE(binary_cross_entropy_with_logits(x, zeros(x.shape()), {.pos_weight = to(ones({4}), DType::bf16)}).dtype() == DType::f32);
}

}  // namespace tapetum::test
