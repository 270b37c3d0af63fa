// How long a call takes: repeated after a warm-up, with its spread. Work on a CUDA device is waited for before and after each call.
#pragma once
#include <chrono>
#include <vector>

#include "nn/module.h"

namespace tapetum::train {

struct TimingOptions {
  int64_t warmup = 10;   // calls that are not counted: caches fill, kernels are chosen, memory is taken
  int64_t repeats = 50;  // calls that are
  int64_t batch = 0;     // of time_inference: images in a call, the first one repeated; 0: as many as there are
};

struct Timing {
  std::vector<double> seconds;              // of each call, in order
  double median = 0, p95 = 0, fastest = 0;  // seconds; linear between neighbours, as NumPy's percentile
  double images_per_second = 0;             // at the median
  int64_t images = 0;                       // in a call
};

Timing timing_of(std::vector<double> seconds, int64_t images);  // throws Error without any
void check(const TimingOptions& options);                       // throws Error for options that make no sense
void wait_for(Device device);                                   // until a GPU has done what it was given; a CPU has

// Of f(), which handles `images` images on `device`.
template <class F> Timing time_calls(F&& f, int64_t images, Device device, const TimingOptions& options = {}) {
  check(options);
  for (int64_t i = 0; i < options.warmup; ++i) f();
  std::vector<double> seconds;
  for (int64_t i = 0; i < options.repeats; ++i) {
    wait_for(device);
    const auto start = std::chrono::steady_clock::now();
    f();
    wait_for(device);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return timing_of(std::move(seconds), images);
}

// Of model(x), x [N, ...], in evaluation mode and without recording; the model is in its own mode again afterwards. Throws ShapeError for an x
// without an image.
Timing time_inference(nn::Layer& model, const Tensor& x, const TimingOptions& options = {});

}  // namespace tapetum::train
