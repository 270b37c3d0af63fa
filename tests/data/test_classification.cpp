#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/serialization/atomic_file.h"
#include "core/serialization/safetensors.h"
#include "data/cifar.h"
#include "data/csv_dataset.h"
#include "data/idx.h"
#include "data/image.h"
#include "data/image_folder.h"
#include "data/loader.h"
#include "data/mnist.h"
#include "tests/data/pictures.h"
#include "tests/fixtures.h"

namespace tapetum::data {
namespace {

using test::gradient;
using test::TemporaryFolder;

std::string fixture_file(const std::string& name) {
  static const Safetensors all = load(tapetum::test::fixture("datasets.safetensors"));
  const Tensor& t = all.at(name + ".file");
  return {reinterpret_cast<const char*>(t.data<uint8_t>()), static_cast<size_t>(t.numel())};
}

Tensor fixture_tensor(const std::string& name) { return load(tapetum::test::fixture("datasets.safetensors")).at(name); }

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::equal(a.data<uint8_t>(), a.data<uint8_t>() + a.numel(), b.data<uint8_t>());
}

// Records of CIFAR's binary format: labels first, then the planes of one of the fixture's two pictures.
std::string cifar_records(const std::vector<std::vector<int>>& labels) {
  const Tensor images = fixture_tensor("cifar.images");
  std::string bytes;
  for (size_t i = 0; i < labels.size(); ++i) {
    for (int label : labels[i]) bytes += static_cast<char>(label);
    const uint8_t* image = images.data<uint8_t>() + i % 2 * 3072;
    for (int c = 0; c < 3; ++c)
      for (int p = 0; p < 1024; ++p) bytes += static_cast<char>(image[3 * p + c]);
  }
  return bytes;
}

using Numbers = std::vector<int64_t>;

Numbers values(const Tensor& t) { return {t.data<int64_t>(), t.data<int64_t>() + t.numel()}; }

void write_image(const std::string& path, int value = 0) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  Image image = gradient({4, 6}, 3);
  image.mutable_row(0)[0] = static_cast<uint8_t>(value);
  write_png(path, image);
}

}  // namespace

TEST_CASE("cifar: binary records and pickles of Python 2 and 3 hold the same") {
  const Tensor images = fixture_tensor("cifar.images");
  const CifarBatch binary = parse_cifar(cifar_records({{3}, {9}}), "binary", CifarLabels::ten);
  REQUIRE((same(binary.images, images) && values(binary.labels) == Numbers{3, 9}));
  const CifarBatch python2 = parse_cifar(fixture_file("cifar10_python2"), "python2", CifarLabels::ten);
  REQUIRE((same(python2.images, images) && values(python2.labels) == Numbers{3, 9}));
  const Tensor first = parse_cifar(cifar_records({{3}}), "binary", CifarLabels::ten).images;
  for (const char* name : {"cifar10_protocol2", "cifar10_protocol4"}) {
    const CifarBatch python3 = parse_cifar(fixture_file(name), name, CifarLabels::ten);
    REQUIRE((same(python3.images, first) && values(python3.labels) == Numbers{3}));
  }
  const std::string hundred = cifar_records({{4, 77}, {19, 5}});
  REQUIRE(values(parse_cifar(hundred, "binary", CifarLabels::fine).labels) == Numbers{77, 5});
  REQUIRE(values(parse_cifar(hundred, "binary", CifarLabels::coarse).labels) == Numbers{4, 19});
  REQUIRE(values(parse_cifar(fixture_file("cifar100_python2"), "python2", CifarLabels::fine).labels) == Numbers{77});
  REQUIRE(values(parse_cifar(fixture_file("cifar100_python2"), "python2", CifarLabels::coarse).labels) == Numbers{4});
}

