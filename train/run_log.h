// What a run left in its folder, read again: config.json, metrics.jsonl and outcome.json. Nothing here fails because of a broken file: it is named
// instead.
#pragma once
#include <string>
#include <vector>

#include "train/record.h"

namespace tapetum::train {

// As outcome.json says; where there is none, which is so in a killed run and in an old one, as the configuration's epochs, steps and patience do.
enum class RunState { running, finished, stopped_early, interrupted };
const char* name_of(RunState state);  // "running", ..., "stopped early"

struct RunLog {
  std::string path;
  Record config;                      // config.json; empty where it is missing or broken
  std::vector<Record> epochs;         // the lines of metrics.jsonl
  std::vector<std::string> problems;  // a line each: "runs/a/b/metrics.jsonl: line 3: ..."
  RunState state = RunState::interrupted;
  std::string started;  // "2026-11-24 12:58:49": by the folder's name, else by its oldest file of the two; empty where there is none
  double seconds = 0;   // of training, all sessions together

  int64_t epoch() const;                                        // the last one; 0 before there is one
  std::vector<std::string> metrics() const;                     // names of all that was logged, in order, without epoch, step and seconds
  std::vector<double> values(const std::string& metric) const;  // of epochs 1, 2, ...; NaN where there is none
  // What a run is judged by: its configuration's monitor, else the first that is no loss, else val_loss, else loss; empty without any.
  std::string main_metric() const;
};

struct BestValue {
  double value = 0;   // NaN where there is none
  int64_t epoch = 0;  // 0: none
};
BestValue best_of(const RunLog& run, const std::string& metric);

RunLog read_run(const std::string& folder);
// Those of `folder` that are runs: itself, those in it and those in these; sorted. Throws IoError where it is no folder.
std::vector<std::string> run_folders(const std::string& folder);

}  // namespace tapetum::train
