// Who wants to know when a kernel's workspace comes or goes: the profiler, for its memory timeline. Null: nobody.
#pragma once
#include <atomic>

#include "kernels/types.h"

namespace tapetum::kernels {

inline std::atomic<void (*)(DeviceKind)> workspace_observer{nullptr};

}  // namespace tapetum::kernels
