#include "examples/common/model_card.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <charconv>

#include "core/error.h"
#include "core/ops/elementwise.h"

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
  template <class T> T number(const char* key, double lowest, double highest) const { return parse<T>(key, text(key), lowest, highest); }
  Size2 size(const char* key) const {
    const std::string& t = text(key);
    const size_t x = t.find('x');
    if (x == std::string::npos) bad(key);
    return {parse<int64_t>(key, t.substr(0, x), 1, 1 << 20), parse<int64_t>(key, t.substr(x + 1), 1, 1 << 20)};
  }
  [[noreturn]] void bad(const char* key) const { throw FormatError(fmt::format("{}: its metadata has {} = '{}'", path_, key, text(key))); }

 private:
  template <class T> T parse(const char* key, const std::string& t, double lowest, double highest) const {
    T value{};
    const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), value);
    if (error != std::errc() || end != t.data() + t.size() || !(value >= lowest && value <= highest)) bad(key);
    return value;
  }
  const std::string& path_;
  const tapetum::Metadata& metadata_;
};

std::string text_of(Size2 s) { return fmt::format("{}x{}", s.h, s.w); }

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t at = 0;;) {
    const size_t comma = text.find(',', at);
    parts.push_back(text.substr(at, comma - at));
    if (comma == std::string::npos) return parts;
    at = comma + 1;
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
          {"mean", fmt::format("{}", c.mean)},
          {"deviation", fmt::format("{}", c.deviation)},
          {"class_names", fmt::format("{}", fmt::join(c.classes, ","))}};
}

ModelCard card_of(const std::string& path, const tapetum::Metadata& metadata) {
  const Reader r(path, metadata);
  if (r.text("model") != "unet") r.bad("model");
  const std::string& up = r.text("up");
  if (up != "bilinear" && up != "transposed") r.bad("up");
  ModelCard c;
  c.unet.in_channels = r.number<int64_t>("in_channels", 3, 3);
  c.unet.classes = r.number<int64_t>("classes", 2, 1000);
  c.unet.width = r.number<int64_t>("width", 1, 4096);
  c.unet.depth = r.number<int64_t>("depth", 1, 8);
  c.unet.up = up == "bilinear" ? Upsampling::bilinear : Upsampling::transposed;
  c.size = r.size("size");
  c.source_size = r.size("source_size");
  c.mean = r.number<double>("mean", -1e6, 1e6);
  c.deviation = r.number<double>("deviation", 1e-6, 1e6);
  c.classes = split(r.text("class_names"));
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

tapetum::Tensor normalise(const tapetum::Tensor& image, const ModelCard& c) { return (image - c.mean) / c.deviation; }

}  // namespace programs
