// CIFAR as pickled by Python: a dict of a numpy array u8 [N, 3072] and lists of labels.
#include <fmt/format.h>

#include <optional>

#include "core/error.h"
#include "core/serialization/pickle.h"
#include "data/cifar_format.h"

namespace tapetum::data {
namespace {

constexpr std::string_view kReconstruct[] = {"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"};

constexpr size_t kMaxKey = 64;  // longer ones are none of ours: a long text that is every key of a dict must not be decoded each time

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& name, CifarLabels labels) : name_(name), labels_(labels) {
    const std::vector<std::string_view> callable{kReconstruct[0], kReconstruct[1], "numpy.dtype", "_codecs.encode"};
    auto pickle = parse_pickle(bytes, name, {std::max<uint64_t>(1 << 20, bytes.size() / 2), callable});
    if (!pickle) fail("ends within its pickle: truncated");
    pickle_ = std::move(*pickle);
  }

  CifarBatch read() const {
    const Pixels pixels = this->pixels(at("data"));
    const PickleValue& list = at(labels_ == CifarLabels::ten ? "labels" : labels_ == CifarLabels::fine ? "fine_labels" : "coarse_labels");
    if (!list.is(PickleKind::list) || static_cast<int64_t>(list.items().size()) != pixels.count)
      fail(fmt::format("expected a list of {} labels, one for each image, got {}", pixels.count, list.items().size()));
    CifarBatch batch{empty({pixels.count, kCifarSide, kCifarSide, 3}, DType::u8), empty({pixels.count}, DType::i64)};
    for (int64_t i = 0; i < pixels.count; ++i) {
      const PickleValue& label = list.items()[static_cast<size_t>(i)];
      if (!label.is(PickleKind::integer)) fail(fmt::format("record {}: its label is no integer", i));
      batch.labels.mutable_data<int64_t>()[i] = checked_cifar_label(label.integer(), i, name_, labels_);
      interleave_cifar(pixels.bytes() + i * kCifarPixels, batch.images.mutable_data<uint8_t>() + i * kCifarPixels);
    }
    return batch;
  }

 private:
  struct Pixels {
    int64_t count;
    std::string_view stored;
    std::string decoded;  // instead, where the pickle holds them as text
    const char* bytes() const { return decoded.empty() ? stored.data() : decoded.data(); }
  };

  [[noreturn]] void fail(const std::string& reason) const { throw FormatError(fmt::format("cifar: {}: {}", name_, reason)); }

  // A key is a str of Python 2, or bytes of Python 3, which protocol 2 spells as a call.
  const PickleValue& at(std::string_view key) const {
    const auto& items = pickle_.root.items();
    if (pickle_.root.is(PickleKind::dict))
      for (size_t i = 0; i + 1 < items.size(); i += 2) {
        std::string decoded;
        if (bytes_of(items[i], kMaxKey, decoded) == key) return items[i + 1];
      }
    fail(fmt::format("expected a dict with '{}'{}", key, key == "labels" ? " (CIFAR-100 has other keys)" : ""));
  }

  // The bytes of str, bytes, and _codecs.encode(text, "latin1"), whose text has at most `most`: `decoded` keeps those of the last.
  std::optional<std::string_view> bytes_of(const PickleValue& v, size_t most, std::string& decoded) const {
    if (v.is(PickleKind::text) || v.is(PickleKind::bytes)) return v.text();
    if (!v.is(PickleKind::object) || v.global_name() != "_codecs.encode") return std::nullopt;
    const auto& arguments = v.items()[1].items();
    if (arguments.size() != 2 || !arguments[0].is(PickleKind::text) || !arguments[1].is(PickleKind::text) || arguments[1].text() != "latin1")
      return std::nullopt;
    const std::string_view text = arguments[0].text();
    if (text.size() > most) return std::nullopt;
    for (size_t i = 0; i < text.size(); ++i) {  // UTF-8 of code points below 256
      const auto lead = static_cast<uint8_t>(text[i]);
      if (lead < 0x80) {
        decoded += text[i];
      } else {
        const auto next = static_cast<uint8_t>(i + 1 < text.size() ? text[i + 1] : 0);
        if ((lead != 0xC2 && lead != 0xC3) || (next & 0xC0) != 0x80) return std::nullopt;
        decoded += static_cast<char>(lead << 6 | (next & 0x3F));
        ++i;
      }
    }
    return decoded;
  }

  // numpy's state of an array: (version, shape, dtype, columns first, bytes).
  Pixels pixels(const PickleValue& array) const {
    const std::string made_by = array.is(PickleKind::object) ? array.global_name() : "";
    if (made_by != kReconstruct[0] && made_by != kReconstruct[1]) fail("'data' is no numpy array");
    const auto& state = array.items()[2].items();
    if (!array.items()[2].is(PickleKind::tuple) || state.size() != 5) fail("'data' is a numpy array without the usual five parts of its state");
    check_dtype(state[2]);
    if ((!state[3].is(PickleKind::boolean) && !state[3].is(PickleKind::integer)) || state[3].integer() != 0) fail("'data' must be in C order");
    const auto& shape = state[1].items();
    if (!state[1].is(PickleKind::tuple) || shape.size() != 2 || !shape[0].is(PickleKind::integer) || !shape[1].is(PickleKind::integer) ||
        shape[0].integer() < 1 || shape[1].integer() != kCifarPixels)
      fail(fmt::format("'data' must be [N, {}] with at least one image", kCifarPixels));
    Pixels pixels{shape[0].integer(), {}, {}};
    const auto bytes = bytes_of(state[4], SIZE_MAX, pixels.decoded);
    if (!bytes) fail("'data' holds no bytes");
    if (bytes->size() % kCifarPixels || static_cast<int64_t>(bytes->size() / kCifarPixels) != pixels.count)
      fail(fmt::format("'data' is [{}, {}], but has {} bytes", pixels.count, kCifarPixels, bytes->size()));
    if (pixels.decoded.empty()) pixels.stored = *bytes;
    return pixels;
  }

  void check_dtype(const PickleValue& dtype) const {
    if (!dtype.is(PickleKind::object) || dtype.global_name() != "numpy.dtype") fail("'data' has no dtype");
    const auto& arguments = dtype.items()[1].items();
    const std::string_view name = !arguments.empty() && arguments[0].is(PickleKind::text) ? arguments[0].text() : "?";
    if (name != "u1") fail(fmt::format("'data' must be of dtype u1, got {}", name));
  }

  const std::string& name_;
  CifarLabels labels_;
  Pickle pickle_;
};

}  // namespace

bool is_pickle(std::string_view bytes) { return bytes.starts_with('\x80'); }  // every pickle since protocol 2; no label is as large

CifarBatch parse_cifar_pickle(std::string_view bytes, const std::string& name, CifarLabels labels) { return Reader(bytes, name, labels).read(); }

}  // namespace tapetum::data
