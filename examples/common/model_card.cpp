#include "examples/common/model_card.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <charconv>

#include "core/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/reduce.h"

namespace programs {
namespace {

using tapetum::FormatError, tapetum::Size2, tapetum::models::Upsampling;

// Reads numbers and words of the metadata; what is missing or malformed is named.
class Reader {
 public:
  Reader(const std::string& path, const tapetum::Metadata& metadata) : path_(path), metadata_(metadata) {}

  const std::string& text(const char* key) const {
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) throw FormatError(fmt::format("{}: its metadata has no '{}': not a model of train_unet", path_, key));
    return found->second;
  }
  int64_t number(const char* key, int64_t lowest, int64_t highest) const { return parse(key, text(key), lowest, highest); }
  Size2 size(const char* key) const {
    const std::string& t = text(key);
    const size_t x = t.find('x');
    if (x == std::string::npos) bad(key);
    return {parse(key, t.substr(0, x), 1, 1 << 20), parse(key, t.substr(x + 1), 1, 1 << 20)};
  }
  [[noreturn]] void bad(const char* key) const { throw FormatError(fmt::format("{}: its metadata has {} = '{}'", path_, key, text(key))); }

 private:
  int64_t parse(const char* key, const std::string& t, int64_t lowest, int64_t highest) const {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), value);
    if (error != std::errc() || end != t.data() + t.size() || value < lowest || value > highest) bad(key);
    return value;
  }
  const std::string& path_;
  const tapetum::Metadata& metadata_;
};

std::string text_of(Size2 s) { return fmt::format("{}x{}", s.h, s.w); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0;;) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    if (end == std::string::npos) return lines;
    at = end + 1;
  }
}

}  // namespace

tapetum::Metadata to_metadata(const ModelCard& c) {
  return {{"model", "unet"},
          {"in_channels", fmt::format("{}", c.unet.in_channels)},
          {"classes", fmt::format("{}", c.unet.classes)},
          {"width", fmt::format("{}", c.unet.width)},
          {"depth", fmt::format("{}", c.unet.depth)},
          {"up", c.unet.up == Upsampling::bilinear ? "bilinear" : "transposed"},
          {"size", text_of(c.size)},
          {"source_size", text_of(c.source_size)},
          {"normalisation", "per_image"},
          {"class_names", fmt::format("{}", fmt::join(c.classes, "\n"))}};
}

ModelCard card_of(const std::string& path, const tapetum::Metadata& metadata) {
  const Reader r(path, metadata);
  if (r.text("model") != "unet") r.bad("model");
  const std::string& up = r.text("up");
  if (up != "bilinear" && up != "transposed") r.bad("up");
  ModelCard c;
  c.unet.in_channels = r.number("in_channels", 3, 3);
  c.unet.classes = r.number("classes", 2, 256);
  c.unet.width = r.number("width", 1, 4096);
  c.unet.depth = r.number("depth", 1, 8);
  c.unet.up = up == "bilinear" ? Upsampling::bilinear : Upsampling::transposed;
  c.size = r.size("size");
  c.source_size = r.size("source_size");
  if (r.text("normalisation") != "per_image") r.bad("normalisation");
  c.classes = lines_of(r.text("class_names"));
  if (static_cast<int64_t>(c.classes.size()) != c.unet.classes) r.bad("class_names");
  return c;
}

void load_weights(tapetum::models::UNet& model, const tapetum::StateDict& weights, const std::string& path) {
  try {
    model.load_state_dict(weights);
  } catch (const tapetum::Error& e) {
    const std::string reason = e.what();  // names every key that does not fit: the first ones will do
    throw tapetum::Error(fmt::format("{}: {}{}", path, reason.substr(0, 300), reason.size() > 300 ? " ..." : ""));
  }
}

Moments moments(const tapetum::Tensor& images) {
  const auto [var, mean] = var_mean(images, {-3, -2, -1}, {.keepdim = true});
  return {mean, sqrt(var + 1e-4)};  // of an image of one colour, too
}

tapetum::Tensor normalise(const tapetum::Tensor& images, const Moments& m) { return (images - m.mean) / m.deviation; }

}  // namespace programs
