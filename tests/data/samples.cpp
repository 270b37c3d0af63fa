#include "tests/data/samples.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/ops/creation.h"
#include "core/ops/view.h"

namespace tapetum::data::test {

ImageSample scene(Size2 size, int64_t channels) {
  ImageSample s;
  s.image = empty({size.h, size.w, channels}, DType::u8);
  s.mask = zeros({size.h, size.w}, DType::i64);
  const int64_t boxes[2][4] = {{size.w / 8, size.h / 6, size.w / 2, size.h / 2}, {size.w * 5 / 8, size.h / 2, size.w * 7 / 8, size.h * 5 / 6}};
  for (int64_t y = 0; y < size.h; ++y)
    for (int64_t x = 0; x < size.w; ++x) {
      int64_t label = 0;
      for (int64_t i = 0; i < 2; ++i)
        if (x >= boxes[i][0] && x < boxes[i][2] && y >= boxes[i][1] && y < boxes[i][3]) label = i + 1;
      s.mask.mutable_data<int64_t>()[y * size.w + x] = label;
      for (int64_t c = 0; c < channels; ++c)
        s.image.mutable_data<uint8_t>()[(y * size.w + x) * channels + c] = static_cast<uint8_t>((label ? 60 * label : 10) + 20 * c);
    }
  if (std::min(size.h, size.w) < 8) return s;
  s.boxes = empty({2, 4});
  s.labels = empty({2}, DType::i64);
  s.keypoints = empty({2, 2});
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t k = 0; k < 4; ++k) s.boxes.mutable_data<float>()[4 * i + k] = static_cast<float>(boxes[i][k]);
    for (int64_t k = 0; k < 2; ++k) s.keypoints.mutable_data<float>()[2 * i + k] = static_cast<float>(boxes[i][k] + boxes[i][k + 2] - 1) / 2;
    s.labels.mutable_data<int64_t>()[i] = 7 + i;
  }
  return s;
}

