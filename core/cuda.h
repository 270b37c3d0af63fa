// CUDA devices, as a program asks for them. Work on a device is queued on the calling thread's current stream and the call returns; what
// reads a value on the host (item(), to(x, "cpu"), printing) waits for it.
#pragma once
#include "core/ref.h"

namespace tapetum::cuda {

// This build has CUDA and this machine a device; never throws. The emulator counts only where TAPETUM_DEVICE=emulated asks for it: a
// program that picks what is fast must not pick that.
bool is_available();
void synchronize();  // waits for all streams; throws DeviceError with what went wrong since

class Event;

// A queue of work; streams run side by side. Copies of one are the same stream. A tensor's memory returns to the stream that was current
// when it was made: work of another stream on it has to be awaited before the tensor dies.
class Stream {
 public:
  Stream();  // throws DeviceError
  void synchronize() const;
  void wait(const Event& event) const;  // later work of this stream runs after what the event recorded
  void* handle() const { return handle_->stream; }

 private:
  struct Handle : RefCounted {
    Handle();
    ~Handle();
    void* stream;
  };
  Ref<Handle> handle_;
};

// This thread's work goes to the stream while the guard lives.
class StreamGuard {
 public:
  explicit StreamGuard(const Stream& stream);
  ~StreamGuard();
  StreamGuard(const StreamGuard&) = delete;

 private:
  Stream stream_;
  void* outer_;
};

class Event {
 public:
  Event();
  void record() const;  // on the current stream
  void synchronize() const;
  void* handle() const { return handle_->event; }

 private:
  struct Handle : RefCounted {
    Handle();
    ~Handle();
    void* event;
  };
  Ref<Handle> handle_;
};

}  // namespace tapetum::cuda
