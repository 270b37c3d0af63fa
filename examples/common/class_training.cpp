#include "examples/common/class_training.h"

#include <fmt/format.h>
#include <tapetum/tapetum.h>

#include <chrono>
#include <filesystem>
#include <optional>

#include "data/prepared.h"
#include "data/transforms/augmentation.h"
#include "data/transforms/mixing.h"
#include "examples/common/class_model.h"
#include "examples/common/classifier.h"
#include "examples/common/json_output.h"
#include "examples/common/machine.h"
#include "examples/common/profiling.h"
#include "train/classification_metrics.h"
#include "train/lr_finder.h"
#include "viz/classification_panel.h"
#include "viz/confusion.h"

namespace tp = tapetum;

namespace programs {
namespace {

using Batch = tp::data::ClassificationSample;
using Loader = tp::data::DataLoader<tp::data::ClassificationData>;

constexpr size_t kPanelImages = 28;

// What a run leaves in its folder: model has the last weights, best those of the epoch with the highest accuracy.
constexpr const char* kBest = "best.safetensors";
constexpr std::pair<const char*, const char*> kFiles[] = {
    {"panel", "panel.png"},       {"confusion", "confusion.png"}, {"curves", "curves.png"},
    {"report", "report.json"},    {"model", "model.safetensors"}, {"best", kBest},
    {"metrics", "metrics.jsonl"}, {"config", "config.json"},      {"checkpoint", "checkpoint.safetensors"}};

tp::data::Transform augmentation_of(const std::string& name) {
  if (name == "none") return {};
  return name.ends_with(".json") ? tp::data::read_transform(name) : tp::data::augmentation(name);
}

// The model, what teaches it and what judges it.
class Training {
 public:
  // What is noteworthy goes to `notes`; null: nowhere.
  Training(const ClassOptions& options, std::FILE* notes)
      : o(options),
        device(device_of(o.device)),
        sets(make_class_sets(o)),
        m(make_class_model(o, sets)),
        scaler(o.scaler()),
        frozen_(o.freeze == "backbone") {
    m.model->to(device);
    if (o.checkpoint) tp::nn::recompute_blocks(*m.model);
    tp::data::ClassificationData train = tp::data::Prepared(sets.train, m.preprocess, augmentation_of(o.augment)),
                                 val = tp::data::Prepared(sets.val, m.preprocess);
    if (notes)
      for (const auto* list : {&sets.skipped, &m.notes})
        for (const std::string& note : *list) fmt::print(notes, "{}\n", note);
    cached_ = frozen_ && o.augment == "none";
    if (cached_) {
      if (notes) fmt::print(notes, "the frozen part sees each of {} pictures once\n", train.size() + val.size());
      train = features_of(train);
      val = features_of(val);
    }
    loader.emplace(train, o.loading(true, device));
    val_loader.emplace(val, o.loading(false, device));
    optimizer = make_optimizer(o, rated_parameters(o, m));
    scheduler = make_scheduler(o, *optimizer, loader->size());
  }

  tp::Tensor step(const Batch& batch) {
    m.model->train(!frozen_);
    optimizer->zero_grad();
    const auto [images, labels] = mixed(batch);
    const tp::Tensor loss = cross_entropy(logits(images), labels, {.label_smoothing = o.label_smoothing});
    learn(loss);
    scheduler->step();
    return loss.detach();
  }

  // The optimizer's step down this loss.
  void learn(const tp::Tensor& loss) {
    scaler.scale(loss).backward();
    scaler.step(*optimizer);
    scaler.update();
  }

  tp::Tensor logits(const tp::Tensor& x) {
    const auto amp = autocast_of(o.amp, device);
    return to(head_of(x), tp::DType::f32);
  }

  struct Scores {
    double loss = 0;
    tp::train::ClassificationMetrics metrics;
  };

  Scores judge() {
    const tp::NoGrad no_grad;
    m.model->eval();
    tp::train::RunningMean mean;
    Scores scores{0, tp::train::ClassificationMetrics(static_cast<int64_t>(sets.classes.size()))};
    for (const Batch& batch : *val_loader) {
      const tp::Tensor y = logits(batch.image);
      mean.add(cross_entropy(y, batch.label).item(), static_cast<double>(batch.image.size(0)));
      scores.metrics.update(y, batch.label);
    }
    scores.loss = mean.mean();
    return scores;
  }

  // Class probabilities of one validation picture, through the whole model.
  tp::Tensor classify(int64_t index) {
    const tp::NoGrad no_grad;
    m.model->eval();
    tp::RandomStream unused(0);
    const Batch sample = tp::data::Prepared(sets.val, m.preprocess).get(index, unused);
    const auto amp = autocast_of(o.amp, device);
    return to(softmax((*m.model)(to(unsqueeze(sample.image, 0), device)), 1), tp::Device());
  }

