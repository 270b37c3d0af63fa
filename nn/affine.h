// What convolutions, Linear and the norms share: a weight and a bias, each of which may be undefined.
#pragma once
#include "nn/module.h"

namespace tapetum::nn {

struct AffineLayer : Layer {
  void visit(Visitor& v) override {
    v.parameter("weight", weight);
    v.parameter("bias", bias);
  }
  Parameter weight, bias;
};

}  // namespace tapetum::nn
