#include "models/create.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/nearest.h"
#include "models/families.h"

namespace tapetum::models {
namespace {

const Offers& all_offers() {
  static const Offers all = [] {
    Offers offers;
    for (const auto family :
         {lenet_offers, alexnet_offers, vgg_offers, simple_cnn_offers, squeezenet_offers, resnet_offers, cifar_resnet_offers, mobilenet_v2_offers,
          mobilenet_v3_offers, efficientnet_offers, efficientnet_lite_offers, convnext_offers, vit_offers, plain_vit_offers})
      for (const Offer& offer : family()) offers.push_back(offer);
    return offers;
  }();
  return all;
}

[[noreturn]] void throw_unknown(const std::string& name) {
  std::vector<std::string> names;
  for (const Offer& offer : all_offers()) names.push_back(offer.name);
  throw Error(fmt::format("create: no model is called '{}'; the nearest names are {}", name, fmt::join(nearest(name, names, 4), ", ")));
}

}  // namespace

nn::Box<Classifier> create(const std::string& name, const CreateOptions& options) {
  for (const Offer& offer : all_offers())
    if (name == offer.name) {
      CreateOptions o = options;
      if (o.classes == 0) o.classes = offer.classes;
      if (o.image_size == Size2(0)) o.image_size = offer.image_size;
      return offer.make(o);
    }
  throw_unknown(name);
}

const std::vector<ModelEntry>& list() {
  static const std::vector<ModelEntry> entries(all_offers().begin(), all_offers().end());
  return entries;
}

}  // namespace tapetum::models
