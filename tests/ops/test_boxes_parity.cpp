// torchvision's values, gradients and kept boxes (tests/fixtures/make_boxes.py).
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>

#include "data/file.h"
#include "tests/fixtures.h"
#include "tests/ops/parity.h"

namespace tapetum::test {
namespace {

using Inputs = std::vector<Tensor>;

ParityRows all_rows() {
  ParityRows rows = {
      {"area", [](const Inputs& x) { return box_area(x[0]); }},
      {"clip",
       [](const Inputs& x) {
         return clip_boxes_to_image(x[0], {7, 10});
       }},
      {"iou", [](const Inputs& x) { return box_iou(x[0], x[1]); }},
      {"giou", [](const Inputs& x) { return generalized_box_iou(x[0], x[1]); }},
  };
  const std::pair<const char*, BoxFormat> formats[] = {{"xyxy", BoxFormat::xyxy}, {"xywh", BoxFormat::xywh}, {"cxcywh", BoxFormat::cxcywh}};
  for (const auto& [a, from] : formats)
    for (const auto& [b, to] : formats)
      if (from != to) rows[std::string("convert_") + a + "_" + b] = [from = from, to = to](const Inputs& x) { return box_convert(x[0], from, to); };
  return rows;
}

void check_kept(const Tensor& kept, const Tensor& expected) {
  const Tensor here = to(kept, DeviceKind::cpu);
  REQUIRE(here.shape() == expected.shape());
  REQUIRE(std::memcmp(here.raw(), expected.raw(), static_cast<size_t>(here.numel()) * sizeof(int64_t)) == 0);
}

std::vector<Device> devices() {
#if defined(TAPETUM_WITH_CUDA)
  return {DeviceKind::cpu, DeviceKind::cuda};
#else
  return {DeviceKind::cpu};
#endif
}

void check_both(const Tensor& boxes, const Tensor& scores, const Tensor& classes, double threshold, const StateDict& file, const std::string& name) {
  for (Device d : devices()) {
    INFO(name << " on " << name_of(d.kind));
    const Tensor b = to(boxes, d), s = to(scores, d);
    check_kept(nms(b, s, threshold), file.at(name + ".nms"));
    check_kept(batched_nms(b, s, to(classes, d), threshold), file.at(name + ".batched_nms"));
  }
}

}  // namespace

TEST_CASE("boxes: values and gradients are torchvision's", "[parity]") { check_parity(load(fixture("boxes.safetensors")), all_rows()); }

TEST_CASE("nms: the boxes that torchvision keeps", "[parity]") {
  const StateDict file = load(fixture("nms.safetensors"));
  for (const std::string name : {"some", "many", "loose", "none"})
    check_both(file.at(name + ".boxes"), file.at(name + ".scores"), file.at(name + ".classes"), file.at(name + ".threshold").item(), file, name);
}

TEST_CASE("nms: the boxes that torchvision keeps of 6,300 predictions of YOLOv5n on a photo", "[parity]") {
  const char* root = std::getenv("TAPETUM_DATA");
  if (!root) {
    WARN("skipped: TAPETUM_DATA is not set");
    return;
  }
  const std::string bytes = data::read_file(std::string(root) + "/weights/yolov5n/golden/output_6300x85_f32.npy");
  Tensor y = empty({6300, 85});
  const size_t size = static_cast<size_t>(y.numel()) * sizeof(float);
  REQUIRE(bytes.size() > size);
  std::memcpy(y.mutable_raw(), bytes.data() + bytes.size() - size, size);  // behind the header
  const auto [best, classes] = max(slice(y, 1, 5, 85), 1);
  const Tensor boxes = box_convert(slice(y, 1, 0, 4), BoxFormat::cxcywh, BoxFormat::xyxy), scores = select(y, 1, 4) * best;
  check_both(boxes, scores, classes, 0.45, load(fixture("nms.safetensors")), "yolo");
}

}  // namespace tapetum::test
