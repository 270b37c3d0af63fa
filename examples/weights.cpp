// Looks into files of weights, converts them, and compares them with a model: weights --help
#include <fmt/format.h>
#include <tapetum/tapetum.h>

#include <algorithm>

#include "examples/common/classifier.h"
#include "examples/common/command_line.h"
#include "examples/common/json_output.h"
#include "nn/state_match.h"

namespace tp = tapetum;

namespace {

struct Options {
  std::vector<std::string> words;
  std::string key, dtype = "keep", rename, model, json;
  int64_t classes = 0;
};

bool parse(Options& o, int argc, char** argv) {
  programs::CommandLine line("weights",
                             "show FILE: its tensors, and which models they fit. convert FILE OUT: to safetensors or .pth, by OUT's ending. "
                             "diff FILE --model NAME: what is missing, unexpected or of another shape; exit code 1 where something is. "
                             "Files: safetensors, .pth and .pt of PyTorch (nothing in them is executed), ONNX.");
  line.add_positional("words", o.words, "show FILE | convert FILE OUT | diff FILE");
  line.add("--key", o.key, "KEY", "The part of a checkpoint to take: ema, optimizer, ... (default: the one that holds the weights)");
  line.add_choice("--dtype", o.dtype, {"keep", "f64", "f32", "f16", "bf16"}, "convert: floating-point tensors become this");
  line.add("--rename", o.rename, "OLD=NEW,...", "convert: names that begin with OLD begin with NEW instead; the first rule that fits a name counts");
  line.add("--model", o.model, "NAME", "diff: the model, a name of `classify --help`");
  line.add("--classes", o.classes, "diff: the model's number of classes (0: as the file has)");
  line.add_optional("--json", o.json, "-", "The result as JSON; --json=FILE: into a file");
  if (!line.parse(argc, argv)) return false;
  const auto usage = [](const char* text) { throw programs::UsageError(text); };
  if (o.words.empty()) usage("one of show, convert, diff is needed");
  const std::string& verb = o.words[0];
  if (verb != "show" && verb != "convert" && verb != "diff") throw programs::UsageError(fmt::format("no verb '{}': show, convert or diff", verb));
  if (o.words.size() != (verb == "convert" ? 3u : 2u)) usage(verb == "convert" ? "convert takes two files: FILE OUT" : "one FILE is needed");
  if (verb == "diff" && o.model.empty()) usage("diff needs --model NAME");
  return true;
}

std::optional<tp::DType> dtype_of(const std::string& name) {
  for (const tp::DType t : {tp::DType::f64, tp::DType::f32, tp::DType::f16, tp::DType::bf16})
    if (name == name_of(t)) return t;
  return std::nullopt;
}

std::vector<int64_t> sizes(const tp::Tensor& t) { return {t.shape().begin(), t.shape().end()}; }

int show(const Options& o) {
  const programs::JsonOutput json(o.json);
  const tp::Weights w = tp::load_weights(o.words[1], {.key = o.key});
  const std::vector<std::string> fits = programs::models_that_fit(w);
  std::vector<tp::train::Record> tensors;
  size_t width = 4;
  for (const auto& [name, t] : w) width = std::max(width, name.size());
  int64_t numbers = 0;
  for (const auto& [name, t] : w) {
    numbers += t.numel();
    fmt::print(json.text(), "{:{}}  {:4}  {}\n", name, width, name_of(t.dtype()), to_string(t.shape()));
    tensors.push_back(tp::train::Record().set("name", name).set("dtype", name_of(t.dtype())).set("shape", sizes(t)));
  }
  fmt::print(json.text(), "{}: {} tensors, {} numbers\n", w.format, w.size(), numbers);
  for (const std::string& note : w.notes) fmt::print(json.text(), "{}\n", note);
  tp::train::Record metadata;
  for (const auto& [key, value] : w.metadata) {
    fmt::print(json.text(), "{}: {}\n", key, value);
    metadata.set(key, value);
  }
  if (!fits.empty()) fmt::print(json.text(), "fits {}\n", fmt::join(fits, ", "));
  json.write(tp::train::Record()
                 .set("file", o.words[1])
                 .set("format", w.format)
                 .set("numbers", numbers)
                 .set("notes", w.notes)
                 .set("metadata", metadata)
                 .set("fits", fits)
                 .set("tensors", tensors));
  return 0;
}

// "a.=b.,c=" as pairs.
std::vector<std::pair<std::string, std::string>> rename_rules(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> rules;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size()), equals = text.find('=', at);
    if (equals >= end) throw programs::UsageError(fmt::format("--rename: expected OLD=NEW, got '{}'", text.substr(at, end - at)));
    rules.emplace_back(text.substr(at, equals - at), text.substr(equals + 1, end - equals - 1));
    at = end + 1;
  }
  return rules;
}

