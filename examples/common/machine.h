// Facts about the machine and this process, for results.
#pragma once
#include <string>

#include "core/tensor.h"

namespace programs {

std::string cpu_name();   // "AMD EPYC 7763 64-Core Processor"; "unknown" where the system does not say
double peak_memory_mb();  // greatest resident size so far, MB of 1e6 bytes

// What --device says: "auto" is a GPU where there is one.
tapetum::Device device_of(const std::string& wish);

}  // namespace programs
