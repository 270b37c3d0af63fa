#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "data/loader.h"
#include "data/transforms/compose.h"
#include "data/transforms/degrade.h"
#include "data/transforms/flips.h"
#include "data/transforms/photometric.h"
#include "data/transforms/sizes.h"
#include "data/transforms/to_tensor.h"
#include "data/transforms/warps.h"
#include "tests/data/samples.h"

namespace tapetum::data {

using test::same;
using Json = nlohmann::ordered_json;

namespace {

ImageSample applied(const Transform& transform, ImageSample sample, uint64_t seed) {
  RandomStream stream(seed);
  transform(sample, stream);
  return sample;
}

bool takes(const Transform& transform, const ImageSample& sample) {
  const std::string name = transform.name();
  if (name == "Normalize") return sample.image.size(2) == 3;
  return name != "AugMix";  // takes no targets
}

}  // namespace

TEST_CASE("augment: JSON keeps every option of every transform") {
  std::set<std::string> seen;
  for (const std::string& text : test::examples()) {
    CAPTURE(text);
    const Transform transform = transform_from_json(text, "example");
    const Json given = Json::parse(text);
    REQUIRE(Json::parse(to_json(transform)) == given);
    REQUIRE(Json::parse(to_json(transform_from_json(to_json(transform), "again"))) == given);
    seen.insert(transform.name());
    // Each option differs from its default: one alone is read, and the others stay.
    Json least = {{"transform", given["transform"]}};
    for (const char* needed : {"height", "width", "max_size", "transforms", "n"})
      if (given.contains(needed)) least[needed] = given[needed];
    if (given["transform"] == "OneOf") least["transforms"] = given["transforms"];
    const Json defaults = Json::parse(to_json(transform_from_json(least.dump(), "least")));
    for (const auto& [name, value] : given.items()) {
      CAPTURE(name);
      REQUIRE((least.contains(name) || defaults[name] != value));
    }
  }
  for (const std::string& name : transform_names()) REQUIRE((seen.contains(name) || name == "RandomHorizontalFlip" || name == "RandomVerticalFlip"));
}

TEST_CASE("augment: what is wrong in a file is named with its place") {
  const auto error = [](const std::string& text) -> std::string {
    try {
      (void)transform_from_json(text, "a.json");
    } catch (const FormatError& e) {
      return e.what();
    }
    return "no error";
  };
  using Catch::Contains;
  CHECK_THAT(error(R"([{"transform":"Flip"}])"), Contains("a.json: [0]") && Contains("'Flip'") && Contains("HorizontalFlip"));
  CHECK_THAT(error(R"({"transform":"HorizontalFlip","prob":1})"), Contains("HorizontalFlip") && Contains("'prob'") && Contains("expected p"));
  CHECK_THAT(error(R"({"transform":"OneOf","transforms":[{"transform":"ToGray"},{"transform":"CLAHE","clip_limit":4}]})"),
             Contains("transforms[1] (CLAHE)") && Contains("a list of 2 numbers") && Contains("'clip_limit', got 4"));
  CHECK_THAT(error(R"({"transform":"Resize","height":1.5,"width":2})"), Contains("a whole number for 'height', got 1.5"));
  CHECK_THAT(error(R"({"transform":"Resize","height":5,"width":2,"interpolation":"cubic"})"),
             Contains("one of nearest, box, bilinear") && Contains("\"cubic\""));
  CHECK_THAT(error(R"({"transform":"Resize"})"), Contains("a.json") && Contains("height and width of 1 or more"));
  CHECK_THAT(error(R"({"transform":"HorizontalFlip","p":1.5})"), Contains("probability p of 0 to 1, got 1.5"));
  CHECK_THAT(error(R"({"transform":"HorizontalFlip","p":true})"), Contains("a number for 'p', got true"));
  CHECK_THAT(error(R"({"transform":"HorizontalFlip","p":0.1,"p":0.2})"), Contains("'p' is given twice"));
  CHECK_THAT(error(R"({"transform":"OneOf","transforms":[]})"), Contains("at least 1 transform"));
  CHECK_THAT(error(R"({"transform":"OneOf","transforms":{}})"), Contains("a list of transforms"));
  CHECK_THAT(error(R"({"transform":"Normalize","mean":[0,"1"]})"), Contains("a list of numbers"));
  CHECK_THAT(error(R"({"transform":"Solarize","threshold_range":[0.9,0.1]})"), Contains("the lower end first, got (0.9, 0.1)"));
  CHECK_THAT(error(R"({"transform":"CoarseDropout","fill":[0,0,300,0]})"), Contains("0 to 255, got 300"));
  CHECK_THAT(error(R"({"p":1})"), Contains("'transform'"));
  CHECK_THAT(error("[1,"), Contains("a.json"));
  CHECK_THAT(error("\"x\""), Contains("expected an object"));
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += "[";
  CHECK_THAT(error(deep + std::string(300, ']')), Contains("nested deeper"));
  REQUIRE_THROWS_AS(to_json(Transform([](ImageSample&, RandomStream&) {})), Error);
  REQUIRE(std::string(transform_from_json(R"({"transform":"RandomHorizontalFlip"})", "").name()) == "HorizontalFlip");
}

TEST_CASE("augment: a damaged file is a pipeline or an error that names it, and nothing else") {
  RandomStream stream(1);
  int64_t read = 0;
  const std::string values[] = {"-1", "1e300", "9223372036854775807", "18446744073709551615", "[]", "null", "\"x\"", "[1e9,1e9]", "{}", "0.5"};
  for (const std::string& text : test::examples())
    for (int i = 0; i < 150; ++i) {
      std::string damaged = text;
      if (i % 3 == 0)
        damaged = text.substr(0, static_cast<size_t>(stream.integer(static_cast<int64_t>(text.size()))));
      else if (i % 3 == 1)
        damaged[static_cast<size_t>(stream.integer(static_cast<int64_t>(text.size())))] = static_cast<char>(stream.integer(256));
      else {  // the value of one option
        Json json = Json::parse(text);
        auto at = json.begin();
        std::advance(at, stream.integer(static_cast<int64_t>(json.size())));
        *at = Json::parse(values[stream.integer(std::size(values))]);
        damaged = json.dump();
      }
      CAPTURE(damaged);
      try {
        const Transform transform = transform_from_json(damaged, "hostile.json");
        ImageSample sample = test::scene({9, 12});
        sample.mask = sample.boxes = sample.labels = sample.keypoints = Tensor();
        transform(sample, stream);
        ++read;
      } catch (const FormatError& e) {
        REQUIRE_THAT(e.what(), Catch::Contains("hostile.json"));
      } catch (const ShapeError&) {  // options that this sample does not fit
      }
    }
  REQUIRE(read > 100);
}

TEST_CASE("augment: pipelines print as they were written") {
  REQUIRE(to_string(HorizontalFlip{}) == "HorizontalFlip(p=0.5)");
  REQUIRE(to_string(Resize{.height = 3, .width = 4, .interpolation = Filter::bicubic}) == "Resize(height=3, width=4, interpolation=bicubic, p=1)");
  REQUIRE(to_string(RandomApply{.transforms = {VerticalFlip{.p = 1}, OneOf{.transforms = {Posterize{}}}}, .p = 0.3}) ==
          "RandomApply(\n  VerticalFlip(p=1),\n  OneOf(\n    Posterize(num_bits=(4, 4), p=0.5)\n  ),\n  p=0.3\n)");
}

TEST_CASE("augment: with p = 0 every transform leaves the sample as it is") {
  const ImageSample sample = test::scene({40, 52});
  for (const Transform& transform : test::example_transforms(0)) {
    CAPTURE(transform.name());
    REQUIRE(same(applied(transform, sample, 1), sample));
  }
}

TEST_CASE("augment: every transform depends on the seed alone, and never writes into its input") {
  for (const Size2 size : {Size2(40, 52), Size2(1, 1), Size2(1, 37), Size2(61, 3), Size2(301, 263)})
    for (const int64_t channels : {1, 3, 4})
      for (const Transform& transform : test::example_transforms(1)) {
        const ImageSample sample = test::scene(size, channels), before = test::copy(sample);
        if (!takes(transform, sample)) continue;
        CAPTURE(transform.name(), size.h, size.w, channels);
        const ImageSample a = applied(transform, sample, 5), b = applied(transform, test::copy(sample), 5);
        REQUIRE(same(a, b));
        REQUIRE(same(sample, before));
        ImageSample after = a;
        REQUIRE_NOTHROW(check_sample("after", after));
        REQUIRE((a.image.dtype() == DType::f32 || a.image.size(2) == channels));
        REQUIRE(a.boxes.defined() == sample.boxes.defined());
      }
}

TEST_CASE("augment: every transform that is not fixed differs from seed to seed, and does something") {
  for (const Transform& transform : test::example_transforms(1)) {
    const ImageSample sample = test::scene({40, 52});
    if (!takes(transform, sample)) continue;
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < 12; ++seed) {
      const ImageSample a = applied(transform, sample, seed);
      seen.insert({static_cast<const char*>(a.image.raw()), static_cast<size_t>(a.image.numel()) * size_of(a.image.dtype())});
    }
    const std::string name = transform.name(), original(static_cast<const char*>(sample.image.raw()), static_cast<size_t>(sample.image.numel()));
    const std::set<std::string> fixed = {"HorizontalFlip",  "VerticalFlip", "Transpose",    "Resize",     "LongestMaxSize",
                                         "SmallestMaxSize", "PadIfNeeded",  "LetterBox",    "CenterCrop", "ToGray",
                                         "RandomGrayscale", "Equalize",     "AutoContrast", "InvertImg",  "ToTensor",
                                         "Normalize",       "Sharpen",      "MedianBlur",   "Solarize",   "CLAHE"};
    CAPTURE(name, seen.size());
    REQUIRE((seen.size() > 1 || fixed.contains(name)));
    seen.erase(original);
    REQUIRE((!seen.empty() || name == "Equalize" || name == "MedianBlur"));  // a picture of three colours has nothing to level out
  }
}

