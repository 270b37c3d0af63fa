#include "examples/common/recipe.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <numbers>

#include "core/ops/loss.h"
#include "core/threads.h"
#include "examples/common/machine.h"
#include "examples/common/profiling.h"
#include "optim/adam.h"
#include "optim/lamb.h"
#include "optim/lion.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"

namespace programs {
namespace {

namespace optim = tapetum::optim;
using tapetum::Size2;

constexpr int64_t kMany = 1'000'000'000;  // more steps than anyone makes, and their sums do not overflow

bool read_side(std::string_view text, int64_t& side) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), side);
  return error == std::errc() && end == text.data() + text.size() && side >= 1 && side <= 16384;
}

// An optimizer of class O, whose options differ from group to group in the learning rate alone.
template <class O, class Options> std::unique_ptr<optim::Optimizer> grouped(const std::vector<RatedParameters>& groups, Options options) {
  std::vector<optim::ParameterGroup<Options>> list;
  for (const RatedParameters& g : groups) {
    if (g.parameters.empty()) continue;
    options.lr = g.lr;
    list.push_back({g.parameters, options});
  }
  return std::make_unique<O>(std::move(list));
}

}  // namespace

void require(bool good, const std::string& reason) {
  if (!good) throw UsageError(reason);
}

void require_within(const char* flag, int64_t value, int64_t lowest, int64_t highest) {
  require(value >= lowest && value <= highest, fmt::format("{}: expected {} to {}, got {}", flag, lowest, highest, value));
}

Size2 parse_size(const char* flag, const std::string& text) {
  int64_t h = 0, w = 0;
  const size_t x = text.find('x');
  const bool good = x == std::string::npos ? read_side(text, h) && (w = h) : read_side(text.substr(0, x), h) && read_side(text.substr(x + 1), w);
  require(good, fmt::format("{}: expected S or HxW with sides from 1 to 16384, got '{}'", flag, text));
  return Size2(h, w);
}

void Recipe::add_training(CommandLine& line) {
  line.add("--epochs", epochs, "Passes over the training images");
  line.add("--steps", steps, "Stop after so many steps (0: no limit)");
  line.add("--batch-size", batch_size, "Images a step");
  line.add("--lr", lr, "Learning rate, the highest one of a schedule");
  line.add_choice("--optimizer", optimizer, {"adam", "adamw", "sgd", "rmsprop", "nadam", "radam", "lamb", "lion"}, "sgd has momentum 0.9");
  line.add("--weight-decay", weight_decay, "Weight decay");
  line.add_choice("--schedule", schedule, {"none", "step", "cosine", "onecycle"}, "Of the learning rate, over all steps");
  line.add("--warmup", warmup, "Steps of linear warm-up");
  line.add_choice("--amp", amp, kPrecisions, "Mixed precision: convolutions and products of matrices in 16 bits");
}

void Recipe::add_machine(CommandLine& line) {
  line.group("Machine");
  line.add("--threads", threads, "Threads of the kernels (0: one a core)");
  line.add("--workers", workers, "Threads that load images (0: none)");
  line.add("--seed", seed, "Decides every random number");
  line.add_choice("--device", device, {"auto", "cpu", "cuda"}, "Where to compute");
}

void Recipe::add_plan(CommandLine& line) { line.add("--plan", plan, "Print how much memory training takes on the CPU, and train nothing"); }

void Recipe::add_output(CommandLine& line, const std::string& program) {
  line.group("Output");
  line.add("--out", out, "DIR", fmt::format("Folder of the run (none: runs/{}/<time>)", program));
  line.add("--resume", resume, "Go on from the last checkpoint in --out, or start anew where there is none");
  line.add("--tensorboard", tensorboard, "Also an event file for TensorBoard, beside metrics.jsonl");
  line.add_optional("--json", json, "-", "Result as JSON; --json=FILE: into a file");
  add_profile(line, profile, kTrainingSteps);
  line.add("--quiet", quiet, "No progress");
}

void Recipe::check() const {
  require_within("--epochs", epochs, 1, kMany);
  require_within("--steps", steps, 0, kMany);
  require_within("--batch-size", batch_size, 1, kMany);
  require_within("--warmup", warmup, 0, kMany);
  require(lr > 0 && std::isfinite(lr), fmt::format("--lr: expected a number above 0, got {}", lr));
  require(weight_decay >= 0 && std::isfinite(weight_decay), fmt::format("--weight-decay: expected a number of at least 0, got {}", weight_decay));
  require(warmup == 0 || schedule != "onecycle", "--warmup: the onecycle schedule has its own");
  require_within("--threads", threads, 0, 1024);
  require_within("--workers", workers, 0, 256);
  require_within("--seed", seed, 0, INT64_MAX);
  require(!resume || !out.empty(), "--resume needs --out, the folder of the run to go on with");
}

