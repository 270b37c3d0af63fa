#include "bench/ladder/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tapetum::bench {
namespace {

using Lines = std::vector<std::string>;

std::string trimmed(const std::string& s) { return s.substr(0, s.find_last_not_of(' ') + 1); }

std::string title(const ladders::Step& step) { return fmt::format("{} {}", step.number, step.name); }

std::vector<Cell> with_lines(const Row& row) {
  std::vector<Cell> cells{{"lines", "lines", static_cast<double>(ladders::lines_of_code(*row.step))}};
  cells.insert(cells.end(), row.measured.cells.begin(), row.measured.cells.end());
  return cells;
}

std::vector<bool> shown(const std::vector<std::vector<Cell>>& all) {
  std::vector<bool> any(all[0].size());
  for (const auto& cells : all)
    for (size_t i = 0; i < cells.size(); ++i) any[i] = any[i] || cells[i].value != 0;
  return any;
}

struct Change {
  char mark;    // ' ' in both, '+' in the new file alone, '-' in the old one
  size_t line;  // of its file, from 0
};

// By the longest common subsequence, lengths[i][j] of what follows old[i] and new[j].
std::vector<Change> changes(const Lines& before, const Lines& after) {
  std::vector lengths(before.size() + 1, std::vector<int>(after.size() + 1));
  for (size_t i = before.size(); i-- > 0;)
    for (size_t j = after.size(); j-- > 0;)
      lengths[i][j] = before[i] == after[j] ? 1 + lengths[i + 1][j + 1] : std::max(lengths[i + 1][j], lengths[i][j + 1]);
  std::vector<Change> all;
  for (size_t i = 0, j = 0; i < before.size() || j < after.size();) {
    if (i < before.size() && j < after.size() && before[i] == after[j]) {
      all.push_back({' ', j++});
      ++i;
    } else if (j == after.size() || (i < before.size() && lengths[i + 1][j] >= lengths[i][j + 1])) {
      all.push_back({'-', i++});
    } else {
      all.push_back({'+', j++});
    }
  }
  return all;
}

}  // namespace

std::string table(const ladders::Ladder& ladder, const std::vector<Row>& rows) {
  std::string text = fmt::format("{}: {}\n{}\n\n", ladder.name, ladder.task, subject(ladder));
  std::vector<std::vector<Cell>> all;
  size_t width = 0;
  for (const Row& row : rows) {
    all.push_back(with_lines(row));
    width = std::max(width, title(*row.step).size());
  }
  for (const Row& row : rows) text += fmt::format("{:{}}  {}\n", title(*row.step), width, ladders::idea_of(*row.step));
  const std::vector<bool> any = shown(all);
  text += fmt::format("\n{:{}}", "", width);
  for (size_t i = 0; i < any.size(); ++i)
    if (any[i]) text += fmt::format("  {:>8}", all[0][i].title);
  for (size_t r = 0; r < rows.size(); ++r) {
    text += fmt::format("\n{:{}}", title(*rows[r].step), width);
    for (size_t i = 0; i < any.size(); ++i)
      if (any[i])
        text += fmt::format("  {:>{}.{}f}", all[r][i].value, std::max<size_t>(8, std::string_view(all[0][i].title).size()), all[r][i].digits);
  }
  return text + "\n";
}

std::string annotated(const Row& row, const ladders::Step* before) {
  const Lines after = ladders::source_of(*row.step), old = before ? ladders::source_of(*before) : after;
  const size_t width = std::string_view(note_titles()).size();
  std::string text = row.step->file + (before ? fmt::format(", against {}", before->file) : "") + "\n";
  if (width) text += fmt::format("{}\n", note_titles());
  for (const Change& change : changes(old, after)) {
    const std::string& source = change.mark == '-' ? old[change.line] : after[change.line];
    Lines notes;
    for (const Note& note : row.measured.notes)
      if (change.mark != '-' && note.line == static_cast<int>(change.line) + 1) notes.push_back(note.text);
    for (size_t i = 1; i < notes.size(); ++i) text += trimmed(notes[i - 1]) + "\n";
    text += trimmed(fmt::format("{:{}} {} {}", notes.empty() ? "" : notes.back(), width, change.mark, source)) + "\n";
  }
  return text;
}

std::string json(const ladders::Ladder& ladder, const std::vector<Row>& rows) {
  nlohmann::ordered_json all{{"ladder", ladder.name}, {"task", ladder.task}, {"sizes", ladder.counted}, {"steps", nlohmann::ordered_json::array()}};
  for (const Row& row : rows) {
    nlohmann::ordered_json step{
        {"number", row.step->number}, {"name", row.step->name}, {"file", row.step->file}, {"idea", ladders::idea_of(*row.step)}};
    for (const Cell& cell : with_lines(row)) step[cell.key] = cell.value;
    step["kernels"] = nlohmann::ordered_json::parse(row.measured.kernels);
    all["steps"].push_back(step);
  }
  return all.dump() + "\n";
}

}  // namespace tapetum::bench