TEST_CASE("augment: AugMix mixes, and refuses targets") {
  ImageSample sample = test::scene({40, 52});
  const Transform mix = transform_from_json(R"({"transform":"AugMix"})", "");
  REQUIRE_THROWS_AS(applied(mix, sample, 1), ShapeError);
  sample.mask = sample.boxes = sample.keypoints = sample.labels = Tensor();
  REQUIRE(same(applied(mix, sample, 3), applied(mix, test::copy(sample), 3)));
  REQUIRE(!same(applied(mix, sample, 3), applied(mix, sample, 4)));
}

TEST_CASE("augment: OneOf takes each by its weight, SomeOf so many in their order, probabilities hold") {
  RandomStream stream(2);
  std::map<int, int> counts;
  const auto mark = [&](int i) { return Transform([&counts, i](ImageSample&, RandomStream&) { ++counts[i]; }); };
  const OneOf one{.transforms = {mark(0), mark(1), mark(2)}, .weights = {1, 0, 3}, .p = 0.5};
  ImageSample sample = test::scene(8);
  for (int i = 0; i < 4000; ++i) one(sample, stream);
  REQUIRE(counts[1] == 0);
  REQUIRE(counts[0] == Approx(500).margin(80));
  REQUIRE(counts[2] == Approx(1500).margin(120));
  counts.clear();
  const SomeOf some{.transforms = {mark(0), mark(1), mark(2)}, .n = 2};
  for (int i = 0; i < 3000; ++i) some(sample, stream);
  REQUIRE(counts[0] + counts[1] + counts[2] == 6000);
  for (int i = 0; i < 3; ++i) REQUIRE(counts[i] == Approx(2000).margin(120));
  REQUIRE_THROWS_AS(Transform(OneOf{.transforms = {mark(0)}, .weights = {1, 2}}), Error);
  REQUIRE_THROWS_AS(Transform(Compose{.transforms = {Transform()}}), Error);
  REQUIRE_THROWS_AS(Transform(HorizontalFlip{.p = -0.1}), Error);
  REQUIRE_THROWS_AS(Transform(HorizontalFlip{.p = std::nan("")}), Error);
}

