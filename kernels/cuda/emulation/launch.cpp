// Checks a launch as the driver does and puts it into its stream.
#include "kernels/cuda/emulation/launch.h"
#include <cstdint>
#include <cstdio>
#include "kernels/cuda/emulation/config.h"
#include "kernels/cuda/emulation/streams.h"

namespace tapetum::emulation {
namespace {

// The limits of compute capability 8.0 and later; dynamic shared memory those of 9.0.
bool is_valid(const LaunchDesc& d) {
  const uint64_t threads = static_cast<uint64_t>(d.block.x) * d.block.y * d.block.z;
  if (threads == 0 || threads > 1024 || d.block.z > 64 || d.smem > 227 * 1024) return false;
  if (d.grid.x == 0 || d.grid.y == 0 || d.grid.z == 0) return false;
  return d.grid.x <= 0x7fffffff && d.grid.y <= 65535 && d.grid.z <= 65535;
}

void execute(const LaunchDesc& d) {
  if (current_error() == cudaErrorLaunchFailure) return;  // sticky, as on a device
  DeviceAccess access;
  std::string message = run_grid(d);
  if (message.empty()) return;
  if (!config().quiet) std::fprintf(stderr, "tapetum emulation: %s\n", message.c_str());
  set_diagnostic(std::move(message));
  set_error(cudaErrorLaunchFailure);
}

}  // namespace

cudaError_t launch(LaunchDesc d) {
  const auto lock = lock_runtime();
  if (!is_valid(d)) {
    set_diagnostic("kernel " + std::string(d.name) + ": invalid launch configuration");
    return set_error(cudaErrorInvalidConfiguration);
  }
  const cudaStream_t stream = d.stream;
  if (!is_of_current_device(stream)) {
    set_diagnostic("kernel " + std::string(d.name) + ": launched on a stream of another device");
    return set_error(cudaErrorInvalidResourceHandle);
  }
  return submit(stream, [d = std::move(d)] { execute(d); });
}

}  // namespace tapetum::emulation
