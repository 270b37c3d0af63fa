// Two passes over blocks of all tensors: moments and the blocks' squares, then the parameters. u is worked out in both: to keep it would cost
// as much memory traffic as to read m and v again. f32 moves 40 bytes an element: bound by memory. Formula: kernels/optimizer.h.
#include "kernels/cpu/tensor_blocks.h"

namespace tapetum::kernels {
namespace {

struct Squares {
  double p, u;
};

template <class T> struct Update {
  Vec<T> mean, unbias, eps, decay;
  Update(const LambStepArgs& a, double t)
      : mean(constant<T>(1 / (1 - __builtin_pow(a.beta1, t)))),
        unbias(constant<T>(1 / __builtin_sqrt(1 - __builtin_pow(a.beta2, t)))),
        eps(constant<T>(a.eps)),
        decay(constant<T>(a.weight_decay)) {}
  Vec<T> operator()(Vec<T> p, Vec<T> m, Vec<T> v) const { return mean * m / (sqrt(v) * unbias + eps) + decay * p; }
};

// f(p, g, m, v, valid lanes): pointers to each register of a block.
template <class T, class F> void for_each_register_of(const OptimizerTensor& t, int64_t begin, int64_t end, F f) {
  T *p = static_cast<T*>(t.value), *m = static_cast<T*>(t.state[0]), *v = static_cast<T*>(t.state[1]);
  const T* g = static_cast<const T*>(t.source);
  for (int64_t i = begin; i < end; i += Vec<T>::lanes) f(p + i, g + i, m + i, v + i, end - i);
}

// The block's squares are summed in short runs, whose results are added in double.
template <class T> Squares moments(const LambStepArgs& a, const OptimizerTensor& t, int64_t begin, int64_t end) {
  using V = Vec<T>;
  constexpr int64_t kRun = 64 * V::lanes;
  const V b1 = constant<T>(a.beta1), b2 = constant<T>(a.beta2), c1 = constant<T>(1 - a.beta1), c2 = constant<T>(1 - a.beta2);
  const Update<T> update(a, *t.step);
  Squares total{};
  for (int64_t i = begin; i < end; i += kRun) {
    V p_squares(T(0)), u_squares(T(0));
    for_each_register_of<T>(t, i, i + kRun < end ? i + kRun : end, [&](const T* p, const T* g, T* m, T* v, int64_t n) {
      const V vp = V::load(p, n), vg = V::load(g, n), vm = b1 * V::load(m, n) + c1 * vg, vv = b2 * V::load(v, n) + c2 * vg * vg;
      const V u = update(vp, vm, vv).keep(n, 0);  // 0 / eps in the lanes past the end: NaN if eps is 0
      p_squares = p_squares + vp * vp;
      u_squares = u_squares + u * u;
      vm.store(m, n);
      vv.store(v, n);
    });
    total.p += static_cast<double>(p_squares.sum());
    total.u += static_cast<double>(u_squares.sum());
  }
  return total;
}

template <class T> void lamb_of(const LambStepArgs& a, Workspace& w) {
  using V = Vec<T>;
  int64_t* starts = static_cast<int64_t*>(w.data);
  fill_block_starts(a, starts);
  Squares *parts = reinterpret_cast<Squares*>(starts + a.shape.tensors + 1), *of_tensor = parts + most_blocks(a);
  for (int64_t k = 0; k < a.shape.tensors; ++k) ++*a.tensors[k].step;
  for_each_block(a, starts,
                 [&](const OptimizerTensor& t, int64_t begin, int64_t end, int64_t block) { parts[block] = moments<T>(a, t, begin, end); });
  for (int64_t k = 0; k < a.shape.tensors; ++k) {
    of_tensor[k] = {};
    for (int64_t b = starts[k]; b < starts[k + 1]; ++b) of_tensor[k] = {of_tensor[k].p + parts[b].p, of_tensor[k].u + parts[b].u};
  }
  for_each_block(a, starts, [&](const OptimizerTensor& t, int64_t begin, int64_t end, int64_t) {
    const Squares s = of_tensor[&t - a.tensors];
    const V rate = constant<T>(-*a.lr * (s.p > 0 && s.u > 0 ? __builtin_sqrt(s.p / s.u) : 1));
    const Update<T> update(a, *t.step);
    for_each_register_of<T>(t, begin, end, [&](T* p, const T*, const T* m, const T* v, int64_t n) {
      const V vp = V::load(p, n);
      (vp + rate * update(vp, V::load(m, n), V::load(v, n))).store(p, n);
    });
  });
}

Status lamb(const LambStepArgs& a, Workspace& w) {
  with_served_type(a.shape.dtype, [&]<class T>() { lamb_of<T>(a, w); });
  return Status::ok;
}

size_t workspace(const LambStepArgs& a) { return block_starts_bytes(a) + static_cast<size_t>(most_blocks(a) + a.shape.tensors) * sizeof(Squares); }
double error(const LambStepArgs&) { return 32; }

}  // namespace

TAPETUM_CPU_CANDIDATE(LambStepArgs, lamb_step_vec){
    .name = "vec", .supports = supports, .workspace = workspace, .error = error, .run = unless_found<LambStepArgs, lamb>};

}  // namespace tapetum::kernels
