// PyTorch's values and gradients of the same inputs (tests/fixtures/make_image_ops.py, f64).
#include <catch2/catch.hpp>

#include "tests/fixtures.h"
#include "tests/ops/parity.h"

namespace tapetum::test {
namespace {

using Inputs = std::vector<Tensor>;

// "2x3" and what follows it: {.size = {2, 3}, ...} in every mode that the fixture has.
void add_interpolations(ParityRows& rows) {
  const std::pair<const char*, Size2> sizes[] = {{"11x4", {11, 4}}, {"14x10", {14, 10}}, {"3x2", {3, 2}}, {"1x13", {1, 13}}};
  for (const auto& [text, size] : sizes) {
    const auto add = [&, size = size](const std::string& name, const InterpolateOptions& o) {
      rows[name] = [o](const Inputs& x) { return interpolate(x[0], o); };
    };
    for (Interpolation mode : {Interpolation::nearest, Interpolation::nearest_exact, Interpolation::area})
      add(std::string(name_of(mode)) + "_" + text, {.size = size, .mode = mode});
    for (Interpolation mode : {Interpolation::bilinear, Interpolation::bicubic}) {
      const std::string name = std::string(name_of(mode)) + "_" + text;
      add(name, {.size = size, .mode = mode});
      add(name + "_corners", {.size = size, .mode = mode, .align_corners = true});
      add(name + "_antialias", {.size = size, .mode = mode, .antialias = true});
    }
  }
  for (Interpolation mode : {Interpolation::nearest, Interpolation::bilinear, Interpolation::bicubic})
    rows[std::string(name_of(mode)) + "_factor"] = [mode](const Inputs& x) { return interpolate(x[0], {.scale_factor = {1.7, 0.6}, .mode = mode}); };
}

void add_grid_samples(ParityRows& rows) {
  for (GridSampleMode mode : {GridSampleMode::bilinear, GridSampleMode::nearest, GridSampleMode::bicubic})
    for (GridSamplePadding padding : {GridSamplePadding::zeros, GridSamplePadding::border, GridSamplePadding::reflection})
      for (bool corners : {false, true})
        rows[std::string("grid_sample_") + name_of(mode) + "_" + name_of(padding) + (corners ? "_corners" : "")] = [=](const Inputs& x) {
          return grid_sample(x[0], x[1] * 0.75, {.mode = mode, .padding_mode = padding, .align_corners = corners});
        };
}

ParityRows all_rows(const StateDict& file) {
  ParityRows rows = {
      {"max_pool2d", [](const Inputs& x) { return max_pool2d(x[0], 2); }},
      {"max_pool2d_padded", [](const Inputs& x) { return max_pool2d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true}); }},
      {"max_pool2d_dilated",
       [](const Inputs& x) {
         return max_pool2d(x[0], {2, 3}, {.stride = {3, 1}, .padding = {0, 1}, .dilation = {2, 1}, .ceil_mode = true});
       }},
      {"adaptive_max_pool2d",
       [](const Inputs& x) {
         return adaptive_max_pool2d(x[0], {3, 4});
       }},
      {"avg_pool2d", [](const Inputs& x) { return avg_pool2d(x[0], 2); }},
      {"unfold",
       [](const Inputs& x) {
         return unfold(x[0], {2, 3}, {.dilation = {2, 1}, .padding = {1, 2}, .stride = {2, 3}});
       }},
      {"fold",
       [](const Inputs& x) {
         return fold(x[0], {6, 7}, {3, 1}, {.dilation = {2, 1}, .padding = {1, 0}, .stride = {1, 2}});
       }},
      {"conv1d", [](const Inputs& x) { return conv1d(x[0], x[1], x[2], {.stride = 2, .padding = 2, .dilation = 2, .groups = 2}); }},
      {"conv1d_same", [](const Inputs& x) { return conv1d(x[0], x[1], {.padding = "same"}); }},
      {"conv_transpose1d",
       [](const Inputs& x) {
         return conv_transpose1d(x[0], x[1], x[2], {.stride = 3, .padding = 1, .output_padding = 2, .dilation = 2, .groups = 2});
       }},
      {"local_response_norm", [](const Inputs& x) { return local_response_norm(x[0], 4, {.alpha = 0.5, .beta = 0.6, .k = 2}); }},
      {"local_response_norm_line", [](const Inputs& x) { return local_response_norm(x[0], 3); }},
      {"affine_grid",
       [](const Inputs& x) {
         return affine_grid(x[0], {2, 5, 3, 4});
       }},
      {"affine_grid_corners",
       [](const Inputs& x) {
         return affine_grid(x[0], {1, 5, 4, 1}, true);
       }},
      {"avg_pool2d_ceil", [](const Inputs& x) { return avg_pool2d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true}); }},
      {"avg_pool2d_inside",
       [](const Inputs& x) { return avg_pool2d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false}); }},
      {"avg_pool2d_divisor",
       [](const Inputs& x) {
         return avg_pool2d(x[0], {2, 3}, {.divisor_override = 5});
       }},
      {"max_pool2d_image", [](const Inputs& x) { return max_pool2d(x[0], 3, {.stride = 2}); }},
      {"avg_pool2d_image", [](const Inputs& x) { return avg_pool2d(x[0], 2); }},
      {"conv2d_image", [](const Inputs& x) { return conv2d(x[0], x[1], x[2], {.padding = "valid"}); }},
      {"conv_transpose2d_image", [](const Inputs& x) { return conv_transpose2d(x[0], x[1], {.stride = 2}); }},
      {"pixel_shuffle_image", [](const Inputs& x) { return pixel_shuffle(x[0], 2); }},
      {"adaptive_avg_pool2d",
       [](const Inputs& x) {
         return adaptive_avg_pool2d(x[0], {3, 4});
       }},
      {"pixel_shuffle", [](const Inputs& x) { return pixel_shuffle(x[0], 2); }},
      {"pixel_unshuffle", [](const Inputs& x) { return pixel_unshuffle(x[0], 2); }},
      {"pad",
       [](const Inputs& x) {
         return pad(x[0], {1, 2, -1, 3, 0, 1}, {.value = 0.5});
       }},
      {"pad_reflect",
       [](const Inputs& x) {
         return pad(x[0], {3, 1, 2, 0}, {.mode = PadMode::reflect});
       }},
      {"pad_replicate",
       [](const Inputs& x) {
         return pad(x[0], {3, 1, 2, 5}, {.mode = PadMode::replicate});
       }},
      {"batch_norm", [](const Inputs& x) { return batch_norm(x[0], {}, {}, x[1], x[2], {.training = true}); }},
      {"batch_norm_inference",
       [mean = file.at("running.mean"), var = file.at("running.var")](const Inputs& x) {
         return batch_norm(x[0], to(mean, x[0].dtype()), to(var, x[0].dtype()), x[1], x[2], {.eps = 1e-3});
       }},
      {"group_norm", [](const Inputs& x) { return group_norm(x[0], 2, x[1], x[2]); }},
      {"instance_norm", [](const Inputs& x) { return instance_norm(x[0], x[1], x[2]); }},
      {"layer_norm", [](const Inputs& x) { return layer_norm(x[0], x[1].shape(), x[1], x[2]); }},
      {"normalize", [](const Inputs& x) { return normalize(x[0], {.p = 3, .dim = -1}); }},
      {"cosine_similarity", [](const Inputs& x) { return cosine_similarity(x[0], x[1]); }},
  };
  add_interpolations(rows);
  add_grid_samples(rows);
  return rows;
}

}  // namespace

TEST_CASE("parity: values and gradients of pooling, norms, resizing and padding are PyTorch's", "[parity]") {
  const StateDict file = load(fixture("image_ops.safetensors"));
  check_parity(file, all_rows(file));
}

TEST_CASE("parity: running statistics move as PyTorch's", "[parity]") {
  const StateDict file = load(fixture("image_ops.safetensors"));
  const Tensor mean = file.at("running.mean"), var = file.at("running.var"), none;
  batch_norm(file.at("batch_norm.x0"), mean, var, none, none, {.training = true, .momentum = 0.3});
  REQUIRE(difference(mean, file.at("moved.mean")) <= 1e-14);
  REQUIRE(difference(var, file.at("moved.var")) <= 1e-14);
}

}  // namespace tapetum::test
