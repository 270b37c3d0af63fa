# Where the bits of a result decide more than its last digit (which boxes stay, kernels/box_overlap.h), no unit fuses a product with a sum.
set(exact_option -ffp-contract=off)
set_property(SOURCE kernels/cpu/boxes.cpp APPEND PROPERTY COMPILE_OPTIONS ${exact_option})
if(TAPETUM_CUDA STREQUAL nvcc)
  set(exact_option -fmad=false)
endif()
set_property(SOURCE kernels/cuda/boxes.cu kernels/cuda/nms.cu APPEND PROPERTY COMPILE_OPTIONS ${exact_option})
