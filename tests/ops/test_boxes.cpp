#include <catch2/catch.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "core/cuda_graph.h"
#include "tests/ops/boxes_cases.h"

namespace tapetum::test {

OP_TESTS("boxes", boxes_cases)

namespace {

using kernels::Isa;
using kernels::KernelGuard;
using Places = std::vector<int64_t>;

Places places(const Tensor& x) {
  const Tensor here = to(x, DeviceKind::cpu);
  return {here.data<int64_t>(), here.data<int64_t>() + here.numel()};
}

template <class T> Tensor tensor_of(std::vector<T>& values, const Shape& shape) { return clone(from_blob(values.data(), shape, dtype_of<T>())); }

template <class T> struct Scene {
  std::vector<T> boxes, scores;  // four numbers a box
  std::vector<int64_t> classes;
  double threshold = 0.5;

  int64_t size() const { return static_cast<int64_t>(scores.size()); }
  const T* box(int64_t i) const { return boxes.data() + 4 * i; }
  Tensor box_tensor(Device d = {}) { return to(tensor_of(boxes, {size(), 4}), d); }
  Tensor score_tensor(Device d = {}) { return to(tensor_of(scores, {size()}), d); }
  Tensor class_tensor(Device d = {}) { return to(tensor_of(classes, {size()}), d); }
};

// As torchvision defines it.
template <class T> T iou_of(const T* a, const T* b) {
  const T w = std::max(T(0), std::min(a[2], b[2]) - std::max(a[0], b[0])), h = std::max(T(0), std::min(a[3], b[3]) - std::max(a[1], b[1]));
  const T shared = w * h;
  return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared);
}

// By the definition: best first, and each against all that stayed.
template <class T> Places expected(const Scene<T>& s, bool by_class) {
  Places order, kept;
  for (int64_t i = 0; i < s.size(); ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
    const T a = s.scores[i], b = s.scores[j];
    return a > b || (a == a && b != b);
  });
  for (int64_t j : order) {
    const auto strikes = [&](int64_t i) {
      return (!by_class || s.classes[i] == s.classes[j]) && static_cast<double>(iou_of(s.box(i), s.box(j))) > s.threshold;
    };
    if (std::none_of(kept.begin(), kept.end(), strikes)) kept.push_back(j);
  }
  return kept;
}

// Boxes on a coarse grid and free ones, with what a program must not stumble over: duplicates, no area, inverted corners, NaN and infinity,
// equal scores and scores that are NaN, and a threshold that often is the overlap of two of the boxes to the last bit.
template <class T> Scene<T> planted(std::mt19937& random, int64_t n) {
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  const auto real = [&](double high) { return static_cast<T>(std::uniform_real_distribution<double>(0, high)(random)); };
  const T odd[] = {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::infinity(), T(0)};
  Scene<T> s;
  const bool grid = below(2), wild = below(3) == 0;
  for (int64_t i = 0; i < n; ++i) {
    T box[4] = {grid ? T(below(8)) : real(60), grid ? T(below(8)) : real(60)};
    box[2] = box[0] + (grid ? T(below(6)) : real(40)), box[3] = box[1] + (grid ? T(below(6)) : real(40));
    if (i && below(8) == 0) std::copy_n(s.box(below(static_cast<int>(i))), 4, box);
    if (wild && below(6) == 0) std::swap(box[0], box[2]);
    if (wild && below(6) == 0) box[below(4)] = odd[below(4)];
    s.boxes.insert(s.boxes.end(), box, box + 4);
    s.scores.push_back(wild && below(8) == 0 ? odd[below(4)] : below(2) ? T(below(5)) / 4 : real(1));
    s.classes.push_back(below(3) - 1);
  }
  const double thresholds[] = {0, 0.3, 0.5, 0.7, 1, -0.5};
  s.threshold = thresholds[below(6)];
  if (n && below(2)) {
    const T exact = iou_of(s.box(below(static_cast<int>(n))), s.box(below(static_cast<int>(n))));
    if (exact == exact) s.threshold = below(2) ? static_cast<double>(exact) : std::nextafter(static_cast<double>(exact), 0.0);
  }
  return s;
}

void check_padded(const PaddedNms& found, Places expected) {
  const auto room = static_cast<size_t>(found.kept.numel());
  if (found.count.item() != static_cast<double>(expected.size())) FAIL("nms_padded says " << found.count.item());
  expected.resize(room, -1);
  if (places(found.kept) != expected) FAIL("nms_padded of " << room << " boxes");
}

