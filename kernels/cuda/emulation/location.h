// Where in a kernel a call stands. As a default argument, here() is the place of the call.
#pragma once

namespace tapetum::emulation {

struct Loc {
  const char* file = nullptr;
  int line = 0;
};
constexpr Loc here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }

}  // namespace tapetum::emulation
