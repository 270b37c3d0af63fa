#include "kernels/grid.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

#define GRID_SAMPLE(role)                                                                                                                           \
  constinit const KernelSlot<GridSampleArgs> grid_sample_##role {                                                                                   \
    "grid_sample_" #role, {TAPETUM_ENTRY(GridSampleArgs, grid_sample_##role##_reference)}, {TAPETUM_CPU(GridSampleArgs, grid_sample_##role##_vec)}, \
    {                                                                                                                                               \
      TAPETUM_CUDA(GridSampleArgs, grid_sample_##role##_cuda)                                                                                       \
    }                                                                                                                                               \
  }

GRID_SAMPLE(forward);
GRID_SAMPLE(grad_input);
GRID_SAMPLE(grad_grid);

}  // namespace tapetum::kernels
