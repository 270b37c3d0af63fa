#include "core/threads.h"

#include "kernels/parallel.h"

namespace tapetum {

int get_num_threads() { return kernels::thread_count(); }
void set_num_threads(int n) { kernels::set_thread_count(n); }

}  // namespace tapetum
