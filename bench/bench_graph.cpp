// What the host's share of a training step costs: steps of an MLP on a GPU one by one, and captured once and replayed.
// Arguments: layers width steps; a line of JSON on standard output.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "tapetum.h"

namespace tp = tapetum;

// Mean seconds of a call, the device's work included.
template <class F> double seconds_of(int64_t times, F f) {
  tp::cuda::synchronize();
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < times; ++i) f();
  tp::cuda::synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / static_cast<double>(times);
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: bench_graph LAYERS WIDTH STEPS\n", stderr);
    return 2;
  }
  const int64_t layers = std::atoll(argv[1]), width = std::atoll(argv[2]), steps = std::atoll(argv[3]);
  if (tp::cuda::device_count() == 0) {
    std::fputs("bench_graph: this build or machine has no CUDA device\n", stderr);
    return 2;
  }
  const tp::Device device = tp::DeviceKind::cuda;
  tp::nn::Sequential model;
  for (int64_t i = 0; i < layers; ++i) {
    model.add(tp::nn::Linear(width, width));
    model.add(tp::nn::ReLU());
  }
  model.to(device);
  tp::optim::Adam optimizer(model.parameters());
  const tp::Tensor x = tp::rand({width, width}, -1, 1, tp::DType::f32, device), y = tp::zeros({width}, tp::DType::i64, device);
  const auto step = [&] {
    optimizer.zero_grad();
    cross_entropy(model(x), y).backward();
    tp::optim::clip_grad_norm_(model.parameters(), 1);
    optimizer.step();
  };
  for (int i = 0; i < 3; ++i) step();
  const double eager = seconds_of(steps, step);
  tp::cuda::Graph graph;
  graph.capture(step);
  graph.replay();
  const double replayed = seconds_of(steps, [&] { graph.replay(); });
  std::printf("{\"eager_seconds\": %.7f, \"replay_seconds\": %.7f}\n", eager, replayed);
}
