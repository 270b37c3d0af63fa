// What the tests of the profiler share.
#pragma once
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "kernels/cuda/emulation/profile/profile.h"

namespace tapetum::test {

namespace profile = tapetum::emulation::profile;
using profile::Kind;

// The only kernel that `work` launches.
template <class F> profile::Kernel kernel_of(F work) {
  const auto kernels = profile::kernels_of(work);
  REQUIRE(kernels.size() == 1);
  return kernels[0];
}

struct Global {
  uint64_t requests, lanes, bytes, sectors, ideal_sectors;
  bool operator==(const Global&) const = default;
};
inline Global global(const profile::Kernel& k, Kind kind) {
  const profile::Counters c = k.total(kind);
  return {c.requests, c.lanes, c.bytes, c.sectors, c.ideal_sectors};
}

struct Shared {
  uint64_t requests, wavefronts, ideal_wavefronts;
  bool operator==(const Shared&) const = default;
};
inline Shared shared(const profile::Kernel& k, Kind kind) {
  const profile::Counters c = k.total(kind);
  return {c.requests, c.wavefronts, c.ideal_wavefronts};
}

inline std::ostream& operator<<(std::ostream& out, const Global& g) {
  return out << g.requests << " requests, " << g.lanes << " lanes, " << g.bytes << " bytes, " << g.sectors << " sectors (" << g.ideal_sectors << ")";
}
inline std::ostream& operator<<(std::ostream& out, const Shared& s) {
  return out << s.requests << " requests, " << s.wavefronts << " wavefronts (" << s.ideal_wavefronts << ")";
}

}  // namespace tapetum::test
