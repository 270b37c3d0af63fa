// Ours for versus_pytorch, which asks on standard input and reads a line for each question:
//   row OP WHAT DTYPE SIZES...    makes the tensors and calls once: "ok"
//   time [SLOT:CANDIDATE]         milliseconds of one call, with a candidate by force or the library's choice
//   calls N                       that are timed at once: 0, as many as take 20 ms
// "error: why" for what cannot be done. The argument is the device.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <optional>
#include <sstream>

#include "bench/gpu/work.h"
#include "core/cuda.h"
#include "core/error.h"
#include "kernels/slot.h"

namespace {

using namespace tapetum;

DType dtype_named(const std::string& name) {
  for (DType t : {DType::f32, DType::f64, DType::f16, DType::bf16})
    if (name == name_of(t)) return t;
  throw Error("bench_gpu: no dtype " + name);
}

void repeat(const std::function<void()>& work, int calls) {
  for (int i = 0; i < calls; ++i) work();
}

// Between two events in the device's queue: what the host does between two calls hides behind the device.
double milliseconds_of_device(const std::function<void()>& work, int calls) {
  cuda::synchronize();
  const cuda::Event begin(true), end(true);
  begin.record();
  repeat(work, calls);
  end.record();
  end.synchronize();
  return begin.elapsed_time(end) / calls;
}

double milliseconds(const std::function<void()>& work, Device device, int calls) {
  if (device.kind == DeviceKind::cuda) return milliseconds_of_device(work, calls);
  const auto start = std::chrono::steady_clock::now();
  repeat(work, calls);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / calls;
}

double time_of(const std::function<void()>& work, Device device, int calls) {
  if (calls) return milliseconds(work, device, calls);
  const double first = milliseconds(work, device, 1);
  if (first > 100) return first;  // neither a cold cache nor the clock matters
  milliseconds(work, device, 1);
  const double rough = milliseconds(work, device, 3);
  return milliseconds(work, device, static_cast<int>(std::clamp(20 / rough, 1.0, 1000.0)));
}

}  // namespace

int main(int argc, char** argv) {
  const Device device = argc > 1 && argv[1] == std::string("cpu") ? DeviceKind::cpu : DeviceKind::cuda;
  std::function<void()> work;
  int calls = 0;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    try {
      if (verb == "row") {
        work = nullptr;
        bench::Row row;
        std::string dtype;
        words >> row.op >> row.what >> dtype;
        row.dtype = dtype_named(dtype);
        for (int64_t n = 0; words >> n;) row.sizes.push_back(n);
        work = bench::make_work(row, device);
        work();  // what a first call finds out and sets up does not count
        std::puts("ok");
      } else if (verb == "calls") {
        words >> calls;
        std::puts("ok");
      } else if (verb == "time" && work) {
        std::string spec;
        std::optional<kernels::KernelGuard> forced;
        if (words >> spec) forced.emplace(spec);
        std::printf("%.6f\n", time_of(work, device, calls));
      } else {
        std::puts("error: no such question");
      }
    } catch (const std::exception& e) {
      std::string text = e.what();
      std::replace(text.begin(), text.end(), '\n', ' ');
      std::printf("error: %s\n", text.c_str());
    }
    std::fflush(stdout);
  }
}
