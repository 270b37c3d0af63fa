#include "train/run_log.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "train/early_stopping.h"

namespace tapetum::train {
namespace {

namespace fs = std::filesystem;
constexpr const char *kConfig = "config.json", *kLog = "metrics.jsonl", *kOutcome = "outcome.json";
constexpr double kMostEpochs = 1e6;  // a greater number in a file is a mistake, not a reason to take memory

bool is_run(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / kConfig, ignored) || fs::is_regular_file(folder / kLog, ignored);
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw IoError(fmt::format("{}: {}", path, fs::exists(path) ? "cannot be read" : "is missing"));
  return {std::istreambuf_iterator<char>(in), {}};
}

// A file of one object that need not be there.
Record read_object(RunLog& run, const char* file) {
  const std::string path = run.path + '/' + file;
  try {
    if (fs::exists(path)) return Record::parse(content(path), path);
  } catch (const Error& e) {
    run.problems.push_back(e.what());
  }
  return {};
}

// The epoch of a line, from 1; 0 for a line that has none.
int64_t epoch_of(const Record& line) {
  const double epoch = line.number("epoch").value_or(0);
  return epoch >= 1 && epoch <= kMostEpochs && epoch == std::floor(epoch) ? static_cast<int64_t>(epoch) : 0;
}

void read_log(RunLog& run) {
  const std::string path = run.path + '/' + kLog;
  std::string text;
  try {
    text = content(path);
  } catch (const Error& e) {
    run.problems.push_back(e.what());
  }
  int64_t number = 0;
  for (size_t at = 0, end; at < text.size(); at = end + 1) {
    end = std::min(text.find('\n', at), text.size());
    const std::string name = fmt::format("{}: line {}", path, ++number);
    try {
      Record line = Record::parse(std::string_view(text).substr(at, end - at), name);
      if (epoch_of(line) == 0) throw FormatError(fmt::format("{}: an epoch from 1 is expected, got '{}'", name, line.text("epoch")));
      run.epochs.push_back(std::move(line));
    } catch (const Error& e) {
      run.problems.push_back(end == text.size() ? fmt::format("{}: is cut off", name) : e.what());
    }
  }
}

// Whether a process holds the lock of RunFolder. Read from the system's list: to try for the lock could get in the way of a run that starts.
// The list's device numbers are not those of stat() on layered file systems, so the file's number alone is compared.
bool is_locked(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  std::ifstream locks("/proc/locks");
  const std::string inode = fmt::format(":{} ", status.st_ino);
  for (std::string line; std::getline(locks, line);)
    if (line.find("FLOCK") != std::string::npos && line.find("WRITE") != std::string::npos && line.find(inode) != std::string::npos) return true;
  return false;
}

// "2026-11-24_12-58-49", perhaps with a suffix, as RunFolder names a folder.
bool is_time(const std::string& name) {
  constexpr std::string_view pattern = "0000-00-00_00-00-00";
  if (name.size() < pattern.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i)
    if (pattern[i] == '0' ? name[i] < '0' || name[i] > '9' : name[i] != pattern[i]) return false;
  return name.size() == pattern.size() || name[pattern.size()] == '_';
}

std::string start_of(const std::string& folder) {
  const std::string name = fs::path(folder).filename().string();
  if (is_time(name)) {
    std::string text = name.substr(0, 10) + ' ' + name.substr(11, 8);
    text[13] = text[16] = ':';
    return text;
  }
  std::time_t oldest = 0;
  for (const char* file : {kConfig, kLog}) {
    struct stat status {};
    if (::stat((folder + '/' + file).c_str(), &status) == 0 && (oldest == 0 || status.st_mtime < oldest)) oldest = status.st_mtime;
  }
  if (oldest == 0) return {};
  std::tm local{};
  localtime_r(&oldest, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

// Each session counts its seconds from 0.
double seconds_of(const std::vector<Record>& lines) {
  double sum = 0, last = 0;
  for (const Record& line : lines) {
    const double seconds = line.number("seconds").value_or(0);
    if (!(seconds >= last)) sum += last;
    last = seconds;
  }
  return sum + last;
}

RunState state_of(const RunLog& run, const std::string& outcome) {
  if (is_locked(run.path + '/' + kLog)) return RunState::running;
  for (RunState state : {RunState::finished, RunState::stopped_early, RunState::interrupted})
    if (outcome == name_of(state)) return state;
  if (run.epochs.empty()) return RunState::interrupted;
  const double epochs = run.config.number("epochs").value_or(0), steps = run.config.number("steps").value_or(0);
  if (epochs > 0 && static_cast<double>(run.epoch()) >= epochs) return RunState::finished;
  if (steps > 0 && run.epochs.back().number("step").value_or(0) >= steps) return RunState::finished;
  const double patience = run.config.number("patience").value_or(0);
  const BestValue best = best_of(run, run.main_metric());
  return patience > 0 && static_cast<double>(run.epoch() - best.epoch) >= patience ? RunState::stopped_early : RunState::interrupted;
}

}  // namespace

const char* name_of(RunState state) {
  constexpr const char* names[] = {"running", "finished", "stopped early", "interrupted"};
  return names[static_cast<int>(state)];
}

int64_t RunLog::epoch() const {
  int64_t last = 0;
  for (const Record& line : epochs) last = std::max(last, epoch_of(line));
  return last;
}

std::vector<std::string> RunLog::metrics() const {
  std::vector<std::string> list;
  for (const Record& line : epochs)
    for (const std::string& name : line.names())
      if (name != "epoch" && name != "step" && name != "seconds" && std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
  return list;
}

std::vector<double> RunLog::values(const std::string& metric) const {
  std::vector<double> list(static_cast<size_t>(epoch()), NAN);
  for (const Record& line : epochs) list[static_cast<size_t>(epoch_of(line) - 1)] = line.number(metric).value_or(NAN);
  return list;
}

std::string RunLog::main_metric() const {
  const std::vector<std::string> names = metrics();
  const auto has = [&](const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  if (const std::string monitor = config.text("monitor"); has(monitor)) return monitor;
  for (const std::string& name : names)
    if (goal_of(name) == Goal::max) return name;
  return has("val_loss") ? "val_loss" : names.empty() ? "" : names.front();
}

BestValue best_of(const RunLog& run, const std::string& metric) {
  EarlyStopping watch({.patience = 0, .goal = goal_of(metric)});
  for (double value : run.values(metric)) watch.update(value);
  return {watch.best(), watch.best_epoch()};
}

RunLog read_run(const std::string& folder) {
  RunLog run;
  run.path = folder;
  run.config = read_object(run, kConfig);
  read_log(run);
  run.state = state_of(run, read_object(run, kOutcome).text("outcome"));
  run.started = start_of(folder);
  run.seconds = seconds_of(run.epochs);
  return run;
}

std::vector<std::string> run_folders(const std::string& folder) {
  if (!fs::is_directory(folder)) throw IoError(fmt::format("{}: is no folder", folder));
  std::vector<std::string> found;
  if (is_run(folder)) found.push_back(folder);
  const auto options = fs::directory_options::skip_permission_denied;
  std::error_code ignored;
  for (auto entry = fs::recursive_directory_iterator(folder, options); entry != fs::recursive_directory_iterator(); entry.increment(ignored)) {
    if (entry.depth() >= 1) entry.disable_recursion_pending();
    if (entry->is_directory(ignored) && is_run(entry->path())) found.push_back(entry->path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace tapetum::train
