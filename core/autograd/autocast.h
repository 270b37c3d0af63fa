// Mixed precision (Micikevicius et al. 2018): parameters stay in f32; ops that gain from it run in 16 bits, ops that need range or digits in f32.
//   {
//     Autocast amp(DeviceKind::cpu, DType::bf16);
//     loss = cross_entropy(model(x), target);
//   }
//   loss.backward();   // gradients of parameters are f32: the casts are recorded
#pragma once
#include <optional>
#include <vector>

#include "core/autograd/modes.h"
#include "core/tensor.h"

namespace tapetum {

// While it lives, each op casts its inputs as its OpInfo asks. Guards nest; the innermost counts. Per thread, as all modes are.
class Autocast : ModesGuard {
 public:
  // What an op asks for: its inputs as they are, in the guard's 16-bit dtype, in f32, or in the widest dtype among them. f64, integers and
  // tensors of other devices are never cast; tensors of the meta device are as the guard's are.
  enum Policy { untouched, lower, f32, widest };

  // Throws DTypeError for a dtype other than f16 and bf16.
  explicit Autocast(Device device, DType dtype = DType::bf16, bool enabled = true);
  ~Autocast();

 private:
  bool outermost_;
};

// One call of an op under its policy: gives its inputs as the policy wants them. While it lives autocast is off: what the op is made of runs
// in the types it was given. `apply` makes one; so does a public function that looks at dtypes, or is made of several ops, before it comes there.
//   const Casting cast(Autocast::lower);
//   const Tensor x = cast(input), w = cast(weight);
class Casting : ModesGuard {
 public:
  template <class... In> explicit Casting(Autocast::Policy policy, const In&... inputs) : autocast_(modes.autocast) {
    modes.autocast.enabled = false;
    if (!autocast_.enabled || policy == Autocast::untouched) return;
    if (policy != Autocast::widest) target_ = policy == Autocast::f32 ? DType::f32 : autocast_.dtype;
    if (policy == Autocast::widest) (widen(inputs), ...);  // of these
  }
  Tensor operator()(const Tensor& x) const { return target_ && eligible(x) && x.dtype() != *target_ ? cast(x) : x; }
  std::vector<Tensor> operator()(TensorList xs) const;

 private:
  bool eligible(const Tensor& x) const;
  Tensor cast(const Tensor& x) const;
  void widen(const Tensor& x);
  void widen(TensorList xs) {
    for (const Tensor& x : xs) widen(x);
  }

  decltype(Modes::autocast) autocast_;  // of the caller
  std::optional<DType> target_;         // none: nothing is cast
};

// How many casts of parameters this thread keeps.
size_t autocast_cache_size();

}  // namespace tapetum
