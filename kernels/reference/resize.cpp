// y[p, q] = sum over h and w of A[p, h] B[q, w] x[h, w].
#include "kernels/resize.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports(const ResampleArgs& a) { return is_compute(a.shape.dtype); }

Status run(const ResampleArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_compute_type(z.dtype, [&]<class T>() {
    auto row_weight = static_cast<const T*>(a.rows.weight), column_weight = static_cast<const T*>(a.columns.weight);
    for (int64_t n = 0; n < z.n; ++n)
      for (int64_t p = 0; p < z.p; ++p)
        for (int64_t q = 0; q < z.q; ++q)
          for (int64_t c = 0; c < z.c; ++c) {
            double sum = 0;
            for (int32_t i = a.rows.start[p]; i < a.rows.start[p + 1]; ++i)
              for (int32_t j = a.columns.start[q]; j < a.columns.start[q + 1]; ++j) {
                const int64_t at = ((n * z.h + a.rows.index[i]) * z.w + a.columns.index[j]) * z.c + c;
                sum += static_cast<double>(row_weight[i]) * column_weight[j] * static_cast<const T*>(a.x)[at];
              }
            static_cast<T*>(a.y)[((n * z.p + p) * z.q + q) * z.c + c] = static_cast<T>(sum);
          }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(ResampleArgs, resample2d_reference){.name = "reference", .supports = supports, .run = run};

}  // namespace tapetum::kernels