TEST_CASE("cifar: finds the official files, others of the format, and says what is missing") {
  const TemporaryFolder f;
  REQUIRE_THROWS_WITH(Cifar10({.root = f / "none"}), Catch::Contains("none") && Catch::Contains("is not a folder"));
  REQUIRE_THROWS_WITH(Cifar10({.root = f.path()}), Catch::Contains("data_batch_1.bin") && Catch::Contains("cifar-10-batches-py"));
  const std::string folder = f.make("cifar-10-batches-bin");
  for (int i = 1; i <= 4; ++i) write_file_atomically(folder + "/data_batch_" + std::to_string(i) + ".bin", cifar_records({{i}, {i + 1}}));
  REQUIRE_THROWS_WITH(Cifar10({.root = f.path()}), Catch::Contains("1 of 5 files are missing") && Catch::Contains("data_batch_5.bin"));
  write_file_atomically(folder + "/data_batch_5.bin", cifar_records({{0}}));
  write_file_atomically(folder + "/test_batch.bin", cifar_records({{7}}));
  const Cifar10 train({.root = f.path()}), test({.root = folder, .train = false}), some({.files = {folder + "/data_batch_3.bin"}});
  REQUIRE((train.size() == 9 && train.labels() == Numbers{1, 2, 2, 3, 3, 4, 4, 5, 0} && train.classes()[5] == "dog"));
  REQUIRE((test.size() == 1 && test.labels() == Numbers{7} && test.name(0) == "cifar10 test 0"));
  REQUIRE(some.labels() == Numbers{3, 4});
  const auto sample = train.get(1);
  REQUIRE(sample.image.shape() == Shape{32, 32, 3});
  REQUIRE((sample.label.shape() == Shape{} && sample.label.dtype() == DType::i64 && sample.label.item() == 2));
  REQUIRE_THROWS_AS(train.get(9), IndexError);

  const TemporaryFolder other;
  write_file_atomically(other / "data_batch_a.bin", cifar_records({{1}}));
  write_file_atomically(other / "data_batch_b.bin", cifar_records({{2}}));
  REQUIRE(Cifar10({.root = other.path()}).labels() == Numbers{1, 2});
  write_file_atomically(other.make("cifar-100-python") + "/test", fixture_file("cifar100_python2"));
  write_file_atomically(other / "train.bin", cifar_records({{4, 77}}));
  REQUIRE(Cifar100({.root = other.path(), .train = false}).classes()[77] == "snail");
  const Cifar100 coarse({.root = other.path(), .coarse = true});
  REQUIRE((coarse.labels() == Numbers{4} && coarse.classes().size() == 20 && coarse.classes()[4] == "fruit_and_vegetables"));
}

TEST_CASE("idx: MNIST's files, plain and gzipped, where torchvision puts them") {
  const Tensor images = fixture_tensor("idx.images");
  REQUIRE(same(parse_idx(fixture_file("idx_images"), "plain"), images));
  REQUIRE(same(parse_idx(fixture_file("idx_images_gz"), "gz"), images));
  const TemporaryFolder f;
  write_file_atomically(f / "images.gz", fixture_file("idx_images_gz"));
  write_file_atomically(f / "labels", fixture_file("idx_labels"));
  const IdxDataset set({.images = f / "images.gz", .labels = f / "labels"});
  REQUIRE((set.size() == 3 && set.labels() == Numbers{7, 2, 1} && set.classes().size() == 8));
  REQUIRE(set.get(2).image.shape() == Shape{4, 5, 1});
  REQUIRE(set.get(2).image.data<uint8_t>()[19] == images.data<uint8_t>()[59]);
  REQUIRE_THROWS_AS(IdxDataset({.images = f / "images.gz", .labels = f / "labels", .classes = {"a", "b"}}), IndexError);
  REQUIRE_THROWS_WITH(IdxDataset({.images = f / "labels", .labels = f / "labels"}), Catch::Contains("expected images [N, H, W]"));
  REQUIRE_THROWS_WITH(Mnist({.root = f.path()}), Catch::Contains("train-images-idx3-ubyte.gz") && Catch::Contains("MNIST/raw"));

  std::string ten = fixture_file("idx_images").substr(0, 4) + std::string("\0\0\0\3\0\0\0\34\0\0\0\34", 12) + std::string(3 * 28 * 28, '\5');
  const std::string raw = f.make("FashionMNIST/raw");
  write_file_atomically(raw + "/t10k-images-idx3-ubyte", ten);
  write_file_atomically(raw + "/t10k-labels-idx1-ubyte", fixture_file("idx_labels"));
  const FashionMnist fashion({.root = f.path(), .train = false});
  REQUIRE((fashion.size() == 3 && fashion.classes()[7] == "Sneaker" && fashion.get(0).image.shape() == Shape{28, 28, 1}));
  write_file_atomically(raw + "/t10k-images-idx3-ubyte", fixture_file("idx_images"));
  REQUIRE_THROWS_WITH(FashionMnist({.root = f.path(), .train = false}), Catch::Contains("28 x 28"));
}

