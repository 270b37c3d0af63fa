#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/view.h"
#include "core/serialization/torch_file.h"
#include "core/serialization/weights.h"
#include "tests/folder.h"
#include "tests/fixtures.h"

namespace tapetum {
namespace {

std::string weights_file(const std::string& name) { return test::fixture("weights/" + name); }

// Every tensor of the fixtures holds 0, 1, 2, ... in logical order.
bool counts(const Tensor& t) {
  const Tensor dense = to(contiguous(t), DType::f64);
  for (int64_t i = 0; i < dense.numel(); ++i)
    if (dense.data<double>()[i] != static_cast<double>(i)) return false;
  return true;
}

void check_everything(const StateDict& state) {
  const std::pair<const char*, DType> matrices[] = {{"f64", DType::f64}, {"f32", DType::f32}, {"f16", DType::f16}, {"bf16", DType::bf16},
                                                    {"i64", DType::i64}, {"i32", DType::i32}, {"u8", DType::u8},   {"i8", DType::i8}};
  for (const auto& [name, dtype] : matrices) {
    INFO(name);
    REQUIRE((state.at(name).dtype() == dtype && state.at(name).shape() == Shape{2, 3} && counts(state.at(name))));
  }
  REQUIRE(to(state.at("bool"), DType::u8).data<uint8_t>()[1] == 1);
  REQUIRE((state.at("scalar").dim() == 0 && state.at("scalar").item() == 2.5));
  REQUIRE(state.at("empty").shape() == Shape{0, 7});
  REQUIRE((state.at("transposed").shape() == Shape{3, 2} && state.at("transposed").strides() == Shape{1, 3} && counts(state.at("transposed"))));
  REQUIRE((state.at("sliced").shape() == Shape{4} && counts(state.at("sliced"))));
  REQUIRE((state.at("channels_last").is_channels_last() && counts(state.at("channels_last"))));
  REQUIRE(state.at("tied.a").raw() == state.at("tied.b").raw());
  REQUIRE(state.contains("ünï.weight"));
  REQUIRE(state.size() == 17);
  REQUIRE(state.begin()->first == "f64");
}

const std::vector<std::string> kNet = {"scale",
                                       "grid",
                                       "features.0.weight",
                                       "features.0.bias",
                                       "features.1.weight",
                                       "features.1.bias",
                                       "features.1.running_mean",
                                       "features.1.running_var",
                                       "features.1.num_batches_tracked",
                                       "fc.weight",
                                       "fc.bias"};

std::vector<std::string> names_of(const StateDict& state) {
  std::vector<std::string> names;
  for (const auto& [name, t] : state) names.push_back(name);
  return names;
}

}  // namespace

TEST_CASE("weights: zip and legacy files of PyTorch, in protocols 2 and 4") {
  for (const char* name : {"zip.pth", "legacy.pth", "protocol4.pth", "legacy_protocol4.pth"}) {
    INFO(name);
    const Weights w = load_weights(weights_file(name));
    check_everything(w);
    REQUIRE(w.format == (std::string(name).starts_with("legacy") ? "pth (legacy)" : "pth"));
    REQUIRE(w.notes.empty());
  }
}

TEST_CASE("weights: a checkpoint's state dict is found, prefixes are taken off, and both are said") {
  for (const char* name : {"checkpoint.pth", "legacy_checkpoint.pth"}) {
    INFO(name);
    const Weights w = load_weights(weights_file(name));
    REQUIRE(names_of(w) == kNet);
    REQUIRE((counts(w.at("fc.weight")) && counts(w.at("grid"))));
    REQUIRE(w.notes.size() == 3);
    REQUIRE_THAT(w.notes[0], Catch::Contains("'state_dict'"));
    REQUIRE_THAT(w.notes[1], Catch::Contains("state_dict, optimizer"));
    REQUIRE_THAT(w.notes[2], Catch::Contains("'module.'"));
    const Weights o = load_weights(weights_file(name), {.key = "optimizer"});
    REQUIRE((o.contains("state.0.exp_avg") && o.at("state.0.exp_avg").shape() == Shape{2}));
    REQUIRE_THROWS_WITH(load_weights(weights_file(name), {.key = "ema"}), Catch::Contains("under: state_dict, optimizer"));
  }
}

TEST_CASE("weights: tensors of pickled modules come out by attribute path, and nothing is executed") {
  for (const char* name : {"module.pt", "bare_module.pt"}) {
    const Weights w = load_weights(weights_file(name), {.dtype = DType::f32});
    REQUIRE(names_of(w) == kNet);
    REQUIRE((counts(w.at("features.0.weight")) && w.at("fc.bias").dtype() == DType::f32));
    REQUIRE(w.at("features.1.num_batches_tracked").dtype() == DType::i64);
  }
}

TEST_CASE("weights: ONNX initialisers, raw and typed") {
  const Weights w = load_weights(weights_file("model.onnx"));
  REQUIRE(w.format == "onnx");
  const std::pair<const char*, DType> expected[] = {
      {"raw", DType::f32},    {"half", DType::f16},  {"ints", DType::i64},       {"bytes", DType::u8},       {"double", DType::f64},
      {"scalar", DType::f32}, {"typed", DType::f32}, {"typed_ints", DType::i64}, {"typed_half", DType::f16}, {"typed_bool", DType::boolean}};
  REQUIRE(w.size() == std::size(expected));
  for (const auto& [name, dtype] : expected) {
    INFO(name);
    REQUIRE((w.at(name).dtype() == dtype && counts(w.at(name))));
  }
  REQUIRE((w.at("typed").shape() == Shape{2, 2} && w.at("scalar").dim() == 0));
}

TEST_CASE("weights: what is written as .pth comes back, ties and all, and is the same file each time") {
  const test::Folder folder;
  const Weights w = load_weights(weights_file("zip.pth"));
  save_torch(w, folder / "a.pth");
  check_everything([&] {
    StateDict back = load_weights(folder / "a.pth");
    back.set("transposed", load_weights(weights_file("zip.pth")).at("transposed"));  // the layout is not kept, the values are
    back.set("channels_last", w.at("channels_last"));
    return back;
  }());
  REQUIRE(counts(load_weights(folder / "a.pth").at("transposed")));
  save_torch(load_weights(folder / "a.pth"), folder / "b.pth");
  std::string a = test::content(folder / "a.pth"), b = test::content(folder / "b.pth");
  for (size_t at = 0; (at = b.find("b/", at)) != b.npos; ++at) b[at] = 'a';
  REQUIRE(a == b);
  save_torch({}, folder / "none.pth");
  REQUIRE_THROWS_WITH(load_weights(folder / "none.pth"), Catch::Contains("holds no tensors"));
  StateDict bad;
  bad.set("\xff", tensor({1}, {1}));
  REQUIRE_THROWS_AS(save_torch(bad, folder / "bad.pth"), FormatError);
  REQUIRE_THROWS_AS(load_weights(folder / "absent.pth"), IoError);
  REQUIRE_THROWS_WITH(parse_weights("neither this nor that", "x"), Catch::Contains("neither safetensors"));
  REQUIRE_THROWS_WITH(parse_weights("", "x"), Catch::Contains("neither safetensors"));
}

// Read by tests/core/check_torch_files.py.
TEST_CASE("a .pth file for another reader", "[.file]") {
  const Tensor values = tensor({0, 1, 2, 3, 4, 5}, {2, 3}), tied = tensor({1, 2}, {2});
  StateDict state;
  for (DType t : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8})
    state.set(name_of(t), to(values, t));
  state.set("bool", to(tensor({0, 1, 0}, {3}), DType::boolean));
  state.set("scalar", scalar_tensor(2.5));
  state.set("empty", empty({0, 7}));
  state.set("transposed", transpose(tensor({0, 3, 1, 4, 2, 5}, {3, 2}), 0, 1));
  state.set("tied.a", tied);
  state.set("tied.b", tied);
  state.set("ünï", tied + 1);
  save_torch(state, "other.pth");
}

