// Applies a model of train_unet to images of any size: segment --help
#include <fmt/core.h>
#include <tapetum/tapetum.h>

#include <algorithm>

#include "data/folder.h"
#include "examples/common/command_line.h"
#include "examples/common/image_paths.h"
#include "examples/common/json_output.h"
#include "examples/common/machine.h"
#include "examples/common/predict.h"
#include "examples/common/profiling.h"

namespace tp = tapetum;

namespace {

struct Options {
  std::string weights, images, out, json, profile, device = "auto", amp = "off";
  bool overlay = false;
  int64_t threads = 0;
};

bool parse(Options& o, int argc, char** argv) {
  programs::CommandLine line("segment", "Gives every pixel of images a class, with a model that train_unet made.");
  line.add("--weights", o.weights, "FILE", "Needed: the model, a .safetensors file of train_unet");
  line.add("--images", o.images, "PATH", "Needed: an image, a folder of images, or a pattern such as 'scans/*.png'");
  line.add("--out", o.out, "DIR", "Needed: folder for NAME.png: gray, the class id of each pixel");
  line.add("--overlay", o.overlay, "Also NAME_overlay.png: the image with its classes in colour");
  line.add_optional("--json", o.json, "-", "Shares of the classes as JSON; --json=FILE: into a file");
  programs::add_profile(line, o.profile, programs::kImages);
  line.add("--threads", o.threads, "Threads of the kernels (0: one a core)");
  line.add_choice("--device", o.device, {"auto", "cpu", "cuda"}, "Where to compute");
  line.add_choice("--amp", o.amp, programs::kPrecisions, "Mixed precision: convolutions in 16 bits");
  if (!line.parse(argc, argv)) return false;
  for (const auto& [flag, value] : {std::pair("--weights", o.weights), std::pair("--images", o.images), std::pair("--out", o.out)})
    if (value.empty()) throw programs::UsageError(fmt::format("{} is needed", flag));
  if (o.threads < 0 || o.threads > 1024) throw programs::UsageError(fmt::format("--threads: expected 0 to 1024, got {}", o.threads));
  return true;
}

struct Job {
  std::string image, mask, overlay;  // files; overlay is empty where none is wanted
};

std::vector<Job> plan(const Options& o) {
  std::vector<Job> jobs;
  std::vector<programs::Output> outputs;
  for (const std::string& path : programs::image_paths(o.images)) {
    const std::string base = o.out + '/' + tp::data::stem_of(path);
    jobs.push_back({path, base + ".png", o.overlay ? base + "_overlay.png" : ""});
    outputs.push_back({path, jobs.back().mask});
    if (o.overlay) outputs.push_back({path, jobs.back().overlay});
  }
  programs::check_outputs(outputs);
  return jobs;
}

// Class ids as a gray image. It looks black, as a mask does: the colours are those of the overlay.
tp::data::Image gray(const tp::Tensor& labels) { return tp::data::Image(reshape(to(labels, tp::DType::u8), {labels.size(0), labels.size(1), 1})); }

tp::train::Record shares_of(const tp::Tensor& labels, const std::vector<std::string>& classes) {
  std::vector<int64_t> counts(classes.size());
  for (int64_t i = 0; i < labels.numel(); ++i) ++counts[static_cast<size_t>(labels.data<int64_t>()[i])];
  tp::train::Record shares;
  for (size_t c = 0; c < classes.size(); ++c) shares.set(classes[c], static_cast<double>(counts[c]) / static_cast<double>(labels.numel()));
  return shares;
}

int segment(const Options& o) {
  const programs::JsonOutput json(o.json);
  programs::Profiling profiling(o.profile, programs::kImages);
  if (o.threads) tp::set_num_threads(static_cast<int>(o.threads));
  const tp::Device device = programs::device_of(o.device);
  const tp::Safetensors file = tp::load(o.weights);
  const programs::ModelCard card = programs::card_of(o.weights, file.metadata);
  tp::models::UNet model(card.unet);
  programs::load_weights(model, file, o.weights);
  model.to(device);
  model.eval();

  const std::vector<Job> jobs = plan(o);
  tp::train::make_folder(o.out);
  std::vector<tp::train::Record> results;
  for (const Job& job : jobs) {
    const tp::data::Image image = tp::data::read_image(job.image);
    const tp::Tensor labels = profiling.step([&] {
      const auto amp = programs::autocast_of(o.amp, device);
      return programs::predict(model, card, image);
    });
    write_png(job.mask, gray(labels));
    if (o.overlay) write_png(job.overlay, tp::data::Image(tp::viz::overlay(image.tensor(), labels)));
    tp::train::Record result;
    result.set("name", tp::data::stem_of(job.image)).set("image", job.image).set("mask", job.mask);
    result.set("size", std::vector<int64_t>{image.height(), image.width()});
    results.push_back(result.set("classes", shares_of(labels, card.classes)));
  }
  profiling.finish();
  tp::train::Record report;
  json.write(report.set("weights", o.weights).set("images", results));
  fmt::print(json.text(), "{} image{} segmented; {}\n", jobs.size(), jobs.size() == 1 ? "" : "s", o.out);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return programs::run("segment", argc, argv, [](int c, char** v) {
    Options options;
    return parse(options, c, v) ? segment(options) : 0;
  });
}
