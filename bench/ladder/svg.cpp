#include "bench/ladder/svg.h"

#include <fmt/format.h>

namespace tapetum::bench {
namespace {

std::string hex(viz::Color c) { return fmt::format("#{:02x}{:02x}{:02x}", c.r, c.g, c.b); }

// At most two digits behind the point: the same text on every machine.
std::string number(double x) {
  std::string s = fmt::format("{:.2f}", x);
  s.erase(s.find_last_not_of('0') + 1);
  if (s.back() == '.') s.pop_back();
  return s;
}

std::string escaped(std::string_view text) {
  std::string s;
  for (char c : text) {
    if (c == '&')
      s += "&amp;";
    else if (c == '<')
      s += "&lt;";
    else if (c == '>')
      s += "&gt;";
    else
      s += c;
  }
  return s;
}

}  // namespace

void Svg::rect(double x, double y, double width, double height, viz::Color fill) {
  body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>\n", number(x), number(y), number(width), number(height),
                       hex(fill));
  reaches(y + height);
}

void Svg::scale(double x, double y, double width, double height) {
  body_ +=
      fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"url(#scale)\"/>\n", number(x), number(y), number(width), number(height));
  reaches(y + height);
}

void Svg::frame(double x, double y, double width, double height, viz::Color line) {
  body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"{}\"/>\n", number(x), number(y), number(width),
                       number(height), hex(line));
  reaches(y + height);
}

void Svg::words(double x, double y, double size, std::string_view text, viz::Color color, Align align) {
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{}>{}</text>\n", number(x), number(y), number(size), hex(color),
                       align == Align::middle ? " text-anchor=\"middle\"" : "", escaped(text));
  reaches(y);
}

void Svg::source(double x, double y, double size, std::string_view text, viz::Color color) {
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\" font-family=\"monospace\" xml:space=\"preserve\">{}</text>\n", number(x),
                       number(y), number(size), hex(color), escaped(text));
  reaches(y);
}

std::string Svg::text() const {
  const std::string height = number(height_ + 12);
  std::string stops;
  for (size_t i = 0; i < scale_.size(); ++i)
    stops += fmt::format("<stop offset=\"{}\" stop-color=\"{}\"/>", number(static_cast<double>(i) / static_cast<double>(scale_.size() - 1)),
                         hex(scale_[i]));
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\">\n"
      "<defs><linearGradient id=\"scale\">{2}</linearGradient></defs>\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n{3}</svg>\n",
      width_, height, stops, body_);
}

}  // namespace tapetum::bench
