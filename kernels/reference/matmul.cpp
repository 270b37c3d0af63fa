#include "kernels/matmul.h"

#include "kernels/candidates.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

bool supports(const MatmulArgs& a) { return is_compute(a.shape.dtype); }

Status matmul(const MatmulArgs& args, Workspace&) {
  const auto& s = args.shape;
  with_compute_type(s.dtype, [&]<class T>() {
    for (int64_t z = 0; z < s.batch.count; ++z) {
      const auto o = offsets_of(s.batch, z, s.batch.ndim);
      auto a = static_cast<const T*>(args.a) + o.at[0], b = static_cast<const T*>(args.b) + o.at[1];
      auto c = static_cast<T*>(args.c) + o.at[2];
      for (int64_t i = 0; i < s.m; ++i)
        for (int64_t j = 0; j < s.n; ++j) {
          double sum = args.bias ? static_cast<const T*>(args.bias)[j] : 0;
          for (int64_t l = 0; l < s.k; ++l) sum += static_cast<double>(a[i * s.a.row + l * s.a.column]) * b[l * s.b.row + j * s.b.column];
          c[i * s.c.row + j * s.c.column] = static_cast<T>(sum);
        }
    }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(MatmulArgs, matmul_reference){.name = "reference", .supports = supports, .run = matmul};

}  // namespace tapetum::kernels
