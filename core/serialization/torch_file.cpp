#include "core/serialization/torch_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "core/error.h"
#include "core/function.h"
#include "core/serialization/pickle.h"
#include "core/serialization/zip.h"

namespace tapetum {
namespace {

struct StorageType {
  const char* name;
  DType dtype;
};
constexpr StorageType kTypes[] = {{"FloatStorage", DType::f32},     {"DoubleStorage", DType::f64}, {"HalfStorage", DType::f16},
                                  {"BFloat16Storage", DType::bf16}, {"LongStorage", DType::i64},   {"IntStorage", DType::i32},
                                  {"ByteStorage", DType::u8},       {"CharStorage", DType::i8},    {"BoolStorage", DType::boolean}};

constexpr const char *kTensor = "torch._utils._rebuild_tensor", *kTensor2 = "torch._utils._rebuild_tensor_v2",
                     *kParameter = "torch._utils._rebuild_parameter", *kParameterState = "torch._utils._rebuild_parameter_with_state";

// What a checkpoint may call; of these only the tensors mean anything here.
const std::vector<std::string_view> kCallable = {"collections.OrderedDict",
                                                 kTensor,
                                                 kTensor2,
                                                 kParameter,
                                                 kParameterState,
                                                 "torch.Size",
                                                 "torch.device",
                                                 "__builtin__.set",
                                                 "builtins.set",
                                                 "_codecs.encode",
                                                 "numpy.dtype",
                                                 "numpy.core.multiarray.scalar",
                                                 "numpy.core.multiarray._reconstruct",
                                                 "numpy._core.multiarray.scalar",
                                                 "numpy._core.multiarray._reconstruct"};

// Where a checkpoint keeps its weights, in the order of preference.
constexpr const char* kSections[] = {"state_dict", "model_state_dict", "model",          "net",       "params", "weights",
                                     "ema",        "model_ema",        "state_dict_ema", "params_ema"};

constexpr int kMaxDepth = 256;
constexpr uint64_t kTensorMemory = 512;  // bytes, about, that a tensor takes besides its name and its elements

bool is_tensor(const PickleValue& v) {
  const std::string name = v.is(PickleKind::object) ? v.global_name() : "";
  return name == kTensor || name == kTensor2 || name == kParameter || name == kParameterState;
}

// The attributes of an object, which lie in its state: a dict, or a pair of which the first is.
const PickleValue* attributes(const PickleValue& v) {
  if (!v.is(PickleKind::object)) return nullptr;
  const PickleValue& state = v.items()[2];
  if (state.is(PickleKind::dict)) return &state;
  return state.is(PickleKind::tuple) && !state.items().empty() && state.items()[0].is(PickleKind::dict) ? &state.items()[0] : nullptr;
}

struct NamedValue {
  std::string path;
  PickleValue tensor;
};

// What walking through a file's values may take, so that few bytes that refer to each other again and again cannot ask for much.
struct WalkLimits {
  uint64_t visits, memory;
};

// Every tensor below a value, by its path. Shared parts are visited at each place where they appear.
class TensorWalk {
 public:
  TensorWalk(const std::string& file, WalkLimits& limits) : file_(file), limits_(limits) {}
  std::vector<NamedValue> found;

  void visit(const PickleValue& v, const std::string& path, int depth = 0) {
    if (depth > kMaxDepth) throw FormatError(fmt::format("{}: '{}' is nested more than {} levels deep", file_, path, kMaxDepth));
    if (limits_.visits-- == 0) throw FormatError(fmt::format("{}: its parts refer to each other without end (at '{}')", file_, path));
    const auto below = [&](const std::string& name) { return path.empty() ? name : path + '.' + name; };
    if (is_tensor(v)) {
      add(v, path);
    } else if (const PickleValue* all = attributes(v)) {
      const PickleValue *parameters = all->find("_parameters"), *buffers = all->find("_buffers"), *modules = all->find("_modules");
      if (modules) {  // a torch.nn.Module: named as its state_dict() would
        for (const PickleValue* part : {parameters, buffers, modules})
          if (part) visit(*part, path, depth + 1);
      } else {
        visit(*all, path, depth + 1);
      }
    } else if (v.is(PickleKind::dict)) {
      for (size_t i = 0; i + 1 < v.items().size(); i += 2) visit(v.items()[i + 1], below(key_text(v.items()[i])), depth + 1);
    } else if (v.is(PickleKind::list) || v.is(PickleKind::tuple)) {
      for (size_t i = 0; i < v.items().size(); ++i) visit(v.items()[i], below(std::to_string(i)), depth + 1);
    }
  }

