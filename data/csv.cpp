#include "data/csv.h"

#include <fmt/core.h>

#include "core/error.h"

namespace tapetum::data {
namespace {

constexpr size_t kMaxFields = 4096;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

CsvReader::CsvReader(std::string_view text, std::string name, char separator) : text_(text), name_(std::move(name)), separator_(separator) {
  if (separator == '"' || separator == '\n' || separator == '\r') throw FormatError("csv: the separator must not be a quote or a line end");
  if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
}

void CsvReader::fail(const std::string& reason) const { throw FormatError(fmt::format("csv: {}: line {}: {}", name_, line_, reason)); }

bool CsvReader::next() {
  while (at_ < text_.size() && at_line_end()) pass_line_end();
  if (at_ == text_.size()) return false;
  row_line_ = line_;
  fields_.clear();
  for (;;) {
    read_field();
    if (at_line_end()) break;
    if (text_[at_] != separator_) fail("text follows a quoted field");
    ++at_;
  }
  pass_line_end();
  return true;
}

void CsvReader::read_field() {
  if (fields_.size() == kMaxFields) fail(fmt::format("has more than {} fields", kMaxFields));
  std::string& field = fields_.emplace_back();
  if (at_ < text_.size() && text_[at_] == '"') return read_quoted(field);
  const size_t begin = at_;
  for (; !at_line_end() && text_[at_] != separator_; ++at_)
    if (text_[at_] == '"') fail("a quote stands inside a field that is not quoted");
  field = text_.substr(begin, at_ - begin);
}

void CsvReader::read_quoted(std::string& field) {
  const int64_t begin = line_;
  for (++at_;; ++at_) {
    if (at_ == text_.size()) {
      line_ = begin;
      fail("a quote has no end");
    }
    if (text_[at_] == '"') {
      ++at_;
      if (at_ == text_.size() || text_[at_] != '"') return;
    } else if (text_[at_] == '\n') {
      ++line_;
    }
    field += text_[at_];
  }
}

void CsvReader::pass_line_end() {
  if (at_ < text_.size() && text_[at_] == '\r') ++at_;
  if (at_ < text_.size() && text_[at_] == '\n') ++at_;
  ++line_;
}

}  // namespace tapetum::data
