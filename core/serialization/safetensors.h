// Safetensors: an 8-byte little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, then the tensors' bytes.
// https://github.com/huggingface/safetensors. The reader is strict: duplicate or unknown keys, gaps, overlaps, trailing bytes,
// sizes that disagree with dtype and shape, and booleans other than 0 and 1 are FormatErrors that name file and tensor.
// Every size is checked against the file before memory is taken, so a hostile file takes no more than a small multiple of its size.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "core/serialization/byte_source.h"
#include "core/serialization/state_dict.h"

namespace tapetum {

using Metadata = std::map<std::string, std::string>;

// What a file holds: tensors on the CPU in the header's order, and texts.
struct Safetensors : StateDict {
  Metadata metadata;
};

// Writes logical (row-major) order from any layout and device, atomically: an error leaves an older file as it was.
// Throws IoError; FormatError for a name that is not UTF-8 or is "__metadata__"; Error for an undefined tensor.
void save(const StateDict& tensors, const std::string& path, const Metadata& metadata = {});

// Throws IoError when the file cannot be read, FormatError when it is not whole and valid.
Safetensors load(const std::string& path);
Safetensors parse_safetensors(std::string_view bytes, const std::string& name);  // `name` stands for the file in errors
Safetensors read_safetensors(const ByteSource& source);
bool is_safetensors(const ByteSource& source);  // as far as its first bytes say

}  // namespace tapetum
