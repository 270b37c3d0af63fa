// The families that create() knows. Each file says itself which names it offers and how they are made; a new one is declared here, listed in
// create.cpp, and gets a line in tests/fixtures/make_models.py, which compares it with PyTorch.
#pragma once
#include "models/create.h"

namespace tapetum::models {

// `make` gets options whose classes and image_size are filled in.
struct Offer : ModelEntry {
  nn::Box<Classifier> (*make)(const CreateOptions&);
};
using Offers = std::vector<Offer>;

inline double given_or(double option, double own) { return option < 0 ? own : option; }

Offers lenet_offers();
Offers alexnet_offers();
Offers vgg_offers();
Offers simple_cnn_offers();
Offers squeezenet_offers();
Offers resnet_offers();
Offers cifar_resnet_offers();
Offers mobilenet_v2_offers();
Offers mobilenet_v3_offers();
Offers efficientnet_offers();
Offers efficientnet_lite_offers();
Offers convnext_offers();
Offers vit_offers();
Offers plain_vit_offers();

}  // namespace tapetum::models
