#include <catch2/catch.hpp>
#include <cstring>

#include "data/file.h"
#include "tapetum.h"

namespace tapetum {
namespace {

// The numbers of a NumPy file, whose header's text ends with the line: "<f4" or "|u1".
template <class T> Tensor numbers(const std::string& path, const Shape& shape) {
  const std::string bytes = data::read_file(path);
  const size_t size = static_cast<size_t>(shape.numel()) * sizeof(T);
  REQUIRE(bytes.size() > size);
  Tensor t = empty(shape, dtype_of<T>());
  std::memcpy(t.mutable_data<T>(), bytes.data() + bytes.size() - size, size);
  return t;
}

}  // namespace

TEST_CASE("zoo: SqueezeNet with its published weights gives the recorded logits", "[data]") {
  const char* root = std::getenv("TAPETUM_DATA");
  if (!root) {
    WARN("skipped: TAPETUM_DATA is not set");
    return;
  }
  const std::string folder = std::string(root) + "/weights/squeezenet1_1/";
  auto model = models::create("squeezenet1_1");
  REQUIRE(model->load_state_dict(load(folder + "squeezenet1_1_caffe_fp16.safetensors")).complete());
  model->eval();
  const Tensor image = numbers<uint8_t>(folder + "golden/input_tench_3x224x224_u8_rgb.npy", {1, 3, 224, 224});
  const Tensor logits = numbers<float>(folder + "golden/output_logits_1000_f32.npy", {1, 1000});
  InferenceMode mode;
  const Tensor x = to(image, DType::f32) - tensor({123, 117, 104}, {3, 1, 1});  // the mean image's colour, in RGB
  REQUIRE(amax(abs((*model)(x)-logits)).item() < 1e-4);
}

}  // namespace tapetum
