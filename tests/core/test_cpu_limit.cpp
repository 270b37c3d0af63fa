// Control groups as containers and services have them, in a folder that stands for the machine's root.
#include <catch2/catch.hpp>

#include "kernels/cpu_limit.h"
#include "tests/folder.h"

namespace tapetum::kernels {
namespace {

struct Machine : test::Folder {
  explicit Machine(const char* groups) { write("/proc/self/cgroup", groups); }
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path + file).parent_path());
    std::ofstream(path + file) << text;
  }
  int cpus() const { return cgroup_cpus(path); }
};

}  // namespace

TEST_CASE("CPU limit: none where no group sets one") {
  REQUIRE(cgroup_cpus("/nowhere") == 0);
  const Machine machine("0::/\n");
  REQUIRE(machine.cpus() == 0);
  machine.write("/sys/fs/cgroup/cpu.max", "max 100000\n");
  REQUIRE(machine.cpus() == 0);
  machine.write("/sys/fs/cgroup/cpu.max", "nonsense");
  REQUIRE(machine.cpus() == 0);
}

TEST_CASE("CPU limit: a container's, rounded up") {
  const Machine machine("0::/\n");
  machine.write("/sys/fs/cgroup/cpu.max", "250000 100000\n");
  REQUIRE(machine.cpus() == 3);
  machine.write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  REQUIRE(machine.cpus() == 1);
}

TEST_CASE("CPU limit: the least of a service's own group and those above it") {
  const Machine machine("1:name=systemd:/other\n0::/user.slice/job.service\n");
  machine.write("/sys/fs/cgroup/user.slice/job.service/cpu.max", "400000 100000\n");
  REQUIRE(machine.cpus() == 4);
  machine.write("/sys/fs/cgroup/user.slice/cpu.max", "200000 100000\n");
  REQUIRE(machine.cpus() == 2);
  machine.write("/sys/fs/cgroup/user.slice/job.service/cpu.max", "100000 100000\n");
  REQUIRE(machine.cpus() == 1);
}

TEST_CASE("CPU limit: of cgroups in version 1 that of the CPU controller, also where a container sees its group as the root") {
  const Machine machine("5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n3:cpuset:/docker/1\n");
  machine.write("/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "-1\n");
  machine.write("/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us", "100000\n");
  REQUIRE(machine.cpus() == 0);
  machine.write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
  machine.write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  REQUIRE(machine.cpus() == 2);
}

}  // namespace tapetum::kernels
