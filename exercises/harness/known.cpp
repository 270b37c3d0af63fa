#include "exercises/harness/known.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <tuple>

#include "core/error.h"

namespace tapetum::exercises {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = TAPETUM_SOURCE_ROOT;

// Not in this order: libraries register while they are opened.
std::deque<Loaded>& loaded() {
  static std::deque<Loaded> all;
  return all;
}

// Of the comment that a file begins with.
std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line.substr(0, 3) == "// " ? line.substr(3) : "";
}

// Of files called <number>_<name>.cu.
int number_of(const fs::path& file) { return std::atoi(file.stem().c_str()); }
bool is_numbered(const fs::path& file) { return file.extension() == ".cu" && number_of(file) > 0; }

std::string idea_of(const std::string& ladder, int step) {
  if (!fs::is_directory(kRoot / "ladders" / ladder)) return "";
  for (const auto& entry : fs::directory_iterator(kRoot / "ladders" / ladder))
    if (is_numbered(entry.path()) && number_of(entry.path()) == step) return first_line(entry.path());
  return "";
}

Source source_of(const fs::path& file) {
  Source s;
  s.ladder = file.parent_path().filename();
  s.step = number_of(file);
  s.name = s.ladder + "-" + std::to_string(s.step);
  s.file = file.lexically_relative(kRoot);
  s.task = first_line(file);
  s.idea = idea_of(s.ladder, s.step);
  return s;
}

std::vector<Source> find_all() {
  std::vector<Source> all;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "exercises"))
    if (is_numbered(entry.path())) all.push_back(source_of(entry.path()));
  std::sort(all.begin(), all.end(), [](const Source& a, const Source& b) { return std::tie(a.ladder, a.step) < std::tie(b.ladder, b.step); });
  return all;
}

}  // namespace

std::string from_the_root(const std::string& file) {
  if (fs::path(file).is_absolute()) return fs::path(file).lexically_relative(kRoot);
  std::string path = fs::path(file).lexically_normal();
  while (path.substr(0, 3) == "../") path.erase(0, 3);
  return path;
}

Register::Register(const char* file, const Exercise& exercise) { loaded().push_back({from_the_root(file), exercise}); }

const std::vector<Source>& all_sources() {
  static const std::vector<Source> all = find_all();
  return all;
}

const Source* find_source(const std::string& name) {
  for (const Source& s : all_sources())
    if (s.name == name) return &s;
  return nullptr;
}

const Loaded& load(const std::string& library, const std::string& stem) {
  if (!dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL)) throw Error(std::string("exercise: not built: ") + dlerror());
  for (const Loaded& l : loaded())
    if (fs::path(l.file).stem() == stem) return l;
  throw Error("exercise: " + library + " has no " + stem);
}

}  // namespace tapetum::exercises
