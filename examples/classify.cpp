// Says what photos show, with pretrained weights: classify --help
#include <fmt/format.h>
#include <tapetum/tapetum.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "core/nearest.h"
#include "data/folder.h"
#include "examples/common/classifier.h"
#include "examples/common/command_line.h"
#include "examples/common/image_paths.h"
#include "examples/common/json_output.h"
#include "examples/common/machine.h"
#include "examples/common/profiling.h"
#include "models/presets.h"
#include "viz/top_classes.h"

namespace tp = tapetum;

namespace {

struct Options {
  std::vector<std::string> photos;
  programs::ClassifierSource source;
  std::string labels, save, json, profile, device = "auto", amp = "off";
  std::string preset, interpolation, order;
  std::vector<double> mean, std;
  int64_t top = 5, threads = 0, resize = -1, crop = 0;
};

std::string presets_text() {
  std::string text;
  for (const tp::models::Preset& p : tp::models::presets()) text += fmt::format("\n  {}: {}\n    {}", p.name, p.about, to_string(p.preprocess));
  return text;
}

std::string models_text() {
  std::vector<std::string> names;
  for (const tp::models::ModelEntry& m : tp::models::list()) names.push_back(m.name);
  return fmt::format("{}", fmt::join(names, " "));
}

bool parse(Options& o, int argc, char** argv) {
  programs::CommandLine line(
      "classify", fmt::format("Says what photos show, with pretrained weights.\n\nModels: {}\n\nPresets, which belong to weights:{}", models_text(),
                              presets_text()));
  line.add_positional("photos", o.photos, "Images, folders of images, or patterns such as 'photos/*.jpg'");
  line.add("--model", o.source.model, "NAME", "The architecture; files of train_classifier and finetune say it themselves");
  line.add("--weights", o.source.weights, "FILE", "Needed: .safetensors, .pth or .pt");
  line.add("--key", o.source.key, "KEY", "The part of a checkpoint to take, such as ema");
  line.add("--labels", o.labels, "FILE", "Names of the classes, one a line; of columns separated by tabs the last");
  line.add("--top", o.top, "How many classes to name");
  line.add("--save", o.save, "DIR", "Folder for NAME.png: the photo with its classes");
  line.add_optional("--json", o.json, "-", "The result as JSON; --json=FILE: into a file");
  programs::add_profile(line, o.profile, programs::kImages);
  line.add("--threads", o.threads, "Threads of the kernels (0: one a core)");
  line.add_choice("--device", o.device, {"auto", "cpu", "cuda"}, "Where to compute");
  line.add_choice("--amp", o.amp, programs::kPrecisions, "Mixed precision: convolutions and products of matrices in 16 bits");
  line.group("Preparing the photos, where it shall differ from the weights' preset");
  line.add("--preset", o.preset, "NAME", "One of the presets above");
  line.add("--resize", o.resize, "Pixels of the shorter side (0: straight to --crop)");
  line.add("--crop", o.crop, "Side of the square from the middle");
  line.add("--interpolation", o.interpolation, "NAME", "nearest, box, bilinear, hamming, bicubic or lanczos");
  line.add("--mean", o.mean, "Three numbers, levels of 0 to 255");
  line.add("--std", o.std, "Three numbers, levels of 0 to 255");
  line.add("--channel-order", o.order, "NAME", "rgb, bgr or gray");
  if (!line.parse(argc, argv)) return false;
  if (o.photos.empty()) throw programs::UsageError("a photo, a folder or a pattern is needed");
  if (o.source.weights.empty()) throw programs::UsageError("--weights is needed");
  if (o.top < 1) throw programs::UsageError(fmt::format("--top: expected 1 or more, got {}", o.top));
  if (o.threads < 0 || o.threads > 1024) throw programs::UsageError(fmt::format("--threads: expected 0 to 1024, got {}", o.threads));
  for (const auto* numbers : {&o.mean, &o.std})
    if (!numbers->empty() && numbers->size() != 3) throw programs::UsageError("--mean and --std take three numbers each, separated by commas");
  return true;
}

// The weights' preset with what the flags say.
tp::data::Preprocess preprocess_of(const Options& o, const programs::LoadedClassifier& c) {
  tp::data::Preprocess p = o.preset.empty() ? c.preprocess : tp::models::preset(o.preset);
  if (o.resize >= 0) p.resize = o.resize;
  if (o.crop > 0) p.crop = o.crop;
  if (!o.interpolation.empty()) p.interpolation = tp::data::filter_of(o.interpolation);
  if (!o.order.empty()) p.order = tp::data::channel_order_of(o.order);
  if (!o.mean.empty()) std::copy(o.mean.begin(), o.mean.end(), p.mean.begin());
  if (!o.std.empty()) std::copy(o.std.begin(), o.std.end(), p.std.begin());
  return p;
}

struct Guess {
  int64_t index;
  double score;
};

std::vector<Guess> best(const tp::Tensor& logits, int64_t count) {
  const auto [scores, indices] = tp::topk(tp::softmax(logits, 1), std::min(count, logits.size(1)), 1);
  const tp::Tensor s = tp::to(tp::contiguous(scores.to(tp::Device())), tp::DType::f64), i = tp::contiguous(indices.to(tp::Device()));
  std::vector<Guess> list;
  for (int64_t k = 0; k < s.numel(); ++k) list.push_back({i.data<int64_t>()[k], s.data<double>()[k]});
  return list;
}

// The files that all words mean; one that means none stays, so that it is reported beside the others.
std::vector<std::string> files_of(const std::vector<std::string>& photos) {
  std::vector<std::string> files;
  for (const std::string& word : photos) {
    if (word.find_first_of("*?[") == word.npos && !std::filesystem::is_directory(word)) {
      files.push_back(word);
      continue;
    }
    for (const std::string& file : programs::image_paths(word)) files.push_back(file);
  }
  return files;
}

std::string saved_path(const Options& o, const std::string& file) { return o.save + '/' + tp::data::stem_of(file) + ".png"; }

class Classify {
 public:
  explicit Classify(const Options& o)
      : options_(o),
        device_(programs::device_of(o.device)),
        classifier_(programs::load_classifier(o.source)),
        preprocess_(preprocess_of(o, classifier_)) {
    labels_ = o.labels.empty() ? classifier_.labels : programs::read_labels_file(o.labels, classifier_.classes);
    classifier_.model->to(device_);
    if (!o.save.empty()) tp::train::make_folder(o.save);
  }

