// Says what is wrong with an attempt at an exercise: ./run exercise --help
#include <fmt/core.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "examples/common/command_line.h"
#include "exercises/harness/check.h"

namespace {

using namespace tapetum::exercises;

struct Options {
  std::vector<std::string> words;
  std::string library;
  bool list = false, json = false;
};

bool parse(Options& o, int argc, char** argv) {
  programs::CommandLine line("exercise",
                             "Runs the kernel of exercise NAME, which you have written into its file, and says what is wrong with it: the result, a "
                             "race, threads that do not meet, bank conflicts, memory traffic. docs/ladders/exercises.md has a session.");
  line.add_positional("words", o.words, "NAME, such as softmax-3");
  line.add("--list", o.list, "Names the exercises, with their tasks");
  line.add("--json", o.json, "The verdict for other programs");
  line.add("--library", o.library, "FILE", "Where NAME.cu has been compiled to, for one of your own");
  if (!line.parse(argc, argv)) return false;
  if (o.words.size() > 1) throw programs::UsageError("one NAME is taken");
  if (o.words.empty() && !o.list) throw programs::UsageError("a NAME is needed; --list has them");
  return true;
}

int list() {
  for (const Source& s : all_sources()) {
    fmt::print("{:13} {}\n{:13} {}\n", s.name, s.task, "", s.file);
    if (!s.idea.empty()) fmt::print("{:13} trains step {} of docs/ladders/{}.md: {}\n", "", s.step, s.ladder, s.idea);
  }
  return 0;
}

std::string json(const std::string& name, const Verdict& v) {
  auto places = nlohmann::ordered_json::array();
  for (const Place& p : v.places) places.push_back({{"file", p.file}, {"line", p.line}});
  return nlohmann::ordered_json{{"exercise", name}, {"solved", v.what.empty()}, {"what", v.what}, {"text", v.text}, {"places", places}}.dump() + "\n";
}

const Loaded& find(const Options& o) {
  const std::string& name = o.words[0];
  if (!o.library.empty()) return load(o.library, name);
  const Source* source = find_source(name);
  if (!source) throw programs::UsageError("no exercise '" + name + "'; --list has them");
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return load(folder / "exercises" / (name + ".so"), std::filesystem::path(source->file).stem());
}

int body(int argc, char** argv) {
  Options o;
  if (!parse(o, argc, argv)) return 0;
  if (o.list) return list();
  const std::string& name = o.words[0];
  const Loaded& loaded = find(o);
  const Verdict v = check_apart(loaded);
  if (o.json)
    fmt::print("{}", json(name, v));
  else
    fmt::print("{} ({}): {}\n{}", name, loaded.file, v.what.empty() ? "solved" : "not solved yet: " + v.what, v.text);
  return v.what.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) { return programs::run("exercise", argc, argv, body); }
