// CUDA devices, as a program asks for them. Work on a device is queued on the calling thread's current stream of that device and the call
// returns; what reads a value on the host (item(), to(x, "cpu"), printing) waits for it. A bad index or label that a kernel finds meanwhile
// is thrown there, as the IndexError that the CPU throws at once.
#pragma once
#include "core/device.h"
#include "core/ref.h"

namespace tapetum::cuda {

// This build has CUDA and this machine a device; never throws. The emulator counts only where TAPETUM_DEVICE=emulated asks for it: a
// program that picks what is fast must not pick that.
bool is_available();
int device_count();                                  // 0 without one
void synchronize(Device device = DeviceKind::cuda);  // waits for all its streams; throws DeviceError with what went wrong since

class Event;

// A queue of work; streams run side by side. Copies of one are the same stream. A tensor's memory returns to the stream that was current
// when it was made: work of another stream on it has to be awaited before the tensor dies.
class Stream {
 public:
  explicit Stream(Device device = DeviceKind::cuda);  // throws DeviceError
  static Stream current(Device device = DeviceKind::cuda);
  void synchronize() const;
  void wait(const Event& event) const;  // later work of this stream runs after what the event recorded
  void* handle() const { return handle_->stream; }
  Device device() const { return handle_->device; }

 private:
  struct Handle : RefCounted {
    Handle(Device d, void* s, bool own) : device(d), stream(s), owned(own) {}
    ~Handle();
    Device device;
    void* stream;
    bool owned;
  };
  explicit Stream(Handle* handle) : handle_(handle) {}
  Ref<Handle> handle_;
};

// This thread's work on the stream's device goes to it while the guard lives.
class StreamGuard {
 public:
  explicit StreamGuard(const Stream& stream);
  ~StreamGuard();
  StreamGuard(const StreamGuard&) = delete;

 private:
  Stream stream_, outer_;
};

// A place in a stream's queue. One that was never recorded has nothing to wait for.
class Event {
 public:
  explicit Event(bool enable_timing = false);
  void record() const { record(Stream::current()); }
  void record(const Stream& stream) const;  // the first time decides the event's device; throws DeviceError on another's stream
  void synchronize() const;
  float elapsed_time(const Event& end) const;  // milliseconds from this to `end`, both timed, recorded and done
  void* handle() const { return handle_->event; }

 private:
  struct Handle : RefCounted {
    explicit Handle(bool t) : timed(t) {}
    ~Handle();
    bool timed;
    Device device = DeviceKind::cuda;
    void* event = nullptr;  // made when it is first recorded
  };
  Ref<Handle> handle_;
};

}  // namespace tapetum::cuda