template <class T> void check_scene(Scene<T>& s, Device device = {}) {
  const Tensor boxes = s.box_tensor(device), scores = s.score_tensor(device);
  if (places(nms(boxes, scores, s.threshold)) != expected(s, false)) {
    INFO(s.size() << " boxes, threshold " << s.threshold);
    REQUIRE(places(nms(boxes, scores, s.threshold)) == expected(s, false));
  }
  if (places(batched_nms(boxes, scores, s.class_tensor(device), s.threshold)) != expected(s, true)) FAIL("batched_nms of " << s.size() << " boxes");
  check_padded(nms_padded(boxes, scores, {}, s.threshold), expected(s, false));
}

template <class T> void check_scenes(int count, int64_t most, unsigned seed, Device device = {}) {
  std::mt19937 random(seed);
  for (int i = 0; i < count; ++i) {
    INFO("scene " << i << " of " << name_of(dtype_of<T>()));
    Scene<T> s = planted<T>(random, static_cast<int64_t>(random() % static_cast<unsigned>(most)));
    check_scene(s, device);
  }
}

// Every candidate and instruction set of the CPU.
template <class F> void for_each_cpu(F f) {
  for (const char* kernel : {"nms_forward:reference", "nms_forward:vec"})
    for (Isa isa : kernels::kIsas) {
      if (!kernels::has_isa(isa)) continue;
      INFO(kernel << " " << kernels::name_of(isa));
      KernelGuard kernel_guard(kernel);
      kernels::IsaGuard isa_guard(isa);
      f();
    }
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

}  // namespace

TEST_CASE("nms: 10,000 scenes equal the definition") {
  for_each_cpu([] {
    check_scenes<float>(5000, 40, 1);
    check_scenes<double>(5000, 40, 2);
  });
}

TEST_CASE("nms: more boxes than a tile equal the definition") {
  for_each_cpu([] { check_scenes<float>(20, 2500, 3); });
}

TEST_CASE("box_iou: the same bits from every candidate") {
  std::mt19937 random(4);
  Scene<float> a = planted<float>(random, 133), b = planted<float>(random, 251);
  const auto both = [&](Device d) {
    const Tensor x = a.box_tensor(d), y = b.box_tensor(d);
    const Tensor all = to(stack({box_iou(x, y), generalized_box_iou(x, y)}), DeviceKind::cpu);
    return where(isnan(all), -7, all);  // NaN has many bit patterns
  };
  const auto by = [&](const char* kernel, Isa isa) {
    KernelGuard kernel_guard(kernel);
    kernels::IsaGuard isa_guard(isa);
    return both({});
  };
  const Tensor exact = by("box_iou_forward:reference", Isa::baseline);
  for (Isa isa : kernels::kIsas)
    if (kernels::has_isa(isa)) REQUIRE(same_bits(by("box_iou_forward:vec", isa), exact));
#if defined(TAPETUM_WITH_CUDA)
  REQUIRE(same_bits(both(DeviceKind::cuda), exact));
#endif
}

#if defined(TAPETUM_WITH_CUDA)
TEST_CASE("nms: kept boxes on cuda are the CPU's", "[emulated]") {
  check_scenes<float>(300, 150, 5, DeviceKind::cuda);
  check_scenes<double>(100, 150, 6, DeviceKind::cuda);
}

TEST_CASE("nms: boxes on cuda may begin at any element", "[emulated]") {
  std::mt19937 random(9);
  Scene<float> s = planted<float>(random, 300);
  const Tensor flat = to(cat({zeros({1}), flatten(s.box_tensor())}, 0), DeviceKind::cuda);
  const Tensor boxes = view(slice(flat, 0, 1, flat.numel()), {s.size(), 4});
  REQUIRE(places(nms(boxes, s.score_tensor(DeviceKind::cuda), s.threshold)) == expected(s, false));
}

TEST_CASE("nms: a replayed graph finds what its boxes hold by then", "[emulated]") {
  std::mt19937 random(8);
  Tensor boxes = zeros({90, 4}, DType::f32, DeviceKind::cuda), scores = zeros({90}, DType::f32, DeviceKind::cuda);
  PaddedNms found;
  cuda::Graph graph;
  graph.capture([&] { found = nms_padded(boxes, scores, {}, 0.5); });
  for (int i = 0; i < 3; ++i) {
    Scene<float> s = planted<float>(random, 90);
    s.threshold = 0.5;
    copy_(boxes, s.box_tensor(DeviceKind::cuda));
    copy_(scores, s.score_tensor(DeviceKind::cuda));
    graph.replay();
    check_padded(found, expected(s, false));
  }
}

TEST_CASE("nms: chunks of boxes on cuda", "[emulated]") {
  std::mt19937 random(7);
  for (int64_t n : {2048, 2049, 4700}) {
    INFO(n << " boxes");
    Scene<float> s = planted<float>(random, n);
    check_scene(s, DeviceKind::cuda);
  }
}
#endif

