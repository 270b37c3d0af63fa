// Work is split over lines, so that no two units meet in the table and each line is walked in order: the same sums at any thread count.
// Memory-bound and free of arithmetic that wider registers would speed up: one version serves every instruction set.
#include "kernels/index.h"

#include "kernels/cpu/report.h"
#include "kernels/cpu/vec.h"
#include "kernels/parallel.h"
#include "kernels/round.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kGrain = 16384;  // elements of one unit of work

bool supports(const IndexArgs&) { return kBaseline; }
bool supports_nonzero(const NonzeroArgs&) { return kBaseline; }

// Neighbouring lines: `stride` apart, at offset `at` in each operand, the first of them line number `first`.
struct Run {
  int64_t first, n;
  Offsets<3> at;
  int64_t stride[3];
};

template <class T, class F> void walk_run(const IndexArgs& a, const Run& r, F f) {
  const auto& s = a.shape;
  T *walked = static_cast<T*>(a.walked) + r.at.at[0], *table = static_cast<T*>(a.table) + r.at.at[2];
  const int64_t* index = a.index + r.at.at[1];
  const auto one = [&](int64_t i, int64_t line) {
    const int64_t k = index[i * s.step[1] + line * r.stride[1]];
    if (k < 0 || k >= s.limit) return report(a.bad, i * s.lines.count + r.first + line, k);
    f(walked[i * s.step[0] + line * r.stride[0]], table[k * s.step[2] + line * r.stride[2]]);
  };
  if (r.stride[1] == 0 && r.stride[0] == 1 && r.stride[2] == 1) {  // whole rows: one index for all lines
    for (int64_t i = 0; i < s.length; ++i) {
      const int64_t k = index[i * s.step[1]];
      if (k < 0 || k >= s.limit) {
        report(a.bad, i * s.lines.count + r.first, k);
        continue;
      }
      T *w = walked + i * s.step[0], *t = table + k * s.step[2];
      for (int64_t line = 0; line < r.n; ++line) f(w[line], t[line]);
    }
  } else if (s.step[0] < r.stride[0]) {
    for (int64_t line = 0; line < r.n; ++line)
      for (int64_t i = 0; i < s.length; ++i) one(i, line);
  } else {
    for (int64_t i = 0; i < s.length; ++i)
      for (int64_t line = 0; line < r.n; ++line) one(i, line);
  }
}

template <class T, class F> void walk(const IndexArgs& a, F f) {
  const auto& lines = a.shape.lines;
  if (lines.count == 0 || a.shape.length == 0) return;
  const int64_t last = lines.ndim - 1, inner = lines.ndim ? lines.size[last] : 1;
  const int64_t lines_per_unit = kGrain / a.shape.length + 16;
  parallel_for(ceil_div(lines.count, lines_per_unit), [&](int64_t unit) {
    const int64_t begin = unit * lines_per_unit, end = lines.count - begin < lines_per_unit ? lines.count : begin + lines_per_unit;
    for (int64_t line = begin, n; line < end; line += n) {
      const int64_t rest = inner - line % inner;
      n = rest < end - line ? rest : end - line;
      Run run{line, n, offsets_of(lines, line, lines.ndim), {}};
      for (int j = 0; j < 3 && lines.ndim; ++j) run.stride[j] = lines.stride[j][last];
      walk_run<T>(a, run, f);
    }
  });
}

Status gather(const IndexArgs& a, Workspace&) {
  with_bits(a.shape.dtype, [&]<class T>() { walk<T>(a, [](T& walked, T& table) { walked = table; }); });
  return Status::ok;
}

Status scatter(const IndexArgs& a, Workspace&) {
  with_bits(a.shape.dtype, [&]<class T>() { walk<T>(a, [](T& walked, T& table) { table = walked; }); });
  return Status::ok;
}

Status scatter_add(const IndexArgs& a, Workspace&) {
  with_type(a.shape.dtype, [&]<class T>() {
    walk<T>(a, [](T& walked, T& table) {
      if constexpr (sizeof(T) == 2)
        table = T(static_cast<float>(table) + static_cast<float>(walked));
      else
        table = static_cast<T>(table + walked);
    });
  });
  return Status::ok;
}

constexpr int64_t kPiece = 65536;  // elements of which one unit counts the nonzero ones

int64_t pieces_of(const NonzeroArgs& a) { return ceil_div(a.shape.count, kPiece); }
size_t nonzero_workspace(const NonzeroArgs& a) { return static_cast<size_t>(pieces_of(a)) * sizeof(int64_t); }

// Counts per piece, then, where places are wanted, each piece writes from the sum of the counts before it.
Status nonzero(const NonzeroArgs& a, Workspace& workspace) {
  const auto& s = a.shape;
  auto* before = static_cast<int64_t*>(workspace.data);
  with_type(s.dtype, [&]<class T>() {
    const T* x = static_cast<const T*>(a.x);
    const auto end_of = [&](int64_t piece) { return s.count - piece * kPiece < kPiece ? s.count : (piece + 1) * kPiece; };
    parallel_for(pieces_of(a), [&](int64_t piece) {
      int64_t n = 0;
      for (int64_t i = piece * kPiece; i < end_of(piece); ++i) n += cast<bool>(x[i]);
      before[piece] = n;
    });
    *a.found = 0;
    for (int64_t piece = 0; piece < pieces_of(a); ++piece) {
      const int64_t n = before[piece];
      before[piece] = *a.found;
      *a.found += n;
    }
    if (!a.indices) return;
    parallel_for(pieces_of(a), [&](int64_t piece) {
      int64_t* place = a.indices + before[piece] * s.dims;
      for (int64_t i = piece * kPiece; i < end_of(piece); ++i) {
        if (!cast<bool>(x[i])) continue;
        int64_t rest = i;
        for (int64_t d = s.dims - 1; d >= 0; rest /= s.size[d], --d) place[d] = rest % s.size[d];
        place += s.dims;
      }
    });
  });
  return Status::ok;
}

}  // namespace

#define INDEX(op) \
  TAPETUM_CPU_CANDIDATE(IndexArgs, op##_lines) { .name = "lines", .supports = supports, .run = op }

INDEX(gather);
INDEX(scatter);
INDEX(scatter_add);
TAPETUM_CPU_CANDIDATE(NonzeroArgs, nonzero_lines){.name = "lines", .supports = supports_nonzero, .workspace = nonzero_workspace, .run = nonzero};

}  // namespace tapetum::kernels
