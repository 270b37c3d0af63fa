// A process that serves: several threads compute at once, while one pool of worker threads helps whoever comes first.
#include <catch2/catch.hpp>

#include <cstring>
#include <thread>

#include "kernels/parallel.h"
#include "tapetum.h"

namespace tapetum {
namespace {

constexpr size_t kCallers = 8;

std::vector<Tensor> inputs() {
  std::vector<Tensor> xs;
  for (size_t i = 0; i < kCallers; ++i) xs.push_back(rand({1 + static_cast<int64_t>(i % 2), 3, 24 + 4 * static_cast<int64_t>(i), 40}));
  return xs;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = contiguous(a), y = contiguous(b);
  return x.shape() == y.shape() && std::memcmp(x.raw(), y.raw(), static_cast<size_t>(x.numel()) * sizeof(float)) == 0;
}

// f(i) of each caller, all at once; what they throw is thrown here.
template <class F> std::vector<Tensor> at_once(F f) {
  const int before = kernels::thread_count();
  kernels::set_thread_count(3);
  std::vector<Tensor> results(kCallers);
  std::vector<std::exception_ptr> errors(kCallers);
  std::vector<std::thread> callers;
  for (size_t i = 0; i < kCallers; ++i)
    callers.emplace_back([&, i] {
      try {
        results[i] = f(i);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    });
  for (auto& t : callers) t.join();
  kernels::set_thread_count(before);
  for (const auto& error : errors)
    if (error) std::rethrow_exception(error);
  return results;
}

}  // namespace

TEST_CASE("concurrent callers: eight threads that share a model get the bits of one") {
  models::UNet model({.width = 8, .depth = 2});
  model.eval();
  const auto xs = inputs();
  const auto serve = [&](size_t i) {
    const NoGrad no_grad;
    Tensor y;
    for (int round = 0; round < 5; ++round) y = softmax(model(xs[i]), 1);
    return y;
  };
  std::vector<Tensor> alone;
  for (size_t i = 0; i < kCallers; ++i) alone.push_back(serve(i));
  const auto together = at_once(serve);
  for (size_t i = 0; i < kCallers; ++i) REQUIRE(same_bits(together[i], alone[i]));
}

TEST_CASE("concurrent callers: eight threads that train a model each get the bits of one") {
  const models::UNet model({.width = 4, .depth = 2});
  const auto xs = inputs();
  const auto learn = [&](size_t i) {
    auto own = nn::clone(model);
    optim::Adam optimizer(own.parameters());
    for (int step = 0; step < 3; ++step) {
      optimizer.zero_grad();
      mean(square(own(xs[i]))).backward();
      optimizer.step();
    }
    return own.inc.parameters()[0].detach();
  };
  std::vector<Tensor> alone;
  for (size_t i = 0; i < kCallers; ++i) alone.push_back(learn(i));
  const auto together = at_once(learn);
  for (size_t i = 0; i < kCallers; ++i) REQUIRE(same_bits(together[i], alone[i]));
}

}  // namespace tapetum
