#include "core/ops/boxes.h"

#include <fmt/core.h>

#include "core/autograd/apply.h"
#include "core/error.h"
#include "core/ops/activation.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/launch.h"
#include "core/ops/promotion.h"
#include "core/ops/sort.h"
#include "core/ops/view.h"
#include "kernels/boxes.h"

namespace tapetum {
namespace {

void check_boxes(const char* op, const Tensor& boxes) {
  if (boxes.dim() == 0 || boxes.size(-1) != 4) throw ShapeError(fmt::format("{}: expected boxes [..., 4], got {}", op, to_string(boxes.shape())));
}

Tensor column(const Tensor& boxes, int64_t i) { return select(boxes, -1, i); }

struct Corners {
  Tensor x1, y1, x2, y2;
  explicit Corners(const Tensor& boxes) : x1(column(boxes, 0)), y1(column(boxes, 1)), x2(column(boxes, 2)), y2(column(boxes, 3)) {}
  Tensor area() const { return (x2 - x1) * (y2 - y1); }
};

struct BoxIouOp {
  static constexpr OpInfo info{"box_iou"};
  struct Options {
    bool generalized;
    template <class S, class V> static void fields(S& s, V&& v) { v("generalized", s.generalized); }
  };

  static Tensor forward(Context&, const Options& o, const Tensor& a, const Tensor& b) {
    const Tensor rows = contiguous(a), columns = contiguous(b);
    Tensor y = empty({a.size(0), b.size(0)}, a.dtype(), a.device());
    launch(kernels::box_iou_forward, a.device(), a.dtype(),
           {{a.size(0), b.size(0), o.generalized, a.dtype()}, rows.raw(), columns.raw(), y.mutable_raw()});
    return y;
  }

  static Gradients backward(const Context& c, const Options& o, const Tensor& gy) {
    EnableGrad recording;
    const Tensor x[] = {c.saved(0).detach().set_requires_grad(), c.saved(1).detach().set_requires_grad()};
    const Gradients g = gradients_of_twin(twin(o, x[0], x[1]), gy, x, 2);
    return {g[0].detach(), g[1].detach()};
  }

