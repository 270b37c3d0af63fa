// Scales a loss, so that small gradients survive f16, and finds the scale by itself (Micikevicius et al. 2018; torch.amp.GradScaler).
//   optimizer.zero_grad();
//   {
//     Autocast amp(device, DType::f16);
//     loss = cross_entropy(model(x), target);
//   }
//   scaler.scale(loss).backward();
//   scaler.unscale_(optimizer);   // needed only where gradients are clipped, or looked at, before the step
//   scaler.step(optimizer);       // a step with a gradient that is not finite changes nothing
//   scaler.update();
// All of it happens on the device: the host never waits. bf16 has f32's range and needs no scaler.
#pragma once
#include <vector>

#include "core/serialization/state_dict.h"

namespace tapetum::optim {

class Lookahead;
class Optimizer;

struct GradScalerOptions {
  double init_scale = 65536;
  double growth_factor = 2;     // of the scale, after growth_interval steps in a row with finite gradients
  double backoff_factor = 0.5;  // of the scale, after a step with others
  int64_t growth_interval = 2000;
  bool enabled = true;  // false: losses, gradients and steps are as without it
};

class GradScaler {
 public:
  explicit GradScaler(const GradScalerOptions& options = {});

  Tensor scale(const Tensor& loss);     // loss times the scale, f32 at least
  void unscale_(Optimizer& optimizer);  // its gradients, divided by the scale; once between two updates, else Error
  void step(Optimizer& optimizer);      // unscales first, where unscale_ has not; once between two updates, else Error
  void step(Lookahead& optimizer);
  void update();  // once an iteration, after all steps; Error where there was none

  double get_scale() const;  // the host waits for the device
  bool enabled() const { return options_.enabled; }

  StateDict state_dict() const;                  // "scale", "growth_tracker", "growth_factor", "backoff_factor", "growth_interval"; f64 []
  void load_state_dict(const StateDict& state);  // throws Error naming what is missing, and then has changed nothing

 private:
  struct Entry {  // an optimizer since the last update
    const Optimizer* optimizer;
    Tensor found_inf;  // f64 []: 1 where one of its gradients is not finite
    bool unscaled = false, stepped = false;
  };
  Entry& entry_of(const Optimizer& optimizer);

  GradScalerOptions options_;
  Tensor scale_, growth_tracker_;  // f64 [], on the device of the first loss
  std::vector<Entry> entries_;
};

}  // namespace tapetum::optim
