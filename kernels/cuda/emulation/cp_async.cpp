// cp.async: the destination holds NaN until the last moment at which PTX lets the data arrive, so a forgotten wait shows.
#include <cstring>
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/ptx.h"
#include "kernels/cuda/emulation/scheduler.h"

namespace tapetum::emulation {
namespace {

void complete(const AsyncCopy& c) {
  std::memcpy(c.to, c.from, static_cast<size_t>(c.read_bytes));
  std::memset(static_cast<char*>(c.to) + c.read_bytes, 0, static_cast<size_t>(c.bytes - c.read_bytes));
}

bool is_aligned(const void* p, int bytes) { return reinterpret_cast<uintptr_t>(p) % static_cast<unsigned>(bytes) == 0; }

}  // namespace

void cp_async(void* to, const void* from, int bytes, int read_bytes, Loc at) {
  Block& b = block();
  if (!is_aligned(to, bytes) || (read_bytes && !is_aligned(from, bytes))) fail(b, "cp.async {}: address not aligned to {} bytes", at, bytes);
  if (read_bytes) profile::access(profile::Kind::cp_async, TAPETUM_EMULATION_CALLER, from, static_cast<unsigned>(read_bytes));
  profile::access(profile::Kind::cp_async_shared, TAPETUM_EMULATION_CALLER, to, static_cast<unsigned>(bytes));
  if (!config().lazy_async) return complete({to, from, bytes, read_bytes, 0});
  auto& copies = b.threads[b.current].copies;
  if (!copies) copies = std::make_unique<AsyncCopies>();
  b.copies_used = true;
  if (read_bytes) note_read(from, static_cast<size_t>(read_bytes));
  std::memset(to, 0xff, static_cast<size_t>(bytes));
  copies->pending.push_back({to, from, bytes, read_bytes, copies->group});
}

void cp_async_commit() {
  Block& b = block();
  if (auto& copies = b.threads[b.current].copies) ++copies->group;
}

// Until at most n of the committed groups are pending.
void cp_async_wait(int n) {
  Block& b = block();
  auto& copies = b.threads[b.current].copies;
  if (!copies) return;
  std::erase_if(copies->pending, [&](const AsyncCopy& c) {
    if (c.group + static_cast<unsigned>(n) >= copies->group) return false;
    complete(c);
    return true;
  });
}

void clear_copies(Block& b) {
  if (!b.copies_used) return;
  for (unsigned t = 0; t < b.nthreads; ++t) {
    if (!b.threads[t].copies) continue;
    b.threads[t].copies->pending.clear();
    b.threads[t].copies->group = 0;
  }
}

}  // namespace tapetum::emulation
