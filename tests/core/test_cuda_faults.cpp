// Bad indices and labels on a device: said where the host next waits, once, and with the words of the CPU.
#if defined(TAPETUM_WITH_CUDA)
#include <catch2/catch.hpp>

#include "tapetum.h"

namespace tapetum {
namespace {

const Device gpu = DeviceKind::cuda;

Tensor indices(std::initializer_list<double> values) { return tensor(values, {static_cast<int64_t>(values.size())}, DType::i64); }

// What f says on this device; empty: nothing.
template <class F> std::string complaint(Device device, F f) {
  try {
    f(device);
    if (device.kind == DeviceKind::cuda) cuda::synchronize(device);
  } catch (const IndexError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("cuda faults: every op says what the CPU says, but later", "[emulated]") {
  const std::vector<std::pair<const char*, void (*)(Device)>> calls = {
      {"gather",
       [](Device d) {
         gather(to(rand({3, 4}), d), 0, to(reshape(indices({0, 1, 2, 9}), {2, 2}), d));
       }},
      {"index_select",
       [](Device d) {
         index_select(to(rand({3, 4}), d), 1, to(indices({0, -1}), d));
       }},
      {"scatter",
       [](Device d) {
         scatter(to(rand({3}), d), 0, to(indices({0, 3}), d), 1.0);
       }},
      {"scatter_add",
       [](Device d) {
         scatter_add(to(rand({3}), d), 0, to(indices({7, 3}), d), to(ones({2}), d));
       }},
      {"embedding",
       [](Device d) {
         embedding(to(indices({1, 5}), d), to(rand({5, 2}), d));
       }},
      {"one_hot",
       [](Device d) {
         one_hot(to(indices({1, 5}), d), 5);
       }},
      {"index",
       [](Device d) {
         to(rand({3, 4}), d)(to(indices({0, 4}), d));
       }},
      {"cross_entropy",
       [](Device d) {
         cross_entropy(to(rand({2, 3, 2}), d), to(tensor({0, 1, 3, 2}, {2, 2}, DType::i64), d));
       }},
      {"nll_loss",
       [](Device d) {
         nll_loss(to(rand({2, 3}), d), to(indices({0, 3}), d));
       }},
      {"dice_loss",
       [](Device d) {
         dice_loss(to(rand({2, 3, 2}), d), to(tensor({0, 1, 3, 2}, {2, 2}, DType::i64), d));
       }},
      {"focal_loss",
       [](Device d) {
         focal_loss(to(rand({2, 3}), d), to(indices({0, -2}), d));
       }},
  };
  for (const auto& [name, call] : calls) {
    INFO(name);
    const std::string here = complaint(Device(), call), there = complaint(gpu, call);
    REQUIRE(here.rfind(name, 0) == 0);
    REQUIRE(there == here + " (found on 'cuda:0' after the call)");
  }
}

TEST_CASE("cuda faults: thrown once, by whatever waits next; other work is as it would be", "[emulated]") {
  const Tensor x = to(rand({3}), gpu), bad = to(indices({0, 1, 5, 9}), gpu), sum_of_good = sum(x);
  const double expected = sum_of_good.item();
  const cuda::Event event;
  gather(x, 0, bad);
  const Tensor later = sum(x * 2);
  SECTION("item") { REQUIRE_THROWS_WITH(later.item(), Catch::StartsWith("gather: index 5 at [2] is out of range for size 3")); }
  SECTION("to") { REQUIRE_THROWS_AS(to(later, Device()), IndexError); }
  SECTION("synchronize") { REQUIRE_THROWS_AS(cuda::synchronize(), IndexError); }
  SECTION("a stream") { REQUIRE_THROWS_AS(cuda::Stream::current().synchronize(), IndexError); }
  SECTION("an event") {
    event.record();
    REQUIRE_THROWS_AS(event.synchronize(), IndexError);
  }
  SECTION("nonzero") { REQUIRE_THROWS_AS(nonzero(later), IndexError); }
  REQUIRE(later.item() == 2 * expected);
  REQUIRE(to(gather(x, 0, bad * 0), Device()).numel() == 4);
}

TEST_CASE("cuda faults: calls that went wrong together are told together, and the gradient does not read wild", "[emulated]") {
  const Tensor x = to(rand({4, 3}), gpu).set_requires_grad(), labels = to(indices({0, 1, 77, 2}), gpu), weight = to(ones({3}), gpu);
  const Tensor loss = cross_entropy(x, labels, {.weight = weight});
  loss.backward();
  gather(x.detach(), 0, to(tensor({8}, {1, 1}, DType::i64), gpu));
  REQUIRE_THROWS_WITH(loss.item(), Catch::Contains("cross_entropy: label 77 at [2]") && Catch::Contains("; gather: index 8 at [0, 0]"));
  REQUIRE(sum(abs(select(x.grad(), 0, 2))).item() == 0);
}

TEST_CASE("cuda faults: of many the lowest is named", "[emulated]") {
  Tensor index = zeros({70000}, DType::i64);
  for (int64_t i = 4321; i < 70000; ++i) index.mutable_data<int64_t>()[i] = 3 + i;
  gather(to(rand({3}), gpu), 0, to(index, gpu));
  REQUIRE_THROWS_WITH(cuda::synchronize(), Catch::StartsWith("gather: index 4324 at [4321] is out of range"));
}

TEST_CASE("cuda faults: more different calls than there are records", "[emulated]") {
  const Tensor x = to(rand({3}), gpu);
  for (int64_t n = 1; n < 300; ++n) gather(x, 0, to(zeros({n}, DType::i64), gpu));
  gather(x, 0, to(full({300}, 4, DType::i64), gpu));
  REQUIRE_THROWS_WITH(cuda::synchronize(), Catch::StartsWith("gather: index 4 at [0] is out of range"));
}

}  // namespace tapetum
#endif