TEST_CASE("image folder: torchvision's classes and order") {
  const TemporaryFolder f;
  for (const char* name : {"dog/2.png", "dog/10.PNG", "dog/deep/er/1.png", "cat/b.png", "cat/a.png", "cat/.hidden.png", ".git/c.png"})
    write_image(f / name);
  write_file_atomically(f / "cat/notes.txt", "x");
  write_file_atomically(f / "readme.txt", "x");
  const ImageFolder set(f.path());
  REQUIRE(set.classes() == std::vector<std::string>{"cat", "dog"});
  std::vector<std::string> names;
  for (int64_t i = 0; i < set.size(); ++i) names.push_back(set.name(i));
  REQUIRE(names == std::vector<std::string>{"cat/a.png", "cat/b.png", "dog/10.PNG", "dog/2.png", "dog/deep/er/1.png"});
  REQUIRE(set.labels() == Numbers{0, 0, 1, 1, 1});
  REQUIRE((set.get(3).image.shape() == Shape{4, 6, 3} && set.get(3).label.item() == 1));
  REQUIRE(ImageFolder(f.path(), {.channels = 1}).get(0).image.shape() == Shape{4, 6, 1});
  REQUIRE(ImageFolder(f.path() + "/").name(4) == "dog/deep/er/1.png");
  DataLoader loader(set, {.batch_size = 5, .workers = 2});
  for (auto& batch : loader) REQUIRE((batch.image.shape() == Shape{5, 4, 6, 3} && values(batch.label) == set.labels()));
}

TEST_CASE("image folder: one error says what is wrong with a folder, and what to do") {
  const TemporaryFolder f;
  REQUIRE_THROWS_WITH(ImageFolder(f / "none"), Catch::Contains("none: No such file"));
  REQUIRE_THROWS_WITH(ImageFolder(f.path()), Catch::Contains("is empty") && Catch::Contains("root/class/image"));
  write_image(f / "flat/a.png");
  REQUIRE_THROWS_WITH(ImageFolder(f / "flat"), Catch::Contains("has 1 images beside 0 class folders (a.png)") && Catch::Contains("CsvDataset"));
  write_image(f / "top/cat/a.png");
  f.make("top/dog");
  f.make("top/emu");
  REQUIRE_THROWS_WITH(ImageFolder(f / "top"), Catch::Contains("classes dog, emu"));
  write_image(f / "good/cat/a.png");
  REQUIRE_THROWS_AS(ImageFolder(f / "good", {.channels = 2}), ShapeError);
}

TEST_CASE("image folder: a corrupt file is named by get(), or skipped when asked") {
  const TemporaryFolder f;
  write_image(f / "cat/a.png");
  write_image(f / "dog/a.png");
  write_file_atomically(f / "cat/b.png", encode_png(gradient(9, 3)).substr(0, 60));
  const ImageFolder all(f.path());
  REQUIRE(all.size() == 3);
  REQUIRE_THROWS_WITH(all.get(1), Catch::Contains("cat/b.png"));
  const ImageFolder good(f.path(), {.on_error = OnError::skip});
  REQUIRE((good.size() == 2 && good.labels() == Numbers{0, 1} && good.skipped().size() == 1));
  REQUIRE((good.skipped()[0].path == f / "cat/b.png" && good.skipped()[0].reason.find("truncated") != std::string::npos));
  for (const char* name : {"cat/a.png", "dog/a.png"}) write_file_atomically(f / name, "x");
  REQUIRE_THROWS_WITH(ImageFolder(f.path(), {.on_error = OnError::skip}), Catch::Contains("none of 3 files can be read"));
}

