// Trains a U-Net that gives every pixel a class, on procedural cell images or on one's own: train_unet --help
#include <fmt/core.h>
#include <tapetum/tapetum.h>

#include <filesystem>
#include <optional>

#include "examples/common/command_line.h"
#include "examples/common/json_output.h"
#include "examples/common/machine.h"
#include "examples/common/model_card.h"
#include "examples/common/profiling.h"
#include "examples/common/sets.h"
#include "examples/common/train_options.h"

namespace tp = tapetum;

namespace {

using programs::ModelCard, programs::TrainOptions;
using Batch = tp::data::ImageSample;

constexpr int64_t kPanelRows = 5;

// What a run leaves in its folder: model has the last weights, best those of the epoch with the highest mIoU.
constexpr const char* kBest = "best.safetensors";
constexpr std::pair<const char*, const char*> kFiles[] = {
    {"panel", "panel.png"},       {"curves", "curves.png"},  {"model", "model.safetensors"},          {"best", kBest},
    {"metrics", "metrics.jsonl"}, {"config", "config.json"}, {"checkpoint", "checkpoint.safetensors"}};

tp::models::UNetOptions unet_options(const TrainOptions& o) {
  return {.in_channels = 3,
          .classes = o.classes,
          .width = o.width,
          .depth = o.depth,
          .up = o.up == "bilinear" ? tp::models::Upsampling::bilinear : tp::models::Upsampling::transposed,
          .checkpoint = o.checkpoint};
}

ModelCard make_card(const TrainOptions& o, const programs::Sets& sets) {
  ModelCard card;
  card.unet = unet_options(o);
  card.size = o.size;
  card.source_size = sets.source_size;
  card.classes = sets.classes;
  return card;
}

class Loss {
 public:
  Loss(const TrainOptions& o, tp::Device device) : kind_(o.loss), ignore_(o.ignore_index) {
    if (o.class_weights.empty()) return;
    weights_ = tp::empty({o.classes});
    std::copy(o.class_weights.begin(), o.class_weights.end(), weights_.mutable_data<float>());
    weights_ = to(weights_, device);
  }
  tp::Tensor operator()(const tp::Tensor& logits, const tp::Tensor& mask) const {
    if (!any(mask != ignore_).item()) return sum(logits) * 0.0;  // nothing to learn from: the mean over no pixel would be NaN
    if (kind_ == "dice") return dice(logits, mask);
    if (kind_ == "focal") return tp::focal_loss(logits, mask, {.alpha = weights_, .ignore_index = ignore_});
    const tp::Tensor ce = cross_entropy(logits, mask, {.weight = weights_, .ignore_index = ignore_});
    return kind_ == "ce" ? ce : ce + dice(logits, mask);
  }

 private:
  tp::Tensor dice(const tp::Tensor& logits, const tp::Tensor& mask) const { return tp::dice_loss(logits, mask, {.ignore_index = ignore_}); }
  std::string kind_;
  int64_t ignore_;
  tp::Tensor weights_;
};

struct Scores {
  double loss = 0;
  tp::train::ConfusionMatrix confusion;
};

// The model, what teaches it and what judges it.
struct Training {
  explicit Training(const TrainOptions& options)
      : o(options),
        device(programs::device_of(o.device)),
        sets(programs::make_sets(o)),
        card(make_card(o, sets)),
        model(card.unet),
        loss(o, device),
        scaler(o.scaler()),
        loader(sets.train, o.loading(true, device)),
        val_loader(sets.val, o.loading(false, device)) {
    if (!o.weights.empty()) programs::load_weights(model, tp::load(o.weights), o.weights);
    model.to(device);
    optimizer = programs::make_optimizer(o, {{model.parameters(), o.lr}});
    scheduler = programs::make_scheduler(o, *optimizer, loader.size());
  }

