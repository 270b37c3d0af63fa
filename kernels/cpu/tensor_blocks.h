// The tensors of one optimizer call as blocks of elements, spread over the threads.
#pragma once
#include "kernels/cpu/math.h"
#include "kernels/optimizer.h"
#include "kernels/parallel.h"
#include "kernels/round.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kBlock = 1 << 15;  // elements of one unit of work

template <class Args> bool supports(const Args& a) { return serves(a.shape.dtype); }

int64_t blocks_of(const OptimizerTensor& t) { return ceil_div(t.count, kBlock); }

// Where each tensor's blocks begin in the row of all blocks: tensors + 1 numbers.
template <class Args> size_t block_starts_bytes(const Args& a) { return static_cast<size_t>(a.shape.tensors + 1) * sizeof(int64_t); }
template <class Args> void fill_block_starts(const Args& a, int64_t* starts) {
  starts[0] = 0;
  for (int64_t k = 0; k < a.shape.tensors; ++k) starts[k + 1] = starts[k] + blocks_of(a.tensors[k]);
}

// f(tensor, begin, end, block) for every block.
template <class Args, class F> void for_each_block(const Args& a, const int64_t* starts, F f) {
  parallel_for(starts[a.shape.tensors], [&](int64_t block) {
    int64_t low = 0, high = a.shape.tensors;  // starts[low] <= block < starts[high]
    while (high - low > 1) (starts[(low + high) / 2] <= block ? low : high) = (low + high) / 2;
    const OptimizerTensor& t = a.tensors[low];
    const int64_t begin = (block - starts[low]) * kBlock;
    f(t, begin, begin + kBlock < t.count ? begin + kBlock : t.count, block);
  });
}

template <class T> Vec<T> constant(double x) { return Vec<T>(static_cast<T>(x)); }

// f(pointer, valid lanes) for each register of a block.
template <class T, class F> void for_each_register(T* x, int64_t begin, int64_t end, F f) {
  for (int64_t i = begin; i < end; i += Vec<std::remove_const_t<T>>::lanes) f(x + i, end - i);
}

// Blocks of all tensors together, at most: each tensor's last one may be short.
template <class Args> int64_t most_blocks(const Args& a) { return a.shape.elements / kBlock + a.shape.tensors; }

}  // namespace
}  // namespace tapetum::kernels
