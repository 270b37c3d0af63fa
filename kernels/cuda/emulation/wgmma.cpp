// wgmma: four warps multiply matrices in shared memory. While it is in flight the accumulator registers hold NaN; shared memory is
// read at wgmma_wait, as late as PTX allows, so an operand that was overwritten too early shows.
#include <algorithm>
#include <bit>
#include <cstring>
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/half.h"
#include "kernels/cuda/emulation/hopper.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/scheduler.h"
#include "kernels/cuda/emulation/warp.h"
#include "kernels/cuda/emulation/window.h"

namespace tapetum::emulation {
namespace {

constexpr unsigned kWarpgroup = 4;

// A tile of 16-bit numbers, from its descriptor.
struct Operand {
  uint64_t start, leading, stride;  // bytes: of the tile, and between its groups of elements and of rows
  unsigned mode;                    // swizzle, numbered as in CUtensorMapSwizzle
  bool mn_major;

  Operand(uint64_t d, bool mn)
      : start((d & 0x3fff) << 4), leading((d >> 16 & 0x3fff) << 4), stride((d >> 32 & 0x3fff) << 4), mode((4 - (d >> 62)) % 4), mn_major(mn) {}

  // The address of element (mn, k). A swizzle atom is 8 rows of 16, 32, 64 or 128 bytes.
  uint64_t at(unsigned mn, unsigned k) const {
    const unsigned row = 16u << mode, in_row = row / 2;
    uint64_t a = start;
    if (!mn_major)
      a += mn / 8 * stride + mn % 8 * row + (mode ? k * 2u : k / 8 * leading + k % 8 * 2u);
    else if (mode)
      a += mn / in_row * leading + k / 8 * stride + k % 8 * row + mn % in_row * 2u;
    else
      a += mn / 8 * stride + k / 8 * leading + k % 8 * 16u + mn % 8 * 2u;
    return swizzled(a, mode);
  }
};

float widen(uint32_t bits, bool f16) {
  const auto low = static_cast<uint16_t>(bits);
  return f16 ? half_bits_to_float(low) : bf16_bits_to_float(low);
}

float read_operand(Block& b, uint64_t address, bool f16) {
  const char* p = window_pointer(b, address);
  if (address < kWindow || !b.dynamic_shared.contains(p, 2)) fail(b, "wgmma: operand outside dynamic shared memory");
  uint16_t bits;
  note_read(p, 2);
  std::memcpy(&bits, p, 2);
  return widen(bits, f16);
}

// The 16 rows of `warp`: acc[i * n + j].
void execute(Block& b, unsigned warp, const WgmmaOp& op, float* acc) {
  const Operand at_a(op.a, op.kind.trans_a), at_b(op.b, op.kind.trans_b);
  const unsigned first_row = warp % kWarpgroup * 16, n = static_cast<unsigned>(op.kind.n);
  float a[16][16], bt[16][256];
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned k = 0; k < 16; ++k)
      a[i][k] = op.rows_of_a.empty() ? read_operand(b, at_a.at(first_row + i, k), op.kind.f16) : op.rows_of_a[i * 16 + k];
  for (unsigned k = 0; k < 16; ++k)
    for (unsigned j = 0; j < n; ++j) bt[k][j] = read_operand(b, at_b.at(j, k), op.kind.f16);
  for (unsigned i = 0; i < 16; ++i) {
    float* row = acc + i * n;
    if (!op.accumulate) std::fill_n(row, n, 0.0f);
    for (unsigned k = 0; k < 16; ++k)
      for (unsigned j = 0; j < n; ++j) row[j] += a[i][k] * bt[k][j];
  }
}

// Lane 4g + t holds, of each group c of 8 columns, rows g and g + 8, columns 8c + 2t and 8c + 2t + 1. f(element, lane, register)
template <class F> void for_fragment(int n, F f) {
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < n; ++j) f(static_cast<size_t>(i * n + j), i % 8 * 4 + j % 8 / 2, j / 8 * 4 + i / 8 * 2 + j % 2);
}