 private:
  static std::string key_text(const PickleValue& key) {
    return key.is(PickleKind::text) ? std::string(key.text()) : key.is(PickleKind::integer) ? std::to_string(key.integer()) : "?";
  }
  void add(const PickleValue& v, const std::string& path) {
    const uint64_t bytes = kTensorMemory + path.size();
    if (limits_.memory < bytes) throw FormatError(fmt::format("{}: too many names for a file of its size (at '{}')", file_, path));
    limits_.memory -= bytes;
    found.push_back({path, v});
  }

  const std::string& file_;
  WalkLimits& limits_;
};

// What a persistent id says: ("storage", class, key, device, elements).
struct StorageId {
  std::string key;
  DType dtype;
  uint64_t bytes;
};

// Tensors are made of storages, which are loaded when the first tensor asks for them.
class TensorReader {
 public:
  using LoadStorage = Function<void(const StorageId& id, void* to)>;
  TensorReader(const ByteSource& file, LoadStorage load) : file_(file), load_(std::move(load)) {}

  Tensor read(const NamedValue& named) {
    name_ = &named.path;
    return tensor(named.tensor);
  }
  StorageId storage_id(const PickleValue& v) const {
    const PickleValue id = v.is(PickleKind::external) ? v.items()[0] : PickleValue();
    const auto& part = id.items();
    if (!id.is(PickleKind::tuple) || part.size() < 5 || !part[0].is(PickleKind::text) || part[0].text() != "storage" ||
        !part[2].is(PickleKind::text) || !part[4].is(PickleKind::integer))
      fail("refers to a storage in an unknown way");
    if (part.size() > 5 && !part[5].is(PickleKind::none)) fail("is a view of a storage in a form that is no longer written");
    const std::string type = part[1].global_name();
    const auto at = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const StorageType& t) { return type == std::string("torch.") + t.name; });
    if (at == std::end(kTypes)) fail(fmt::format("has storage type '{}', which is not supported", type));
    const int64_t elements = part[4].integer();
    uint64_t bytes = 0;
    if (elements < 0 || __builtin_mul_overflow(static_cast<uint64_t>(elements), size_of(at->dtype), &bytes))
      fail("has an impossible number of elements");
    if (bytes > file_.size) fail(fmt::format("needs a storage of {} bytes, more than the file has", bytes));
    return {std::string(part[2].text()), at->dtype, bytes};
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const { throw FormatError(fmt::format("{}: tensor '{}' {}", file_.name, *name_, reason)); }

  int64_t whole(const PickleValue& v) const {
    if (!v.is(PickleKind::integer) || v.integer() < 0) fail("has an offset, size or stride that is no whole number");
    return v.integer();
  }
  Shape sizes(const PickleValue& v) const {
    const PickleValue& list =
        v.is(PickleKind::object) && v.global_name() == "torch.Size" && v.items()[1].items().size() == 1 ? v.items()[1].items()[0] : v;
    if (!list.is(PickleKind::tuple) || list.items().size() > kMaxDims) fail(fmt::format("must have at most {} dimensions", kMaxDims));
    Shape shape;
    for (const PickleValue& size : list.items()) shape.push_back(whole(size));
    return shape;
  }

