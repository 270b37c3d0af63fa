// A training step of a U-Net, beside bench/unet_pytorch.py. Arguments: width size batch steps threads; a line of JSON on standard output.
// With --profile FILE the steps are recorded: a trace in FILE, and a table on standard error. (Their times are then a little longer.)
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "kernels/parallel.h"
#include "tapetum.h"

int main(int argc, char** argv) {
  namespace tp = tapetum;
  const char* trace = argc == 8 && std::strcmp(argv[6], "--profile") == 0 ? argv[7] : nullptr;
  if (argc != 6 && !trace) {
    std::fputs("usage: bench_unet WIDTH SIZE BATCH STEPS THREADS [--profile FILE]\n", stderr);
    return 2;
  }
  const int64_t width = std::atoll(argv[1]), size = std::atoll(argv[2]), batch = std::atoll(argv[3]), steps = std::atoll(argv[4]);
  tp::kernels::set_thread_count(std::atoi(argv[5]));
  tp::manual_seed(0);
  tp::models::UNet model({.in_channels = 3, .classes = 2, .width = width});
  tp::optim::Adam optimizer(model.parameters(), {.lr = 1e-4});
  const tp::Tensor images = tp::rand({batch, 3, size, size}, 0, 1);
  const tp::Tensor labels = tp::to(tp::rand({batch, size, size}, 0, 2), tp::DType::i64);

  std::vector<double> seconds;
  double last = 0;
  std::optional<tp::profiler::Profile> profile;
  for (int64_t step = 0; step <= steps; ++step) {
    if (trace && step == 1) profile.emplace();
    const auto start = std::chrono::steady_clock::now();
    optimizer.zero_grad();
    const tp::Tensor loss = cross_entropy(model(images), labels);
    loss.backward();
    optimizer.step();
    last = loss.item();
    if (step) seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  if (profile) {
    profile->export_chrome_trace(trace);
    std::fputs(profile->table().c_str(), stderr);
  }
  std::sort(seconds.begin(), seconds.end());
  std::printf("{\"seconds_per_step\": %.6f, \"loss\": %.6f, \"parameters\": %lld}\n", seconds.empty() ? 0.0 : seconds[seconds.size() / 2], last,
              static_cast<long long>(model.parameter_count()));
}