TEST_CASE("augment: ToTensor and Normalize in either order, and nothing of bytes after them") {
  const ImageSample sample = test::scene({5, 6});
  const std::vector<double> mean = {0.1, 0.2, 0.3}, deviation = {0.5, 1, 2};
  const ImageSample a = applied(Compose{{ToTensor{}, Normalize{mean, deviation}}}, sample, 1), b = applied(Normalize{mean, deviation}, sample, 1);
  REQUIRE(a.image.shape() == Shape{3, 5, 6});
  for (int64_t i = 0; i < a.image.numel(); ++i) REQUIRE(a.image.data<float>()[i] == Approx(b.image.data<float>()[i]).margin(1e-6));
  REQUIRE(a.image.data<float>()[30] == Approx(80 / 255. - 0.2).margin(1e-6));
  REQUIRE(same(applied(ToTensor{}, b, 1), b));
  REQUIRE_THROWS_WITH(applied(HorizontalFlip{.p = 1}, a, 1), Catch::Contains("HorizontalFlip") && Catch::Contains("f32 [3, 5, 6]"));
  REQUIRE_THROWS_WITH(applied(Normalize{{0}, {1}}, sample, 1), Catch::Contains("1 channels, got 3"));
}

namespace {

struct Scenes {
  int64_t size() const { return 6; }
  ImageSample get(int64_t, RandomStream&) const {
    ImageSample s = test::scene({40, 52});
    s.boxes = s.labels = s.keypoints = Tensor();
    return s;
  }
};

}  // namespace

TEST_CASE("augment: batches are the same bits for any number of workers; absent targets stay absent") {
  const Transform augment = Compose{{RandomResizedCrop{.height = 24, .width = 32}, HorizontalFlip{}, ColorJitter{0.4, 0.4, 0.4, 0.1},
                                     GaussNoise{.p = 1}, ShiftScaleRotate{.p = 1}, ToTensor{}}};
  const auto batches = [&](int workers) {
    DataLoader loader(Transformed(Scenes{}, augment), {.batch_size = 3, .workers = workers, .seed = 9});
    std::vector<ImageSample> seen;
    for (auto& batch : loader) seen.push_back(batch);
    return seen;
  };
  const auto a = batches(0), b = batches(3);
  REQUIRE(a.size() == 2);
  for (size_t i = 0; i < a.size(); ++i) REQUIRE(same(a[i], b[i]));
  REQUIRE(a[0].image.shape() == Shape{3, 3, 24, 32});
  REQUIRE((a[0].mask.shape() == Shape{3, 24, 32} && !a[0].boxes.defined()));
  REQUIRE(!same(a[0].image, a[1].image));
}

}  // namespace tapetum::data
