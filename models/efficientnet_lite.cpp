#include "models/efficientnet_lite.h"

#include "core/ops/activation.h"
#include "core/ops/elementwise.h"
#include "core/ops/reduce.h"
#include "models/efficientnet.h"
#include "models/families.h"
#include "models/initial.h"
#include "nn/fuse.h"

namespace tapetum::models {
namespace {

constexpr double kEps = 1e-3, kMomentum = 0.01;  // TensorFlow counts momentum from the other end: 0.99

nn::BatchNorm2d norm(int64_t channels) { return nn::BatchNorm2d(channels, {.eps = kEps, .momentum = kMomentum}); }
Tensor conv_norm(nn::Conv2d& conv, nn::BatchNorm2d& norm, const Tensor& x) { return conv_norm_act(conv, norm, ConvActivation::none, x); }
nn::Conv2dSame pointwise(int64_t in, int64_t out) { return nn::Conv2dSame(in, out, 1, {.bias = false}); }

nn::ModuleList<EfficientNetLiteBlock> blocks(double drop_path) {
  nn::ModuleList<EfficientNetLiteBlock> list;
  int64_t in = 32;
  for (const EfficientNetStage& s : kEfficientNetB0)
    for (int64_t i = 0; i < s.blocks; ++i) {
      const double drop = drop_path * static_cast<double>(list.size()) / kEfficientNetB0Blocks;
      list.add(EfficientNetLiteBlock(in, s.out, s.expand, s.kernel_size, i == 0 ? s.stride : 1, drop));
      in = s.out;
    }
  return list;
}

const EfficientNetLiteOptions& checked(const EfficientNetLiteOptions& o) {
  check_positive("EfficientNetLite", {{"in_channels", o.in_channels}, {"classes", o.classes}});
  return o;
}

}  // namespace

EfficientNetLiteBlock::EfficientNetLiteBlock(int64_t in, int64_t out, int64_t expand, int64_t kernel_size, int64_t stride, double drop_path)
    : _depthwise_conv(in * expand, in * expand, kernel_size, {.stride = stride, .groups = in * expand, .bias = false}),
      _bn1(norm(in * expand)),
      _project_conv(pointwise(in * expand, out)),
      _bn2(norm(out)),
      drop_path(drop_path),
      residual(stride == 1 && in == out) {
  if (expand == 1) return;
  _expand_conv = pointwise(in, in * expand);
  _bn0 = norm(in * expand);
}

void EfficientNetLiteBlock::visit(nn::Visitor& v) {
  v("_expand_conv", _expand_conv);
  v("_bn0", _bn0);
  v("_depthwise_conv", _depthwise_conv);
  v("_bn1", _bn1);
  v("_project_conv", _project_conv);
  v("_bn2", _bn2);
  v("drop_path", drop_path);
}

Tensor EfficientNetLiteBlock::forward(const Tensor& x) {
  Tensor y = _expand_conv ? relu6(conv_norm(*_expand_conv, *_bn0, x)) : x;
  y = relu6(conv_norm(_depthwise_conv, _bn1, y));
  y = conv_norm(_project_conv, _bn2, y);
  return residual ? x + drop_path(y) : y;
}

EfficientNetLite::EfficientNetLite(const EfficientNetLiteOptions& o)
    : options(checked(o)),
      _conv_stem(o.in_channels, 32, 3, {.stride = 2, .bias = false}),
      _bn0(norm(32)),
      _blocks(blocks(o.drop_path)),
      _conv_head(pointwise(320, 1280)),
      _bn1(norm(1280)),
      dropout(o.dropout),
      _fc(1280, o.classes) {
  initial::kaiming_fan_out(*this);
  initial::uniform_by_outputs(_fc);
}

void EfficientNetLite::visit(nn::Visitor& v) {
  v("_conv_stem", _conv_stem);
  v("_bn0", _bn0);
  v("_blocks", _blocks);
  v("_conv_head", _conv_head);
  v("_bn1", _bn1);
  v("dropout", dropout);
  v("_fc", _fc);
}

Tensor EfficientNetLite::forward_features(const Tensor& x) {
  check_images("EfficientNetLite", x, options.in_channels, 1);
  Tensor y = relu6(conv_norm(_conv_stem, _bn0, x));
  for (size_t i = 0; i < _blocks.size(); ++i) y = _blocks[i](y);
  y = relu6(conv_norm(_conv_head, _bn1, y));
  return mean(y, {2, 3});
}

Tensor EfficientNetLite::forward_head(const Tensor& features) { return _fc(dropout(features)); }

Offers efficientnet_lite_offers() {
  return {{{"efficientnet_lite0", "efficientnet_lite", 1000, 224, "Tan and Le 2019, arXiv:1905.11946, without its squeeze-and-excitation"},
           [](const CreateOptions& o) {
             return nn::Box<Classifier>(EfficientNetLite(
                 {.in_channels = o.in_channels, .classes = o.classes, .dropout = given_or(o.dropout, 0.2), .drop_path = given_or(o.drop_path, 0.2)}));
           }}};
}

}  // namespace tapetum::models
