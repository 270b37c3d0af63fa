// Emulation of mbarrier, TMA tile copies and wgmma.
#include "block.h"
#include <algorithm>
#include <cstring>

namespace emu {
namespace {
constexpr uint64_t kMagic = 0x54454e534f524d41ull;
constexpr uint64_t kWindow = 1024;   // shared-window address of the first dynamic byte

// 64 bits in shared memory, as on the device: phase, arrivals expected per phase, arrivals and bytes pending.
struct Mbar { uint64_t phase : 1, expected : 20, pending : 20, tx : 22, valid : 1; };
static_assert(sizeof(Mbar) == 8);
Mbar get(Block& b, const uint64_t* p, Loc loc) {
  if (!in_dynamic_shared(b, p, 8)) fail(b, "mbarrier " + describe(loc) + ": not in dynamic shared memory");
  const Mbar m = std::bit_cast<Mbar>(*p);
  if (*p == ~0ull || !m.valid) fail(b, "mbarrier " + describe(loc) + ": not initialised");
  return m;
}
void put(Block& b, uint64_t* p, Mbar m) {
  if (m.pending == 0 && m.tx == 0) {
    m.phase ^= 1;
    m.pending = m.expected;
    for (unsigned t = 0; t < b.nthreads; ++t) {
      Thread& th = b.threads[t];
      if (th.wait == Op::mbarrier && th.object == p && th.parity != m.phase && (b.warps[t / 32].alive >> (t % 32) & 1)) { th.object = nullptr; make_ready(b, t); }
    }
  }
  *p = std::bit_cast<uint64_t>(m);
}
uint64_t swizzled(uint64_t addr, unsigned mode) {  // mode as in CUtensorMapSwizzle
  const unsigned bits = mode;                       // 1: 32B, 2: 64B, 3: 128B
  const uint64_t mask = ((1u << bits) - 1);
  return addr ^ (((addr >> 7) & mask) << 4);
}
uint64_t window(const Block& b, const void* p) { return kWindow + static_cast<uint64_t>(static_cast<const char*>(p) - b.smem); }

void perform_copy(Block& b, const TmaCopy& c) {
  const TensorMap& m = c.map;
  const uint64_t dst = window(b, c.smem), line = static_cast<uint64_t>(m.box_cols) * m.elem;
  for (uint32_t r = 0; r < m.box_rows; ++r)
    for (uint64_t x = 0; x < line; x += 16) {
      char chunk[16];
      for (uint64_t e = 0; e < 16; e += m.elem) {
        const int64_t row = c.row + static_cast<int64_t>(r), col = c.col + static_cast<int64_t>((x + e) / m.elem);
        const bool in = row >= 0 && col >= 0 && static_cast<uint64_t>(row) < m.rows && static_cast<uint64_t>(col) < m.cols;
        if (in) std::memcpy(chunk + e, m.base + static_cast<uint64_t>(row) * m.row_stride + static_cast<uint64_t>(col) * m.elem, m.elem);
        else std::memset(chunk + e, 0, m.elem);
      }
      std::memcpy(b.smem + (swizzled(dst + r * line + x, m.swizzle) - kWindow), chunk, 16);
    }
  __tsan_release(c.bar);
  Mbar bar = std::bit_cast<Mbar>(*c.bar);
  bar.tx -= static_cast<uint64_t>(m.box_rows * line);
  put(b, c.bar, bar);
}
}  // namespace

cudaError_t make_tensor_map_2d(TensorMap* m, const void* base, int elem, uint64_t rows, uint64_t cols, uint64_t stride, uint32_t br, uint32_t bc, int swizzle) {
  const uint64_t line = static_cast<uint64_t>(bc) * static_cast<unsigned>(elem);
  static const uint64_t span[4] = {256 * 16, 32, 64, 128};
  // The restrictions of cuTensorMapEncodeTiled.
  if (reinterpret_cast<uintptr_t>(base) % 16 || stride % 16 || br == 0 || br > 256 || bc == 0 || bc > 256 || line % 16 || (swizzle && line > span[swizzle])) return cudaErrorInvalidValue;
  *m = TensorMap{static_cast<const char*>(base), rows, cols, stride, br, bc, static_cast<uint32_t>(elem), static_cast<uint32_t>(swizzle), kMagic, {}};
  return cudaSuccess;
}

void mbarrier_init(uint64_t* p, unsigned count, Loc loc) {
  Block& b = block();
  if (!in_dynamic_shared(b, p, 8)) fail(b, "mbarrier " + describe(loc) + ": not in dynamic shared memory");
  if (reinterpret_cast<uintptr_t>(p) % 8) fail(b, "mbarrier " + describe(loc) + ": misaligned");
  *p = std::bit_cast<uint64_t>(Mbar{0, count, count, 0, 1});
}
void mbarrier_arrive(uint64_t* p, unsigned bytes, Loc loc) {
  Block& b = block();
  Mbar m = get(b, p, loc);
  if (m.pending == 0) fail(b, "mbarrier " + describe(loc) + ": more arrivals than expected in this phase");
  __tsan_release(p);
  m.tx += bytes;
  --m.pending;
  put(b, p, m);
}
void mbarrier_wait(uint64_t* p, unsigned parity, Loc loc) {
  Block& b = block();
  const Mbar m = get(b, p, loc);
  if (m.phase == parity) {
    Thread& t = b.threads[b.cur];
    t.wait = Op::mbarrier;
    t.loc = loc;
    t.mask = 0;
    t.object = p;
    t.parity = parity;
    suspend(b);
    t.wait = Op::none;
  }
  __tsan_acquire(p);
}
void fence_proxy_async() {}

void tma_load_2d(void* smem, const TensorMap* map, int col, int row, uint64_t* bar, Loc loc) {
  Block& b = block();
  if (map->magic != kMagic) fail(b, "TMA load " + describe(loc) + ": invalid tensor map");
  const size_t bytes = static_cast<size_t>(map->box_rows) * map->box_cols * map->elem;
  if (!in_dynamic_shared(b, smem, bytes)) fail(b, "TMA load " + describe(loc) + ": destination outside dynamic shared memory");
  if (window(b, smem) % (map->swizzle == 3 ? 1024 : map->swizzle == 2 ? 512 : map->swizzle == 1 ? 256 : 128)) fail(b, "TMA load " + describe(loc) + ": destination misaligned for its swizzle");
  get(b, bar, loc);
  AsyncUnit unit(b);
  note_write(smem, bytes);
  const TmaCopy c{smem, *map, col, row, bar};
  if (!config().lazy_async) { perform_copy(b, c); return; }
  std::memset(smem, 0xff, bytes);
  b.tma.push_back(c);
}
bool run_async_copies(Block& b) {
  if (b.tma.empty()) return false;
  // One at a time, the oldest, so that data arrives as late as the kernel allows.
  {
    AsyncUnit unit(b);
    const TmaCopy c = b.tma.front();
    b.tma.erase(b.tma.begin());
    perform_copy(b, c);
  }
  if (!b.ready_warps) run_async_copies(b);
  return true;
}

uint64_t smem_addr(const void* p, Loc loc) {
  Block& b = block();
  if (!in_dynamic_shared(b, p, 1)) fail(b, "shared-memory descriptor " + describe(loc) + ": operands must lie in dynamic shared memory");
  return window(b, p);
}

// ---- wgmma ------------------------------------------------------------------------------------
namespace {
// Byte address of element (mn, k) of a bf16 operand tile.
struct Operand {
  uint64_t start, lbo, sbo;
  unsigned mode;  // CUtensorMapSwizzle numbering
  bool mn_major;
  explicit Operand(uint64_t d, bool mn) : start((d & 0x3fff) << 4), lbo(((d >> 16) & 0x3fff) << 4), sbo(((d >> 32) & 0x3fff) << 4), mn_major(mn) {
    static const unsigned m[4] = {0, 3, 2, 1};
    mode = m[d >> 62];
  }
  uint64_t at(unsigned mn, unsigned k) const {
    const unsigned row = mode ? 16u << mode : 16;  // bytes of one row of a swizzle atom: 16, 32, 64, 128
    const unsigned per = row / 2;                  // bf16 elements in it
    uint64_t a;
    if (!mn_major) a = start + mn / 8 * sbo + mn % 8 * row + (mode ? k * 2u : k / 8 * lbo + k % 8 * 2u);
    else if (mode) a = start + mn / per * lbo + k / 8 * sbo + k % 8 * row + mn % per * 2u;
    else a = start + mn / 8 * sbo + k / 8 * lbo + k % 8 * 16u + mn % 8 * 2u;
    return swizzled(a, mode);
  }
};
float read_bf16(Block& b, uint64_t addr) {
  const uint64_t o = addr - kWindow;
  if (addr < kWindow || o + 2 > b.smem_bytes) fail(b, "wgmma: operand outside dynamic shared memory");
  uint16_t u;
  note_read(b.smem + o, 2);
  __builtin_memcpy(&u, b.smem + o, 2);
  return std::bit_cast<float>(static_cast<uint32_t>(u) << 16);
}
// acc[i * n + j]: row i of the warp's 16 rows.
void execute(Block& b, unsigned warp, const WgmmaOp& op, float* acc) {
  const Operand A(op.a, false), B(op.b, op.trans_b);
  const unsigned row0 = warp % 4 * 16, n = static_cast<unsigned>(op.n);
  float a[16][16], bt[16][256];
  for (unsigned i = 0; i < 16; ++i) for (unsigned k = 0; k < 16; ++k) a[i][k] = read_bf16(b, A.at(row0 + i, k));
  for (unsigned k = 0; k < 16; ++k) for (unsigned j = 0; j < n; ++j) bt[k][j] = read_bf16(b, B.at(j, k));
  for (unsigned i = 0; i < 16; ++i) {
    float* r = acc + i * n;
    if (!op.accumulate) std::fill_n(r, n, 0.0f);
    for (unsigned k = 0; k < 16; ++k) for (unsigned j = 0; j < n; ++j) r[j] += a[i][k] * bt[k][j];
  }
}
// Fragment layout: lane 4g+t holds, for each 8-column group c, rows g and g+8, columns 8c+2t and 8c+2t+1.
template <class F> void for_fragment(int n, F f) {
  for (int i = 0; i < 16; ++i) for (int j = 0; j < n; ++j) f(i, j, i % 8 * 4 + j % 8 / 2, j / 8 * 4 + i / 8 * 2 + j % 2);
}
struct WgmmaPayload { float* d; int n; uint64_t a, b; bool trans_b, accumulate; };
WarpWgmma& state(Block& b, unsigned w) {
  if (!b.wgmma[w]) b.wgmma[w] = std::make_unique<WarpWgmma>();
  return *b.wgmma[w];
}
void perform_wgmma(void* const* payload, uint32_t) {
  Block& b = block();
  const unsigned w = b.cur / 32;
  const auto& p = *static_cast<WgmmaPayload*>(payload[0]);
  AsyncUnit unit(b);
  WarpWgmma& q = state(b, w);
  for (int l = 1; l < 32; ++l) {
    const auto& o = *static_cast<WgmmaPayload*>(payload[l]);
    if (o.a != p.a || o.b != p.b || o.accumulate != p.accumulate) fail(b, "wgmma: lanes pass different descriptors");
  }
  auto t = std::find_if(q.tiles.begin(), q.tiles.end(), [&](auto& x) { return x.d[0] == p.d; });
  if (t == q.tiles.end()) {  // take the accumulators out of the registers and show NaN there
    t = q.tiles.insert(t, WgmmaTile{{}, p.n, std::vector<float>(16u * static_cast<unsigned>(p.n)), 0});
    for (int l = 0; l < 32; ++l) t->d[l] = static_cast<WgmmaPayload*>(payload[l])->d;
    for_fragment(p.n, [&](int i, int j, int lane, int r) { t->v[static_cast<size_t>(i * p.n + j)] = t->d[lane][r]; t->d[lane][r] = std::bit_cast<float>(~0u); });
  }
  t->last_group = q.group;
  q.ops.push_back({p.d, p.n, p.a, p.b, p.trans_b, p.accumulate, false, q.group});
  if (!config().lazy_async) { execute(b, w, q.ops.back(), t->v.data()); q.ops.back().executed = true; }
}
void perform_commit(void* const*, uint32_t) {
  Block& b = block();
  AsyncUnit unit(b);
  const unsigned w = b.cur / 32, w0 = w & ~3u;
  ++state(b, w).group;
  for (unsigned t = w0 * 32; t < std::min(b.nthreads, w0 * 32 + 128); ++t)
    if (b.threads[t].wait == Op::wgmma && b.threads[t].object == &b.wgmma) { b.threads[t].object = nullptr; make_ready(b, t); }
}
void perform_sync(void* const*, uint32_t) {}
}  // namespace

void wgmma(float* d, int n, uint64_t a, uint64_t bdesc, bool trans_b, bool accumulate, Loc loc) {
  // per warp: 16 rows of A and a quarter of B from shared memory
  WgmmaPayload p{d, n, a, bdesc, trans_b, accumulate};
  collective(block(), Op::wgmma, ~0u, &p, perform_wgmma, true, loc);
}
void wgmma_commit(Loc loc) { collective(block(), Op::wgmma, ~0u, nullptr, perform_commit, true, loc); }
// A wgmma-group belongs to the warpgroup: it is complete when all four warps have issued and committed it
// and its work is done. The operands in shared memory are read here, as late as PTX allows.
void wgmma_wait(int n, Loc loc) {
  Block& b = block();
  const unsigned w = b.cur / 32, w0 = w & ~3u;
  collective(b, Op::wgmma, ~0u, nullptr, perform_sync, true, loc);
  if (!b.wgmma[w]) return;
  WarpWgmma& q = *b.wgmma[w];
  if (q.group <= static_cast<unsigned>(n)) return;
  const unsigned target = q.group - static_cast<unsigned>(n);
  if (w0 + 4 > b.nwarps) fail(b, "wgmma " + describe(loc) + ": the warpgroup is incomplete");
  for (unsigned k = w0; k < w0 + 4;) {
    if (b.wgmma[k] && b.wgmma[k]->group >= target) { ++k; continue; }
    Thread& t = b.threads[b.cur];
    t.wait = Op::wgmma;
    t.loc = loc;
    t.mask = ~0u;
    t.object = &b.wgmma;
    suspend(b);
    t.wait = Op::none;
  }
  AsyncUnit unit(b, true);
  for (unsigned k = w0; k < w0 + 4; ++k) {
    WarpWgmma& s = *b.wgmma[k];
    for (WgmmaOp& op : s.ops)
      if (op.group < target && !op.executed) {
        execute(b, k, op, std::find_if(s.tiles.begin(), s.tiles.end(), [&](auto& x) { return x.d[0] == op.tile; })->v.data());
        op.executed = true;
      }
  }
  std::erase_if(q.ops, [&](auto& op) { return op.group < target; });
  std::erase_if(q.tiles, [&](auto& t) {
    if (t.last_group >= target) return false;
    for_fragment(t.n, [&](int i, int j, int lane, int r) { t.d[lane][r] = t.v[static_cast<size_t>(i * t.n + j)]; });
    return true;
  });
}
}  // namespace emu
