// The limit that control groups set on a process's CPU time: containers and services have fewer CPUs than they see.
#pragma once
#include <string>

namespace tapetum::kernels {

// CPUs' worth of time, rounded up; 0 where there is no limit. Of cgroups in version 2 and 1, the process's own and those above it. `root` stands
// before /proc and /sys, for tests.
int cgroup_cpus(const std::string& root = "");

}  // namespace tapetum::kernels
