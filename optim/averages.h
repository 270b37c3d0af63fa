// How what follows a list of tensors is saved: "<name>.0", ..., and "steps", the counts of all. For optim's own files.
#pragma once
#include <string>
#include <vector>

#include "core/serialization/state_dict.h"

namespace tapetum::optim {

StateDict saved_averages(const std::string& name, const std::vector<Tensor>& averages, const Tensor& steps);
// Copies into them; throws Error with `owner` and the keys that do not fit, and then has changed nothing.
void load_averages(const char* owner, const std::string& name, const StateDict& state, std::vector<Tensor>& averages, Tensor& steps);

}  // namespace tapetum::optim
