#include "kernels/resize.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

constinit const KernelSlot<ResampleArgs> resample2d{"resample2d",
                                                    {TAPETUM_ENTRY(ResampleArgs, resample2d_reference)},
                                                    {TAPETUM_CPU(ResampleArgs, resample2d_rows_then_columns)},
                                                    {TAPETUM_CUDA(ResampleArgs, resample2d_pixels_cuda)}};

}  // namespace tapetum::kernels
