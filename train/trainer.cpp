#include "train/trainer.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "core/error.h"

namespace tapetum::train {
namespace {

constexpr const char* kOutcome = "outcome.json";

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string text_of(const Values& values) {
  std::string text;
  for (const auto& [name, value] : values) text += fmt::format("{}{} {:.4f}", text.empty() ? "" : "  ", name == "miou" ? "mIoU" : name, value);
  return text;
}

void append(History& history, const std::string& name, double value) {
  for (auto& [n, values] : history)
    if (n == name) return values.push_back(value);
  history.push_back({name, {value}});
}

}  // namespace

const char* name_of(Outcome outcome) {
  constexpr const char* names[] = {"finished", "stopped early", "interrupted"};
  return names[static_cast<int>(outcome)];
}

Trainer::Trainer(TrainerOptions options) : options_(std::move(options)), progress_(options_.out, options_.quiet) {
  early_stopping();  // throws for options that make no sense
}

std::vector<double> Trainer::history(const std::string& name) const {
  for (const auto& [n, values] : history_)
    if (n == name) return values;
  return {};
}

double Trainer::seconds_per_step() const {
  std::vector<double> s(step_seconds_.begin() + std::min<ptrdiff_t>(2, static_cast<ptrdiff_t>(step_seconds_.size())), step_seconds_.end());
  if (s.empty()) return std::nan("");
  const auto middle = s.begin() + static_cast<ptrdiff_t>(s.size() / 2);
  std::nth_element(s.begin(), middle, s.end());
  return *middle;
}

double Trainer::images_per_second() const {
  double seconds = 0;
  for (double s : step_seconds_) seconds += s;
  return static_cast<double>(images_) / seconds;
}

std::string Trainer::checkpoint_path() const { return options_.folder->file("checkpoint.safetensors"); }

void Trainer::begin(int64_t batches) {
  if (batches < 1) throw Error("train: the loader has no batch");
  batches_ = batches;
  if (options_.folder && std::filesystem::exists(checkpoint_path())) {
    if (options_.resume)
      load();
    else
      std::filesystem::rename(checkpoint_path(), options_.folder->file("checkpoint.old.safetensors"));
  }
  if (options_.folder) std::filesystem::remove(options_.folder->file(kOutcome));
  if (options_.folder && step_ == 0) options_.folder->cut_log(0);
  if (options_.folder && options_.tensorboard) events_ = std::make_unique<SummaryWriter>(options_.folder->path(), step_ + 1);
  first_step_ = step_;
  started_ = saved_ = now();
}

void Trainer::begin_step() { step_started_ = now(); }

void Trainer::end_step(const Tensor& loss, int64_t images) {
  const double value = loss.item();
  if (!std::isfinite(value))
    throw Error(fmt::format("train: the loss is {} at step {} (epoch {}): a lower learning rate may help{}", value, step_ + 1, epoch_ + 1,
                            options_.folder && epoch_ ? fmt::format("; {} is from before that", checkpoint_path()) : ""));
  step_seconds_.push_back(now() - step_started_);
  epoch_loss_.add(value, static_cast<double>(images));
  images_ += images;
  ++step_;
  ++batch_;
  progress_.update(progress_state(epoch_ + 1));
  // At the limit the run's state is saved as it is within the epoch, so that a longer run can go on from there.
  if (batch_ < batches_ && (at_limit() || now() - saved_ > options_.checkpoint_seconds)) save();
}

void Trainer::end_epoch(const Values& validation) {
  append(history_, "loss", epoch_loss_.mean());
  for (const auto& [name, value] : validation) append(history_, name, value);
  if (options_.patience > 0 && history(options_.monitor).empty())
    throw Error(fmt::format("train: early stopping watches '{}', but validation does not return it", options_.monitor));
  ++epoch_;
  progress_.epoch(progress_state(epoch_), text_of(validation));
  if (options_.folder) {
    Record line;
    line.set("epoch", epoch_).set("step", step_).set("loss", epoch_loss_.mean());
    for (const auto& [name, value] : validation) line.set(name, value);
    options_.folder->log(line.set("seconds", now() - started_));
  }
  if (events_) {
    events_->add_scalar("loss", epoch_loss_.mean(), step_);
    for (const auto& [name, value] : validation) events_->add_scalar(name, value, step_);
  }
  for (const auto& callback : callbacks_) callback(*this);
  if (batch_ == batches_) {
    batch_ = 0;
    epoch_loss_ = {};
    save();
  }
}

Outcome Trainer::end() {
  const Outcome outcome = done() ? Outcome::finished : early_stopping().should_stop() ? Outcome::stopped_early : Outcome::interrupted;
  if (outcome == Outcome::stopped_early)
    progress_.message(fmt::format("stopped early: {} epochs without a better {}", options_.patience, options_.monitor));
  if (outcome == Outcome::interrupted) {
    save();
    progress_.message(fmt::format("interrupted at step {}", step_));
  }
  if (options_.folder) options_.folder->write(kOutcome, Record().set("outcome", name_of(outcome)).set("epochs", epoch_).set("steps", step_));
  return outcome;
}

EarlyStopping Trainer::early_stopping() const {
  EarlyStopping stopping({.patience = options_.patience, .min_delta = options_.min_delta, .goal = goal_of(options_.monitor)});
  for (double value : history(options_.monitor)) stopping.update(value);
  return stopping;
}

ProgressState Trainer::progress_state(int64_t epoch) const {
  const int64_t whole = options_.epochs * batches_, steps = options_.max_steps ? std::min(whole, options_.max_steps) : whole;
  const double per_step = (now() - started_) / static_cast<double>(std::max<int64_t>(1, step_ - first_step_));  // validation included
  return {epoch, options_.epochs, step_, steps, epoch_loss_.mean(), images_per_second(), per_step * static_cast<double>(steps - step_)};
}

void Trainer::save() {
  if (!options_.folder) return;
  StateDict whole;
  for (const Part& p : parts_) add_part(whole, p.name, p.save());
  const GeneratorState random = random_state();
  whole.set("random", pack(std::vector<int64_t>{static_cast<int64_t>(random.seed), static_cast<int64_t>(random.calls)}));
  whole.set("position", pack(std::vector<int64_t>{epoch_, batch_, step_, batches_, options_.folder->log_size()}));
  whole.set("epoch_loss", pack(std::vector<double>{epoch_loss_.sum(), epoch_loss_.weight()}));
  for (const auto& [name, values] : history_) whole.set("history." + name, pack(values));
  save_checkpoint(whole, checkpoint_path(), options_.setup);
  saved_ = now();
}

void Trainer::load() {
  const std::string path = checkpoint_path();
  const Safetensors file = load_checkpoint(path);
  for (const auto& [name, value] : options_.setup) {
    const auto saved = file.metadata.find(name);
    if (saved == file.metadata.end() || saved->second != value)
      throw Error(fmt::format("{}: cannot be resumed: it was made with {} = {}, now it is {}", path, name,
                              saved == file.metadata.end() ? "nothing" : saved->second, value));
  }
  for (const Part& p : parts_) p.load(get_part(file, p.name));
  const std::vector<int64_t> random = unpack_integers(file.at("random")), position = unpack_integers(file.at("position"));
  const std::vector<double> loss = unpack(file.at("epoch_loss"));
  if (random.size() != 2 || position.size() != 5 || loss.size() != 2) throw FormatError(fmt::format("{}: is not a checkpoint of this trainer", path));
  if (position[3] != batches_)
    throw Error(fmt::format("{}: cannot be resumed: its epochs have {} batches, now they have {}", path, position[3], batches_));
  set_random_state({static_cast<uint64_t>(random[0]), static_cast<uint64_t>(random[1])});
  epoch_ = position[0];
  batch_ = position[1];
  step_ = position[2];
  options_.folder->cut_log(position[4]);
  epoch_loss_ = {loss[0], loss[1]};
  history_.clear();
  for (const auto& [name, t] : get_part(file, "history")) history_.push_back({name, unpack(t)});
  progress_.message(fmt::format("resumed from {}: epoch {}, step {}", path, epoch_ + 1, step_));
}

}  // namespace tapetum::train