  Tensor tensor(const PickleValue& v) {
    const std::string maker = v.global_name();
    const auto& arguments = v.items()[1].items();
    if (maker == kParameter || maker == kParameterState) {
      if (arguments.empty() || !is_tensor(arguments[0]) || arguments[0].global_name() == maker) fail("is a parameter without a tensor");
      return tensor(arguments[0]);
    }
    if (arguments.size() < 4) fail("lacks storage, offset, size or stride");
    const Tensor storage = load(storage_id(arguments[0]));
    const int64_t offset = whole(arguments[1]);
    const Shape shape = sizes(arguments[2]), strides = sizes(arguments[3]);
    if (shape.size() != strides.size()) fail(fmt::format("has {} sizes but {} strides", shape.size(), strides.size()));
    int64_t last = offset, count = 1;  // the farthest element
    bool empty = false, overflow = false;
    for (int d = 0; d < shape.size(); ++d) {
      int64_t reach = 0;
      empty |= shape[d] == 0;
      overflow |= __builtin_mul_overflow(std::max<int64_t>(shape[d], 1), count, &count);
      overflow |= __builtin_mul_overflow(std::max<int64_t>(shape[d], 1) - 1, strides[d], &reach) || __builtin_add_overflow(last, reach, &last);
    }
    if (overflow) fail(fmt::format("has shape {}, which overflows", to_string(shape)));
    if (empty ? offset > storage.numel() : last >= storage.numel())
      fail(fmt::format("of shape {} lies outside its storage of {} elements", to_string(shape), storage.numel()));
    if (!empty && count > storage.numel()) fail(fmt::format("of shape {} repeats elements of its storage", to_string(shape)));
    return view_of(storage, shape, strides, offset);
  }

  Tensor load(const StorageId& id) {
    auto [at, added] = storages_.try_emplace(id.key);
    if (added) {
      Tensor made = empty({static_cast<int64_t>(id.bytes / size_of(id.dtype))}, id.dtype);
      load_(id, made.mutable_raw());
      if (id.dtype == DType::boolean) check_booleans(made);
      at->second = made;
    }
    if (at->second.dtype() != id.dtype || at->second.numel() * static_cast<int64_t>(size_of(id.dtype)) != static_cast<int64_t>(id.bytes))
      fail("and another one describe their common storage differently");
    return at->second;
  }
  void check_booleans(const Tensor& t) const {
    const auto* bytes = static_cast<const unsigned char*>(t.raw());
    for (int64_t i = 0; i < t.numel(); ++i)
      if (bytes[i] > 1) fail(fmt::format("is boolean, but its byte {} is {}", i, bytes[i]));
  }

  const ByteSource& file_;
  LoadStorage load_;
  const std::string* name_ = &file_.name;
  std::map<std::string, Tensor> storages_;
};

// Half the file's size, so that values and tensors together stay below twice of it.
uint64_t memory_limit(const ByteSource& s) { return std::max<uint64_t>(1 << 20, s.size / 2); }
PickleLimits limits_of(const ByteSource& s) { return {memory_limit(s), kCallable}; }

// A pickle somewhere in a file. How long it is shows only when it has been read: the window grows until it is whole.
struct FilePickle {
  std::unique_ptr<const std::string> text;  // a short string's characters would move with it, away from the values that point to them
  Pickle pickle;
};
FilePickle read_pickle(const ByteSource& s, uint64_t offset) {
  for (uint64_t window = 1 << 16;; window *= 2) {
    const uint64_t rest = s.size - std::min(offset, s.size), part = std::min(window, rest);
    FilePickle result{std::make_unique<const std::string>(s.text(offset, part)), {}};
    if (auto pickle = parse_pickle(*result.text, s.name, limits_of(s))) {
      result.pickle = std::move(*pickle);
      return result;
    }
    if (part == rest) throw FormatError(fmt::format("{}: ends within a pickle: truncated", s.name));
  }
}

struct Section {
  std::string key;
  std::vector<NamedValue> tensors;
};

// The parts of the top dict that hold tensors; the tensors at the top itself are one part, without a name.
std::vector<Section> sections_of(const PickleValue& root, const ByteSource& s) {
  std::vector<Section> all;
  WalkLimits limits{s.size, memory_limit(s)};
  TensorWalk top(s.name, limits);
  if (!root.is(PickleKind::dict)) {
    top.visit(root, "");
    return {{"", std::move(top.found)}};
  }
  const auto& items = root.items();
  bool flat = false;
  for (size_t i = 1; i < items.size(); i += 2) flat |= is_tensor(items[i]);
  if (flat) {
    top.visit(root, "");
    return {{"", std::move(top.found)}};
  }
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (!items[i].is(PickleKind::text)) continue;
    TensorWalk walk(s.name, limits);
    walk.visit(items[i + 1], "");
    if (!walk.found.empty()) all.push_back({std::string(items[i].text()), std::move(walk.found)});
  }
  return all;
}

