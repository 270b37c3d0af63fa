// Shared memory of a block: filled with NaN before each block, and watched for writes behind its end.
#pragma once
#include <cstddef>
#include <map>
#include <vector>

namespace tapetum::emulation {

// What gpu::dynamic_shared returns.
class DynamicShared {
 public:
  DynamicShared() = default;
  DynamicShared(const DynamicShared&) = delete;
  ~DynamicShared();
  void resize(size_t bytes);
  void poison();
  bool intact() const;  // nothing was written behind the end
  bool contains(const void* p, size_t n) const;
  char* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  char* data_ = nullptr;
  size_t bytes_ = 0, capacity_ = 0;
};

struct Range {
  char* data;
  size_t bytes;
};

// The __shared__ variables of all kernels. The first block of a kernel on this OS thread finds all of them filled and so shows
// which ones the kernel uses; later blocks get those filled.
class StaticShared {
 public:
  using Kernel = void (*)(void*);
  void poison(Kernel kernel);
  void learn();

 private:
  std::map<Kernel, std::vector<Range>> used_;
  Kernel learning_ = nullptr;
};

}  // namespace tapetum::emulation
