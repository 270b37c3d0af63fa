// How a model is trained, whichever it is: the flags that all training programs share, and the optimizer and schedule that they mean.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/serialization/safetensors.h"
#include "core/size2.h"
#include "data/loader_core.h"
#include "examples/common/command_line.h"
#include "optim/grad_scaler.h"
#include "optim/scheduler.h"
#include "train/memory_plan.h"
#include "train/record.h"
#include "train/trainer.h"

namespace programs {

struct Recipe {
  int64_t epochs = 20, steps = 0, batch_size = 4, warmup = 0;
  double lr = 3e-3, weight_decay = 0;
  std::string optimizer = "adam", schedule = "onecycle";

  int64_t threads = 0, workers = 2, seed = 0;
  std::string device = "auto", amp = "off";

  std::string out, json, profile;
  bool resume = false, tensorboard = false, quiet = false, plan = false;

  void add_training(CommandLine& line);
  void add_machine(CommandLine& line);
  void add_plan(CommandLine& line);
  void add_output(CommandLine& line, const std::string& program);
  void check() const;                                 // throws UsageError naming the flag and what it was given
  void record(tapetum::train::Record& config) const;  // into config.json
  void setup(tapetum::Metadata& setup) const;         // what a resumed run must have been started with, too
  void report(tapetum::train::Record& result, const tapetum::train::Trainer& trainer) const;  // the machine, how long and how fast it ran
  tapetum::optim::GradScaler scaler() const;                                                  // for f16; it does nothing otherwise
  tapetum::data::LoaderOptions loading(bool shuffle, tapetum::Device on) const;
};

struct RatedParameters {
  std::vector<tapetum::Tensor> parameters;
  double lr;
};

// One group for each entry that is not empty; weight decay is the recipe's.
std::unique_ptr<tapetum::optim::Optimizer> make_optimizer(const Recipe& recipe, const std::vector<RatedParameters>& groups);

// Of a step with the recipe's optimizer and cross_entropy(model(images), target); the target is on the meta device.
tapetum::train::MemoryPlan plan_training(const Recipe& recipe, tapetum::nn::Layer& model, const tapetum::Shape& images,
                                         const tapetum::Tensor& target);

// Stepped after every batch: warm-up from near zero, then the schedule over the steps that remain.
std::unique_ptr<tapetum::optim::Scheduler> make_scheduler(const Recipe& recipe, tapetum::optim::Optimizer& optimizer, int64_t steps_per_epoch);

// " (0.9564 after epoch 17: best.safetensors)": what `score` was in the best epoch, where that is not the last; else nothing.
std::string best_of(const tapetum::train::Trainer& trainer, const std::string& score, const std::string& file);

// Checks of flags: each throws UsageError.
void require(bool good, const std::string& reason);
void require_within(const char* flag, int64_t value, int64_t lowest, int64_t highest);
tapetum::Size2 parse_size(const char* flag, const std::string& text);  // "128" or "96x160" (height by width)

}  // namespace programs