TEST_CASE("weights: the files of others", "[data]") {
  const char* data = std::getenv("TAPETUM_DATA");
  if (!data) {
    WARN("skipped: TAPETUM_DATA is not set");
    return;
  }
  const std::string folder = std::string(data) + "/weights/";
  REQUIRE(load_weights(folder + "efficientnet_lite0/efficientnet-lite0-57934424.pth").contains("_conv_stem.weight"));
  REQUIRE(load_weights(folder + "resnet_cifar10/resnet20-12fca82f.th").at("linear.weight").shape() == Shape{10, 64});
  REQUIRE(load_weights(folder + "resnet_cifar10/resnet56-4bfd9763.th").contains("layer3.8.bn2.running_var"));
  REQUIRE(load_weights(folder + "vit_cifar10/vit_cifar10.pth").contains("cls_token"));
  REQUIRE(load_weights(folder + "unet_tents/UNet.pth").size() > 10);
  REQUIRE(load_weights(folder + "yolox_nano/yolox_nano.onnx").size() > 100);
  // The whole pickled module has the tensors that its state_dict had.
  const Weights module = load_weights(folder + "yolov5n/yolov5n.pt"), state = load_weights(folder + "yolov5n/yolov5n_coco_fp16.safetensors");
  REQUIRE(names_of(module).size() == 349);
  for (const auto& [name, t] : state) {
    INFO(name);
    REQUIRE((module.at(name).shape() == t.shape() && module.at(name).dtype() == t.dtype()));
    if (t.numel())
      REQUIRE(to(contiguous(module.at(name)), DType::f32).data<float>()[t.numel() - 1] == to(t, DType::f32).data<float>()[t.numel() - 1]);
  }
}

}  // namespace tapetum
