// What the sanitizers must be told: which stack runs, which thread this is, and what happens before what.
// Under TSan (TAPETUM_EMULATION_TSAN) every CUDA thread is a thread to it, which makes it a race detector for kernels. The emulator
// itself is then compiled without -fsanitize=thread, so that TSan sees the accesses of kernels alone.
#pragma once
#include <cstddef>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
extern "C" void __asan_loadN(unsigned long, unsigned long);
extern "C" void __asan_storeN(unsigned long, unsigned long);
#elif defined(TAPETUM_EMULATION_TSAN)
extern "C" {
void* __tsan_create_fiber(unsigned);
void __tsan_destroy_fiber(void*);
void* __tsan_get_current_fiber();
void __tsan_switch_to_fiber(void*, unsigned);
void __tsan_acquire(void*);
void __tsan_release(void*);
void __tsan_read_range(void*, unsigned long);
void __tsan_write_range(void*, unsigned long);
}
#endif

namespace tapetum::emulation {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAsan = true, kTsan = false;
#elif defined(TAPETUM_EMULATION_TSAN)
inline constexpr bool kAsan = false, kTsan = true;
#else
inline constexpr bool kAsan = false, kTsan = false;
#endif

#if defined(__SANITIZE_ADDRESS__)
inline void asan_leave_stack(void** saved, const void* next, size_t bytes) { __sanitizer_start_switch_fiber(saved, next, bytes); }
inline void asan_enter_stack(void* saved) { __sanitizer_finish_switch_fiber(saved, nullptr, nullptr); }
inline void asan_forbid(const void* p, size_t n) { __asan_poison_memory_region(p, n); }
inline void asan_allow(const void* p, size_t n) { __asan_unpoison_memory_region(p, n); }
#else
inline void asan_leave_stack(void**, const void*, size_t) {}
inline void asan_enter_stack(void*) {}
inline void asan_forbid(const void*, size_t) {}
inline void asan_allow(const void*, size_t) {}
#endif

#if defined(TAPETUM_EMULATION_TSAN)
inline void* tsan_create() { return __tsan_create_fiber(0); }
inline void tsan_destroy(void* fiber) { __tsan_destroy_fiber(fiber); }
inline void* tsan_current() { return __tsan_get_current_fiber(); }
inline void tsan_switch(void* fiber) { __tsan_switch_to_fiber(fiber, 1); }  // 1: the switch synchronises nothing
inline void tsan_acquire(void* object) { __tsan_acquire(object); }
inline void tsan_release(void* object) { __tsan_release(object); }
#else
inline void* tsan_create() { return nullptr; }
inline void tsan_destroy(void*) {}
inline void* tsan_current() { return nullptr; }
inline void tsan_switch(void*) {}
inline void tsan_acquire(void*) {}
inline void tsan_release(void*) {}
#endif

// The emulator reads or writes this memory on behalf of a kernel.
#if defined(__SANITIZE_ADDRESS__)
inline void note_read(const void* p, size_t n) { __asan_loadN(reinterpret_cast<unsigned long>(p), n); }
inline void note_write(void* p, size_t n) { __asan_storeN(reinterpret_cast<unsigned long>(p), n); }
#elif defined(TAPETUM_EMULATION_TSAN)
inline void note_read(const void* p, size_t n) { __tsan_read_range(const_cast<void*>(p), n); }
inline void note_write(void* p, size_t n) { __tsan_write_range(p, n); }
#else
inline void note_read(const void*, size_t) {}
inline void note_write(void*, size_t) {}
#endif

// While one exists, memory is accessed by the asynchronous copy and matrix units, a thread of their own to TSan. What the issuing or
// waiting thread did before happens before what the unit does; what the unit did happens before what that thread does next if `join`.
class AsyncUnit {
 public:
  explicit AsyncUnit(void*& unit, bool join = false) : unit_(unit), caller_(tsan_current()), join_(join) {
    if (!unit_) unit_ = tsan_create();
    tsan_release(&unit_);
    tsan_switch(unit_);
    tsan_acquire(&unit_);
  }
  ~AsyncUnit() {
    if (join_) tsan_release(&unit_);
    tsan_switch(caller_);
    if (join_) tsan_acquire(&unit_);
  }

 private:
  void*& unit_;
  void* caller_;
  bool join_;
};

}  // namespace tapetum::emulation