  tp::Tensor logits(const tp::Tensor& images) {
    const auto amp = programs::autocast_of(o.amp, device);
    return to(model(programs::normalise(images)), tp::DType::f32);
  }
  tp::Tensor classes(const tp::Tensor& logits) { return to(argmax(logits, 1), tp::Device()); }

  tp::Tensor step(const Batch& batch) {
    model.train();
    optimizer->zero_grad();
    const tp::Tensor y = loss(logits(batch.image), batch.mask);
    scaler.scale(y).backward();
    scaler.step(*optimizer);
    scaler.update();
    scheduler->step();
    return y.detach();
  }

  Scores judge() {
    tp::NoGrad no_grad;
    model.eval();
    tp::train::RunningMean mean;
    Scores scores{0, tp::train::ConfusionMatrix(card.unet.classes, o.ignore_index)};
    for (const Batch& batch : val_loader) {
      const tp::Tensor y = logits(batch.image);
      mean.add(loss(y, batch.mask).item(), static_cast<double>(batch.image.size(0)));
      scores.confusion.add(classes(y), to(batch.mask, tp::Device()));
    }
    scores.loss = mean.mean();
    return scores;
  }

  void save(const std::string& path) { tp::save(model.state_dict(), path, to_metadata(card)); }

  const TrainOptions& o;
  tp::Device device;
  programs::Sets sets;
  ModelCard card;
  tp::models::UNet model;
  Loss loss;
  tp::optim::GradScaler scaler;
  tp::data::DataLoader<tp::data::ImageData> loader, val_loader;
  std::unique_ptr<tp::optim::Optimizer> optimizer;
  std::unique_ptr<tp::optim::Scheduler> scheduler;
};

std::vector<tp::viz::Fact> facts_of(Training& t, const tp::train::Trainer& trainer, const Scores& scores) {
  return {{"Mean IoU", fmt::format("{:.3f}", scores.confusion.miou())},
          {"Pixel accuracy", fmt::format("{:.1f} %", 100 * scores.confusion.pixel_accuracy())},
          {"Training images", fmt::format("{}", t.sets.train.size())},
          {"Image size", fmt::format("{} \u00d7 {}", t.o.size.h, t.o.size.w)},
          {"Epochs", fmt::format("{}", trainer.epoch())},
          {"Parameters", fmt::format("{:.2f} M", static_cast<double>(t.model.parameter_count()) / 1e6)},
          {"Seed", fmt::format("{}", t.o.seed)}};
}

void draw_panel(const std::string& path, Training& t, std::vector<tp::viz::Fact> facts) {
  tp::NoGrad no_grad;
  t.model.eval();
  std::vector<tp::viz::PanelRow> rows;
  for (int64_t i = 0; i < std::min(kPanelRows, t.sets.val.size()); ++i) {
    tp::RandomStream unused(0);
    const Batch sample = t.sets.val.get(i, unused);
    const tp::Tensor labels = t.classes(t.logits(to(unsqueeze(sample.image, 0), t.device)));
    rows.push_back({sample.image, sample.mask, squeeze(labels, 0), t.sets.val.name(i)});
  }
  tp::viz::PanelOptions options;
  options.title = t.o.synthetic() ? "Cell segmentation" : "Segmentation";
  options.subtitle = "U-Net on images that it was not trained on";
  options.classes = t.card.classes;
  options.ignore_index = t.o.ignore_index;
  options.facts = std::move(facts);
  write_png(path, tp::data::Image(segmentation_panel(rows, options)));
}

tp::train::Record report(Training& t, const tp::train::Trainer& trainer, const Scores& scores, const tp::train::RunFolder& folder) {
  tp::train::Record train, val, files, r;
  train.set("loss", trainer.history("loss"));
  val.set("loss", scores.loss).set("miou", scores.confusion.miou()).set("iou", scores.confusion.iou()).set("dice", scores.confusion.dice());
  val.set("pixel_accuracy", scores.confusion.pixel_accuracy());
  for (const auto& [name, file] : kFiles)
    if (std::filesystem::exists(folder.file(file))) files.set(name, folder.file(file));
  r.set("model", "unet").set("parameters", t.model.parameter_count());
  t.o.report(r, trainer);
  return r.set("train", train).set("val", val).set("files", files);
}

// Of a step on one batch, without the data: the loss is taken to be the cross-entropy.
void print_plan(const TrainOptions& o) {
  const tp::nn::init::Skip unneeded;
  tp::models::UNet model(unet_options(o));
  const tp::Tensor mask = tp::empty({o.batch_size, o.size.h, o.size.w}, tp::DType::i64, tp::DeviceKind::meta);
  fmt::print("{}", to_string(programs::plan_training(o, model, {o.batch_size, 3, o.size.h, o.size.w}, mask)));
}

int train(const TrainOptions& o) {
  const programs::JsonOutput json(o.json);
  programs::Profiling profiling(o.profile, programs::kTrainingSteps);
  if (o.threads) tp::set_num_threads(static_cast<int>(o.threads));
  tp::manual_seed(static_cast<uint64_t>(o.seed));
  if (o.plan) return print_plan(o), 0;
  Training training(o);
  for ([[maybe_unused]] const Batch& batch : training.val_loader) {
  }  // a file that cannot be used is found now, and not after an epoch

  tp::train::RunFolder folder("train_unet", o.out);
  const auto write_config = [&] { folder.write("config.json", programs::to_record(o)); };
  const bool resumed = o.resume && std::filesystem::exists(folder.file("checkpoint.safetensors"));
  if (!resumed) write_config();
  tp::train::Trainer trainer({.epochs = o.epochs,
                              .max_steps = o.steps,
                              .folder = &folder,
                              .resume = o.resume,
                              .tensorboard = o.tensorboard,
                              .setup = programs::setup_of(o),
                              .quiet = o.quiet,
                              .out = json.text()});
  trainer.include("model", training.model);
  trainer.include("optimizer", *training.optimizer);
  trainer.include("scheduler", *training.scheduler);
  trainer.include("scaler", training.scaler);
  trainer.on_epoch([&](const tp::train::Trainer& t) {
    if (t.improved()) training.save(folder.file(kBest));
  });

  std::optional<Scores> scores;
  const auto validate = [&] {
    scores = training.judge();
    return tp::train::Values{{"val_loss", scores->loss}, {"miou", scores->confusion.miou()}, {"pixel_accuracy", scores->confusion.pixel_accuracy()}};
  };
  const auto outcome = trainer.fit(
      training.loader, [&](const Batch& batch) { return profiling.step([&] { return training.step(batch); }); }, validate);
  profiling.finish();
  if (resumed) write_config();  // now its flags are known to fit
  training.save(folder.file("model.safetensors"));
  if (outcome == tp::train::Outcome::interrupted) {
    if (!o.quiet) fmt::print(json.text(), "it goes on with the same flags and --out {} --resume\n", folder.path());
    return 130;
  }
  if (!scores) validate();  // resumed after its end
  draw_panel(folder.file("panel.png"), training, facts_of(training, trainer, *scores));
  const tp::Tensor curves = tp::viz::training_curves(trainer.history("loss"), trainer.history("val_loss"), {"Mean IoU", trainer.history("miou")});
  write_png(folder.file("curves.png"), tp::data::Image(curves));
  json.write(report(training, trainer, *scores, folder));
  if (!o.quiet)
    fmt::print(json.text(), "mIoU {:.4f} on {} held-out images{}; {}\n", scores->confusion.miou(), training.sets.val.size(),
               programs::best_of(trainer, "miou", kBest), folder.path());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return programs::run("train_unet", argc, argv, [](int c, char** v) {
    TrainOptions options;
    return parse(options, c, v) ? train(options) : 0;
  });
}
