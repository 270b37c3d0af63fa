// The loop around a training step: epochs, validation, progress, metrics, early stopping, checkpoints, resume.
//
//   train::Trainer trainer({.epochs = 10, .folder = &run, .resume = true});
//   trainer.include("model", model);            // anything with state_dict() and load_state_dict(): saved and resumed
//   trainer.include("optimizer", optimizer);
//   trainer.fit(loader,
//       [&](const auto& batch) {                // one step: returns the loss
//         optimizer.zero_grad();
//         Tensor loss = cross_entropy(model(batch.image), batch.mask);
//         loss.backward();
//         optimizer.step();
//         return loss;
//       },
//       [&] { return train::Values{{"val_loss", ...}, {"miou", ...}}; });
//
// A run that was killed and resumed ends with the same bits as one that was not. A loss that is not finite ends the run with an Error.
// It ends with the last weights; whoever wants the best ones keeps them, and loads them afterwards:
//
//   trainer.on_epoch([&](const train::Trainer& t) {
//     if (t.improved()) save(model.state_dict(), "best.safetensors");   // or best.keep(model), of an EarlyStopping
//   });
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/function.h"
#include "train/checkpoint.h"
#include "train/early_stopping.h"
#include "train/metrics.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "train/signals.h"
#include "train/tensorboard.h"

namespace tapetum::train {

using Values = std::vector<std::pair<std::string, double>>;                // of one epoch
using History = std::vector<std::pair<std::string, std::vector<double>>>;  // of all epochs, "loss" (of training) first

struct TrainerOptions {
  int64_t epochs = 10;
  int64_t max_steps = 0;           // of the whole run, earlier sessions included; 0: no limit
  RunFolder* folder = nullptr;     // for checkpoint.safetensors, metrics.jsonl and outcome.json; null: nothing is written
  bool resume = false;             // go on from the folder's checkpoint, if there is one
  bool tensorboard = false;        // beside metrics.jsonl: the same values, by step, as an event file
  double checkpoint_seconds = 60;  // within an epoch; each epoch ends with one in any case
  Metadata setup = {};             // what a resumed run must have been started with, too: an Error names what differs
  int64_t patience = 0;            // stop after so many epochs without a better `monitor`; 0: never
  std::string monitor = "miou";    // a value that validation returns; higher is better, unless goal_of() says otherwise; NaN is no value
  double min_delta = 0;            // a better one is better by more than this
  bool quiet = false;
  std::FILE* out = stdout;
};

enum class Outcome { finished, stopped_early, interrupted };
const char* name_of(Outcome outcome);  // "finished", "stopped early", "interrupted": also in outcome.json, which a killed run lacks

class Trainer {
 public:
  explicit Trainer(TrainerOptions options);
  Trainer(const Trainer&) = delete;

  template <class T> void include(const std::string& name, T& object) {
    parts_.push_back({name, [&object] { return object.state_dict(); }, [&object](const StateDict& s) { object.load_state_dict(s); }});
  }
  // After validation and before the epoch's checkpoint: after a kill between the two, both are made again.
  void on_epoch(Function<void(const Trainer&)> callback) { callbacks_.push_back(std::move(callback)); }

  // `loader` as data::DataLoader: size() batches an epoch, start(epoch, batch), a loop; a batch names its tensors in fields().
  template <class Loader, class Step, class Validate> Outcome fit(Loader& loader, Step&& step, Validate&& validate);

  int64_t epoch() const { return epoch_; }                              // complete ones
  int64_t steps() const { return step_; }                               // of the whole run
  EarlyStopping early_stopping() const;                                 // with `monitor` of all epochs so far
  int64_t best_epoch() const { return early_stopping().best_epoch(); }  // the one with the best `monitor`, the first of equals; 0: none
  bool improved() const { return epoch_ > 0 && best_epoch() == epoch_; }
  const History& history() const { return history_; }
  std::vector<double> history(const std::string& name) const;  // empty when there is none
  double seconds_per_step() const;                             // median of this session, without the first two
  double images_per_second() const;                            // of this session, training steps only

 private:
  struct Part {
    std::string name;
    Function<StateDict()> save;
    Function<void(const StateDict&)> load;
  };

  void begin(int64_t batches);  // of an epoch
  bool done() const { return epoch_ >= options_.epochs || at_limit(); }
  bool more() const { return !done() && !interrupted() && !early_stopping().should_stop(); }
  void begin_step();
  void end_step(const Tensor& loss, int64_t images);
  bool at_limit() const { return options_.max_steps && step_ >= options_.max_steps; }
  void end_epoch(const Values& validation);
  Outcome end();

  std::string checkpoint_path() const;
  void save();
  void load();
  ProgressState progress_state(int64_t epoch) const;

  TrainerOptions options_;
  std::vector<Part> parts_;
  std::vector<Function<void(const Trainer&)>> callbacks_;
  Progress progress_;
  std::unique_ptr<SummaryWriter> events_;
  History history_;
  RunningMean epoch_loss_;
  int64_t epoch_ = 0, batch_ = 0, step_ = 0, batches_ = 0;  // batch_: of the current epoch
  int64_t first_step_ = 0, images_ = 0;                     // of this session
  double started_ = 0, step_started_ = 0, saved_ = 0;       // seconds on a steady clock
  std::vector<double> step_seconds_;
};

// How many samples a batch holds: the first size of its first tensor.
template <class Batch> int64_t sample_count(const Batch& batch) {
  int64_t count = -1;
  Batch::fields(batch, [&](const char*, const Tensor& t) { count = count < 0 ? t.size(0) : count; });
  return count;
}

template <class Loader, class Step, class Validate> Outcome Trainer::fit(Loader& loader, Step&& step, Validate&& validate) {
  InterruptGuard guard;
  begin(loader.size());
  while (more()) {
    loader.start(epoch_, batch_);
    begin_step();
    for (auto& batch : loader) {
      end_step(step(batch), sample_count(batch));
      if (interrupted() || at_limit()) break;
      begin_step();
    }
    if (batch_ < batches_ && !at_limit()) break;
    end_epoch(validate());
  }
  return end();
}

}  // namespace tapetum::train