  void save(const std::string& path) { tp::save(m.model->state_dict(), path, classifier_metadata(m.name, sets.classes, m.preprocess)); }

  const ClassOptions& o;
  tp::Device device;
  ClassSets sets;
  ClassModel m;
  tp::optim::GradScaler scaler;
  std::optional<Loader> loader, val_loader;
  std::unique_ptr<tp::optim::Optimizer> optimizer;
  std::unique_ptr<tp::optim::Scheduler> scheduler;

 private:
  tp::Tensor head_of(const tp::Tensor& x) {
    if (cached_) return m.model->forward_head(x);
    return frozen_ ? m.model->forward_head(features(x)) : (*m.model)(x);
  }
  tp::Tensor features(const tp::Tensor& images) {
    const tp::NoGrad no_grad;
    const auto amp = autocast_of(o.amp, device);
    return to(m.model->forward_features(images), tp::DType::f32);
  }

  // Pictures go through the frozen part once, and not at every step.
  tp::data::ClassificationData features_of(const tp::data::ClassificationData& set) {
    m.model->eval();
    std::vector<tp::Tensor> rows, labels;
    Loader all(set, o.loading(false, device));
    for (const Batch& batch : all) {
      rows.push_back(to(features(batch.image), tp::Device()));
      labels.push_back(to(batch.label, tp::Device()));
    }
    return tp::data::TensorDataset(contiguous(cat(rows, 0)), cat(labels, 0), sets.classes);
  }

  tp::data::LabelledBatch mixed(const Batch& batch) const {
    const tp::data::LabelledBatch as_it_is{batch.image, batch.label};
    if (o.mixup == 0 && o.cutmix == 0) return as_it_is;
    tp::RandomStream stream(static_cast<uint64_t>(o.seed),
                            static_cast<uint64_t>(scheduler->last_epoch()));  // of the step: a resumed run draws the same
    const auto classes = static_cast<int64_t>(sets.classes.size());
    if (o.mixup > 0) return tp::data::MixUp{.num_classes = classes, .alpha = o.mixup}(as_it_is, stream);
    return tp::data::CutMix{.num_classes = classes, .alpha = o.cutmix}(as_it_is, stream);
  }

