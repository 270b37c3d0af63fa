#include "kernels/matmul.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports(const MatmulArgs&) { return true; }

Status matmul(const MatmulArgs& args, Workspace&) {
  const auto& s = args.shape;
  with_compute_type(s.dtype, [&]<class T>() {
    auto a = static_cast<const T*>(args.a), b = static_cast<const T*>(args.b);
    auto c = static_cast<T*>(args.c);
    for (int64_t z = 0; z < s.batch; ++z)
      for (int64_t i = 0; i < s.m; ++i)
        for (int64_t j = 0; j < s.n; ++j) {
          T& out = c[z * s.c.batch + i * s.c.row + j * s.c.column];
          double sum = args.accumulate ? out : 0;
          for (int64_t l = 0; l < s.k; ++l)
            sum += static_cast<double>(a[z * s.a.batch + i * s.a.row + l * s.a.column]) * b[z * s.b.batch + l * s.b.row + j * s.b.column];
          out = static_cast<T>(sum);
        }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(MatmulArgs, matmul_reference){.name = "reference", .supports = supports, .run = matmul};

}  // namespace tapetum::kernels
