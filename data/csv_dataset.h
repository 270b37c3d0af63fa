// Image files with their classes in a table.
#pragma once
#include <string>
#include <vector>

#include "data/labelled_files.h"

namespace tapetum::data {

// `csv` (RFC 4180) has a row for each file. Its first row names the columns when it holds both names; with the names left as they are it may
// also lack such a row: then the first column is the file and the second its class. Paths are relative to `root`, or to the table's folder.
//
// A class is a name of `classes`, or else its number. Without `classes`, numbers in every row make "0", "1", ... up to the largest; other texts
// are names, in plain order.
struct CsvDatasetOptions {
  std::string csv = {};
  std::string root = {};
  std::string file_column = "file", label_column = "label";
  std::vector<std::string> classes = {};
  char separator = ',';
  ImageFileOptions images = {};
};

// Reads the table only; images are opened by get(). Throws IoError for a table that cannot be read, FormatError naming table and line
// for a row that lacks a column, a file that is no image by its name, and an unknown class.
class CsvDataset : public LabelledFiles {
 public:
  explicit CsvDataset(const CsvDatasetOptions& options);
};

struct LabelledTable {
  std::vector<LabelledFile> files;
  std::vector<std::string> classes;
};
LabelledTable parse_labelled_csv(std::string_view text, const CsvDatasetOptions& options);

}  // namespace tapetum::data