struct Payload {
  const Wgmma& kind;
  float* d;
  uint64_t a, b;
  const uint32_t* rows_of_a;  // null: a lies in shared memory
  bool accumulate;
  Loc at;
};

// Lane 4g + t: of rows g and g + 8 the elements 2t and 2t + 1, then those of both rows 8 further.
std::vector<float> take_rows(void* const* payload, bool f16) {
  std::vector<float> rows(16 * 16);
  for (unsigned l = 0; l < kLanes; ++l)
    for (unsigned i = 0; i < 8; ++i) {
      const uint32_t word = static_cast<Payload*>(payload[l])->rows_of_a[i / 2];
      rows[(l / 4 + i / 2 % 2 * 8) * 16 + i / 4 * 8 + l % 4 * 2 + i % 2] = widen(word >> i % 2 * 16, f16);
    }
  return rows;
}

WarpWgmma& state_of(Block& b, unsigned warp) {
  if (!b.wgmma[warp]) b.wgmma[warp] = std::make_unique<WarpWgmma>();
  return *b.wgmma[warp];
}

WgmmaTile& tile_of(WarpWgmma& w, const float* d) {
  return *std::find_if(w.tiles.begin(), w.tiles.end(), [&](const WgmmaTile& t) { return t.registers[0] == d; });
}

// Accumulators that are in flight already go on without a fence.
void take_registers(WarpWgmma& w, void* const* payload) {
  const auto& first = *static_cast<Payload*>(payload[0]);
  const bool in_flight = std::any_of(w.tiles.begin(), w.tiles.end(), [&](const WgmmaTile& t) { return t.registers[0] == first.d; });
  if (!w.fenced && (!in_flight || first.rows_of_a)) fail(block(), "wgmma {}: no wgmma.fence since the threads had its registers", first.at);
  if (in_flight) return;
  WgmmaTile& t = w.tiles.emplace_back(WgmmaTile{{}, first.kind.n, std::vector<float>(16u * static_cast<unsigned>(first.kind.n)), 0});
  for (unsigned l = 0; l < kLanes; ++l) t.registers[l] = static_cast<Payload*>(payload[l])->d;
  for_fragment(t.n, [&](size_t element, int lane, int r) {
    t.values[element] = t.registers[lane][r];
    t.registers[lane][r] = std::bit_cast<float>(~0u);
  });
}

void give_registers_back(const WgmmaTile& t) {
  for_fragment(t.n, [&](size_t element, int lane, int r) { t.registers[lane][r] = t.values[element]; });
}

void perform_wgmma(void* const* payload, uint32_t) {
  Block& b = block();
  const unsigned warp = b.current / kLanes;
  const auto& p = *static_cast<Payload*>(payload[0]);
  AsyncUnit unit(b.tsan_async);
  WarpWgmma& w = state_of(b, warp);
  for (unsigned l = 1; l < kLanes; ++l) {
    const auto& other = *static_cast<Payload*>(payload[l]);
    if (other.a != p.a || other.b != p.b || other.accumulate != p.accumulate) fail(b, "wgmma: lanes pass different descriptors");
  }
  take_registers(w, payload);
  WgmmaTile& tile = tile_of(w, p.d);
  tile.last_group = w.group;
  auto rows = p.rows_of_a ? take_rows(payload, p.kind.f16) : std::vector<float>();
  WgmmaOp& op = w.ops.emplace_back(WgmmaOp{p.kind, p.d, p.a, p.b, std::move(rows), p.accumulate, false, w.group});
  if (config().lazy_async) return;
  execute(b, warp, op, tile.values.data());
  op.executed = true;
}

void perform_fence(void* const*, uint32_t) {
  Block& b = block();
  AsyncUnit unit(b.tsan_async);
  state_of(b, b.current / kLanes).fenced = true;
}

void perform_commit(void* const*, uint32_t) {
  Block& b = block();
  AsyncUnit unit(b.tsan_async);
  const unsigned warp = b.current / kLanes, first = warp / kWarpgroup * kWarpgroup * kLanes;
  ++state_of(b, warp).group;
  for (unsigned t = first; t < std::min(b.nthreads, first + kWarpgroup * kLanes); ++t) {
    Thread& thread = b.threads[t];
    if (thread.wait != Op::wgmma || thread.object != &b.wgmma) continue;
    thread.object = nullptr;
    make_ready(b, t);
  }
}

