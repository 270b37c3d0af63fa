// From the address of an instruction to a line of source.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tapetum::emulation::profile {

struct Place {
  std::string file = "?";  // from the root of the sources
  int line = 0;
};

// The innermost function that belongs to neither the emulator nor its wrappers. Throws std::runtime_error where addr2line cannot be run.
std::map<uintptr_t, Place> places_of(std::vector<uintptr_t> return_addresses);
Place place_at(const std::map<uintptr_t, Place>& places, uintptr_t return_address);  // "?" where it is not known

}  // namespace tapetum::emulation::profile
