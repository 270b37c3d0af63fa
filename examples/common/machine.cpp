#include "examples/common/machine.h"

#include <sys/resource.h>

#include <fstream>

#include "core/cuda.h"

namespace programs {

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

double peak_memory_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;  // Linux counts KiB
}

tapetum::Device device_of(const std::string& wish) {
  if (wish == "auto") return tapetum::cuda::is_available() ? tapetum::DeviceKind::cuda : tapetum::DeviceKind::cpu;
  return tapetum::Device(wish.c_str());
}

tapetum::Autocast autocast_of(const std::string& amp, tapetum::Device on) {
  return tapetum::Autocast(on, amp == "f16" ? tapetum::DType::f16 : tapetum::DType::bf16, amp != "off");
}

}  // namespace programs
