#include "core/cuda.h"

#include <fmt/core.h>

#include <cstdlib>
#include <cstring>

#include "core/error.h"
#include "core/storage.h"
#include "kernels/device.h"

namespace tapetum::cuda {
namespace {

const kernels::DeviceApi& api() { return device_of(DeviceKind::cuda); }
void check(const char* what, bool ok) {
  if (!ok) throw DeviceError(fmt::format("{}: {}", what, api().last_error()));
}

}  // namespace

bool is_available() {
  const kernels::DeviceApi* cuda = kernels::device_api(DeviceKind::cuda);
  if (!cuda || !cuda->available()) return false;
  const char* wish = std::getenv("TAPETUM_DEVICE");
  return !cuda->emulated || (wish && !std::strcmp(wish, "emulated"));
}
void synchronize() { check("synchronize", api().synchronize()); }

Stream::Handle::Handle() : stream(api().make_stream()) { check("Stream", stream != nullptr); }
Stream::Handle::~Handle() { api().free_stream(stream); }
Stream::Stream() : handle_(new Handle) {}
void Stream::synchronize() const { check("Stream::synchronize", api().finish(handle())); }
void Stream::wait(const Event& event) const { check("Stream::wait", api().wait(handle(), event.handle())); }

StreamGuard::StreamGuard(const Stream& stream) : stream_(stream), outer_(kernels::current_stream()) { kernels::set_current_stream(stream.handle()); }
StreamGuard::~StreamGuard() { kernels::set_current_stream(outer_); }

Event::Handle::Handle() : event(api().make_event()) { check("Event", event != nullptr); }
Event::Handle::~Handle() { api().free_event(event); }
Event::Event() : handle_(new Handle) {}
void Event::record() const { check("Event::record", api().record(handle(), kernels::current_stream())); }
void Event::synchronize() const { check("Event::synchronize", api().finish_event(handle())); }

}  // namespace tapetum::cuda
