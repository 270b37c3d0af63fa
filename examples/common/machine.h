// Facts about the machine and this process, for results.
#pragma once
#include <string>

#include "core/autograd/autocast.h"

namespace programs {

std::string cpu_name();   // "AMD EPYC 7763 64-Core Processor"; "unknown" where the system does not say
double peak_memory_mb();  // greatest resident size so far, MB of 1e6 bytes

// What --device says: "auto" is a GPU where there is one.
tapetum::Device device_of(const std::string& wish);

// What --amp says: off, bf16 or f16. While the result lives, forward passes on that device are in mixed precision.
inline const std::vector<std::string> kPrecisions = {"off", "bf16", "f16"};
tapetum::Autocast autocast_of(const std::string& amp, tapetum::Device on);

}  // namespace programs
