// C libraries report errors by a jump: this is where they land.
#pragma once
#include <csetjmp>
#include <cstdio>

namespace tapetum::data {

struct ErrorTrap {
  std::jmp_buf jump;
  char message[256] = "unknown error";

  [[noreturn]] void raise(const char* text) {
    std::snprintf(message, sizeof message, "%s", text);
    std::longjmp(jump, 1);
  }
};

// Whether f returned. A jump skips destructors: f and what it calls own nothing.
template <class F> bool runs(ErrorTrap& trap, F f) {
  if (setjmp(trap.jump)) return false;
  f();
  return true;
}

}  // namespace tapetum::data
