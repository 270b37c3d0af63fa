// mbarrier, and the copies of tiles (TMA) that arrive at one.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/hopper.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/scheduler.h"
#include "kernels/cuda/emulation/window.h"

namespace tapetum::emulation {
namespace {

constexpr uint32_t kMagic = 0x4f524d41;  // of a tensor map that make_tensor_map filled

// 64 bits in shared memory, as on the device.
struct Mbarrier {
  uint64_t phase : 1, expected : 20, pending : 20, bytes : 22, valid : 1;
};
static_assert(sizeof(Mbarrier) == sizeof(uint64_t));

Mbarrier load(Block& b, const uint64_t* p, Loc at) {
  if (!b.dynamic_shared.contains(p, sizeof *p)) fail(b, "mbarrier {}: not in dynamic shared memory", at);
  const auto m = std::bit_cast<Mbarrier>(*p);
  if (*p == ~0ull || !m.valid) fail(b, "mbarrier {}: not initialised", at);
  return m;
}

void store(Block& b, uint64_t* p, Mbarrier m) {
  if (m.pending == 0 && m.bytes == 0) {
    m.phase ^= 1;
    m.pending = m.expected;
    for (unsigned t = 0; t < b.nthreads; ++t) {
      Thread& thread = b.threads[t];
      if (thread.wait != Op::mbarrier || thread.object != p || thread.parity == m.phase) continue;
      thread.object = nullptr;
      make_ready(b, t);
    }
  }
  *p = std::bit_cast<uint64_t>(m);
}

using Place = std::array<int64_t, TensorMap::kDims>;

// One element, zero outside the tensor.
void fetch(char* to, const TensorMap& m, const Place& at) {
  const char* from = m.base + at[0] * m.elem;
  bool inside = true;
  for (size_t d = 0; d < at.size(); ++d) {
    inside = inside && at[d] >= 0 && static_cast<uint64_t>(at[d]) < m.sizes[d];
    from += at[d] * static_cast<int64_t>(m.strides[d]);
  }
  if (inside)
    std::memcpy(to, from, m.elem);
  else
    std::memset(to, 0, m.elem);
}

uint64_t line_bytes(const TensorMap& m) { return uint64_t{m.box[0]} * m.elem; }
uint64_t lines(const TensorMap& m) { return uint64_t{m.box[1]} * m.box[2] * m.box[3]; }

void perform(Block& b, const TmaCopy& c) {
  const TensorMap& m = c.map;
  const uint64_t to = window_address(b, c.to), line = line_bytes(m);
  for (uint64_t i = 0; i < lines(m); ++i) {
    Place at{c.first[0], c.first[1] + static_cast<int64_t>(i % m.box[1]), c.first[2] + static_cast<int64_t>(i / m.box[1] % m.box[2]),
             c.first[3] + static_cast<int64_t>(i / m.box[1] / m.box[2])};
    for (uint64_t x = 0; x < line; x += 16) {  // the piece that a swizzle moves
      char piece[16];
      for (uint64_t e = 0; e < 16; e += m.elem, ++at[0]) fetch(piece + e, m, at);
      std::memcpy(window_pointer(b, swizzled(to + i * line + x, m.swizzle)), piece, 16);
    }
  }
  tsan_release(c.bar);
  auto bar = std::bit_cast<Mbarrier>(*c.bar);
  bar.bytes -= lines(m) * line;
  store(b, c.bar, bar);
}

}  // namespace

// With the restrictions of cuTensorMapEncodeTiled.
cudaError_t make_tensor_map(TensorMap* m, const void* base, int elem, int dims, const uint64_t* sizes, const uint64_t* strides, const uint32_t* box,
                            int swizzle) {
  *m = {static_cast<const char*>(base), {1, 1, 1, 1}, {}, {1, 1, 1, 1}, static_cast<uint32_t>(elem), static_cast<uint32_t>(swizzle), kMagic,
        static_cast<uint32_t>(dims)};
  for (int d = 0; d < dims; ++d) {
    m->sizes[d] = sizes[d];
    m->box[d] = box[d];
    if (sizes[d] == 0 || box[d] < 1 || box[d] > 256) return cudaErrorInvalidValue;
    if (d == 0) continue;
    m->strides[d] = strides[d - 1];
    if (strides[d - 1] % 16 || strides[d - 1] >> 40) return cudaErrorInvalidValue;
  }
  const uint64_t longest = swizzle ? uint64_t{16} << swizzle : ~0ull;
  const bool fits = reinterpret_cast<uintptr_t>(base) % 16 == 0 && line_bytes(*m) % 16 == 0 && line_bytes(*m) <= longest;
  return fits ? cudaSuccess : cudaErrorInvalidValue;
}

void mbarrier_init(uint64_t* p, unsigned count, Loc at) {
  Block& b = block();
  if (!b.dynamic_shared.contains(p, sizeof *p)) fail(b, "mbarrier {}: not in dynamic shared memory", at);
  if (reinterpret_cast<uintptr_t>(p) % 8) fail(b, "mbarrier {}: misaligned", at);
  *p = std::bit_cast<uint64_t>(Mbarrier{0, count, count, 0, 1});
  b.unfenced_mbarriers.push_back(p);
}
void mbarrier_fence_init() { block().unfenced_mbarriers.clear(); }

void mbarrier_arrive(uint64_t* p, unsigned bytes, Loc at) {
  profile::operation(profile::Kind::mbarrier, TAPETUM_EMULATION_CALLER);
  Block& b = block();
  Mbarrier m = load(b, p, at);
  if (m.pending == 0) fail(b, "mbarrier {}: more arrivals than expected in this phase", at);
  tsan_release(p);
  profile::release(p);
  m.bytes += bytes;
  --m.pending;
  store(b, p, m);
}

void mbarrier_wait(uint64_t* p, unsigned parity, Loc at) {
  profile::operation(profile::Kind::mbarrier, TAPETUM_EMULATION_CALLER);
  Block& b = block();
  if (load(b, p, at).phase == parity) {
    Thread& t = b.threads[b.current];
    t.object = p;
    t.parity = parity;
    wait_for(b, Op::mbarrier, at);
  }
  tsan_acquire(p);
  profile::acquire(p, b.current);
}

void fence_proxy_async() { mbarrier_fence_init(); }  // otherwise the units here see memory as threads do

void tma_load(void* to, const TensorMap* map, int dims, const int* first, uint64_t* bar, Loc at) {
  Block& b = block();
  if (map->magic != kMagic) fail(b, "TMA load {}: invalid tensor map", at);
  if (map->dims != static_cast<uint32_t>(dims)) fail(b, "TMA load {}: {} coordinates for a tensor of {} dimensions", at, dims, map->dims);
  const size_t bytes = lines(*map) * line_bytes(*map);
  if (!b.dynamic_shared.contains(to, bytes)) fail(b, "TMA load {}: destination outside dynamic shared memory", at);
  const uint64_t alignment = uint64_t{128} << map->swizzle;  // rows of a swizzle repeat after so many bytes
  if (window_address(b, to) % alignment) fail(b, "TMA load {}: destination misaligned for its swizzle", at);
  load(b, bar, at);
  if (std::count(b.unfenced_mbarriers.begin(), b.unfenced_mbarriers.end(), bar))
    fail(b, "TMA load {}: no fence since its mbarrier was initialised", at);
  profile::tma_copy(TAPETUM_EMULATION_CALLER, *map, first);
  TmaCopy copy{static_cast<char*>(to), *map, {}, bar};
  std::copy_n(first, dims, copy.first.begin());
  AsyncUnit unit(b.tsan_async);
  note_write(to, bytes);
  if (!config().lazy_async) return perform(b, copy);
  std::memset(to, 0xff, bytes);
  b.tma.push_back(copy);
}

// The oldest first and no more than needed, so that data arrives as late as the kernel allows.
void run_async_copies(Block& b) {
  while (!b.ready_warps && !b.tma.empty()) {
    AsyncUnit unit(b.tsan_async);
    const TmaCopy copy = b.tma.front();
    b.tma.erase(b.tma.begin());
    perform(b, copy);
  }
}

}  // namespace tapetum::emulation
