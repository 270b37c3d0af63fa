# How kernels are compiled so that the emulator hears of each access and each basic block: with the instrumentation of ThreadSanitizer, whose
# runtime is not linked (emulation/profile/callbacks.cpp takes its place). The accesses are to be those of the source: a float4 stays one
# (-fno-tree-sra), and basic blocks stay in the order of the source and undivided, by which the lanes of a warp are put back into lockstep
# (tests/profile/check_divergence.py). Inline functions are each file's own (-fno-weak), so that no copy which says nothing takes their place;
# the standard library then asks to be told that type_info has its inline functions all the same (__GXX_TYPEINFO_EQUALITY_INLINE). -w: it warns of that for each inline constant, and the trees without it show all other warnings.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  message(FATAL_ERROR "TAPETUM_EMULATION_PROFILE needs g++: ${CMAKE_CXX_COMPILER_ID} reports a float4 as several accesses")
endif()
set(told -O1 -g1 -fsanitize=thread -fsanitize-coverage=trace-pc -fno-tree-sra -fno-tree-vectorize -fno-reorder-blocks -fno-tree-ch
         -fno-thread-jumps -fno-tree-dominator-opts -fno-weak -w -fdebug-prefix-map=${PROJECT_SOURCE_DIR}/= -fdebug-prefix-map=${PROJECT_BINARY_DIR}=.
         -D__GXX_TYPEINFO_EQUALITY_INLINE=1 -DTAPETUM_EMULATION_PROFILED)

file(GLOB profiler CONFIGURE_DEPENDS kernels/cuda/emulation/profile/*.cpp)
set_property(SOURCE ${emulation} ${profiler} APPEND PROPERTY COMPILE_DEFINITIONS TAPETUM_EMULATION_PROFILED)
set_property(SOURCE kernels/cuda/emulation/profile/places.cpp APPEND PROPERTY COMPILE_DEFINITIONS TAPETUM_SOURCE_ROOT="${PROJECT_SOURCE_DIR}")
target_sources(tapetum_emulation PRIVATE ${profiler})
