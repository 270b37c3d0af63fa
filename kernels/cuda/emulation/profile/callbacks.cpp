// What instrumented code calls, in place of the runtimes of -fsanitize=thread and -fsanitize-coverage=trace-pc. Outside of kernels: nothing.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include "kernels/cuda/emulation/profile/session.h"
#include "kernels/cuda/emulation/profile/trace.h"

namespace tapetum::emulation::profile {
namespace {

enum Access { kLoad, kStore, kAtomic };

// What lies in neither kind of memory is a register of the device.
void touch(Access access, uintptr_t pc, const volatile void* p, unsigned bytes, bool aligned = true) {
  if (!running_trace && !running_detector) return;
  const auto at = reinterpret_cast<uintptr_t>(p);
  Launch& launch = *current_launch();
  const bool shared = (at >= launch.dynamic_shared.begin && at < launch.dynamic_shared.end) || launch.static_shared.contains(at);
  const Kind first = shared ? Kind::shared_load : Kind::global_load, kind = static_cast<Kind>(static_cast<int>(first) + access);
  const bool known = shared || launch.device.contains(at);
  if (Detector* d = running_detector) {
    if (!shared && !(known && launch.device.contains(at + bytes - 1))) d->look_outside(kind, pc, at, bytes);
    if (known && aligned) d->look_misaligned(kind, pc, at, bytes);
    if (known) d->touch(kind, pc, at, bytes);
  } else if (known) {
    running_trace->push(kind, pc, access_value(at, bytes));
  }
}

// The widest access to a structure that g++ reports as a range. Its alignment divides its size; one of 2, 4, 8 or 16 bytes comes here only
// where its alignment is less than that, and less than 8.
unsigned widest(uintptr_t bytes) {
  if (bytes <= 16 && std::has_single_bit(bytes)) return static_cast<unsigned>(std::clamp<uintptr_t>(bytes / 2, 1, 4));
  return static_cast<unsigned>(std::min<uintptr_t>(bytes & -bytes, 16));
}

// A structure: accesses as few and as wide as its alignment allows.
void touch_range(Access access, uintptr_t pc, const void* p, uintptr_t bytes) {
  const unsigned most = bytes ? widest(bytes) : 0;
  for (auto at = reinterpret_cast<uintptr_t>(p); bytes;) {
    unsigned size = most;
    while (size > bytes || at % size) size /= 2;
    touch(access, pc, reinterpret_cast<const void*>(at), size);
    at += size;
    bytes -= size;
  }
}

void called() {
  if (Trace* t = running_trace) t->depth = (t->depth + 1) & 255;
}
void returned() {
  if (Trace* t = running_trace) t->depth = (t->depth - 1) & 255;
}

}  // namespace
}  // namespace tapetum::emulation::profile

using namespace tapetum::emulation::profile;

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) { called(); }
void __tsan_func_exit() { returned(); }
void __sanitizer_cov_trace_pc() {
  if (running_trace) running_trace->push(Kind::block, TAPETUM_EMULATION_CALLER, 0);
}

#define ACCESS(bytes)                                                                                     \
  void __tsan_read##bytes(void* p) { touch(kLoad, TAPETUM_EMULATION_CALLER, p, bytes); }                  \
  void __tsan_write##bytes(void* p) { touch(kStore, TAPETUM_EMULATION_CALLER, p, bytes); }                \
  void __tsan_unaligned_read##bytes(void* p) { touch(kLoad, TAPETUM_EMULATION_CALLER, p, bytes, false); } \
  void __tsan_unaligned_write##bytes(void* p) { touch(kStore, TAPETUM_EMULATION_CALLER, p, bytes, false); }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
void __tsan_read_range(void* p, unsigned long bytes) { touch_range(kLoad, TAPETUM_EMULATION_CALLER, p, bytes); }
void __tsan_write_range(void* p, unsigned long bytes) { touch_range(kStore, TAPETUM_EMULATION_CALLER, p, bytes); }

// -fsanitize=bounds, where a target asks for it.
struct UbsanType {
  uint16_t kind, info;
  char name[1];
};
struct UbsanIndex {
  const char* file;
  uint32_t line, column;
  const UbsanType *array, *index;
};
void __ubsan_handle_out_of_bounds(UbsanIndex* place, uintptr_t index) {
  if (!running_detector) return;
  char what[200];
  std::snprintf(what, sizeof what, "index %td of an array %.150s", static_cast<std::ptrdiff_t>(static_cast<int32_t>(index)), place->array->name);
  running_detector->found_bad(BadAccess::outside, Kind::block, TAPETUM_EMULATION_CALLER, what);
}

void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_atomic_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void __tsan_atomic_signal_fence(int) {}

#define READ_MODIFY_WRITE(bits, T, op)                     \
  T __tsan_atomic##bits##_##op(volatile T* p, T v, int) {  \
    touch(kAtomic, TAPETUM_EMULATION_CALLER, p, bits / 8); \
    return __atomic_##op(p, v, __ATOMIC_SEQ_CST);          \
  }
#define COMPARE_EXCHANGE(bits, T, strength, weak)                                                    \
  int __tsan_atomic##bits##_compare_exchange_##strength(volatile T* p, T* expected, T v, int, int) { \
    touch(kAtomic, TAPETUM_EMULATION_CALLER, p, bits / 8);                                           \
    return __atomic_compare_exchange_n(p, expected, v, weak, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);    \
  }
// A load is the first half of a read-modify-write that the emulator makes of a compare-exchange: only that one counts.
#define ATOMIC(bits, T)                                                                                   \
  T __tsan_atomic##bits##_load(const volatile T* p, int) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); } \
  void __tsan_atomic##bits##_store(volatile T* p, T v, int) {                                             \
    touch(kStore, TAPETUM_EMULATION_CALLER, p, bits / 8);                                                 \
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                                             \
  }                                                                                                       \
  T __tsan_atomic##bits##_exchange(volatile T* p, T v, int) {                                             \
    touch(kAtomic, TAPETUM_EMULATION_CALLER, p, bits / 8);                                                \
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);                                                   \
  }                                                                                                       \
  READ_MODIFY_WRITE(bits, T, fetch_add)                                                                   \
  READ_MODIFY_WRITE(bits, T, fetch_sub)                                                                   \
  READ_MODIFY_WRITE(bits, T, fetch_and)                                                                   \
  READ_MODIFY_WRITE(bits, T, fetch_or)                                                                    \
  READ_MODIFY_WRITE(bits, T, fetch_xor)                                                                   \
  READ_MODIFY_WRITE(bits, T, fetch_nand)                                                                  \
  COMPARE_EXCHANGE(bits, T, strong, false)                                                                \
  COMPARE_EXCHANGE(bits, T, weak, true)
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

}  // extern "C"
