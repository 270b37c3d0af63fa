// Comma-separated values as RFC 4180 has them, row by row, so that a large file takes the memory of one row.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tapetum::data {

// Fields may be quoted, and then hold separators, line ends and doubled quotes. Lines end in LF, CRLF or the file; empty ones are passed over,
// as is a byte order mark. Throws FormatError naming file and line: a quote without its end, text around quotes, more than 4096 fields.
class CsvReader {
 public:
  CsvReader(std::string_view text, std::string name, char separator = ',');  // the text must outlive the reader; `name` is for errors
  bool next();                                                               // to the next row; false at the end
  const std::vector<std::string>& fields() const { return fields_; }
  int64_t line() const { return row_line_; }  // where the row begins, from 1

 private:
  void read_field();
  void read_quoted(std::string& field);
  bool at_line_end() const {
    return at_ == text_.size() || text_[at_] == '\n' || (text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n'));
  }
  void pass_line_end();
  [[noreturn]] void fail(const std::string& reason) const;

  std::string_view text_;
  std::string name_;
  char separator_;
  size_t at_ = 0;
  int64_t line_ = 1, row_line_ = 0;
  std::vector<std::string> fields_;
};

}  // namespace tapetum::data
