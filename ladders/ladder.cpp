#include "ladders/ladder.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/error.h"

namespace tapetum::ladders {

extern const Ladder transpose, softmax, reduction, gemm, attention, nms, convolution, cpu_gemm, cpu_conv;

namespace {

std::vector<const Step*>& listed() {
  static std::vector<const Step*> steps;
  return steps;
}

}  // namespace

Step::Step(const char* path, std::function<bool(const Arrays&)> launch) : Attempt{.file = {}, .run = std::move(launch)} {
  const std::filesystem::path p(path);
  ladder = p.parent_path().filename();
  file = "ladders/" + ladder + "/" + p.filename().string();
  const std::string stem = p.stem();
  const size_t underscore = stem.find('_');
  number = std::atoi(stem.c_str());
  name = stem.substr(underscore + 1);
  listed().push_back(this);
}

const std::vector<const Ladder*>& all_ladders() {
  static const std::vector<const Ladder*> all{&transpose, &softmax, &reduction, &gemm, &attention, &nms, &convolution, &cpu_gemm, &cpu_conv};
  return all;
}

const Ladder* find_ladder(const std::string& name) {
  for (const Ladder* ladder : all_ladders())
    if (name == ladder->name) return ladder;
  return nullptr;
}

std::vector<const Step*> steps_of(const Ladder& ladder) {
  std::vector<const Step*> steps;
  for (const Step* step : listed())
    if (step->ladder == ladder.name) steps.push_back(step);
  std::sort(steps.begin(), steps.end(), [](const Step* a, const Step* b) { return a->number < b->number; });
  return steps;
}

std::vector<std::string> source_of(const Step& step) {
  const std::filesystem::path path = std::filesystem::path(TAPETUM_SOURCE_ROOT) / step.file;
  std::ifstream in(path);
  if (!in) throw IoError(path.string() + " cannot be read: the program shows the sources that it was built from");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string idea_of(const Step& step) {
  const std::vector<std::string> lines = source_of(step);
  return lines.empty() || lines[0].substr(0, 3) != "// " ? "" : lines[0].substr(3);
}

int lines_of_code(const Step& step) {
  int n = 0;
  for (const std::string& line : source_of(step)) {
    const size_t first = line.find_first_not_of(' ');
    n += first != line.npos && line.compare(first, 2, "//") != 0 && line.compare(first, 8, "#include") != 0;
  }
  return n;
}

}  // namespace tapetum::ladders
