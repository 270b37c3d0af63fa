#include "core/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "core/capture.h"
#include "core/error.h"
#include "core/storage.h"
#include "kernels/device.h"

namespace tapetum {
namespace {

using kernels::Fault;

thread_local const char* context = "";

Shape place_of(const FaultSource& s, int64_t position) {
  Shape place(s.shape.size());
  const int64_t lines = s.shape.size() ? s.shape.numel() / s.shape[s.dim] : 1;
  int64_t line = position % lines;
  for (int d = s.shape.size() - 1; d >= 0; --d) {
    place[d] = d == s.dim ? position / lines : line % s.shape[d];
    if (d != s.dim) line /= s.shape[d];
  }
  Shape given;
  for (int d = 0; d < place.size(); ++d)
    if (!(s.repeated >> d & 1)) given.push_back(place[d]);
  return given;
}

std::string text_of(const FaultSource& s, const Fault& fault) {
  const std::string place = to_string(place_of(s, fault.position));
  if (!s.ignored) return fmt::format("{}{}: index {} at {} is out of range for size {}", s.context, s.op, fault.value, place, s.limit);
  return fmt::format("{}{}: label {} at {} is neither one of {} classes nor the ignored {}", s.context, s.op, fault.value, place, s.limit,
                     *s.ignored);
}

// A source's record is made at its first call and found again by the later ones: a training loop has few that differ. When there is no room
// left, the records that nobody holds, neither a graph nor a call that is being launched, begin anew.
class FaultTable {
 public:
  Fault* place_of(Device device, const FaultSource& source) {
    std::unique_lock lock(mutex_);
    const auto known = std::find_if(records_.begin(), records_.end(), [&](const Record& r) { return r.device == device && r.source == source; });
    Record* record = known != records_.end() ? &*known : nullptr;
    if (!record) {
      if (free_.empty()) make_room(device);
      record = &records_.emplace_back(Record{device, source, free_.back()});
      free_.pop_back();
    }
    ++record->holders;
    if (Capture* capture = current_capture()) {
      ++record->holders;
      capture->faults.push_back(record->fault);
    }
    return record->fault;
  }

  void release(const std::vector<Fault*>& held) {
    std::lock_guard lock(mutex_);
    for (Record& r : records_) r.holders -= static_cast<int>(std::count(held.begin(), held.end(), r.fault));
  }

  void throw_found(Device device) {
    const auto has_fault = [&](const Record& r) { return r.device == device && is_set(r); };
    std::unique_lock lock(mutex_);
    if (std::none_of(records_.begin(), records_.end(), has_fault)) return;
    lock.unlock();
    device_of(device).synchronize();  // a kernel of another stream may still be writing
    lock.lock();
    std::vector<std::string> texts;
    for (const Record& r : records_) {
      if (!has_fault(r)) continue;
      texts.push_back(text_of(r.source, *r.fault));
      *r.fault = {};
    }
    if (texts.empty()) return;  // another thread has thrown them
    throw IndexError(fmt::format("{} (found on '{}' after the call)", fmt::join(texts, "; "), to_string(device)));
  }

 private:
  static constexpr size_t kRoom = 256;
  struct Record {
    Device device;
    FaultSource source;
    Fault* fault;
    int holders = 0;
  };

  void make_room(Device device) {
    if (!current_capture() && device_of(device).synchronize() && std::none_of(records_.begin(), records_.end(), is_set)) {
      for (const Record& r : records_)
        if (r.device == device && r.holders == 0) free_.push_back(r.fault);
      std::erase_if(records_, [&](const Record& r) { return r.device == device && r.holders == 0; });
    }
    if (free_.size() >= kRoom / 2) return;
    auto* more = static_cast<Fault*>(device_of(device).allocate_pinned(kRoom * sizeof(Fault)));
    if (!more) throw OutOfMemory("no pinned memory for what kernels report");
    for (size_t i = 0; i < kRoom; ++i) free_.push_back(new (more + i) Fault);
  }
  static bool is_set(const Record& r) { return r.fault->position != Fault::kNone; }

  std::mutex mutex_;
  std::vector<Record> records_;
  std::vector<Fault*> free_;
};

// Never destroyed, as what kernels may write to.
FaultTable& table() {
  static FaultTable& one = *new FaultTable;
  return one;
}

}  // namespace

FaultContext::FaultContext(const char* text) : outer_(context) { context = text; }
FaultContext::~FaultContext() { context = outer_; }

FaultReport::FaultReport(Device device, FaultSource source) : source_(source), place_(&own_) {
  source_.context = context;
  if (device.kind == DeviceKind::cuda) place_ = table().place_of(device, source_);
}

FaultReport::~FaultReport() {
  if (place_ != &own_) table().release({place_});
}

void FaultReport::finish() const {
  if (own_.position != Fault::kNone) throw IndexError(text_of(source_, own_));
}

void throw_faults(Device device) {
  if (device.kind == DeviceKind::cuda) table().throw_found(device);
}
void release_faults(const std::vector<Fault*>& held) { table().release(held); }

}  // namespace tapetum
