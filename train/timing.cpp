#include "train/timing.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/autograd/modes.h"
#include "core/cuda.h"
#include "core/error.h"
#include "core/ops/view.h"
#include "train/eval_guard.h"

namespace tapetum::train {
namespace {

double percentile(const std::vector<double>& sorted, double part) {
  const double place = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Timing timing_of(std::vector<double> seconds, int64_t images) {
  if (seconds.empty()) throw Error("timing: at least one call is expected, got none");
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  const double median = percentile(sorted, 0.5);
  return {std::move(seconds), median, percentile(sorted, 0.95), sorted[0], static_cast<double>(images) / median, images};
}

void check(const TimingOptions& o) {
  if (o.warmup < 0) throw Error(fmt::format("timing: warmup must be at least 0, got {}", o.warmup));
  if (o.repeats < 1) throw Error(fmt::format("timing: repeats must be at least 1, got {}", o.repeats));
  if (o.batch < 0) throw Error(fmt::format("timing: batch must be at least 0, got {}", o.batch));
}

void wait_for(Device device) {
  if (device.kind == DeviceKind::cuda) cuda::synchronize(device);
}

Timing time_inference(nn::Layer& model, const Tensor& x, const TimingOptions& options) {
  check(options);
  if (x.dim() < 1 || x.numel() == 0) throw ShapeError(fmt::format("time_inference: x must be [N, ...] with an image, got {}", to_string(x.shape())));
  const InferenceMode inference;
  const EvalGuard eval(model);
  Tensor batch = x;
  if (options.batch && options.batch != x.size(0)) {
    Shape shape = x.shape();
    shape[0] = options.batch;
    batch = clone(expand(narrow(x, 0, 0, 1), shape));
  }
  return time_calls([&] { model(batch); }, batch.size(0), x.device(), options);
}

}  // namespace tapetum::train
