// How many threads operations use: by default the processors that the process may run on. Results do not depend on it.
#pragma once

namespace tapetum {

int get_num_threads();
void set_num_threads(int n);

}  // namespace tapetum
