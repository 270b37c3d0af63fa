// Which of Adam's relatives a step is: the same moments, other factors of them (kernels/optimizer.h).
#pragma once

namespace tapetum::kernels {

enum class AdamRule { adam, nadam, radam };
inline const char* name_of(AdamRule r) { return r == AdamRule::adam ? "adam" : r == AdamRule::nadam ? "nadam" : "radam"; }

}  // namespace tapetum::kernels
