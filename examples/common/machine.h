// Facts about the machine and this process, for results.
#pragma once
#include <string>

namespace programs {

std::string cpu_name();   // "AMD EPYC 7763 64-Core Processor"; "unknown" where the system does not say
double peak_memory_mb();  // greatest resident size so far, MB of 1e6 bytes

}  // namespace programs
