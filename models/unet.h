// U-Net (Ronneberger et al. 2015) with padded convolutions and batch norm: one logit per class and pixel, for images of any size.
#pragma once
#include "nn/containers.h"
#include "nn/conv.h"

namespace tapetum::models {

// How a level's map is brought to the size of the one above: a learnt 2 x 2 transposed convolution that halves the channels, or
// interpolation that keeps them, so that the convolution after it has more.
enum class Upsampling { transposed, bilinear, nearest };

struct UNetOptions {
  int64_t in_channels = 3, classes = 2;
  int64_t width = 64;  // channels of the first level; each level below has twice as many
  int64_t depth = 4;   // how often the size is halved
  Upsampling up = Upsampling::transposed;
  bool norm = true, bias = true;  // of the 3 x 3 convolutions; the paper has no norm
  bool checkpoint = false;  // training keeps the inputs of each DoubleConv only and computes it again in backward: less memory, a third more time
};

// Twice convolution 3 x 3, batch norm unless it is left out, ReLU.
struct DoubleConv : nn::Sequential {
  DoubleConv(int64_t in, int64_t out, bool norm = true, bool bias = true);
};

struct UNet : nn::Layer {
  explicit UNet(const UNetOptions& options = {});  // throws Error for sizes below 1
  void visit(nn::Visitor& v) override;
  // x [N, C, H, W] -> [N, classes, H, W]. Sizes need not divide by 2^depth, but must be at least that (ShapeError).
  Tensor forward(const Tensor& x) override;

  UNetOptions options;
  DoubleConv inc;                          // the first level
  nn::ModuleList<DoubleConv> down;         // the levels below it
  nn::ModuleList<nn::ConvTranspose2d> up;  // from the lowest level upwards; empty unless transposed
  nn::ModuleList<DoubleConv> conv;         // after each upsampling
  nn::Conv2d out;
};

}  // namespace tapetum::models
