#include "core/serialization/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_set>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "core/serialization/atomic_file.h"

namespace tapetum {
namespace {

constexpr uint64_t kHeaderLimit = 100'000'000;  // the format's own
constexpr const char* kMetadataKey = "__metadata__";

struct TypeName {
  DType type;
  const char* name;
};
constexpr TypeName kTypes[] = {{DType::f64, "F64"}, {DType::f32, "F32"}, {DType::f16, "F16"}, {DType::bf16, "BF16"},   {DType::i64, "I64"},
                               {DType::i32, "I32"}, {DType::u8, "U8"},   {DType::i8, "I8"},   {DType::boolean, "BOOL"}};

// One tensor's entry of the header.
struct Entry {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  uint64_t begin = 0, end = 0;  // bytes, from the end of the header
};

// Takes the header's JSON event by event, so that duplicate keys are seen and nothing of a wrong kind is kept.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const std::string& file) : file_(file) {}
  std::vector<Entry> entries;
  Metadata metadata;

  bool start_object(size_t) override {
    if (level_ == Level::outside)
      level_ = Level::file;
    else if (level_ == Level::file)
      begin_entry();
    else
      wrong("an object");
    return true;
  }
  bool end_object() override {
    if (level_ == Level::tensor) end_entry();
    level_ = level_ == Level::file ? Level::outside : Level::file;
    return true;
  }
  bool key(std::string& k) override {
    key_ = k;
    if (level_ == Level::file) {
      name_ = k;
      if (!names_.insert(k).second) fail("appears twice in the header");
    } else if (level_ == Level::metadata) {
      if (!metadata.emplace(k, std::string()).second) fail(fmt::format("key '{}' appears twice", k));
    } else {
      take_field(k);
    }
    return true;
  }
  bool start_array(size_t) override {
    if (level_ == Level::tensor && key_ == "shape")
      level_ = Level::shape;
    else if (level_ == Level::tensor && key_ == "data_offsets")
      level_ = Level::offsets;
    else
      wrong("an array");
    return true;
  }
  bool end_array() override {
    if (level_ == Level::offsets && offsets_ != 2) fail(fmt::format("data_offsets must hold 2 numbers, got {}", offsets_));
    level_ = Level::tensor;
    return true;
  }
  bool string(std::string& s) override {
    if (level_ == Level::metadata)
      metadata[key_] = std::move(s);
    else if (level_ == Level::tensor && key_ == "dtype")
      entries.back().dtype = dtype(s);
    else
      wrong("a string");
    return true;
  }
  bool number_unsigned(uint64_t n) override {
    Entry* e = entries.empty() ? nullptr : &entries.back();
    if (level_ == Level::shape) {
      if (e->shape.size() == kMaxDims) fail(fmt::format("has more than {} dimensions", kMaxDims));
      if (n > INT64_MAX) fail(fmt::format("has a dimension of {}", n));
      e->shape.push_back(static_cast<int64_t>(n));
    } else if (level_ == Level::offsets) {
      (offsets_++ == 0 ? e->begin : e->end) = n;
    } else {
      wrong("a number");
    }
    return true;
  }
  bool null() override { wrong("null"); }
  bool boolean(bool) override { wrong("a boolean"); }
  bool number_integer(int64_t n) override { wrong(fmt::format("{}", n)); }
  bool number_float(double, const std::string& text) override { wrong(text); }
  bool binary(nlohmann::json::binary_t&) override { wrong("bytes"); }
  bool parse_error(size_t at, const std::string&, const nlohmann::json::exception&) override {
    throw FormatError(fmt::format("{}: the header is not valid JSON at its byte {}", file_, at));
  }

 private:
  enum class Level { outside, file, metadata, tensor, shape, offsets };

