// The writing half of torch_file.h: one pickle that rebuilds each tensor from a storage, and the storages, in a zip archive.
#include <fmt/core.h>

#include <map>
#include <tuple>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "core/serialization/torch_file.h"
#include "core/serialization/utf8.h"
#include "core/serialization/zip.h"

namespace tapetum {
namespace {

const char* storage_type(DType t) {
  switch (t) {
    case DType::f64:
      return "DoubleStorage";
    case DType::f32:
      return "FloatStorage";
    case DType::f16:
      return "HalfStorage";
    case DType::bf16:
      return "BFloat16Storage";
    case DType::i64:
      return "LongStorage";
    case DType::i32:
      return "IntStorage";
    case DType::u8:
      return "ByteStorage";
    case DType::i8:
      return "CharStorage";
    case DType::boolean:
      return "BoolStorage";
  }
  return nullptr;
}

// Opcodes of protocol 2, without a memo.
class PickleWriter {
 public:
  std::string bytes = "\x80\x02";

  void raw(std::string_view opcodes) { bytes += opcodes; }
  void global(const char* module, const char* name) { bytes += fmt::format("c{}\n{}\n", module, name); }
  void text(const std::string& s) {
    bytes += 'X';
    put(static_cast<uint32_t>(s.size()));
    bytes += s;
  }
  void integer(int64_t n) {
    bytes += "\x8a\x08";
    put(n);
  }
  void tuple(const Shape& numbers) {
    bytes += '(';
    for (int64_t n : numbers) integer(n);
    bytes += 't';
  }

 private:
  template <class T> void put(T value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); }
};

Shape row_major(const Shape& shape) {
  Shape strides = shape;
  int64_t step = 1;
  for (int d = shape.size() - 1; d >= 0; --d) {
    strides[d] = step;
    step *= std::max<int64_t>(shape[d], 1);
  }
  return strides;
}

void write_tensor(PickleWriter& p, const Tensor& t, size_t storage) {
  p.global("torch._utils", "_rebuild_tensor_v2");
  p.raw("((");
  p.text("storage");
  p.global("torch", storage_type(t.dtype()));
  p.text(std::to_string(storage));
  p.text("cpu");
  p.integer(t.numel());
  p.raw("tQ");
  p.integer(0);
  p.tuple(t.shape());
  p.tuple(row_major(t.shape()));
  p.raw("\x89");
  p.global("collections", "OrderedDict");
  p.raw(")RtR");
}

std::string stem_of(const std::string& path) {
  const size_t slash = path.rfind('/'), start = slash == path.npos ? 0 : slash + 1, dot = path.find('.', start);
  const std::string stem = path.substr(start, dot == path.npos ? dot : dot - start);
  return stem.empty() ? "archive" : stem;
}

}  // namespace

void save_torch(const StateDict& tensors, const std::string& path) {
  NoGrad no_grad;
  PickleWriter pickle;
  pickle.global("collections", "OrderedDict");
  pickle.raw(")R(");
  std::vector<Tensor> storages;
  std::map<std::tuple<const void*, int64_t, std::string, std::string>, size_t> known;  // what is tied: storage, offset, shape, strides
  for (const auto& [name, t] : tensors) {
    if (!t.defined()) throw Error(fmt::format("{}: tensor '{}' is undefined", path, name));
    if (!is_utf8(name)) throw FormatError(fmt::format("{}: a name is not UTF-8", path));
    const auto [at, added] = known.try_emplace(
        {t.impl().storage.get(), t.impl().offset, to_string(t.shape()) + name_of(t.dtype()), to_string(t.strides())}, storages.size());
    if (added) storages.push_back(t);
    pickle.text(name);
    write_tensor(pickle, t, at->second);
  }
  pickle.raw("u.");

  const std::string folder = stem_of(path) + '/';
  AtomicFile file(path);
  ZipWriter zip(file);
  const auto add = [&](const std::string& name, const std::string& content) { zip.add(folder + name, content.data(), content.size()); };
  add("data.pkl", pickle.bytes);
  add("byteorder", "little");
  for (size_t i = 0; i < storages.size(); ++i) {
    const Tensor dense = contiguous(to(storages[i], Device()));
    zip.add(folder + "data/" + std::to_string(i), dense.raw(), static_cast<uint64_t>(dense.numel()) * size_of(dense.dtype()));
  }
  add("version", "3\n");
  zip.finish();
  file.commit();
}

}  // namespace tapetum
