#include "train/checkpoint.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "train/checksum.h"

namespace tapetum::train {
namespace {

constexpr const char* kChecksum = "xxh64:";

std::string checksum(const Tensor& t) {
  NoGrad no_grad;
  const Tensor dense = contiguous(to(t, Device()));
  return fmt::format("{:016x}", xxh64(dense.raw(), static_cast<size_t>(dense.numel()) * size_of(dense.dtype())));
}

template <class T> Tensor packed(const std::vector<T>& values) {
  Tensor t = empty({static_cast<int64_t>(values.size())}, dtype_of<T>());
  std::copy(values.begin(), values.end(), t.mutable_data<T>());
  return t;
}

template <class T> std::vector<T> unpacked(const Tensor& t) { return {t.data<T>(), t.data<T>() + t.numel()}; }

}  // namespace

void save_checkpoint(const StateDict& tensors, const std::string& path, Metadata metadata) {
  for (const auto& [name, t] : tensors) metadata[kChecksum + name] = checksum(t);
  save(tensors, path, metadata);
}

Safetensors load_checkpoint(const std::string& path) {
  Safetensors file = load(path);
  for (const auto& [name, t] : file) {
    const auto expected = file.metadata.find(kChecksum + name);
    if (expected == file.metadata.end()) throw FormatError(fmt::format("{}: tensor '{}' has no checksum: not a checkpoint", path, name));
    if (expected->second != checksum(t)) throw FormatError(fmt::format("{}: tensor '{}' is damaged: its checksum is wrong", path, name));
    file.metadata.erase(expected);
  }
  return file;
}

void add_part(StateDict& whole, const std::string& part, const StateDict& tensors) {
  for (const auto& [name, t] : tensors) whole.set(part + '.' + name, t);
}

StateDict get_part(const StateDict& whole, const std::string& part) {
  StateDict found;
  const std::string prefix = part + '.';
  for (const auto& [name, t] : whole)
    if (name.compare(0, prefix.size(), prefix) == 0) found.set(name.substr(prefix.size()), t);
  return found;
}

Tensor pack(const std::vector<double>& values) { return packed(values); }
std::vector<double> unpack(const Tensor& values) { return unpacked<double>(values); }
Tensor pack(const std::vector<int64_t>& values) { return packed(values); }
std::vector<int64_t> unpack_integers(const Tensor& values) { return unpacked<int64_t>(values); }

}  // namespace tapetum::train
