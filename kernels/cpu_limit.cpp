#include "kernels/cpu_limit.h"

#include <cmath>
#include <filesystem>
#include <fstream>

namespace tapetum::kernels {
namespace {

using Path = std::filesystem::path;

// Of one group: "max 100000" and -1 say that it sets none.
int limit_of(const Path& group) {
  double quota = 0, period = 0;
  const bool together = static_cast<bool>(std::ifstream(group / "cpu.max") >> quota >> period);
  if (!together && !(std::ifstream(group / "cpu.cfs_quota_us") >> quota && std::ifstream(group / "cpu.cfs_period_us") >> period)) return 0;
  return quota > 0 && period > 0 ? static_cast<int>(std::ceil(quota / period)) : 0;
}

}  // namespace

int cgroup_cpus(const std::string& root) {
  int least = 0;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "0::/user.slice" of version 2, "4:cpu,cpuacct:/docker/1" of version 1
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && (',' + controllers + ',').find(",cpu,") == line.npos) continue;
    const std::string top = root + (controllers.empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu");
    for (Path group = top + line.substr(second + 1); group.native().size() >= top.size(); group = group.parent_path())
      if (const int limit = limit_of(group)) least = least ? std::min(least, limit) : limit;
  }
  return least;
}

}  // namespace tapetum::kernels
