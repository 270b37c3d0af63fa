// Weights from any file that the field uses: safetensors, PyTorch's .pth and .pt (zip and legacy), the initialisers of ONNX models.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/serialization/safetensors.h"

namespace tapetum {

struct Weights : Safetensors {
  std::string format;              // "safetensors", "pth", "pth (legacy)", "onnx"
  std::vector<std::string> notes;  // what was found and done on the way, a sentence each
};

struct WeightsOptions {
  std::string key = {};                       // which part of a checkpoint: core/serialization/torch_file.h
  std::optional<DType> dtype = std::nullopt;  // floating-point tensors are converted to it
};

// What the file is, its first bytes say, not its name. The prefixes "module." (DataParallel) and "_orig_mod." (torch.compile) are taken off where all
// names have them. Throws IoError when the file cannot be read, FormatError when it is none of these or not whole; nothing in it is executed.
Weights load_weights(const std::string& path, const WeightsOptions& options = {});
Weights parse_weights(std::string_view bytes, const std::string& name, const WeightsOptions& options = {});

}  // namespace tapetum