const Section& choose(const std::vector<Section>& sections, const std::string& key, const std::string& file) {
  std::vector<std::string> keys;
  for (const Section& s : sections) keys.push_back(s.key);
  const auto named = [&](const std::string& k) {
    return std::find_if(sections.begin(), sections.end(), [&](const Section& s) { return s.key == k; });
  };
  if (!key.empty()) {
    if (const auto at = named(key); at != sections.end()) return *at;
    throw FormatError(fmt::format("{}: has no tensors under key '{}', but under: {}", file, key, fmt::join(keys, ", ")));
  }
  for (const char* usual : kSections)
    if (const auto at = named(usual); at != sections.end()) return *at;
  if (sections.size() == 1) return sections[0];
  if (sections.empty()) throw FormatError(fmt::format("{}: holds no tensors", file));
  throw FormatError(fmt::format("{}: has tensors under several keys, choose one: {}", file, fmt::join(keys, ", ")));
}

TorchFile read_tensors(const ByteSource& s, const std::vector<Section>& sections, const Section& chosen, TensorReader& reader) {
  TorchFile result;
  result.key = chosen.key;
  for (const Section& section : sections)
    if (!section.key.empty()) result.keys.push_back(section.key);
  for (const NamedValue& named : chosen.tensors) {
    if (result.contains(named.path)) throw FormatError(fmt::format("{}: two tensors are called '{}'", s.name, named.path));
    result.set(named.path, reader.read(named));
  }
  return result;
}

// <name>/data.pkl, <name>/data/<key>, ...
TorchFile read_archive(const ByteSource& s, const std::string& key) {
  const ZipReader zip(s);
  const std::string suffix = "/data.pkl";
  const auto at = std::find_if(zip.members().begin(), zip.members().end(), [&](const ZipMember& m) { return m.name.ends_with(suffix); });
  if (at == zip.members().end()) throw FormatError(fmt::format("{}: a zip archive without data.pkl: no file of PyTorch", s.name));
  const std::string folder = at->name.substr(0, at->name.size() - suffix.size() + 1);
  if (zip.find(folder + "constants.pkl")) throw FormatError(fmt::format("{}: a TorchScript program, not weights", s.name));
  if (const ZipMember* order = zip.find(folder + "byteorder"); order && zip.text(*order) != "little")
    throw FormatError(fmt::format("{}: written on a big-endian machine", s.name));
  const std::string text = zip.text(*at);
  const auto pickle = parse_pickle(text, s.name, limits_of(s));
  if (!pickle || pickle->bytes != text.size()) throw FormatError(fmt::format("{}: {} is not one whole pickle", s.name, at->name));
  TensorReader reader(s, [&](const StorageId& id, void* to) {
    const ZipMember* m = zip.find(folder + "data/" + id.key);
    if (!m) throw FormatError(fmt::format("{}: storage '{}' is missing", s.name, id.key));
    if (m->size != id.bytes) throw FormatError(fmt::format("{}: storage '{}' has {} bytes, expected {}", s.name, id.key, m->size, id.bytes));
    zip.read(*m, to);
  });
  const auto sections = sections_of(pickle->root, s);
  return read_tensors(s, sections, choose(sections, key, s.name), reader);
}