  // The entry of --json; text for people goes to `out`.
  tp::train::Record run(const std::string& file, std::FILE* out) {
    const auto start = std::chrono::steady_clock::now();
    const tp::data::Image image = tp::data::read_image(file, tp::data::ImageOptions{.exif_orientation = true});
    const tp::Tensor x = tp::unsqueeze(tp::data::preprocess(image, preprocess_), 0).to(device_);
    const std::vector<Guess> guesses = best(logits(x), options_.top);
    const double milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();

    std::vector<tp::train::Record> top;
    std::vector<tp::viz::TopClass> bars;
    fmt::print(out, "{}\n", file);
    for (const Guess& g : guesses) {
      fmt::print(out, "  {:6.2f} %  {}\n", 100 * g.score, name_of(g.index));
      top.push_back(tp::train::Record().set("class", g.index).set("name", name_of(g.index)).set("score", g.score));
      bars.push_back({name_of(g.index), g.score});
    }
    if (!options_.save.empty()) write_png(saved_path(options_, file), tp::data::Image(tp::viz::top_classes(image.tensor(), bars)));
    return tp::train::Record().set("file", file).set(fmt::format("top{}", options_.top), top).set("milliseconds", milliseconds);
  }

  std::string about() const { return fmt::format("{}, preprocessing {}", classifier_.name, classifier_.preset_reason); }

 private:
  tp::Tensor logits(const tp::Tensor& x) {
    const auto amp = programs::autocast_of(options_.amp, device_);
    return to((*classifier_.model)(x), tp::DType::f32);
  }
  std::string name_of(int64_t index) const { return labels_.empty() ? fmt::format("class {}", index) : labels_[static_cast<size_t>(index)]; }

  const Options& options_;
  tp::Device device_;
  programs::LoadedClassifier classifier_;
  tp::data::Preprocess preprocess_;
  std::vector<std::string> labels_;
};

int classify(const Options& o) {
  const programs::JsonOutput json(o.json);
  programs::Profiling profiling(o.profile, programs::kImages);
  if (o.threads) tp::set_num_threads(static_cast<int>(o.threads));
  const tp::InferenceMode inference;
  const std::vector<std::string> files = files_of(o.photos);
  std::vector<programs::Output> outputs;
  for (const std::string& file : files) outputs.push_back({file, saved_path(o, file)});
  if (!o.save.empty()) programs::check_outputs(outputs);
  Classify program(o);
  std::vector<tp::train::Record> results;
  int failed = 0;
  for (const std::string& file : files) {
    try {
      results.push_back(profiling.step([&] { return program.run(file, json.text()); }));
    } catch (const tp::Error& e) {
      const std::string text = std::string(e.what()).find(file) == std::string::npos ? fmt::format("{}: {}", file, e.what()) : e.what();
      fmt::print(stderr, "classify: {}\n", text);
      results.push_back(tp::train::Record().set("file", file).set("error", text));
      ++failed;
    }
  }
  profiling.finish();
  json.write(tp::train::Record().set("images", results));
  fmt::print(json.text(), "{} image{}{}; {}\n", results.size(), results.size() == 1 ? "" : "s",
             failed ? fmt::format(", {} of them not read", failed) : "", program.about());
  return failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  return programs::run("classify", argc, argv, [](int c, char** v) {
    Options options;
    return parse(options, c, v) ? classify(options) : 0;
  });
}