  [[noreturn]] void fail(const std::string& reason) const {
    throw FormatError(name_ == kMetadataKey ? fmt::format("{}: the metadata's {}", file_, reason)
                                            : fmt::format("{}: tensor '{}' {}", file_, name_, reason));
  }
  [[noreturn]] void wrong(const std::string& got) const {
    if (level_ == Level::outside) throw FormatError(fmt::format("{}: the header must be a JSON object, got {}", file_, got));
    fail(fmt::format("has {} where the format has none (at '{}')", got, key_));
  }
  DType dtype(const std::string& text) const {
    for (const TypeName& t : kTypes)
      if (text == t.name) return t.type;
    fail(fmt::format("has dtype '{}', which is not one of F64 F32 F16 BF16 I64 I32 U8 I8 BOOL", text));
  }
  void begin_entry() {
    if (name_ == kMetadataKey) {
      level_ = Level::metadata;
      return;
    }
    level_ = Level::tensor;
    entries.emplace_back().name = name_;
    fields_ = offsets_ = 0;
  }
  void end_entry() const {
    if (fields_ != 7) fail("must have dtype, shape and data_offsets");
  }
  void take_field(const std::string& k) {
    const int bit = k == "dtype" ? 1 : k == "shape" ? 2 : k == "data_offsets" ? 4 : 0;
    if (!bit) fail(fmt::format("has an unknown key '{}'", k));
    if (fields_ & bit) fail(fmt::format("has key '{}' twice", k));
    fields_ |= bit;
  }

  const std::string& file_;
  Level level_ = Level::outside;
  std::string name_, key_;
  std::unordered_set<std::string> names_;
  int fields_ = 0, offsets_ = 0;  // of the entry being read: a bit for each key; numbers in data_offsets
};

// Bytes of a tensor; sizes other than 0 must not overflow, so that strides cannot either.
uint64_t byte_size(const std::string& file, const Entry& e) {
  int64_t count = 1;
  bool empty = false, overflow = false;
  for (int64_t d : e.shape) {
    empty |= d == 0;
    if (d) overflow |= __builtin_mul_overflow(count, d, &count);
  }
  overflow |= __builtin_mul_overflow(count, static_cast<int64_t>(size_of(e.dtype)), &count);
  if (overflow) throw FormatError(fmt::format("{}: tensor '{}' has shape {}, which overflows", file, e.name, to_string(e.shape)));
  return empty ? 0 : static_cast<uint64_t>(count);
}

// The entries' ranges must agree with dtype and shape, and cover the data once, without gaps.
void check_ranges(const std::string& file, const std::vector<Entry>& entries, uint64_t data_size) {
  std::vector<const Entry*> sorted;
  for (const Entry& e : entries) {
    const uint64_t bytes = byte_size(file, e);
    if (e.begin > e.end || e.end > data_size)
      throw FormatError(
          fmt::format("{}: tensor '{}' lies at [{}, {}), but the file holds {} bytes of data", file, e.name, e.begin, e.end, data_size));
    if (e.end - e.begin != bytes)
      throw FormatError(fmt::format("{}: tensor '{}', {} {}, needs {} bytes, but its range [{}, {}) has {}", file, e.name, name_of(e.dtype),
                                    to_string(e.shape), bytes, e.begin, e.end, e.end - e.begin));
    sorted.push_back(&e);
  }
  std::sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
  uint64_t at = 0;
  for (const Entry* e : sorted) {
    if (e->begin != at)
      throw FormatError(fmt::format("{}: tensor '{}' begins at byte {}, but the one before it ends at {}", file, e->name, e->begin, at));
    at = e->end;
  }
  if (at != data_size) throw FormatError(fmt::format("{}: {} bytes of data belong to no tensor", file, data_size - at));
}

Tensor read_tensor(const ByteSource& source, const Entry& e, uint64_t data_start) {
  Tensor t = empty(e.shape, e.dtype);
  auto* bytes = static_cast<unsigned char*>(t.mutable_raw());
  const size_t n = static_cast<size_t>(e.end - e.begin);
  source.read(data_start + e.begin, bytes, n);
  if (e.dtype == DType::boolean)
    for (size_t i = 0; i < n; ++i)
      if (bytes[i] > 1) throw FormatError(fmt::format("{}: tensor '{}' is BOOL, but its byte {} is {}", source.name, e.name, i, bytes[i]));
  return t;
}

}  // namespace

