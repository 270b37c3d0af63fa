#include "data/csv_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>

#include "core/error.h"
#include "data/csv.h"
#include "data/file.h"
#include "data/folder.h"

namespace tapetum::data {
namespace {

namespace fs = std::filesystem;

struct Row {
  int64_t line;
  std::string file, label;
};

struct Columns {
  size_t file, label;
};

[[noreturn]] void refuse(const std::string& table, int64_t line, const std::string& reason) {
  throw FormatError(fmt::format("csv: {}: line {}: {}", table, line, reason));
}

// Where the columns are, from the first row; nothing when that is a row of data already.
std::optional<Columns> named_columns(const std::vector<std::string>& first, const CsvDatasetOptions& o) {
  const auto file = std::find(first.begin(), first.end(), o.file_column), label = std::find(first.begin(), first.end(), o.label_column);
  if (file != first.end() && label != first.end())
    return Columns{static_cast<size_t>(file - first.begin()), static_cast<size_t>(label - first.begin())};
  const CsvDatasetOptions usual;
  if (o.file_column == usual.file_column && o.label_column == usual.label_column && first.size() >= 2 && is_image_name(first[0])) return std::nullopt;
  throw FormatError(fmt::format("csv: {}: has no columns '{}' and '{}', but: {}", o.csv, o.file_column, o.label_column, fmt::join(first, ", ")));
}

std::vector<Row> read_rows(std::string_view text, const CsvDatasetOptions& o) {
  CsvReader csv(text, o.csv, o.separator);
  if (!csv.next()) throw FormatError(fmt::format("csv: {}: is empty", o.csv));
  const auto named = named_columns(csv.fields(), o);
  const Columns at = named.value_or(Columns{0, 1});
  std::vector<Row> rows;
  for (bool more = named ? csv.next() : true; more; more = csv.next()) {
    const auto& fields = csv.fields();
    if (fields.size() <= std::max(at.file, at.label))
      refuse(o.csv, csv.line(), fmt::format("expected {} columns or more, got {}", std::max(at.file, at.label) + 1, fields.size()));
    if (!is_image_name(fields[at.file]))
      refuse(o.csv, csv.line(), fmt::format("expected an image file (png, jpg, bmp, gif, pnm), got '{}'", fields[at.file]));
    if (fields[at.label].empty()) refuse(o.csv, csv.line(), fmt::format("{} has no class", fields[at.file]));
    rows.push_back({csv.line(), fields[at.file], fields[at.label]});
  }
  if (rows.empty()) throw FormatError(fmt::format("csv: {}: has a header and no rows", o.csv));
  return rows;
}

std::optional<int64_t> number(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::vector<std::string> classes_of(const std::vector<Row>& rows, const std::string& table) {
  int64_t largest = -1;
  for (const Row& row : rows) {
    const auto value = number(row.label);
    if (!value) {
      std::vector<std::string> names;
      for (const Row& r : rows) names.push_back(r.label);
      std::sort(names.begin(), names.end());
      names.erase(std::unique(names.begin(), names.end()), names.end());
      return names;
    }
    if (*value >= kMaxClasses) refuse(table, row.line, fmt::format("expected a class below {}, got {}", kMaxClasses, *value));
    largest = std::max(largest, *value);
  }
  return numbered_classes(largest + 1);
}

}  // namespace

LabelledTable parse_labelled_csv(std::string_view text, const CsvDatasetOptions& o) {
  const std::vector<Row> rows = read_rows(text, o);
  LabelledTable table{{}, o.classes.empty() ? classes_of(rows, o.csv) : o.classes};
  std::map<std::string, int64_t> number_of;
  for (size_t c = 0; c < table.classes.size(); ++c)
    if (!number_of.emplace(table.classes[c], static_cast<int64_t>(c)).second)
      throw FormatError(fmt::format("csv: {}: two classes are called '{}'", o.csv, table.classes[c]));
  const fs::path root = o.root.empty() ? fs::path(o.csv).parent_path() : fs::path(o.root);
  for (const Row& row : rows) {
    const auto named = number_of.find(row.label);
    const std::optional<int64_t> label = named != number_of.end() ? named->second : number(row.label);
    if (!label || *label >= static_cast<int64_t>(table.classes.size()))
      refuse(o.csv, row.line, fmt::format("expected one of {} classes or its number, got '{}'", table.classes.size(), row.label));
    table.files.push_back({(root / row.file).string(), row.file, *label});
  }
  return table;
}

CsvDataset::CsvDataset(const CsvDatasetOptions& options)
    : LabelledFiles([&] {
        LabelledTable table = parse_labelled_csv(read_file(options.csv), options);
        return LabelledFiles(std::move(table.files), std::move(table.classes), options.images);
      }()) {}

}  // namespace tapetum::data
