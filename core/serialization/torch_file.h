// PyTorch's own files (.pth, .pt): a zip archive of a pickle and one member for each storage, or, before version 1.6, pickles followed by
// the storages ("legacy"). Nothing in them is executed (core/serialization/pickle.h): tensors come out by the path of keys and attributes that
// leads to them, also out of whole pickled modules, as state_dict() would name them.
#pragma once
#include <string>
#include <vector>

#include "core/serialization/byte_source.h"
#include "core/serialization/state_dict.h"

namespace tapetum {

struct TorchFile : StateDict {  // on the CPU; those that share a storage in the file share it here
  bool legacy = false;
  std::string key;                // of the top dict's entry that holds the tensors: "state_dict"; empty when they lie at the top
  std::vector<std::string> keys;  // of all entries that hold tensors
};

bool is_torch_file(const ByteSource& source);

// A checkpoint's top dict may have several entries with tensors: `key` chooses one ("optimizer", "epoch.ema"), "" takes the first there is of
// state_dict, model_state_dict, model, ema and a few more names, or the only one. Throws FormatError for a file that is damaged, wants to execute
// something, or holds what is no strided tensor of a dtype that we have; its text names what it is about. At no time does reading take more
// memory than twice the file's size and a megabyte.
TorchFile read_torch(const ByteSource& source, const std::string& key = "");

// A zip archive that torch.load(path, weights_only=True) reads as an OrderedDict. Tensors of one storage, place and shape stay tied, others are
// written in logical order. Atomic, as save(); the same tensors give the same bytes. Throws as save() does.
void save_torch(const StateDict& tensors, const std::string& path);

}  // namespace tapetum
