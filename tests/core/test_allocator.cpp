#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/tensor.h"
#include "kernels/allocator.h"

namespace tapetum {
namespace {

using kernels::damaged_blocks;

// One element after or before x, as a kernel with a wrong bound would write it.
void overrun(Tensor& x, int64_t index) {
  auto* data = static_cast<volatile float*>(x.mutable_raw());
  data[index] = 1;
}

bool no_guards() {
  if (kernels::allocations_are_exact()) WARN("skipped: allocations are exact, so there are no guard words");
  return kernels::allocations_are_exact();
}

}  // namespace

TEST_CASE("allocator: guard words show one element written outside of a tensor") {
  if (no_guards()) return;
  kernels::GuardWords guards;
  for (int64_t n : {0, 1, 15, 16, 17, 1000, 1 << 20}) {
    INFO(n << " elements");
    Tensor whole = empty({n}), after = empty({n}), before = empty({n}), released = empty({n});
    for (int64_t i = 0; i < n; ++i) whole.mutable_data<float>()[i] = 1;
    REQUIRE(damaged_blocks() == 0);
    overrun(after, n ? n : 1);
    REQUIRE(damaged_blocks() == 1);
    overrun(before, -1);
    REQUIRE(damaged_blocks() == 2);
    overrun(released, n ? n : 1);
    released = before = after = Tensor();
    REQUIRE(damaged_blocks() == 3);
    REQUIRE(damaged_blocks() == 0);
  }
}

TEST_CASE("allocator: between guard words memory begins as NaN, and without them blocks are as before") {
  if (no_guards()) return;
  Tensor longer;
  {
    kernels::GuardWords guards;
    Tensor x = empty({100}), y = empty({100}, DType::f64);
    for (int i = 0; i < 100; ++i) REQUIRE((std::isnan(x.data<float>()[i]) && std::isnan(y.data<double>()[i])));
    longer = empty({33});  // released when no guard lives any more
  }
  const Tensor plain = empty({32});
  overrun(longer, 33);
  longer = Tensor();
  REQUIRE(damaged_blocks() == 1);
}

#if defined(__SANITIZE_ADDRESS__)
TEST_CASE("allocator: the address sanitizer sees one element written past a tensor's end") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (!std::freopen("/dev/null", "w", stderr)) std::abort();
    Tensor x = empty({33});  // 132 bytes: the next element is not on another cache line
    overrun(x, 33);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status != 0);
}
#endif

}  // namespace tapetum
