#include <catch2/catch.hpp>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/random.h"
#include "tests/folder.h"
#include "train/trainer.h"

namespace tapetum::train {
namespace {

using test::content, test::Folder;

struct Batch {
  Tensor x;  // [2, 1]
  template <class S, class V> static void fields(S& s, V&& v) { v("x", s.x); }
};

// Five batches an epoch, whose content follows from (epoch, batch).
class Batches {
 public:
  int64_t size() const { return 5; }
  void start(int64_t epoch, int64_t batch) {
    epoch_ = epoch;
    batch_ = batch;
  }
  struct Iterator {
    Batches* from;
    Batch batch{};
    Batch& operator*() {
      RandomStream random(7, static_cast<uint64_t>(from->epoch_ * 100 + from->batch_));
      batch.x = tensor({random.uniform(), random.uniform()}, {2, 1}, DType::f64);
      return batch;
    }
    void operator++() { ++from->batch_; }
    bool operator!=(int) const { return from->batch_ < 5; }
  };
  Iterator begin() { return {this}; }
  int end() const { return 0; }

 private:
  int64_t epoch_ = 0, batch_ = 0;
};

// One number that is pulled towards each batch, and shaken by the library's random numbers.
struct Model {
  Tensor w = tensor({0}, {1}, DType::f64);
  StateDict state_dict() const {
    StateDict s;
    s.set("w", w);
    return s;
  }
  void load_state_dict(const StateDict& s) { std::memcpy(w.mutable_data<double>(), s.at("w").data<double>(), sizeof(double)); }

