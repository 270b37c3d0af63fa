// mbarrier, and the copies of tiles (TMA) that arrive at one.
#include <bit>
#include <cstring>
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/hopper.h"
#include "kernels/cuda/emulation/scheduler.h"
#include "kernels/cuda/emulation/window.h"

namespace tapetum::emulation {
namespace {

constexpr uint64_t kMagic = 0x54454e534f524d41ull;  // of a tensor map that make_tensor_map_2d filled

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

// One element, zero outside the matrix.
void fetch(char* to, const TensorMap& m, int64_t row, int64_t col) {
  const bool inside = row >= 0 && col >= 0 && static_cast<uint64_t>(row) < m.rows && static_cast<uint64_t>(col) < m.cols;
  if (inside)
    std::memcpy(to, m.base + static_cast<uint64_t>(row) * m.row_stride + static_cast<uint64_t>(col) * m.elem, m.elem);
  else
    std::memset(to, 0, m.elem);
}

void perform(Block& b, const TmaCopy& c) {
  const TensorMap& m = c.map;
  const uint64_t to = window_address(b, c.to), line = static_cast<uint64_t>(m.box_cols) * m.elem;
  for (uint32_t r = 0; r < m.box_rows; ++r)
    for (uint64_t x = 0; x < line; x += 16) {  // the piece that a swizzle moves
      char piece[16];
      for (uint64_t e = 0; e < 16; e += m.elem) fetch(piece + e, m, c.row + int64_t{r}, c.col + static_cast<int64_t>((x + e) / m.elem));
      std::memcpy(window_pointer(b, swizzled(to + r * line + x, m.swizzle)), piece, 16);
    }
  tsan_release(c.bar);
  auto bar = std::bit_cast<Mbarrier>(*c.bar);
  bar.bytes -= m.box_rows * line;
  store(b, c.bar, bar);
}

}  // namespace

// With the restrictions of cuTensorMapEncodeTiled.
cudaError_t make_tensor_map_2d(TensorMap* m, const void* base, int elem, uint64_t rows, uint64_t cols, uint64_t stride, uint32_t box_rows,
                               uint32_t box_cols, int swizzle) {
  const uint64_t line = static_cast<uint64_t>(box_cols) * static_cast<unsigned>(elem);
  const uint64_t longest = swizzle ? uint64_t{16} << swizzle : ~0ull;
  const auto side_ok = [](uint32_t n) { return n >= 1 && n <= 256; };
  if (reinterpret_cast<uintptr_t>(base) % 16 || stride % 16 || line % 16) return cudaErrorInvalidValue;
  if (!side_ok(box_rows) || !side_ok(box_cols) || line > longest) return cudaErrorInvalidValue;
  *m = {static_cast<const char*>(base), rows,   cols, stride, box_rows, box_cols, static_cast<uint32_t>(elem),
        static_cast<uint32_t>(swizzle), kMagic, {}};
  return cudaSuccess;
}

void mbarrier_init(uint64_t* p, unsigned count, Loc at) {
  Block& b = block();
  if (!b.dynamic_shared.contains(p, sizeof *p)) fail(b, "mbarrier {}: not in dynamic shared memory", at);
  if (reinterpret_cast<uintptr_t>(p) % 8) fail(b, "mbarrier {}: misaligned", at);
  *p = std::bit_cast<uint64_t>(Mbarrier{0, count, count, 0, 1});
}

void mbarrier_arrive(uint64_t* p, unsigned bytes, Loc at) {
  Block& b = block();
  Mbarrier m = load(b, p, at);
  if (m.pending == 0) fail(b, "mbarrier {}: more arrivals than expected in this phase", at);
  tsan_release(p);
  m.bytes += bytes;
  --m.pending;
  store(b, p, m);
}

void mbarrier_wait(uint64_t* p, unsigned parity, Loc at) {
  Block& b = block();
  if (load(b, p, at).phase == parity) {
    Thread& t = b.threads[b.current];
    t.object = p;
    t.parity = parity;
    wait_for(b, Op::mbarrier, at);
  }
  tsan_acquire(p);
}

void fence_proxy_async() {}  // the units here see memory as threads do

void tma_load_2d(void* to, const TensorMap* map, int col, int row, uint64_t* bar, Loc at) {
  Block& b = block();
  if (map->magic != kMagic) fail(b, "TMA load {}: invalid tensor map", at);
  const size_t bytes = static_cast<size_t>(map->box_rows) * map->box_cols * map->elem;
  if (!b.dynamic_shared.contains(to, bytes)) fail(b, "TMA load {}: destination outside dynamic shared memory", at);
  const uint64_t alignment = uint64_t{128} << map->swizzle;  // rows of a swizzle repeat after so many bytes
  if (window_address(b, to) % alignment) fail(b, "TMA load {}: destination misaligned for its swizzle", at);
  load(b, bar, at);
  AsyncUnit unit(b.tsan_async);
  note_write(to, bytes);
  const TmaCopy copy{static_cast<char*>(to), *map, col, row, bar};
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