TEST_CASE("nms: an overlap of exactly the threshold stays") {
  const Tensor boxes = tensor({0, 0, 2, 1, 1, 0, 3, 1}, {2, 4}), scores = tensor({0.5, 0.9});
  REQUIRE(places(nms(boxes, scores, 1.0 / 3)) == Places{1});  // the overlap is the float above 1 / 3
  REQUIRE(places(nms(boxes, scores, static_cast<double>(1.0f / 3))) == Places{1, 0});
  REQUIRE(places(nms(boxes, scores, 0.34)) == Places{1, 0});
  REQUIRE(places(nms(boxes, scores, 0.33)) == Places{1});
}

TEST_CASE("nms: equal scores keep their order, NaN comes last and strikes nobody") {
  const Tensor apart = tensor({0, 0, 1, 1, 2, 0, 3, 1, 4, 0, 5, 1, 6, 0, 7, 1}, {4, 4});
  REQUIRE(places(nms(apart, tensor({0.5, NAN, 0.5, 0.9}), 0.5)) == Places{3, 0, 2, 1});
  const Tensor same = tensor({0, 0, 1, 1, 0, 0, 1, 1, 0, 0, NAN, 1}, {3, 4});
  REQUIRE(places(nms(same, tensor({NAN, 0.1, 0.9}), 0.5)) == Places{2, 1});
}

TEST_CASE("batched_nms: classes are compared, wherever the boxes are") {
  // Shifted by class x 1e8 in f32, these boxes would lose their difference.
  const Tensor boxes = tensor({1e8, 0, 1e8 + 64, 64, 1e8 + 48, 0, 1e8 + 112, 64, 1e8, 0, 1e8 + 64, 64}, {3, 4});
  const Tensor scores = tensor({0.9, 0.8, 0.7});
  REQUIRE(places(batched_nms(boxes, scores, tensor({7, 7, 7}, {3}, DType::i64), 0.5)) == Places{0, 1});
  REQUIRE(places(batched_nms(boxes, scores, tensor({7, 7, -900000}, {3}, DType::i32), 0.5)) == Places{0, 1, 2});
}

TEST_CASE("nms: 16-bit boxes are compared in f32") {
  const Tensor boxes = tensor({0, 0, 1000, 1000, 0, 0, 1000, 900}, {2, 4}), scores = tensor({0.5, 0.75});
  for (DType dtype : {DType::f16, DType::bf16}) {
    REQUIRE(places(nms(to(boxes, dtype), to(scores, dtype), 0.5)) == Places{1});
    REQUIRE(box_area(to(boxes, dtype)).dtype() == DType::f32);
    REQUIRE(box_iou(to(boxes, dtype), boxes).dtype() == DType::f32);
  }
  REQUIRE(box_area(to(boxes, DType::i32)).data<int64_t>()[0] == 1000000);
}

TEST_CASE("box_iou: boxes without area, and inverted ones") {
  const Tensor boxes = tensor({0, 0, 2, 2, 1, 1, 1, 1, 2, 2, 0, 0}, {3, 4});
  const Tensor y = box_iou(boxes, boxes);
  const float* iou = y.data<float>();
  REQUIRE(iou[0] == 1);
  REQUIRE(iou[1] == 0);         // a point inside
  REQUIRE(iou[2] == 0);         // inverted: area 4, nothing shared
  REQUIRE(std::isnan(iou[4]));  // 0 / 0
  const Tensor apart = generalized_box_iou(tensor({0, 0, 1, 1}, {1, 4}), tensor({2, 0, 3, 1}, {1, 4}));
  REQUIRE(apart.item() == Approx(-1.0 / 3));  // a third of the box around both is covered by neither
}

TEST_CASE("boxes: wrong arguments are named") {
  const Tensor boxes = rand({3, 4}), scores = rand({3});
  REQUIRE_THROWS_WITH(box_area(rand({3, 5})), "box_area: expected boxes [..., 4], got [3, 5]");
  REQUIRE_THROWS_WITH(box_iou(boxes, rand({4})), "box_iou: expected boxes [N, 4], got [4]");
  REQUIRE_THROWS_WITH(nms(boxes, rand({2}), 0.5), "nms: expected scores [3] beside boxes [3, 4], got [2]");
  REQUIRE_THROWS_WITH(batched_nms(boxes, scores, rand({3}), 0.5), "batched_nms: expected classes of i64 or i32, got f32");
  REQUIRE_THROWS_WITH(batched_nms(boxes, scores, randint(0, 2, {2}), 0.5), "batched_nms: expected classes [3] beside boxes [3, 4], got [2]");
  REQUIRE_THROWS_AS(nms(to(boxes, DType::i64), scores, 0.5), DTypeError);
}

}  // namespace tapetum::test