void perform_nothing(void* const*, uint32_t) {}

void execute_until(Block& b, unsigned warp, unsigned group) {
  WarpWgmma& w = *b.wgmma[warp];
  for (WgmmaOp& op : w.ops) {
    if (op.group >= group || op.executed) continue;
    execute(b, warp, op, tile_of(w, op.tile).values.data());
    op.executed = true;
  }
}

// What one warp of the four does: 16 rows, of 16 elements each. Its share of the columns' bytes is a quarter.
constexpr uint64_t kSharedA = 16 * 16 * 2;
uint64_t shared_b(const Wgmma& kind) { return static_cast<uint64_t>(kind.n) * 16 * 2 / kWarpgroup; }
uint64_t flops_of(const Wgmma& kind) { return 2 * 16 * 16 * static_cast<uint64_t>(kind.n); }

}  // namespace

uint64_t smem_addr(const void* p, Loc at) {
  Block& b = block();
  if (!b.dynamic_shared.contains(p, 1)) fail(b, "shared-memory descriptor {}: operands must lie in dynamic shared memory", at);
  return window_address(b, p);
}

void wgmma(const Wgmma& kind, float* d, uint64_t a, uint64_t b, bool accumulate, Loc at) {
  profile::operation(profile::Kind::wgmma, TAPETUM_EMULATION_CALLER, kSharedA + shared_b(kind), flops_of(kind));
  Payload p{kind, d, a, b, nullptr, accumulate, at};
  collective(block(), Op::wgmma, ~0u, &p, perform_wgmma, true, at);
}
void wgmma(const Wgmma& kind, float* d, const uint32_t (&a)[4], uint64_t b, bool accumulate, Loc at) {
  profile::operation(profile::Kind::wgmma, TAPETUM_EMULATION_CALLER, shared_b(kind), flops_of(kind));
  Payload p{kind, d, 0, b, a, accumulate, at};
  collective(block(), Op::wgmma, ~0u, &p, perform_wgmma, true, at);
}

void wgmma_fence(Loc at) { collective(block(), Op::wgmma, ~0u, nullptr, perform_fence, true, at); }
void wgmma_commit(Loc at) { collective(block(), Op::wgmma, ~0u, nullptr, perform_commit, true, at); }

// A group belongs to the warpgroup: it is complete when all four warps have committed it and its work is done.
void wgmma_wait(int n, Loc at) {
  Block& b = block();
  const unsigned warp = b.current / kLanes, first = warp / kWarpgroup * kWarpgroup;
  collective(b, Op::wgmma, ~0u, nullptr, perform_nothing, true, at);
  if (!b.wgmma[warp]) return;
  WarpWgmma& own = *b.wgmma[warp];
  own.fenced = false;
  if (own.group <= static_cast<unsigned>(n)) return;
  const unsigned until = own.group - static_cast<unsigned>(n);
  if (first + kWarpgroup > b.nwarps) fail(b, "wgmma {}: the warpgroup is incomplete", at);
  for (unsigned w = first; w < first + kWarpgroup; ++w)
    while (!b.wgmma[w] || b.wgmma[w]->group < until) {
      b.threads[b.current].object = &b.wgmma;
      wait_for(b, Op::wgmma, at, ~0u);
    }
  AsyncUnit unit(b.tsan_async, true);
  for (unsigned w = first; w < first + kWarpgroup; ++w) execute_until(b, w, until);
  std::erase_if(own.ops, [&](const WgmmaOp& op) { return op.group < until; });
  std::erase_if(own.tiles, [&](const WgmmaTile& t) {
    if (t.last_group >= until) return false;
    give_registers_back(t);
    return true;
  });
}

void clear_hopper(Block& b) {
  b.tma.clear();
  b.unfenced_mbarriers.clear();
  for (auto& w : b.wgmma)
    if (w) *w = {};
}

}  // namespace tapetum::emulation