TEST_CASE("csv dataset: columns by name or place, classes by name or number") {
  const TemporaryFolder f;
  write_image(f / "pictures/a, b.png", 1);
  write_image(f / "pictures/c.png", 2);
  const auto set = [&](const std::string& text, CsvDatasetOptions options = {}) {
    write_file_atomically(f / "list.csv", text);
    options.csv = f / "list.csv";
    return CsvDataset(options);
  };
  const auto named = set("id,label,file\r\n1,dog,\"pictures/a, b.png\"\r\n2,cat,pictures/c.png\r\n");
  REQUIRE((named.classes() == std::vector<std::string>{"cat", "dog"} && named.labels() == Numbers{1, 0}));
  REQUIRE((named.name(0) == "pictures/a, b.png" && named.get(0).image.data<uint8_t>()[0] == 1 && named.get(1).label.item() == 0));
  REQUIRE(set("pictures/c.png,2\npictures/c.png,0\n").classes().size() == 3);
  const auto rooted = set("c.png;dog\nc.png;0", {.root = f / "pictures", .classes = {"cat", "dog"}, .separator = ';'});
  REQUIRE((rooted.labels() == Numbers{1, 0} && rooted.get(0).image.data<uint8_t>()[0] == 2));
  const auto chosen = set("path,kind\npictures/c.png,7\n", {.file_column = "path", .label_column = "kind"});
  REQUIRE((chosen.labels() == Numbers{7} && chosen.classes()[7] == "7"));
  REQUIRE(set("x.png,1\npictures/c.png,0", {.images = {.on_error = OnError::skip}}).size() == 1);
  REQUIRE_THROWS_AS(set("x.png,1\n").get(0), IoError);
}

TEST_CASE("classification: public data sets", "[data]") {
  const char* root = std::getenv("TAPETUM_DATA");
  if (!root) {
    WARN("skipped: TAPETUM_DATA is not set");
    return;
  }
  const std::string data = root;
  const Cifar10 train({.root = data + "/cifar10"}), test({.root = data + "/cifar10", .train = false});
  REQUIRE((train.size() == 4000 && test.size() == 500));
  const Numbers train_labels = train.labels(), test_labels = test.labels();
  REQUIRE(Numbers(train_labels.begin(), train_labels.begin() + 10) == Numbers{6, 9, 9, 4, 1, 1, 2, 7, 8, 3});  // as in the official batches
  REQUIRE(Numbers(test_labels.begin(), test_labels.begin() + 10) == Numbers{3, 8, 8, 0, 6, 6, 1, 6, 3, 1});
  REQUIRE(train.get(0).image.data<uint8_t>()[0] == 59);
  REQUIRE(test.get(0).image.data<uint8_t>()[0] == 158);

  const IdxDataset mnist({.images = data + "/mnist/train10k-images-idx3-ubyte", .labels = data + "/mnist/train10k-labels-idx1-ubyte"});
  const Numbers digits = mnist.labels();
  REQUIRE((mnist.size() == 10'000 && mnist.classes().size() == 10 && mnist.get(9999).image.shape() == Shape{28, 28, 1}));
  REQUIRE(Numbers(digits.begin(), digits.begin() + 10) == Numbers{5, 0, 4, 1, 9, 2, 1, 3, 1, 4});

  const ImageFolder pets(data + "/cats_dogs", {.on_error = OnError::skip});
  REQUIRE((pets.size() == 600 && pets.skipped().empty() && pets.classes() == std::vector<std::string>{"cats", "dogs"}));
  REQUIRE(class_counts(pets.labels(), 2) == Numbers{300, 300});

  const CsvDataset photos({.csv = data + "/imagenet_samples/labels.csv", .label_column = "class_index", .images = {.on_error = OnError::skip}});
  REQUIRE((photos.size() == 112 && photos.skipped().empty() && photos.labels()[1] == 12));
  REQUIRE((photos.get(0).image.shape() == Shape{375, 500, 3} && photos.name(0) == "n01440764_tench.JPEG"));
}

}  // namespace tapetum::data