  // The operations of kernels/box_overlap.h, one tensor each.
  static Tensor twin(const Options& o, const Tensor& a, const Tensor& b) {
    const Corners p(unsqueeze(a, 1)), q(b);
    const auto product = [](const Tensor& w, const Tensor& h) { return clamp_min(w, 0) * clamp_min(h, 0); };
    const Tensor shared = product(minimum(p.x2, q.x2) - maximum(p.x1, q.x1), minimum(p.y2, q.y2) - maximum(p.y1, q.y1));
    const Tensor both = p.area() + q.area() - shared;
    if (!o.generalized) return shared / both;
    const Tensor around = product(maximum(p.x2, q.x2) - minimum(p.x1, q.x1), maximum(p.y2, q.y2) - minimum(p.y1, q.y1));
    return shared / both - (around - both) / around;
  }
};

void check_box_list(const char* op, const Tensor& boxes) {
  if (boxes.dim() != 2 || boxes.size(1) != 4) throw ShapeError(fmt::format("{}: expected boxes [N, 4], got {}", op, to_string(boxes.shape())));
}

Tensor overlaps(const char* op, const Tensor& a, const Tensor& b, bool generalized) {
  check_box_list(op, a);
  check_box_list(op, b);
  check_device(op, a, b);
  const DType dtype = promote(promote(a.dtype(), b.dtype()), DType::f32);
  return apply<BoxIouOp>({generalized}, to(a, dtype), to(b, dtype));
}

// One number for each box.
void check_beside(const char* op, const char* name, const Tensor& x, const Tensor& boxes) {
  if (x.dim() != 1 || x.size(0) != boxes.size(0))
    throw ShapeError(
        fmt::format("{}: expected {} [{}] beside boxes {}, got {}", op, name, boxes.size(0), to_string(boxes.shape()), to_string(x.shape())));
  check_device(op, boxes, x);
}

// `places` [N] has the boxes that stay written over its beginning.
PaddedNms suppress(const char* op, const Tensor& boxes, const Tensor& scores, const Tensor& classes, double threshold, Tensor places) {
  check_floating(op, boxes);
  check_floating(op, scores);
  check_beside(op, "scores", scores, boxes);
  if (classes.defined()) {
    if (classes.dtype() != DType::i64 && classes.dtype() != DType::i32)
      throw DTypeError(fmt::format("{}: expected classes of i64 or i32, got {}", op, name_of(classes.dtype())));
    check_beside(op, "classes", classes, boxes);
  }
  const Device device = boxes.device();
  if (device.kind == DeviceKind::meta) throw DeviceError(fmt::format("{}: the result's size depends on values, which the meta device has not", op));
  NoGrad off;
  const Tensor dense = contiguous(to(boxes, compute_type(boxes.dtype())));
  const Tensor order = argsort(-scores);  // best first; NaN, the greatest value of a sort, last
  const Tensor groups = classes.defined() ? contiguous(to(classes, DType::i64)) : Tensor();
  Tensor count = empty({}, DType::i64, device);
  launch(
      kernels::nms_forward, device, dense.dtype(),
      {boxes.size(0), dense.dtype(), threshold, dense.raw(), static_cast<const int64_t*>(order.raw()),
       static_cast<const int64_t*>(data_or_null(groups)), static_cast<int64_t*>(places.mutable_raw()), static_cast<int64_t*>(count.mutable_raw())});
  return {places, count};
}

Tensor kept_boxes(const char* op, const Tensor& boxes, const Tensor& scores, const Tensor& classes, double threshold) {
  check_box_list(op, boxes);
  const PaddedNms found = suppress(op, boxes, scores, classes, threshold, empty({boxes.size(0)}, DType::i64, boxes.device()));
  return slice(found.kept, 0, 0, static_cast<int64_t>(found.count.item()));
}

}  // namespace

Tensor box_convert(const Tensor& boxes, BoxFormat from, BoxFormat to) {
  check_boxes("box_convert", boxes);
  if (from == to) return boxes;
  const Tensor a = column(boxes, 0), b = column(boxes, 1), c = column(boxes, 2), d = column(boxes, 3);
  const auto box = [](const Tensor& x, const Tensor& y, const Tensor& z, const Tensor& w) { return stack({x, y, z, w}, -1); };
  const auto corners = [&] {
    switch (from) {
      case BoxFormat::xywh:
        return box(a, b, a + c, b + d);
      case BoxFormat::cxcywh:
        return box(a - c * 0.5, b - d * 0.5, a + c * 0.5, b + d * 0.5);
      default:
        return boxes;
    }
  };
  if (to == BoxFormat::xyxy) return corners();
  const Corners p(corners());
  const Tensor w = p.x2 - p.x1, h = p.y2 - p.y1;
  return to == BoxFormat::xywh ? box(p.x1, p.y1, w, h) : box((p.x1 + p.x2) * 0.5, (p.y1 + p.y2) * 0.5, w, h);
}

Tensor box_area(const Tensor& boxes) {
  check_boxes("box_area", boxes);
  return Corners(to(boxes, compute_type(boxes.dtype()))).area();
}

Tensor clip_boxes_to_image(const Tensor& boxes, Size2 size) {
  check_boxes("clip_boxes_to_image", boxes);
  const Corners p(boxes);
  const auto inside = [](const Tensor& x, int64_t end) { return clamp(x, 0, end); };
  return stack({inside(p.x1, size.w), inside(p.y1, size.h), inside(p.x2, size.w), inside(p.y2, size.h)}, -1);
}

Tensor box_iou(const Tensor& a, const Tensor& b) { return overlaps("box_iou", a, b, false); }
Tensor generalized_box_iou(const Tensor& a, const Tensor& b) { return overlaps("generalized_box_iou", a, b, true); }

Tensor nms(const Tensor& boxes, const Tensor& scores, double iou_threshold) { return kept_boxes("nms", boxes, scores, {}, iou_threshold); }
Tensor batched_nms(const Tensor& boxes, const Tensor& scores, const Tensor& classes, double iou_threshold) {
  if (!classes.defined()) throw Error("batched_nms: classes are undefined");
  return kept_boxes("batched_nms", boxes, scores, classes, iou_threshold);
}
PaddedNms nms_padded(const Tensor& boxes, const Tensor& scores, const Tensor& classes, double iou_threshold) {
  check_box_list("nms_padded", boxes);
  return suppress("nms_padded", boxes, scores, classes, iou_threshold, full({boxes.size(0)}, -1, DType::i64, boxes.device()));
}

}  // namespace tapetum
