#include "examples/common/class_options.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "data/transforms/augmentation.h"
#include "models/create.h"

namespace programs {
namespace {

std::string model_names() {
  std::string names;
  for (const tapetum::models::ModelEntry& m : tapetum::models::list()) names += (names.empty() ? "" : " ") + std::string(m.name);
  return names;
}

void add_data(ClassOptions& o, CommandLine& line, const std::vector<std::string>& kinds, std::string& size) {
  line.group("Data");
  line.add_choice("--data", o.data, kinds, "What --root holds; synthetic: 2400 procedural pictures of eight shapes");
  line.add("--root", o.root, "PATH", "The folder; of csv the table");
  line.add("--val-root", o.val_root, "PATH", "imagefolder and csv: validation pictures, in the same form");
  line.add("--val-fraction", o.val_fraction, "Without validation pictures of its own: this part is held out");
  line.add("--hold-out", o.hold_out, "cifar and mnist: validate on a part of the training set, not on the test set");
  line.add_choice("--split", o.split, {"class", "random", "name"},
                  "How it is held out: the same part of each class, at random, or by a hash of the file's name");
  line.add("--csv-file", o.csv_file, "COLUMN", "csv: the column of files");
  line.add("--csv-label", o.csv_label, "COLUMN", "csv: the column of classes");
  line.add("--skip-broken", o.skip_broken, "Files that cannot be read are left out, and listed, instead of ending the run");
  line.add("--size", size, "S|HxW", "Pictures are brought to this size (0: as the data or the weights want)");
  line.add("--augment", o.augment, "NAME|FILE",
           fmt::format("Of training pictures: {}; or a pipeline in JSON", fmt::join(tapetum::data::augmentation_names(), ", ")));
}

void add_training(ClassOptions& o, CommandLine& line) {
  line.group("Training");
  o.add_training(line);
  line.add("--label-smoothing", o.label_smoothing, "This share of each target is spread over all classes");
  line.add("--mixup", o.mixup, "Pictures are mixed in pairs, the share from Beta(X, X); 0: not");
  line.add("--cutmix", o.cutmix, "Pictures get rectangles of others, the share from Beta(X, X); 0: not");
  line.add("--dropout", o.dropout, "Before the last layer (-1: the architecture's own)");
  line.add("--drop-path", o.drop_path, "Stochastic depth (-1: the architecture's own)");
  line.add("--checkpoint", o.checkpoint, "Keep less for the gradients and compute it again: less memory, more time, the same losses");
  line.add("--patience", o.patience, "Stop after so many epochs without a better accuracy (0: never); best.safetensors has the best weights");
  line.add("--find-lr", o.find_lr, "Only look for a learning rate: lr_finder.png in the run's folder");
}

void check(const ClassOptions& o) {
  o.check();
  require(o.data == "synthetic" || !o.root.empty(), fmt::format("--data {} needs --root", o.data));
  require(o.data != "synthetic" || o.root.empty(), "--root: procedural pictures have none; --data says what it holds");
  require(o.val_root.empty() || o.data == "imagefolder" || o.data == "csv", "--val-root: belongs to imagefolder and csv; the others have a test set");
  require(o.val_fraction > 0 && o.val_fraction < 1, fmt::format("--val-fraction: expected more than 0 and less than 1, got {}", o.val_fraction));
  require(o.label_smoothing >= 0 && o.label_smoothing < 1, fmt::format("--label-smoothing: expected 0 to less than 1, got {}", o.label_smoothing));
  for (const auto& [flag, value] : {std::pair("--mixup", o.mixup), std::pair("--cutmix", o.cutmix)})
    require(value >= 0 && std::isfinite(value), fmt::format("{}: expected a number of at least 0, got {}", flag, value));
  require(o.mixup == 0 || o.cutmix == 0, "--mixup and --cutmix exclude each other");
  require_within("--patience", o.patience, 0, 1'000'000'000);
  require(!o.find_lr || o.profile.empty(), "--profile: --find-lr does not train");
  require(o.freeze == "none" || (o.mixup == 0 && o.cutmix == 0), "--freeze backbone: its features cannot be mixed: leave --mixup and --cutmix out");
}

// Takes "--lr-NAME X" and "--lr-NAME=X" out of the arguments.
std::vector<char*> without_group_rates(ClassOptions& o, int argc, char** argv) {
  std::vector<char*> rest;
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i], prefix = "--lr-";
    if (!word.starts_with(prefix)) {
      rest.push_back(argv[i]);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(prefix.size(), equals == word.npos ? equals : equals - prefix.size());
    if (equals == word.npos && i + 1 == argc) throw UsageError(fmt::format("{}: a number is needed", word));
    const std::string text = equals == word.npos ? argv[++i] : word.substr(equals + 1);
    double rate = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
    require(error == std::errc() && end == text.data() + text.size() && rate >= 0 && std::isfinite(rate) && !name.empty(),
            fmt::format("--lr-{}: expected a number of at least 0, got '{}'", name, text));
    o.group_lr[name] = rate;
  }
  return rest;
}

bool finish(ClassOptions& o, CommandLine& line, const std::string& size, int argc, char** argv) {
  if (!line.parse(argc, argv)) return false;
  o.size = size == "0" ? tapetum::Size2(0) : parse_size("--size", size);
  check(o);
  return true;
}

}  // namespace

bool parse_train_classifier(ClassOptions& o, int argc, char** argv) {
  o.program = "train_classifier";
  o.data = "synthetic";
  o.model = "simple_cnn";
  o.batch_size = 64;
  o.epochs = 12;
  CommandLine line(o.program, fmt::format("Trains a classifier from scratch: on procedural pictures, or on your own.\n\nModels: {}", model_names()));
  std::string size = "0";
  add_data(o, line, {"synthetic", "cifar10", "cifar100", "mnist", "fashion_mnist", "imagefolder", "csv"}, size);
  line.group("Model");
  line.add("--model", o.model, "NAME", "The architecture");
  add_training(o, line);
  o.add_machine(line);
  o.add_plan(line);
  o.add_output(line, o.program);
  return finish(o, line, size, argc, argv);
}

bool parse_finetune(ClassOptions& o, int argc, char** argv) {
  o.program = "finetune";
  o.data = "imagefolder";
  o.batch_size = 32;
  o.epochs = 10;
  o.lr = 1e-4;
  o.optimizer = "adamw";
  o.schedule = "cosine";
  o.split = "name";
  CommandLine line(
      o.program,
      fmt::format("Trains a classifier that begins with pretrained weights; its last layer is new.\n\n"
                  "--lr-NAME X is the learning rate of parameters whose names begin with NAME, such as --lr-layer4 1e-4; --lr-head X that of the "
                  "last layer (10 times --lr unless given).\n\nModels: {}",
                  model_names()));
  std::string size = "0";
  add_data(o, line, {"imagefolder", "csv", "cifar10", "cifar100", "mnist", "fashion_mnist", "synthetic"}, size);
  line.group("Model");
  line.add("--model", o.model, "NAME", "The architecture; files of train_classifier and finetune say it themselves");
  line.add("--weights", o.weights, "FILE", "Needed: .safetensors, .pth or .pt");
  line.add("--key", o.key, "KEY", "The part of a checkpoint to take, such as ema");
  line.add_choice("--freeze", o.freeze, {"none", "backbone"}, "backbone: only the last layer learns; without --augment features are computed once");
  add_training(o, line);
  o.add_machine(line);
  o.add_output(line, o.program);
  std::vector<char*> rest = without_group_rates(o, argc, argv);
  if (!finish(o, line, size, static_cast<int>(rest.size()), rest.data())) return false;
  require(!o.weights.empty(), "--weights is needed");
  if (!o.group_lr.contains("head")) o.group_lr["head"] = 10 * o.lr;
  return true;
}

tapetum::train::Record to_record(const ClassOptions& o) {
  tapetum::train::Record r, rates;
  r.set("program", o.program).set("data", o.data).set("root", o.root).set("val_root", o.val_root).set("val_fraction", o.val_fraction);
  r.set("split", o.split).set("csv_file", o.csv_file).set("csv_label", o.csv_label).set("skip_broken", o.skip_broken).set("hold_out", o.hold_out);
  r.set("size", std::vector<int64_t>{o.size.h, o.size.w}).set("model", o.model).set("weights", o.weights).set("key", o.key).set("freeze", o.freeze);
  r.set("dropout", o.dropout).set("drop_path", o.drop_path).set("augment", o.augment).set("label_smoothing", o.label_smoothing);
  r.set("mixup", o.mixup).set("cutmix", o.cutmix).set("checkpoint", o.checkpoint).set("patience", o.patience);
  for (const auto& [name, rate] : o.group_lr) rates.set(name, rate);
  r.set("group_lr", rates);
  o.record(r);
  return r;
}

tapetum::Metadata setup_of(const ClassOptions& o) {
  tapetum::Metadata m{{"--data", o.data},         {"--root", o.root},          {"--val-root", o.val_root},
                      {"--split", o.split},       {"--model", o.model},        {"--weights", o.weights},
                      {"--key", o.key},           {"--freeze", o.freeze},      {"--augment", o.augment},
                      {"--csv-file", o.csv_file}, {"--csv-label", o.csv_label}};
  m["--size"] = fmt::format("{}x{}", o.size.h, o.size.w);
  m["--hold-out"] = o.hold_out ? "yes" : "no";
  m["--skip-broken"] = o.skip_broken ? "yes" : "no";
  for (const auto& [name, value] :
       {std::pair("--val-fraction", o.val_fraction), std::pair("--dropout", o.dropout), std::pair("--drop-path", o.drop_path),
        std::pair("--label-smoothing", o.label_smoothing), std::pair("--mixup", o.mixup), std::pair("--cutmix", o.cutmix)})
    m[name] = fmt::format("{}", value);
  for (const auto& [name, rate] : o.group_lr) m["--lr-" + name] = fmt::format("{}", rate);
  o.setup(m);
  return m;
}

}  // namespace programs
