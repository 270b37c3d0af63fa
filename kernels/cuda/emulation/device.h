// What a .cu file sees in place of the CUDA toolkit when a plain C++20 compiler builds it.
#pragma once
#include <math.h>
#include <cassert>
#include <cstdio>
#include "kernels/cuda/emulation/qualifiers.h"
#include "kernels/cuda/emulation/vector_types.h"
#include "kernels/cuda/emulation/half.h"
#include "kernels/cuda/emulation/collectives.h"
#include "kernels/cuda/emulation/atomics.h"
#include "kernels/cuda/emulation/intrinsics.h"
#include "kernels/cuda/emulation/runtime.h"
#include "kernels/cuda/emulation/launch.h"
#include "kernels/cuda/emulation/config.h"
