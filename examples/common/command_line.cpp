#include "examples/common/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

namespace programs {
namespace {

// CLI11 puts the flag's name before the text.
template <class F> CLI::Validator expecting(const std::string& what, F good) {
  return CLI::Validator([=](std::string& s) { return good(s) ? std::string() : fmt::format("expected {}, got '{}'", what, s); }, "");
}

// CLI11 alone takes a number that is too large for the largest one.
template <class T> CLI::Validator number() {
  return expecting(std::is_integral_v<T> ? "a whole number" : "a number", [](const std::string& s) {
    T value;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    return error == std::errc() && end == s.data() + s.size();
  });
}

// What a library's error spreads over several lines, in one.
std::string one_line(std::string text) {
  for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.replace(at, 1, "; ");
  return text;
}

}  // namespace

struct CommandLine::Parser {
  // Of a flag that is given twice the last one counts, so that a script can be called with other flags than its own.
  Parser(const std::string& description, const std::string& program) : app(description, program) {
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  CLI::App app;
  std::string group = "Options";
};

CommandLine::CommandLine(const std::string& program, const std::string& description) : parser_(std::make_unique<Parser>(description, program)) {
  parser_->app.set_help_flag("--help,-h", "Print this help");
}
CommandLine::~CommandLine() = default;

void CommandLine::group(const std::string& title) { parser_->group = title; }

void CommandLine::add(const std::string& flag, std::string& value, const std::string& type, const std::string& help) {
  parser_->app.add_option(flag, value, help)->capture_default_str()->type_name(type)->group(parser_->group);
}
void CommandLine::add(const std::string& flag, int64_t& value, const std::string& help) {
  parser_->app.add_option(flag, value, help)->capture_default_str()->type_name("N")->check(number<int64_t>())->group(parser_->group);
}
void CommandLine::add(const std::string& flag, double& value, const std::string& help) {
  parser_->app.add_option(flag, value, help)->capture_default_str()->type_name("X")->check(number<double>())->group(parser_->group);
}
void CommandLine::add(const std::string& flag, bool& value, const std::string& help) {
  parser_->app.add_flag(flag, value, help)->group(parser_->group);
}
void CommandLine::add(const std::string& flag, std::vector<double>& value, const std::string& help) {
  parser_->app.add_option(flag, value, help)->delimiter(',')->type_name("X,")->check(number<double>())->group(parser_->group);
}
void CommandLine::add(const std::string& flag, std::vector<std::string>& value, const std::string& type, const std::string& help) {
  parser_->app.add_option(flag, value, help)->type_name(type)->group(parser_->group);
}
void CommandLine::add_optional(const std::string& flag, std::string& value, const std::string& without, const std::string& help) {
  // CLI11 has "--flag{default}" for this, and "--flag FILE" would take the next word: only "--flag=FILE" does.
  parser_->app.add_flag(flag + '{' + without + '}', value, help)->group(parser_->group);
}
void CommandLine::add_choice(const std::string& flag, std::string& value, const std::vector<std::string>& choices, const std::string& help) {
  const auto listed = [choices](const std::string& s) { return std::find(choices.begin(), choices.end(), s) != choices.end(); };
  const auto names = fmt::format("{}", fmt::join(choices, "|"));
  parser_->app.add_option(flag, value, help)->capture_default_str()->type_name(names)->check(expecting(names, listed))->group(parser_->group);
}

void CommandLine::add_positional(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  parser_->app.add_option(name, values, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->type_name("");
}

bool CommandLine::parse(int argc, char** argv) {
  try {
    parser_->app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", parser_->app.help());
    return false;
  } catch (const CLI::ParseError& e) {
    throw UsageError(e.what());
  }
  return true;
}

int run(const char* program, int argc, char** argv, int (*body)(int argc, char** argv)) {
  try {
    return body(argc, argv);
  } catch (const UsageError& e) {
    fmt::print(stderr, "{}: {} (--help shows the flags)\n", program, one_line(e.what()));
    return 2;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", program, one_line(e.what()));
    return 1;
  }
}

}  // namespace programs