  Tensor step(const Batch& batch) {
    const double distance = batch.x.data<double>()[0] - w.item() + 0.1 * rand({1}).item();
    *w.mutable_data<double>() += 0.3 * distance;
    return tensor({distance * distance}, {}, DType::f64);
  }
};

struct Run {
  explicit Run(const std::string& folder_path, TrainerOptions options = {}, int64_t interrupt_at = -1, std::vector<double> miou = {}) {
    manual_seed(3);
    RunFolder folder("test", folder_path);
    options.folder = &folder;
    options.quiet = true;
    trainer.emplace(options);
    trainer->include("model", model);
    trainer->on_epoch([this](const Trainer& t) {
      if (t.improved()) best = model.w.item();
    });
    Batches loader;
    outcome = trainer->fit(
        loader,
        [&](const Batch& batch) {
          if (trainer->steps() == interrupt_at) std::raise(SIGINT);
          return model.step(batch);
        },
        [&] {
          const auto epoch = static_cast<size_t>(trainer->epoch());
          return Values{{"val_loss", 1 / (1.0 + static_cast<double>(epoch))}, {"miou", epoch < miou.size() ? miou[epoch] : 0.5}};
        });
  }
  Model model;
  double best = 0;  // the weight after the best epoch
  std::optional<Trainer> trainer;
  Outcome outcome = Outcome::finished;
};

// The log without the times.
std::string log_of(const std::string& folder) {
  std::string text = content(folder + "/metrics.jsonl"), kept;
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    kept += text.substr(at, text.find(", \"seconds\"", at) - at) + '\n';
  return kept;
}

}  // namespace

TEST_CASE("trainer: runs epochs, keeps history, logs a line for each") {
  Folder folder;
  const Run run(folder / "a", {.epochs = 3});
  REQUIRE(run.outcome == Outcome::finished);
  REQUIRE(run.trainer->steps() == 15);
  REQUIRE(run.trainer->history("loss").size() == 3);
  REQUIRE(run.trainer->history("val_loss") == std::vector<double>{1, 0.5, 1.0 / 3});
  REQUIRE(run.trainer->seconds_per_step() >= 0);
  REQUIRE_THAT(log_of(folder / "a"), Catch::Contains("{\"epoch\": 3, \"step\": 15, \"loss\": "));
}

TEST_CASE("trainer: an interrupt at any step, then resume, gives the same bits as an uninterrupted run") {
  Folder folder;
  const Run whole(folder / "whole", {.epochs = 3});
  for (int64_t at = 0; at < 15; ++at) {
    const std::string path = folder / std::to_string(at);
    const Run first(path, {.epochs = 3}, at);
    REQUIRE(first.outcome == (at == 14 ? Outcome::finished : Outcome::interrupted));
    const Run second(path, {.epochs = 3, .resume = true});
    REQUIRE(second.outcome == Outcome::finished);
    REQUIRE(second.model.w.item() == whole.model.w.item());
    REQUIRE(second.trainer->history() == whole.trainer->history());
    REQUIRE(log_of(path) == log_of(folder / "whole"));
  }
}

TEST_CASE("trainer: max_steps ends a run, and a longer one goes on from there") {
  Folder folder;
  const Run whole(folder / "whole", {.epochs = 3});
  const Run short_run(folder / "a", {.epochs = 3, .max_steps = 7});
  REQUIRE(short_run.outcome == Outcome::finished);
  REQUIRE(short_run.trainer->steps() == 7);
  REQUIRE(short_run.trainer->history("miou").size() == 2);
  const Run longer(folder / "a", {.epochs = 3, .resume = true});
  REQUIRE(longer.model.w.item() == whole.model.w.item());
  REQUIRE(log_of(folder / "a") == log_of(folder / "whole"));
}

TEST_CASE("trainer: resume without a checkpoint starts anew; a new run keeps the old checkpoint aside") {
  Folder folder;
  const Run first(folder / "a", {.epochs = 1, .resume = true});
  REQUIRE(first.trainer->steps() == 5);
  const Run second(folder / "a", {.epochs = 1});
  REQUIRE(second.trainer->steps() == 5);
  REQUIRE(std::filesystem::exists(folder / "a/checkpoint.old.safetensors"));
  REQUIRE(log_of(folder / "a").find("\"epoch\": 1") == log_of(folder / "a").rfind("\"epoch\": 1"));
}

TEST_CASE("trainer: resume refuses a checkpoint of another setup, and a damaged one") {
  Folder folder;
  { const Run first(folder / "a", {.epochs = 1, .setup = {{"seed", "0"}}}); }
  REQUIRE_THROWS_WITH(Run(folder / "a", {.resume = true, .setup = {{"seed", "1"}}}),
                      Catch::EndsWith("cannot be resumed: it was made with seed = 0, now it is 1"));
  std::filesystem::resize_file(folder / "a/checkpoint.safetensors", 300);
  REQUIRE_THROWS_AS(Run(folder / "a", {.resume = true, .setup = {{"seed", "0"}}}), FormatError);
}

TEST_CASE("trainer: stops early when validation no longer improves") {
  Folder folder;
  REQUIRE(Run(folder / "a", {.epochs = 9, .patience = 2}).trainer->epoch() == 3);
  REQUIRE(Run(folder / "b", {.epochs = 9, .patience = 2, .monitor = "val_loss"}).trainer->epoch() == 9);
  REQUIRE_THROWS_WITH(Run(folder / "c", {.epochs = 9, .patience = 2, .monitor = "typo"}), Catch::Contains("watches 'typo'"));
}

TEST_CASE("trainer: knows the best epoch; NaN never is it") {
  Folder folder;
  const double nan = std::nan("");
  const Run run(folder / "a", {.epochs = 5, .patience = 2}, -1, {nan, 0.2, nan, 0.3, 0.3});
  REQUIRE(run.trainer->best_epoch() == 4);
  REQUIRE(run.trainer->epoch() == 5);
  REQUIRE(run.best == Run(folder / "b", {.epochs = 4}).model.w.item());
  const Run never(folder / "c", {.epochs = 9, .patience = 2}, -1, {nan, nan, nan});
  REQUIRE(never.trainer->best_epoch() == 0);
  REQUIRE(never.trainer->epoch() == 2);
  REQUIRE(never.outcome == Outcome::stopped_early);
}

TEST_CASE("trainer: a gain of min_delta is not yet one, and options that make no sense are refused") {
  Folder folder;
  const Run run(folder / "a", {.epochs = 9, .patience = 2, .min_delta = 0.1}, -1, {0.3, 0.38, 0.39, 0.9});
  REQUIRE(run.trainer->epoch() == 3);
  REQUIRE(run.trainer->early_stopping().best() == 0.3);
  REQUIRE_THROWS_AS(Trainer({.patience = -1}), Error);
  REQUIRE_THROWS_AS(Trainer({.min_delta = -1}), Error);
}

TEST_CASE("trainer: the best weights are kept in memory, also over an interrupt, and restored") {
  Folder folder;
  const std::vector<double> miou{0.2, 0.6, 0.3, 0.4};
  Model model;
  EarlyStopping best;
  const auto fit = [&](int64_t interrupt_at) {
    manual_seed(3);
    model = Model(), best = EarlyStopping();
    RunFolder run("test", folder / "a");
    Trainer trainer({.epochs = 4, .folder = &run, .resume = true, .quiet = true});
    trainer.include("model", model);
    trainer.include("best", best);
    trainer.on_epoch([&](const Trainer& t) {
      if (t.improved()) best.keep(model);
    });
    const auto step = [&](const Batch& b) {
      if (trainer.steps() == interrupt_at) std::raise(SIGINT);
      return model.step(b);
    };
    Batches loader;
    return trainer.fit(loader, step, [&] { return Values{{"miou", miou[static_cast<size_t>(trainer.epoch())]}}; });
  };
  REQUIRE(fit(12) == Outcome::interrupted);
  REQUIRE(fit(-1) == Outcome::finished);
  best.restore(model);
  REQUIRE(model.w.item() == Run(folder / "b", {.epochs = 2}).model.w.item());
}

TEST_CASE("trainer: leaves word of how a run ended, and none of how an earlier one did") {
  Folder folder;
  const auto outcome = [&] { return std::filesystem::exists(folder / "a/outcome.json") ? content(folder / "a/outcome.json") : ""; };
  { const Run run(folder / "a", {.epochs = 3}, 7); }
  REQUIRE(outcome() == "{\n  \"outcome\": \"interrupted\",\n  \"epochs\": 1,\n  \"steps\": 8\n}\n");
  { const Run run(folder / "a", {.epochs = 3, .resume = true}); }
  REQUIRE_THAT(outcome(), Catch::Contains("\"finished\"") && Catch::Contains("15"));
  { const Run run(folder / "a", {.epochs = 9, .patience = 2}); }
  REQUIRE_THAT(outcome(), Catch::Contains("\"stopped early\""));
  RunFolder run("test", folder / "a");
  Trainer trainer({.epochs = 1, .folder = &run, .quiet = true});
  Batches loader;
  REQUIRE_THROWS(trainer.fit(
      loader, [&](const Batch&) { return throw Error("broken"), Tensor(); }, [] { return Values{}; }));
  REQUIRE(outcome().empty());
}

TEST_CASE("trainer: an event file beside the log, where it is asked for") {
  const auto files = [](const std::string& path) {
    int64_t count = 0, bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      if (entry.path().filename().string().rfind("events.out.tfevents.", 0) == 0) ++count, bytes += static_cast<int64_t>(entry.file_size());
    return std::pair(count, bytes);
  };
  Folder folder;
  { const Run without(folder / "a", {.epochs = 1}); }
  REQUIRE(files(folder / "a").first == 0);
  { const Run run(folder / "a", {.epochs = 1, .tensorboard = true}); }
  const auto [count, bytes] = files(folder / "a");
  REQUIRE(count == 1);
  REQUIRE(bytes > 100);
  { const Run resumed(folder / "a", {.epochs = 2, .resume = true, .tensorboard = true}); }
  REQUIRE(files(folder / "a").first == 2);
}

TEST_CASE("trainer: a loss that is not finite ends the run and keeps the checkpoint") {
  Folder folder;
  RunFolder run("test", folder / "a");
  Trainer trainer({.epochs = 3, .folder = &run, .quiet = true});
  Batches loader;
  REQUIRE_THROWS_WITH(trainer.fit(
                          loader, [&](const Batch&) { return tensor({trainer.steps() == 7 ? std::nan("") : 1.0}, {}); }, [] { return Values{}; }),
                      Catch::StartsWith("train: the loss is nan at step 8 (epoch 2)"));
  REQUIRE(load_checkpoint(folder / "a/checkpoint.safetensors").contains("position"));
}

}  // namespace tapetum::train
