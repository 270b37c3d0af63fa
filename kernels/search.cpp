#include "kernels/search.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

constinit const KernelSlot<SearchArgs> search_sorted{"search_sorted",
                                                     {TAPETUM_ENTRY(SearchArgs, search_sorted_reference)},
                                                     {TAPETUM_CPU(SearchArgs, search_sorted_binary)},
                                                     {TAPETUM_CUDA(SearchArgs, search_sorted_cuda)}};

}  // namespace tapetum::kernels