bool is_safetensors(const ByteSource& source) { return source.size > sizeof(uint64_t) && source.number<char>(sizeof(uint64_t)) == '{'; }

Safetensors read_safetensors(const ByteSource& source) {
  uint64_t length = 0;
  if (source.size < sizeof length) throw FormatError(fmt::format("{}: has {} bytes, too few for a safetensors file", source.name, source.size));
  source.read(0, &length, sizeof length);
  if (length > kHeaderLimit || length > source.size - sizeof length)
    throw FormatError(
        fmt::format("{}: a header of {} bytes does not fit a file of {}: truncated, or no safetensors file", source.name, length, source.size));

  HeaderReader reader(source.name);
  {
    std::string header(static_cast<size_t>(length), '\0');
    source.read(sizeof length, header.data(), header.size());
    if (header.empty() || header[0] != '{') throw FormatError(fmt::format("{}: the header does not begin with '{{'", source.name));
    nlohmann::json::sax_parse(header, &reader);
  }
  const uint64_t data_start = sizeof length + length;
  check_ranges(source.name, reader.entries, source.size - data_start);

  Safetensors result;
  result.metadata = std::move(reader.metadata);
  for (const Entry& e : reader.entries) result.set(e.name, read_tensor(source, e, data_start));
  return result;
}

namespace {

// Quoted JSON text of a name; the JSON library is what knows escapes and UTF-8.
std::string quoted(const std::string& path, const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw FormatError(fmt::format("{}: a name or a metadata value is not UTF-8", path));
  }
}

std::string header_of(const std::string& path, const std::vector<Entry>& entries, const Metadata& metadata) {
  std::string text = "{", comma;
  if (!metadata.empty()) {
    std::string pairs;
    for (const auto& [key, value] : metadata) pairs += (pairs.empty() ? "" : ",") + quoted(path, key) + ':' + quoted(path, value);
    text += fmt::format("\"{}\":{{{}}}", kMetadataKey, pairs);
    comma = ",";
  }
  for (const Entry& e : entries) {
    std::string sizes;
    for (int64_t d : e.shape) sizes += (sizes.empty() ? "" : ",") + std::to_string(d);
    text += fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", comma, quoted(path, e.name),
                        kTypes[static_cast<int>(e.dtype)].name, sizes, e.begin, e.end);
    comma = ",";
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');  // data begins at a multiple of 8
  return text;
}

}  // namespace

void save(const StateDict& tensors, const std::string& path, const Metadata& metadata) {
  NoGrad no_grad;
  std::vector<Entry> entries;
  for (const auto& [name, t] : tensors) {
    if (name == kMetadataKey) throw FormatError(fmt::format("{}: no tensor may be called '{}'", path, kMetadataKey));
    if (!t.defined()) throw Error(fmt::format("{}: tensor '{}' is undefined", path, name));
    entries.push_back({name, t.dtype(), t.shape()});
  }
  // Wide types first, so that every tensor is aligned to its element.
  std::vector<size_t> order(entries.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return size_of(entries[a].dtype) > size_of(entries[b].dtype); });
  uint64_t at = 0;
  for (size_t i : order) {
    entries[i].begin = at;
    entries[i].end = at += byte_size(path, entries[i]);
  }

  const std::string header = header_of(path, entries, metadata);
  const uint64_t length = header.size();
  AtomicFile file(path);
  file.write(&length, sizeof length);
  file.write(header.data(), header.size());
  for (size_t i : order) {
    const Tensor dense = contiguous(to((tensors.begin() + i)->second, Device()));
    file.write(dense.raw(), static_cast<size_t>(entries[i].end - entries[i].begin));
  }
  file.commit();
}

Safetensors load(const std::string& path) { return read_safetensors(FileSource(path)); }
Safetensors parse_safetensors(std::string_view bytes, const std::string& name) { return read_safetensors(MemorySource(name, bytes)); }

}  // namespace tapetum