void Recipe::record(tapetum::train::Record& r) const {
  r.set("epochs", epochs).set("steps", steps).set("batch_size", batch_size).set("lr", lr).set("optimizer", optimizer);
  r.set("weight_decay", weight_decay).set("schedule", schedule).set("warmup", warmup).set("amp", amp);
  r.set("threads", threads).set("workers", workers).set("seed", seed).set("device", device);
}

void Recipe::setup(tapetum::Metadata& m) const {
  m["--optimizer"] = optimizer;
  m["--schedule"] = schedule;
  m["--amp"] = amp;
  for (const auto& [name, value] : {std::pair("--lr", lr), std::pair("--weight-decay", weight_decay)}) m[name] = fmt::format("{}", value);
  for (const auto& [name, value] : {std::pair("--batch-size", batch_size), std::pair("--warmup", warmup), std::pair("--seed", seed)})
    m[name] = fmt::format("{}", value);
  // A schedule spans all steps: with another number of them each step would differ.
  if (schedule != "none") m["--epochs"] = fmt::format("{}", epochs);
}

void Recipe::report(tapetum::train::Record& r, const tapetum::train::Trainer& trainer) const {
  r.set("cpu", cpu_name()).set("threads", tapetum::get_num_threads()).set("seed", seed).set("epochs", trainer.epoch()).set("steps", trainer.steps());
  r.set("seconds_per_step", trainer.seconds_per_step()).set("images_per_second", trainer.images_per_second());
  r.set("peak_memory_mb", peak_memory_mb());
}

optim::GradScaler Recipe::scaler() const { return optim::GradScaler({.enabled = amp == "f16"}); }

tapetum::data::LoaderOptions Recipe::loading(bool shuffle, tapetum::Device on) const {
  return {.batch_size = batch_size, .shuffle = shuffle, .workers = static_cast<int>(workers), .seed = static_cast<uint64_t>(seed), .device = on};
}

std::unique_ptr<optim::Optimizer> make_optimizer(const Recipe& r, const std::vector<RatedParameters>& groups) {
  if (r.optimizer == "sgd") return grouped<optim::SGD>(groups, optim::SGDOptions{.momentum = 0.9, .weight_decay = r.weight_decay});
  if (r.optimizer == "adamw") return grouped<optim::AdamW>(groups, optim::AdamWOptions{.weight_decay = r.weight_decay});
  if (r.optimizer == "rmsprop") return grouped<optim::RMSprop>(groups, optim::RMSpropOptions{.weight_decay = r.weight_decay});
  if (r.optimizer == "nadam") return grouped<optim::NAdam>(groups, optim::NAdamOptions{.weight_decay = r.weight_decay});
  if (r.optimizer == "radam") return grouped<optim::RAdam>(groups, optim::RAdamOptions{.weight_decay = r.weight_decay});
  if (r.optimizer == "lamb") return grouped<optim::LAMB>(groups, optim::LAMBOptions{.weight_decay = r.weight_decay});
  if (r.optimizer == "lion") return grouped<optim::Lion>(groups, optim::LionOptions{.weight_decay = r.weight_decay});
  return grouped<optim::Adam>(groups, optim::AdamOptions{.weight_decay = r.weight_decay});
}

tapetum::train::MemoryPlan plan_training(const Recipe& r, tapetum::nn::Layer& model, const tapetum::Shape& images, const tapetum::Tensor& target) {
  return tapetum::train::memory_plan(model, images,
                                     {.loss = [&](const tapetum::Tensor& y) { return cross_entropy(y, target); },
                                      .optimizer =
                                          [&](const std::vector<tapetum::Tensor>& parameters) {
                                            return make_optimizer(r, {{parameters, r.lr}});
                                          }});
}

std::unique_ptr<optim::Scheduler> make_scheduler(const Recipe& r, optim::Optimizer& optimizer, int64_t steps_per_epoch) {
  const int64_t steps = r.epochs * steps_per_epoch;
  if (r.schedule == "onecycle") return std::make_unique<optim::OneCycleLR>(optimizer, optim::OneCycleOptions{.total_steps = steps});
  const int64_t drop_every = std::max<int64_t>(1, r.epochs / 3) * steps_per_epoch;
  return std::make_unique<optim::LambdaLR>(optimizer, [=, schedule = r.schedule, warmup = r.warmup](int64_t step) {
    if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
    if (schedule == "step") return std::pow(0.1, static_cast<double>(step / drop_every));
    const double part = static_cast<double>(step - warmup) / static_cast<double>(std::max<int64_t>(1, steps - warmup));
    return schedule == "cosine" ? 0.5 * (1 + std::cos(std::numbers::pi * part)) : 1.0;
  });
}

std::string best_of(const tapetum::train::Trainer& trainer, const std::string& score, const std::string& file) {
  const int64_t epoch = trainer.best_epoch();
  if (epoch == 0 || epoch == trainer.epoch()) return {};
  return fmt::format(" ({:.4f} after epoch {}: {})", trainer.history(score)[static_cast<size_t>(epoch - 1)], epoch, file);
}

}  // namespace programs
