// Elements picked by an index along one dimension: walked[..., i, ...] stands beside table[..., index[..., i, ...], ...].
#pragma once
#include "kernels/fault.h"
#include "kernels/slot.h"

namespace tapetum::kernels {

struct IndexShape {
  StridedShape<3> lines;  // all dimensions but the indexed one; operands: walked, index, table
  int64_t step[3];        // the operands' strides along the indexed dimension
  int64_t length, limit;  // sizes along it: of walked and index; of table
  DType dtype;
};
static_assert(is_key<IndexShape>);

struct IndexArgs {
  IndexShape shape;
  void* walked;
  const int64_t* index;
  void* table;
  Fault* bad;  // gets the index that is not in [0, limit) at the lowest i lines.count + line; no table element is touched for it
};

// Calls f with the unsigned type of the same size: what only moves elements need not know more of them.
template <class F> decltype(auto) with_bits(DType t, F&& f) {
  switch (size_of(t)) {
    case 1:
      return f.template operator()<uint8_t>();
    case 2:
      return f.template operator()<uint16_t>();
    case 4:
      return f.template operator()<uint32_t>();
    default:
      return f.template operator()<uint64_t>();
  }
}

extern const KernelSlot<IndexArgs> gather_forward;       // walked = table[index]
extern const KernelSlot<IndexArgs> scatter_forward;      // table[index] = walked; the last of equal indices stays
extern const KernelSlot<IndexArgs> scatter_add_forward;  // table[index] += walked, in ascending order of i

struct NonzeroShape {
  int64_t count, dims;
  int64_t size[kMaxDims];
  DType dtype;
};
static_assert(is_key<NonzeroShape>);

struct NonzeroArgs {
  NonzeroShape shape;
  const void* x;     // dense
  int64_t* found;    // how many elements are not zero
  int64_t* indices;  // null, or room for [found, dims]: their places, in row-major order
};

extern const KernelSlot<NonzeroArgs> nonzero_forward;

}  // namespace tapetum::kernels