const std::vector<std::string>& examples() {
  static const std::vector<std::string> all = {
      R"({"transform":"HorizontalFlip","p":0.25})",
      R"({"transform":"VerticalFlip","p":0.25})",
      R"({"transform":"Transpose","p":0.25})",
      R"({"transform":"RandomRotate90","p":0.25})",
      R"({"transform":"Resize","height":20,"width":30,"interpolation":"lanczos","p":0.5})",
      R"({"transform":"LongestMaxSize","max_size":33,"interpolation":"box","p":0.5})",
      R"({"transform":"SmallestMaxSize","max_size":21,"interpolation":"bicubic","p":0.5})",
      R"({"transform":"PadIfNeeded","min_height":50,"min_width":40,"pad_height_divisor":8,"pad_width_divisor":16,"border_mode":"reflect",)"
      R"("fill":[1,2,3,4],"fill_mask":5,"p":0.5})",
      R"({"transform":"LetterBox","height":48,"width":64,"scale_up":false,"interpolation":"hamming","fill":[1,2,3,4],"fill_mask":9,"p":0.5})",
      R"({"transform":"CenterCrop","height":16,"width":24,"pad_if_needed":true,"border_mode":"replicate","fill":[1,2,3,4],"fill_mask":1,"p":0.5})",
      R"({"transform":"RandomCrop","height":16,"width":24,"pad_if_needed":true,"border_mode":"symmetric","fill":[1,2,3,4],"fill_mask":1,"p":0.5})",
      R"({"transform":"RandomResizedCrop","height":24,"width":32,"scale":[0.3,0.9],"ratio":[0.5,2.0],"interpolation":"nearest","p":0.5})",
      R"({"transform":"ShiftScaleRotate","shift_limit":[-0.2,0.1],"scale_limit":[-0.3,0.2],"rotate_limit":[-30.0,60.0],"interpolation":"nearest",)"
      R"("border_mode":"reflect","fill":[9,8,7,6],"fill_mask":3,"p":0.25})",
      R"({"transform":"Affine","scale":[0.8,1.2],"translate_percent":[-0.1,0.2],"rotate":[-20.0,30.0],"shear":[-10.0,15.0],"keep_ratio":true,)"
      R"("fit_output":true,"interpolation":"nearest","border_mode":"replicate","fill":[9,8,7,6],"fill_mask":3,"p":0.25})",
      R"({"transform":"RandomRotation","degrees":[-90.0,45.0],"interpolation":"bilinear","expand":true,"fill":[9,8,7,6],"fill_mask":3,"p":0.25})",
      R"({"transform":"Perspective","scale":[0.02,0.2],"keep_size":false,"interpolation":"nearest","border_mode":"symmetric",)"
      R"("fill":[9,8,7,6],"fill_mask":3,"p":0.25})",
      R"({"transform":"ElasticTransform","alpha":60.0,"sigma":6.0,"same_dxdy":true,"noise_distribution":"uniform","interpolation":"nearest",)"
      R"("border_mode":"reflect","fill":[9,8,7,6],"fill_mask":3,"p":0.25})",
      R"({"transform":"GridDistortion","num_steps":4,"distort_limit":[-0.2,0.4],"normalized":false,"interpolation":"nearest",)"
      R"("border_mode":"replicate","fill":[9,8,7,6],"fill_mask":3,"p":0.25})",
      R"({"transform":"RandomBrightnessContrast","brightness_limit":[-0.1,0.3],"contrast_limit":[0.1,0.4],"brightness_by_max":false,"p":0.25})",
      R"({"transform":"RandomGamma","gamma_limit":[50.0,70.0],"p":0.25})",
      R"({"transform":"CLAHE","clip_limit":[2.0,5.0],"tile_grid_size":[3,5],"p":0.25})",
      R"({"transform":"HueSaturationValue","hue_shift_limit":[10.0,30.0],"sat_shift_limit":[-40.0,50.0],"val_shift_limit":[10.0,20.0],"p":0.25})",
      R"({"transform":"ColorJitter","brightness":0.4,"contrast":0.3,"saturation":0.2,"hue":0.1,"p":0.25})",
      R"({"transform":"ToGray","p":0.25})",
      R"({"transform":"RandomGrayscale","p":0.25})",
      R"({"transform":"Posterize","num_bits":[2,3],"p":0.25})",
      R"({"transform":"Solarize","threshold_range":[0.1,0.2],"p":0.25})",
      R"({"transform":"Equalize","p":0.25})",
      R"({"transform":"AutoContrast","cutoff":2.5,"p":0.25})",
      R"({"transform":"InvertImg","p":0.25})",
      R"({"transform":"GaussianBlur","blur_limit":[3,9],"sigma_limit":[1.0,2.0],"p":0.25})",
      R"({"transform":"MotionBlur","blur_limit":[5,9],"allow_shifted":false,"angle_range":[10.0,50.0],"direction_range":[-0.5,0.25],"p":0.25})",
      R"({"transform":"MedianBlur","blur_limit":[5,9],"p":0.25})",
      R"({"transform":"Sharpen","alpha":[0.3,0.6],"lightness":[0.25,0.75],"p":0.25})",
      R"({"transform":"GaussNoise","std_range":[0.05,0.1],"mean_range":[-0.1,0.1],"per_channel":false,"p":0.25})",
      R"({"transform":"ImageCompression","quality_range":[20,40],"p":0.25})",
      R"({"transform":"CoarseDropout","num_holes_range":[2,4],"hole_height_range":[0.2,0.3],"hole_width_range":[0.3,0.4],"fill":[200,100,50,25],)"
      R"("fill_mask":4,"p":0.25})",
      R"({"transform":"RandomErasing","scale":[0.1,0.2],"ratio":[0.5,2.0],"value":99.0,"random":true,"p":0.25})",
      R"({"transform":"ToTensor","p":0.5})",
      R"({"transform":"Normalize","mean":[0.25],"std":[0.5],"max_pixel_value":127.0,"p":0.5})",
      R"({"transform":"AutoAugment","policy":"svhn","interpolation":"bilinear","fill":[9,8,7,6],"p":0.5})",
      R"({"transform":"RandAugment","num_ops":3,"magnitude":4,"num_magnitude_bins":10,"interpolation":"bilinear","fill":[9,8,7,6],"p":0.5})",
      R"({"transform":"TrivialAugment","num_magnitude_bins":11,"interpolation":"bilinear","fill":[9,8,7,6],"p":0.5})",
      R"({"transform":"AugMix","severity":5,"mixture_width":2,"chain_depth":2,"alpha":0.5,"all_ops":false,"interpolation":"nearest",)"
      R"("fill":[9,8,7,6],"p":0.5})",
      R"({"transform":"Compose","transforms":[{"transform":"HorizontalFlip","p":0.75},{"transform":"Equalize","p":0.25}],"min_visibility":0.3,)"
      R"("min_area":2.0,"drop_empty_boxes":true,"keep_outside_keypoints":true,"p":0.5})",
      R"({"transform":"OneOf","transforms":[{"transform":"VerticalFlip","p":0.75},{"transform":"ToGray","p":0.25}],"weights":[1.0,3.0],"p":0.25})",
      R"({"transform":"SomeOf","transforms":[{"transform":"VerticalFlip","p":0.75},{"transform":"ToGray","p":0.25}],"n":2,"p":0.25})",
      R"({"transform":"RandomApply","transforms":[{"transform":"VerticalFlip","p":0.75}],"p":0.25})"};
  return all;
}

std::vector<Transform> example_transforms(double p) {
  std::vector<Transform> all;
  for (const std::string& text : examples()) {
    auto json = nlohmann::ordered_json::parse(text);
    json["p"] = p;
    if (json["transform"] == "Normalize") json["mean"] = {0.25, 0.5, 0.75}, json["std"] = {0.5, 1.0, 2.0};
    all.push_back(transform_from_json(json.dump(), "example"));
  }
  return all;
}

bool same(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         (a.numel() == 0 || !std::memcmp(contiguous(a).raw(), contiguous(b).raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype())));
}

bool same(const ImageSample& a, const ImageSample& b) {
  return same(a.image, b.image) && same(a.mask, b.mask) && same(a.boxes, b.boxes) && same(a.labels, b.labels) && same(a.keypoints, b.keypoints);
}

ImageSample copy(const ImageSample& s) {
  ImageSample result = s;
  ImageSample::fields(result, [](const char*, Tensor& t) {
    if (t.defined()) t = clone(t);
  });
  return result;
}

}  // namespace tapetum::data::test
