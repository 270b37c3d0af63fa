// A checkpoint is one safetensors file with a checksum of each tensor in its metadata ("xxh64:<name>"), written atomically:
// a process killed at any moment leaves the last whole one.
#pragma once
#include <string>

#include "core/random.h"
#include "core/serialization/safetensors.h"

namespace tapetum::train {

void save_checkpoint(const StateDict& tensors, const std::string& path, Metadata metadata);  // throws IoError
Safetensors load_checkpoint(const std::string& path);  // throws IoError; FormatError naming the tensor whose checksum is missing or wrong

// Parts of a checkpoint under a name of their own: "model" + "." + "conv1.weight".
void add_part(StateDict& whole, const std::string& part, const StateDict& tensors);
StateDict get_part(const StateDict& whole, const std::string& part);

// Small state as tensors.
Tensor pack(const std::vector<double>& values);  // f64 [n]
std::vector<double> unpack(const Tensor& values);
Tensor pack(const std::vector<int64_t>& values);  // i64 [n]
std::vector<int64_t> unpack_integers(const Tensor& values);

}  // namespace tapetum::train
