// Weights that both sides of a comparison derive from their names, so that no file has to hold them.
#pragma once
#include <string>

#include "nn/module.h"

namespace tapetum::test {

// FNV-1a of the key seeds splitmix64; rounded to f32, as tests/fixtures/make_models.py has it.
Tensor derived_uniform(const std::string& key, const Shape& shape, double low, double high);

// Every parameter and buffer of an f32 model; `gain` scales the norms' weights.
void fill_by_name(nn::Module& model, double gain);

}  // namespace tapetum::test