// Where each storage of a legacy file lies: count and elements of one after the other, in the order of a list of their keys.
std::map<std::string, uint64_t> storage_places(const ByteSource& s, const Pickle& object, const TensorReader& reader, uint64_t at) {
  std::map<std::string, size_t> element_size;
  for (const PickleNode& node : object.nodes)
    for (const PickleValue& v : node.items)
      if (v.is(PickleKind::external)) {
        const StorageId id = reader.storage_id(v);
        element_size[id.key] = size_of(id.dtype);
      }
  const FilePickle keys = read_pickle(s, at);
  at += keys.pickle.bytes;
  std::map<std::string, uint64_t> places;
  for (const PickleValue& key : keys.pickle.root.items()) {
    const auto size = key.is(PickleKind::text) ? element_size.find(std::string(key.text())) : element_size.end();
    if (size == element_size.end()) throw FormatError(fmt::format("{}: lists a storage that no tensor has", s.name));
    const auto count = s.number<uint64_t>(at);
    if (count > (s.size - at - 8) / size->second)
      throw FormatError(fmt::format("{}: storage '{}' passes the end of the file: truncated", s.name, key.text()));
    if (!places.emplace(key.text(), at).second) throw FormatError(fmt::format("{}: storage '{}' is listed twice", s.name, key.text()));
    at += 8 + count * size->second;
  }
  if (at != s.size) throw FormatError(fmt::format("{}: {} bytes follow the last storage", s.name, s.size - at));
  return places;
}

constexpr std::string_view kLegacyMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);  // PyTorch's own number, as the first pickle has it

bool is_legacy(const ByteSource& s) { return s.text(0, std::min<uint64_t>(s.size, 32)).find(kLegacyMagic) != std::string::npos; }

// Five pickles: magic number, version, facts about the machine, the object, keys of the storages; then the storages.
TorchFile read_legacy(const ByteSource& s, const std::string& key) {
  uint64_t at = 0;
  const auto next = [&] {
    FilePickle p = read_pickle(s, at);
    at += p.pickle.bytes;
    return p;
  };
  if (const FilePickle magic = next(); !magic.pickle.root.is(PickleKind::bytes) || magic.pickle.root.text() != kLegacyMagic)
    throw FormatError(fmt::format("{}: does not begin as a legacy file does", s.name));
  if (const FilePickle version = next(); version.pickle.root.integer() != 1001)
    throw FormatError(fmt::format("{}: of an unknown legacy version", s.name));
  const FilePickle machine = next();
  if (const PickleValue* little = machine.pickle.root.find("little_endian"); !little || !little->integer())
    throw FormatError(fmt::format("{}: written on a big-endian machine", s.name));
  const FilePickle object = next();
  const auto sections = sections_of(object.pickle.root, s);
  const Section& chosen = choose(sections, key, s.name);

  std::map<std::string, uint64_t> places;
  TensorReader reader(s, [&](const StorageId& id, void* to) {
    const auto place = places.find(id.key);
    if (place == places.end()) throw FormatError(fmt::format("{}: storage '{}' is missing", s.name, id.key));
    if (s.number<uint64_t>(place->second) != id.bytes / size_of(id.dtype))
      throw FormatError(fmt::format("{}: storage '{}' has another size than its tensors say", s.name, id.key));
    s.read(place->second + 8, to, id.bytes);
  });
  places = storage_places(s, object.pickle, reader, at);
  return read_tensors(s, sections, chosen, reader);
}

}  // namespace

bool is_torch_file(const ByteSource& source) { return is_zip(source) || is_legacy(source); }

TorchFile read_torch(const ByteSource& source, const std::string& key) {
  if (is_zip(source)) return read_archive(source, key);
  if (!is_legacy(source)) throw FormatError(fmt::format("{}: no file of PyTorch", source.name));
  TorchFile file = read_legacy(source, key);
  file.legacy = true;
  return file;
}

}  // namespace tapetum