tp::StateDict renamed(const tp::StateDict& state, const std::string& text) {
  const auto rules = rename_rules(text);
  tp::StateDict result;
  for (const auto& [name, t] : state) {
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const auto& r) { return name.starts_with(r.first); });
    const std::string now = rule == rules.end() ? name : rule->second + name.substr(rule->first.size());
    if (result.contains(now)) throw tp::Error(fmt::format("--rename: two tensors would be called '{}'", now));
    result.set(now, t);
  }
  return result;
}

int convert(const Options& o) {
  const programs::JsonOutput json(o.json);
  const std::string& out = o.words[2];
  const bool torch = out.ends_with(".pth") || out.ends_with(".pt");
  if (!torch && !out.ends_with(".safetensors")) throw programs::UsageError(fmt::format("{}: the ending must be .safetensors, .pth or .pt", out));
  const tp::Weights w = tp::load_weights(o.words[1], {.key = o.key, .dtype = dtype_of(o.dtype)});
  const tp::StateDict tensors = renamed(w, o.rename);
  if (torch)
    tp::save_torch(tensors, out);
  else
    tp::save(tensors, out, w.metadata);
  for (const std::string& note : w.notes) fmt::print(json.text(), "{}\n", note);
  fmt::print(json.text(), "{} tensors; {}\n", w.size(), out);
  json.write(tp::train::Record().set("file", out).set("tensors", static_cast<int64_t>(w.size())).set("notes", w.notes));
  return 0;
}

int diff(const Options& o) {
  const programs::JsonOutput json(o.json);
  const tp::Weights w = tp::load_weights(o.words[1], {.key = o.key});
  auto model = programs::model_for(o.model, w, {.classes = o.classes});
  const tp::nn::StateMatch match = programs::adapted_match(*model, w, 100);
  for (const std::string& note : w.notes) fmt::print(json.text(), "{}\n", note);
  const auto list = [&](const char* kind, const std::vector<std::string>& names) {
    for (const std::string& name : names) fmt::print(json.text(), "{:<11} {}\n", kind, name);
  };
  list("missing", match.report.missing);
  list("unexpected", match.report.unexpected);
  list("mis-shaped", match.report.mismatched);
  std::vector<tp::train::Record> renamed;
  for (const auto& [here, there] : match.renamed) {
    fmt::print(json.text(), "perhaps     {} is the file's {}\n", here, there);
    renamed.push_back(tp::train::Record().set("model", here).set("file", there));
  }
  fmt::print(json.text(), "{}: {}\n", o.model, match.fits() ? fmt::format("all {} tensors fit", match.matching) : match.summary());
  json.write(tp::train::Record()
                 .set("file", o.words[1])
                 .set("model", o.model)
                 .set("fits", match.fits())
                 .set("matching", match.matching)
                 .set("missing", match.report.missing)
                 .set("unexpected", match.report.unexpected)
                 .set("mis_shaped", match.report.mismatched)
                 .set("nearest", renamed));
  return match.fits() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return programs::run("weights", argc, argv, [](int c, char** v) {
    Options o;
    if (!parse(o, c, v)) return 0;
    return o.words[0] == "show" ? show(o) : o.words[0] == "convert" ? convert(o) : diff(o);
  });
}
