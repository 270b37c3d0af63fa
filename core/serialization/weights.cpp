#include "core/serialization/weights.h"

#include <fmt/format.h>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/serialization/byte_source.h"
#include "core/serialization/onnx_weights.h"
#include "core/serialization/torch_file.h"

namespace tapetum {
namespace {

constexpr std::string_view kWrappers[] = {"module.", "_orig_mod."};

void assign(Weights& w, StateDict&& tensors) { static_cast<StateDict&>(w) = std::move(tensors); }

// Takes off what a wrapper put in front of every name.
void strip(Weights& w) {
  for (bool again = true; again;) {
    again = false;
    for (std::string_view prefix : kWrappers) {
      bool all = w.size() > 0;
      for (const auto& [name, t] : w) all &= name.size() > prefix.size() && name.starts_with(prefix);
      if (!all) continue;
      StateDict bare;
      for (const auto& [name, t] : w) bare.set(name.substr(prefix.size()), t);
      assign(w, std::move(bare));
      w.notes.push_back(fmt::format("all names began with '{}', which was taken off", prefix));
      again = true;
    }
  }
}

Weights read_any(const ByteSource& source, const std::string& key) {
  Weights w;
  if (is_torch_file(source)) {
    TorchFile file = read_torch(source, key);
    w.format = file.legacy ? "pth (legacy)" : "pth";
    if (!file.key.empty()) w.notes.push_back(fmt::format("the tensors are those under '{}'", file.key));
    if (file.keys.size() > 1) w.notes.push_back(fmt::format("there are tensors under: {}", fmt::join(file.keys, ", ")));
    assign(w, std::move(file));
    return w;
  }
  if (!key.empty()) throw FormatError(fmt::format("{}: has no parts to choose from: only checkpoints of PyTorch have keys", source.name));
  if (is_onnx(source)) {
    w.format = "onnx";
    assign(w, read_onnx_weights(source));
  } else if (is_safetensors(source)) {
    w.format = "safetensors";
    static_cast<Safetensors&>(w) = read_safetensors(source);
  } else {
    throw FormatError(fmt::format("{}: neither safetensors, nor a .pth of PyTorch, nor an ONNX model", source.name));
  }
  return w;
}

Weights read(const ByteSource& source, const WeightsOptions& options) {
  NoGrad no_grad;
  Weights w = read_any(source, options.key);
  strip(w);
  if (!options.dtype) return w;
  StateDict converted;
  for (const auto& [name, t] : w) converted.set(name, is_floating(t.dtype()) ? to(t, *options.dtype) : t);
  assign(w, std::move(converted));
  return w;
}

}  // namespace

Weights load_weights(const std::string& path, const WeightsOptions& options) { return read(FileSource(path), options); }
Weights parse_weights(std::string_view bytes, const std::string& name, const WeightsOptions& options) {
  return read(MemorySource(name, bytes), options);
}

}  // namespace tapetum
