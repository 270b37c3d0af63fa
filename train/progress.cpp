#include "train/progress.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <string_view>

namespace tapetum::train {
namespace {

using namespace std::chrono_literals;

bool wants_color() {
  const char *no_color = std::getenv("NO_COLOR"), *term = std::getenv("TERM");
  return !(no_color && *no_color) && term && std::string_view(term) != "dumb";
}

size_t columns(std::FILE* terminal) {
  winsize size{};
  return ::ioctl(::fileno(terminal), TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

std::string bar(double part) {
  constexpr int kWidth = 20;
  const int full = static_cast<int>(part * kWidth);
  return std::string(static_cast<size_t>(full), '=') + std::string(static_cast<size_t>(kWidth - full), ' ');
}

std::string text_of(const ProgressState& s) {
  return fmt::format("epoch {:>{}}/{}  step {}/{}  loss {:.4f}", s.epoch, std::to_string(s.epochs).size(), s.epochs, s.step, s.steps, s.loss);
}

std::string speed_of(const ProgressState& s) { return fmt::format("{:.1f} images/s  ETA {}", s.images_per_second, format_duration(s.seconds_left)); }

}  // namespace

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const auto s = static_cast<int64_t>(std::lround(std::fmin(seconds, 1e9)));
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
}

Progress::Progress(std::FILE* out, bool quiet)
    : out_(out), quiet_(quiet), live_(::isatty(::fileno(out)) == 1), color_(live_ && wants_color()), last_(std::chrono::steady_clock::now()) {}

Progress::~Progress() { clear(); }

std::string Progress::bold(const std::string& text) const { return color_ ? "\x1b[1m" + text + "\x1b[0m" : text; }

void Progress::clear() {
  if (drawn_) std::fputs("\r\x1b[K", out_);
  drawn_ = false;
}

void Progress::update(const ProgressState& s) {
  const auto now = std::chrono::steady_clock::now();
  if (quiet_ || now - last_ < (live_ ? 100ms : 30000ms)) return;
  last_ = now;
  if (live_) {
    const double done = s.steps ? static_cast<double>(s.step) / static_cast<double>(s.steps) : 0;
    const std::string text = text_of(s) + "  " + speed_of(s), with_bar = fmt::format("[{}] {}", bar(done), text);
    const size_t room = columns(out_) - 1;  // a line that wraps could not be drawn over
    fmt::print(out_, "\r\x1b[K{}", with_bar.size() <= room ? with_bar : text.substr(0, room));
    drawn_ = true;
  } else {
    fmt::print(out_, "{}  {}\n", text_of(s), speed_of(s));
  }
  std::fflush(out_);
}

void Progress::epoch(const ProgressState& s, const std::string& validation) {
  if (quiet_) return;
  message(fmt::format("{}{}{}  {}", text_of(s), validation.empty() ? "" : "  ", bold(validation), speed_of(s)));
  last_ = std::chrono::steady_clock::now();
}

void Progress::message(const std::string& text) {
  if (quiet_) return;
  clear();
  fmt::print(out_, "{}\n", text);
  std::fflush(out_);
}

}  // namespace tapetum::train
