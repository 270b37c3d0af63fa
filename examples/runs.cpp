// Lists training runs, and compares them: runs --help
#include <fmt/core.h>
#include <tapetum/tapetum.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "examples/common/command_line.h"
#include "examples/common/json_output.h"

namespace tp = tapetum;
namespace fs = std::filesystem;

namespace {

using tp::train::BestValue, tp::train::RunLog;

struct Options {
  std::string folder = "runs", sort, save, json;
  std::vector<std::string> compare;
};

bool parse(Options& o, int argc, char** argv) {
  programs::CommandLine line("runs", "Lists the training runs in a folder, oldest first, or compares some of them.");
  line.add("dir", o.folder, "DIR", "Where they are, itself or two levels deep");
  line.add("--sort", o.sort, "METRIC", "The best of this metric first, and the table shows it");
  line.add("--compare", o.compare, "RUN", "Options in which these runs differ, side by side; a run is a name in the list, or its folder");
  line.add("--save", o.save, "FILE.png", "Curves of the runs that are compared, or of all");
  line.add_optional("--json", o.json, "-", "Result as JSON; --json=FILE: into a file");
  if (!line.parse(argc, argv)) return false;
  if (!o.save.empty() && fs::path(o.save).extension() != ".png")
    throw programs::UsageError(fmt::format("--save: expected a .png file, got '{}'", o.save));
  return true;
}

struct Run {
  RunLog log;
  std::string name;    // below the folder
  std::string metric;  // it is judged by
  BestValue best;
};

Run make_run(const std::string& path, const Options& o) {
  const std::string below = fs::path(path).lexically_relative(o.folder).string();
  Run run{tp::train::read_run(path), below == "." ? path : below, o.sort, {}};
  if (run.metric.empty()) run.metric = run.log.main_metric();
  run.best = best_of(run.log, run.metric);
  return run;
}

std::vector<Run> find_runs(const Options& o) {
  std::vector<Run> runs;
  for (const std::string& path : tp::train::run_folders(o.folder)) runs.push_back(make_run(path, o));
  const auto earlier = [](const Run& a, const Run& b) { return a.log.started < b.log.started; };
  const auto better = [&](const Run& a, const Run& b) {
    if (!a.best.epoch || !b.best.epoch) return a.best.epoch > 0 && b.best.epoch == 0;
    return tp::train::goal_of(o.sort) == tp::train::Goal::min ? a.best.value < b.best.value : a.best.value > b.best.value;
  };
  std::stable_sort(runs.begin(), runs.end(), earlier);
  if (o.sort.empty()) return runs;
  if (std::none_of(runs.begin(), runs.end(), [](const Run& r) { return r.best.epoch > 0; }))
    throw tp::Error(fmt::format("--sort: no run in {} has a value of '{}'", o.folder, o.sort));
  std::stable_sort(runs.begin(), runs.end(), better);
  return runs;
}

std::vector<Run> chosen(const std::vector<Run>& runs, const Options& o) {
  std::vector<Run> list;
  for (const std::string& name : o.compare) {
    std::string wanted = name;
    while (wanted.size() > 1 && wanted.back() == '/') wanted.pop_back();
    const auto found = std::find_if(runs.begin(), runs.end(), [&](const Run& r) { return r.name == wanted || r.log.path == wanted; });
    if (found != runs.end())
      list.push_back(*found);
    else if (fs::is_directory(wanted) && !tp::train::run_folders(wanted).empty() && tp::train::run_folders(wanted).front() == wanted)
      list.push_back(make_run(wanted, o));
    else
      throw tp::Error(fmt::format("--compare: '{}' is no run in {}", name, o.folder));
  }
  return list;
}

std::string epochs_of(const RunLog& run) {
  const auto planned = run.config.number("epochs");
  return planned ? fmt::format("{}/{:g}", run.epoch(), *planned) : fmt::format("{}", run.epoch());
}
std::string best_text(const Run& run) { return run.best.epoch ? fmt::format("{} {:.4f}", run.metric, run.best.value) : "-"; }
std::string best_epoch_text(const Run& run) { return run.best.epoch ? fmt::format("{}", run.best.epoch) : "-"; }

size_t width_of(const std::string& utf8) {  // in characters
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// Columns two spaces apart, as wide as their widest cell.
void print_table(std::FILE* out, const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      widths.resize(std::max(widths.size(), i + 1));
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(i + 1 < row.size() ? widths[i] - width_of(row[i]) + 2 : 0, ' ');
    fmt::print(out, "{}\n", line);
  }
}

void print_list(std::FILE* out, const std::vector<Run>& runs) {
  std::vector<std::vector<std::string>> rows{{"run", "started", "state", "epochs", "best", "epoch", "time"}};
  for (const Run& r : runs)
    rows.push_back(
        {r.name, r.log.started, name_of(r.log.state), epochs_of(r.log), best_text(r), best_epoch_text(r), tp::train::format_duration(r.log.seconds)});
  print_table(out, rows);
}

struct Difference {
  std::string option;
  std::vector<std::string> values;  // of each run; empty where it has none
};

std::vector<Difference> differences(const std::vector<Run>& runs) {
  std::vector<Difference> list;
  std::vector<std::string> seen;
  for (const Run& run : runs)
    for (const std::string& option : run.log.config.names()) {
      if (std::find(seen.begin(), seen.end(), option) != seen.end()) continue;
      seen.push_back(option);
      Difference d{option, {}};
      for (const Run& other : runs) d.values.push_back(other.log.config.text(option));
      const auto lacks = [&](const Run& r) { return !r.log.config.contains(option); };
      const auto differs = [&](const std::string& value) { return value != d.values.front(); };
      if (std::any_of(runs.begin(), runs.end(), lacks) || std::any_of(d.values.begin(), d.values.end(), differs)) list.push_back(std::move(d));
    }
  return list;
}

void print_comparison(std::FILE* out, const std::vector<Run>& runs) {
  const auto row = [&](const std::string& title, auto&& value) {
    std::vector<std::string> cells{title};
    for (const Run& r : runs) cells.push_back(value(r));
    return cells;
  };
  std::vector<std::vector<std::string>> rows{row("run", [](const Run& r) { return r.name; })};
  for (const Difference& d : differences(runs)) {
    rows.push_back({d.option});
    for (size_t i = 0; i < runs.size(); ++i)
      rows.back().push_back(!runs[i].log.config.contains(d.option) ? "-" : d.values[i].empty() ? "''" : d.values[i]);
  }
  rows.push_back(row("state", [](const Run& r) { return std::string(name_of(r.log.state)); }));
  rows.push_back(row("epochs", [](const Run& r) { return epochs_of(r.log); }));
  rows.push_back(row("best", best_text));
  rows.push_back(row("at epoch", best_epoch_text));
  rows.push_back(row("time", [](const Run& r) { return tp::train::format_duration(r.log.seconds); }));
  print_table(out, rows);
}

// What tells the runs apart, for the lines of a chart: names without what all of them begin with, up to the last sign between words.
std::vector<std::string> short_names(const std::vector<Run>& runs) {
  const std::string& first = runs.front().name;
  size_t common = first.size();
  for (const Run& r : runs)
    common = std::min(common, static_cast<size_t>(std::mismatch(first.begin(), first.end(), r.name.begin(), r.name.end()).first - first.begin()));
  const size_t sign = runs.size() > 1 && common ? first.find_last_of("/_ ", common - 1) : first.rfind('/');
  std::vector<std::string> names;
  for (const Run& r : runs) names.push_back(r.name.substr(sign == std::string::npos ? 0 : sign + 1));
  return names;
}

// The training loss, and what the runs are judged by.
void save_curves(const std::string& path, const std::vector<Run>& runs) {
  if (runs.empty()) throw tp::Error("--save: there is no run to draw");
  const std::vector<std::string> names = short_names(runs);
  std::vector<std::string> metrics{"loss"};
  for (const Run& r : runs)
    if (!r.metric.empty() && std::find(metrics.begin(), metrics.end(), r.metric) == metrics.end()) metrics.push_back(r.metric);
  std::vector<tp::viz::Chart> charts;
  for (const std::string& metric : metrics) {
    tp::viz::Chart chart{.title = metric};
    for (size_t i = 0; i < runs.size(); ++i)
      chart.series.push_back({names[i], runs[i].log.values(metric), tp::viz::class_color(static_cast<int64_t>(i) + 1)});
    charts.push_back(std::move(chart));
  }
  write_png(path, tp::data::Image(draw_charts(charts)));
}

tp::train::Record to_record(const Run& r) {
  tp::train::Record record;
  record.set("name", r.name).set("path", r.log.path).set("started", r.log.started).set("state", name_of(r.log.state)).set("epochs", r.log.epoch());
  record.set("planned_epochs", r.log.config.number("epochs").value_or(NAN)).set("seconds", r.log.seconds).set("metric", r.metric);
  record.set("best", r.best.value).set("best_epoch", r.best.epoch).set("config", r.log.config);
  return record.set("problems", r.log.problems);
}

tp::train::Record report(const Options& o, const std::vector<Run>& runs) {
  tp::train::Record result;
  std::vector<tp::train::Record> list;
  for (const Run& r : runs) list.push_back(to_record(r));
  result.set("folder", o.folder).set("runs", list);
  if (o.compare.empty()) return result;
  std::vector<std::string> options;
  for (const Difference& d : differences(runs)) options.push_back(d.option);
  return result.set("differing", options);
}

int list(const Options& o) {
  const programs::JsonOutput json(o.json);
  std::vector<Run> runs = find_runs(o);
  if (!o.compare.empty()) runs = chosen(runs, o);
  for (const Run& r : runs)
    for (const std::string& problem : r.log.problems) fmt::print(stderr, "runs: {}\n", problem);
  if (runs.empty())
    fmt::print(json.text(), "no run in {}\n", o.folder);
  else if (o.compare.empty())
    print_list(json.text(), runs);
  else
    print_comparison(json.text(), runs);
  if (!o.save.empty()) save_curves(o.save, runs);
  json.write(report(o, runs));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return programs::run("runs", argc, argv, [](int c, char** v) {
    Options options;
    return parse(options, c, v) ? list(options) : 0;
  });
}
