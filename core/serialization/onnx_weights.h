// The weights of an ONNX model: the initialisers of its graph, by name. The graph itself is not looked at.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto: ModelProto.graph.initializer, messages TensorProto.
#pragma once
#include "core/serialization/byte_source.h"
#include "core/serialization/state_dict.h"

namespace tapetum {

bool is_onnx(const ByteSource& source);  // as far as its first bytes say

// Throws FormatError for what is no ONNX model, for tensors kept in other files, and for dtypes that we have not; the text names the tensor.
StateDict read_onnx_weights(const ByteSource& source);

}  // namespace tapetum
