#include "kernels/cuda/emulation/config.h"
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include "kernels/cuda/emulation/profile/hooks.h"

namespace tapetum::emulation {
namespace {

[[noreturn]] void reject(const char* variable, const char* value) {
  std::fprintf(stderr, "tapetum emulation: %s=%s is not understood\n", variable, value);
  std::exit(2);
}

// Which of two words the variable holds: true for the second.
bool second_of(const char* variable, std::string_view first, std::string_view second, bool unset) {
  const char* value = std::getenv(variable);
  if (!value) return unset;
  if (value != first && value != second) reject(variable, value);
  return value == second;
}

unsigned number(const char* variable, const char* text) {
  char* end = nullptr;
  const unsigned long n = std::strtoul(text, &end, 10);
  if (end == text || *end) reject(variable, text);
  return static_cast<unsigned>(n);
}

void read_schedule(Config& c) {
  const char* variable = "TAPETUM_EMULATION_SCHED";
  const char* value = std::getenv(variable);
  if (!value) return;
  const std::string_view v = value;
  if (v == "forward") {
    c.schedule = Schedule::forward;
  } else if (v == "reverse") {
    c.schedule = Schedule::reverse;
  } else if (v == "random" || v.substr(0, 7) == "random:") {
    c.schedule = Schedule::random;
    if (v.size() > 6) c.seed = number(variable, value + 7);
  } else {
    reject(variable, value);
  }
}

// Where nothing counts, who asks for counts is told so.
void check_profile() {
  const char* value = std::getenv("TAPETUM_EMULATION_PROFILE");
  if (profile::kProfiled || !value || !*value || std::string_view(value) == "0") return;
  std::fputs("tapetum emulation: TAPETUM_EMULATION_PROFILE needs a tree of the preset gpu-profile, whose kernels tell what they do\n", stderr);
  std::exit(2);
}

Config from_environment() {
  check_profile();
  Config c;
  read_schedule(c);
  if (const char* value = std::getenv("TAPETUM_EMULATION_DEVICES")) c.devices = number("TAPETUM_EMULATION_DEVICES", value);
  if (const char* value = std::getenv("TAPETUM_EMULATION_THREADS")) c.threads = number("TAPETUM_EMULATION_THREADS", value);
  c.lazy_async = second_of("TAPETUM_EMULATION_ASYNC", "eager", "lazy", c.lazy_async);
  c.lazy_streams = second_of("TAPETUM_EMULATION_STREAMS", "eager", "lazy", c.lazy_streams);
  c.poison = second_of("TAPETUM_EMULATION_POISON", "0", "1", c.poison);
  c.guard_device_memory = second_of("TAPETUM_EMULATION_GUARD", "0", "1", c.guard_device_memory);
  c.abort_on_error = second_of("TAPETUM_EMULATION_ABORT", "0", "1", c.abort_on_error);
  return c;
}

}  // namespace

Config& config() {
  static Config c = from_environment();
  return c;
}

}  // namespace tapetum::emulation
