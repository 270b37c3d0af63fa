#include "core/cuda.h"

#include <cstdlib>
#include <cstring>

#include "core/capture.h"
#include "core/error.h"
#include "core/faults.h"
#include "core/storage.h"
#include "kernels/device.h"

namespace tapetum::cuda {
namespace {

// What kernels have reported by then is thrown here.
template <class F> void wait_for(const char* what, Device device, F wait) {
  refuse_capture(what, "there is no work to wait for");
  const auto& api = device_of(device);
  check_call(api, what, wait(api));
  throw_faults(device);
}

}  // namespace

bool is_available() {
  const kernels::DeviceApi* cuda = kernels::device_api(DeviceKind::cuda);
  if (!cuda || cuda->count() == 0) return false;
  const char* wish = std::getenv("TAPETUM_DEVICE");
  return !cuda->emulated || (wish && !std::strcmp(wish, "emulated"));
}

int device_count() {
  const kernels::DeviceApi* cuda = kernels::device_api(DeviceKind::cuda);
  return cuda ? cuda->count() : 0;
}

void synchronize(Device device) {
  wait_for("synchronize", device, [](const auto& api) { return api.synchronize(); });
}

Stream::Stream(Device device) : Stream(new Handle(device, nullptr, true)) {
  const auto& api = device_of(device);
  handle_->stream = api.make_stream();
  check_call(api, "Stream", handle_->stream != nullptr);
}
Stream::Handle::~Handle() {
  if (owned && stream) device_of(device).free_stream(stream);
}
Stream Stream::current(Device device) {
  device_of(device);
  return Stream(new Handle(device, kernels::current_stream(), false));
}
void Stream::synchronize() const {
  wait_for("Stream::synchronize", device(), [&](const auto& api) { return api.finish(handle()); });
}
void Stream::wait(const Event& event) const {
  if (!event.handle()) return;
  const auto& api = device_of(device());
  check_call(api, "Stream::wait", api.wait(handle(), event.handle()));
}

StreamGuard::StreamGuard(const Stream& stream) : stream_(stream), outer_(Stream::current(stream.device())) {
  kernels::set_current_stream(stream.device().index, stream.handle());
}
StreamGuard::~StreamGuard() { kernels::set_current_stream(outer_.device().index, outer_.handle()); }

Event::Event(bool enable_timing) : handle_(new Handle(enable_timing)) {}
Event::Handle::~Handle() {
  if (event) device_of(device).free_event(event);
}
void Event::record(const Stream& stream) const {
  const auto& api = device_of(stream.device());
  if (!handle()) {
    handle_->device = stream.device();
    handle_->event = api.make_event(handle_->timed);
    check_call(api, "Event", handle() != nullptr);
  }
  check_call(api, "Event::record", api.record(handle(), stream.handle()));
}
void Event::synchronize() const {
  if (!handle()) return;
  wait_for("Event::synchronize", handle_->device, [&](const auto& api) { return api.finish_event(handle()); });
}
float Event::elapsed_time(const Event& end) const {
  const auto& api = device_of(handle_->device);
  if (!handle() || !end.handle()) throw DeviceError("Event::elapsed_time: both events must have been recorded");
  float milliseconds = 0;
  check_call(api, "Event::elapsed_time", api.elapsed(handle(), end.handle(), &milliseconds));
  return milliseconds;
}

}  // namespace tapetum::cuda