  bool frozen_, cached_ = false;
};

void draw_panel(const std::string& path, Training& t) {
  std::vector<tp::viz::ClassifiedImage> images;
  std::vector<int64_t> shown = tp::data::permutation(t.sets.val.size(), tp::RandomStream(0));
  shown.resize(std::min(shown.size(), kPanelImages));
  for (const int64_t i : shown) {
    tp::RandomStream unused(0);
    const Batch sample = t.sets.val.get(i, unused);
    const tp::Tensor p = t.classify(i);
    const auto best = static_cast<int64_t>(argmax(p, 1).item());
    images.push_back({.image = sample.image,
                      .predicted = t.sets.classes[static_cast<size_t>(best)],
                      .truth = t.sets.classes[static_cast<size_t>(sample.label.item())],
                      .score = p(0, best).item()});
  }
  write_png(path, tp::data::Image(tp::viz::classification_panel(images, {.title = "Held-out pictures"})));
}

tp::train::Record scores_record(const Training& t, const Training::Scores& scores, const tp::train::ClassificationResult& r) {
  std::vector<tp::train::Record> classes;
  for (size_t c = 0; c < r.classes.size(); ++c)
    classes.push_back(tp::train::Record()
                          .set("name", t.sets.classes[c])
                          .set("precision", r.classes[c].precision)
                          .set("recall", r.classes[c].recall)
                          .set("f1", r.classes[c].f1));
  tp::train::Record val;
  val.set("loss", scores.loss).set("accuracy", r.accuracy).set("top5_accuracy", r.top_k_accuracy).set("macro_precision", r.macro.precision);
  val.set("macro_recall", r.macro.recall).set("macro_f1", r.macro.f1).set("roc_auc", r.roc_auc).set("calibration_error", r.calibration_error);
  return val.set("samples", r.samples).set("classes", classes);
}

tp::train::Record report(Training& t, const tp::train::Trainer& trainer, const tp::train::Record& val, const tp::train::RunFolder& folder,
                         double seconds) {
  tp::train::Record train, files, r;
  train.set("loss", trainer.history("loss"));
  for (const auto& [name, file] : kFiles)
    if (std::filesystem::exists(folder.file(file))) files.set(name, folder.file(file));
  r.set("model", t.m.name).set("parameters", t.m.model->parameter_count()).set("seconds", seconds).set("best_epoch", trainer.best_epoch());
  t.o.report(r, trainer);
  return r.set("train", train).set("val", val).set("files", files);
}

void find_lr(Training& t, const tp::train::RunFolder& folder, std::FILE* out) {
  const auto sweep = tp::train::find_lr(*t.m.model, *t.optimizer, *t.loader, [&](const Batch& batch) {
    t.m.model->train();
    t.optimizer->zero_grad();
    const tp::Tensor loss = cross_entropy(t.logits(batch.image), batch.label);
    t.learn(loss);
    return loss.detach();
  });
  write_png(folder.file("lr_finder.png"), tp::data::Image(tp::viz::learning_rate_curve(sweep)));
  fmt::print(out, "steepest at {:.2g}, a tenth of the best at {:.2g}; {}\n", sweep.steepest, sweep.minimum_tenth, folder.file("lr_finder.png"));
}

// Of a step on a batch like the first.
void print_plan(Training& t, std::FILE* out) {
  for (const Batch& batch : *t.loader) {
    fmt::print(out, "{}", to_string(plan_training(t.o, *t.m.model, batch.image.shape(), to(batch.label, tp::DeviceKind::meta))));
    return;
  }
}

}  // namespace

int train_classifier(const ClassOptions& o) {
  const JsonOutput json(o.json);
  Profiling profiling(o.profile, kTrainingSteps);
  if (o.threads) tp::set_num_threads(static_cast<int>(o.threads));
  tp::manual_seed(static_cast<uint64_t>(o.seed));
  const auto start = std::chrono::steady_clock::now();
  Training training(o, o.quiet ? nullptr : json.text());

  if (o.plan) return print_plan(training, json.text()), 0;
  tp::train::RunFolder folder(o.program, o.out);
  if (o.find_lr) {
    find_lr(training, folder, json.text());
    return 0;
  }
  const auto write_config = [&] { folder.write("config.json", to_record(o)); };
  const bool resumed = o.resume && std::filesystem::exists(folder.file("checkpoint.safetensors"));
  if (!resumed) write_config();
  tp::train::Trainer trainer({.epochs = o.epochs,
                              .max_steps = o.steps,
                              .folder = &folder,
                              .resume = o.resume,
                              .tensorboard = o.tensorboard,
                              .setup = setup_of(o),
                              .patience = o.patience,
                              .monitor = "accuracy",
                              .quiet = o.quiet,
                              .out = json.text()});
  trainer.include("model", *training.m.model);
  trainer.include("optimizer", *training.optimizer);
  trainer.include("scheduler", *training.scheduler);
  trainer.include("scaler", training.scaler);
  trainer.on_epoch([&](const tp::train::Trainer& t) {
    if (t.improved()) training.save(folder.file(kBest));
  });
  std::optional<Training::Scores> scores;
  const auto validate = [&] {
    scores = training.judge();
    return tp::train::Values{{"val_loss", scores->loss}, {"accuracy", scores->metrics.confusion().pixel_accuracy()}};  // result() sorts all scores
  };
  const auto outcome = trainer.fit(
      *training.loader, [&](const Batch& batch) { return profiling.step([&] { return training.step(batch); }); }, validate);
  profiling.finish();
  if (resumed) write_config();  // now its flags are known to fit
  training.save(folder.file("model.safetensors"));
  if (outcome == tp::train::Outcome::interrupted) {
    if (!o.quiet) fmt::print(json.text(), "it goes on with the same flags and --out {} --resume\n", folder.path());
    return 130;
  }
  if (!scores) validate();  // resumed after its end
  const tp::train::ClassificationResult result = scores->metrics.result();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  draw_panel(folder.file("panel.png"), training);
  write_png(folder.file("confusion.png"),
            tp::data::Image(tp::viz::confusion_matrix(scores->metrics.confusion(), {.classes = training.sets.classes})));
  const tp::Tensor curves = tp::viz::training_curves(trainer.history("loss"), trainer.history("val_loss"), {"Accuracy", trainer.history("accuracy")});
  write_png(folder.file("curves.png"), tp::data::Image(curves));
  const tp::train::Record val = scores_record(training, *scores, result);
  folder.write("report.json", val);
  json.write(report(training, trainer, val, folder, seconds));
  if (!o.quiet)
    fmt::print(json.text(), "accuracy {:.4f}, macro F1 {:.4f} on {} held-out pictures{}; {}\n", result.accuracy, result.macro.f1, result.samples,
               best_of(trainer, "accuracy", kBest), folder.path());
  return 0;
}

}  // namespace programs
