// Applies a model of train_unet to images of any size: segment --help
#include <fmt/core.h>
#include <glob.h>
#include <tapetum/tapetum.h>

#include <algorithm>
#include <filesystem>

#include "core/serialization/atomic_file.h"
#include "examples/common/command_line.h"
#include "examples/common/predict.h"

namespace tp = tapetum;
namespace fs = std::filesystem;

namespace {

struct Options {
  std::string weights, images, out, json, device = "auto";
  bool overlay = false;
  int64_t threads = 0;
};

bool parse(Options& o, int argc, char** argv) {
  programs::CommandLine line("segment", "Gives every pixel of images a class, with a model that train_unet made.");
  line.add("--weights", o.weights, "The model's .safetensors file");
  line.add("--images", o.images, "An image, a folder of images, or a pattern such as 'scans/*.png'");
  line.add("--out", o.out, "Folder for NAME.png: gray, the class id of each pixel");
  line.add("--overlay", o.overlay, "Also NAME_overlay.png: the image with its classes in colour");
  line.add_optional("--json", o.json, "-", "Shares of the classes as JSON; --json=FILE: into a file");
  line.add("--threads", o.threads, "Threads of the kernels (0: one a core)");
  line.add_choice("--device", o.device, {"auto", "cpu", "cuda"}, "Where to compute");
  if (!line.parse(argc, argv)) return false;
  for (const auto& [flag, value] : {std::pair("--weights", o.weights), std::pair("--images", o.images), std::pair("--out", o.out)})
    if (value.empty()) throw programs::UsageError(fmt::format("{} is needed", flag));
  if (o.threads < 0) throw programs::UsageError(fmt::format("--threads: expected at least 0, got {}", o.threads));
  return true;
}

// The files that a path, a folder or a pattern means, by name.
std::vector<std::string> files_of(const std::string& images) {
  std::vector<std::string> files;
  if (fs::is_directory(images)) {
    for (const auto& entry : fs::directory_iterator(images))
      if (entry.is_regular_file()) files.push_back(entry.path().string());
  } else if (fs::exists(images)) {
    files.push_back(images);
  } else {
    glob_t found{};
    if (::glob(images.c_str(), 0, nullptr, &found) == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
  }
  if (files.empty()) throw tp::IoError(fmt::format("{}: no image there", images));
  std::sort(files.begin(), files.end());
  return files;
}

// Class ids as a gray image: 16 classes or 255 of them, the ids are the pixels' values.
tp::data::Image gray(const tp::Tensor& labels) { return tp::data::Image(reshape(to(labels, tp::DType::u8), {labels.size(0), labels.size(1), 1})); }

tp::train::Record shares_of(const tp::Tensor& labels, const std::vector<std::string>& classes) {
  std::vector<int64_t> counts(classes.size());
  for (int64_t i = 0; i < labels.numel(); ++i) ++counts[static_cast<size_t>(labels.data<int64_t>()[i])];
  tp::train::Record shares;
  for (size_t c = 0; c < classes.size(); ++c) shares.set(classes[c], static_cast<double>(counts[c]) / static_cast<double>(labels.numel()));
  return shares;
}

int segment(const Options& o) {
  if (o.threads) tp::set_num_threads(static_cast<int>(o.threads));
  const tp::Device device(o.device == "auto" ? "cpu" : o.device.c_str());
  const tp::Safetensors file = tp::load_safetensors(o.weights);
  const programs::ModelCard card = programs::card_of(o.weights, file.metadata);
  if (card.classes.size() > 256) throw tp::FormatError(fmt::format("{}: {} classes do not fit a gray image", o.weights, card.classes.size()));
  tp::models::UNet model(card.unet);
  programs::load_weights(model, file.tensors, o.weights);
  model.to(device);
  model.eval();

  const std::vector<std::string> files = files_of(o.images);
  fs::create_directories(o.out);
  std::vector<tp::train::Record> results;
  for (const std::string& path : files) {
    const tp::data::Image image = tp::data::read_image(path);
    const tp::Tensor labels = programs::predict(model, card, image);
    const std::string name = fs::path(path).stem().string(), base = o.out + '/' + name;
    write_png(base + ".png", gray(labels));
    if (o.overlay) write_png(base + "_overlay.png", tp::data::Image(tp::viz::overlay(image.tensor(), labels)));
    tp::train::Record result;
    result.set("name", name).set("image", path).set("mask", base + ".png").set("size", std::vector<int64_t>{image.height(), image.width()});
    results.push_back(result.set("classes", shares_of(labels, card.classes)));
  }
  tp::train::Record report;
  const std::string json = report.set("weights", o.weights).set("images", results).line() + '\n';
  if (o.json == "-")
    fmt::print("{}", json);
  else if (!o.json.empty())
    tp::write_file_atomically(o.json, json);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return programs::run("segment", argc, argv, [](int c, char** v) {
    Options options;
    return parse(options, c, v) ? segment(options) : 0;
  });
}
