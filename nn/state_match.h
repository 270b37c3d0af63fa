// How the tensors of a file fit a module, for people: what load_state_dict would refuse, and what was probably meant.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "nn/module.h"

namespace tapetum::nn {

struct StateMatch {
  int64_t matching = 0;  // names with the same shape on both sides
  LoadReport report;
  std::vector<std::pair<std::string, std::string>>
      renamed;  // of the module, of the file: missing here and unexpected there, same shape, nearest name

  bool fits() const { return report.complete(); }
  std::string summary() const;  // one line: "118 of 122 tensors fit; missing: conv1.weight, ... (4); ..."
};

// At most the first `most` missing names are looked for under another name.
StateMatch match_state(Module& module, const StateDict& state, size_t most = 100);

}  // namespace tapetum::nn
