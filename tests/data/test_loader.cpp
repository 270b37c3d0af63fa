#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "data/in_memory.h"
#include "data/loader.h"
#include "data/synthetic_cells.h"

namespace tapetum::data {
namespace {

// A user's own sample: no code besides fields().
struct Numbered {
  Tensor index, noise;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("index", s.index);
    v("noise", s.noise);
  }
};

struct Numbers {
  int64_t count = 10, broken = -1, slow_from = 1 << 20;
  int64_t size() const { return count; }
  Numbered get(int64_t i, RandomStream& stream) const {
    if (i >= slow_from) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (i == broken) throw FormatError("is truncated");
    return {full({}, static_cast<double>(i), DType::i64), full({2}, stream.uniform())};
  }
  std::string name(int64_t i) const { return "number_" + std::to_string(i) + ".png"; }
};

struct Ragged {
  int64_t size() const { return 2; }
  Numbered get(int64_t i, RandomStream&) const { return {zeros({i + 1}), zeros({1})}; }
};

struct Seen {
  std::vector<int64_t> index;
  std::vector<float> noise;
  std::vector<int64_t> sizes;
  friend bool operator==(const Seen&, const Seen&) = default;
};

void look(Seen& seen, const Numbered& batch) {
  seen.sizes.push_back(batch.index.size(0));
  for (int64_t i = 0; i < batch.index.numel(); ++i) {
    seen.index.push_back(batch.index.data<int64_t>()[i]);
    seen.noise.push_back(batch.noise.data<float>()[2 * i]);
  }
}

template <class Loader> Seen epoch_of(Loader& loader) {
  Seen seen;
  for (auto& batch : loader) look(seen, batch);
  return seen;
}

}  // namespace

TEST_CASE("loader: batches in order, the last one short or dropped") {
  DataLoader loader(Numbers{}, {.batch_size = 4});
  const Seen seen = epoch_of(loader);
  REQUIRE(seen.index == std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  REQUIRE(seen.sizes == std::vector<int64_t>{4, 4, 2});
  REQUIRE(loader.size() == 3);
  DataLoader dropping(Numbers{}, {.batch_size = 4, .drop_last = true});
  REQUIRE(epoch_of(dropping).sizes == std::vector<int64_t>{4, 4});
  DataLoader none(Numbers{.count = 0}, {.batch_size = 4, .workers = 1});
  REQUIRE(epoch_of(none).sizes.empty());
}

TEST_CASE("loader: every epoch is a permutation of its own, the same for any number of workers") {
  const auto epochs = [](int workers) {
    DataLoader loader(Numbers{.count = 23}, {.batch_size = 4, .shuffle = true, .workers = workers, .seed = 5});
    return std::vector{epoch_of(loader), epoch_of(loader), epoch_of(loader)};
  };
  const auto expected = epochs(0);
  REQUIRE(expected[0].index != expected[1].index);
  REQUIRE(expected[0].noise != expected[1].noise);
  auto sorted = expected[2].index;
  std::sort(sorted.begin(), sorted.end());
  for (int64_t i = 0; i < 23; ++i) REQUIRE(sorted[static_cast<size_t>(i)] == i);
  for (int workers : {1, 2, 5}) REQUIRE(epochs(workers) == expected);
}

TEST_CASE("loader: resumes exactly, in the middle of an epoch and at its end") {
  for (int workers : {0, 2}) {
    const LoaderOptions options{.batch_size = 3, .shuffle = true, .workers = workers, .seed = 9};
    DataLoader whole(Numbers{.count = 20}, options);
    Seen expected;
    for (int epoch = 0; epoch < 2; ++epoch)
      for (auto& batch : whole) look(expected, batch);
    for (int stop = 0; stop <= 14; ++stop) {
      Seen seen;
      LoaderState saved;
      {
        DataLoader first(Numbers{.count = 20}, options);
        int steps = 0;
        while (steps < stop) {
          for (auto& batch : first) {
            look(seen, batch);
            saved = first.state();
            if (++steps == stop) break;
          }
        }
      }
      DataLoader second(Numbers{.count = 20}, options);
      second.start(saved.epoch, saved.batches);
      while (second.state().epoch < 2)
        for (auto& batch : second) look(seen, batch);
      REQUIRE(seen == expected);
    }
  }
}

TEST_CASE("loader: an epoch left early is followed by the next; start() chooses another place") {
  DataLoader loader(Numbers{}, {.batch_size = 2, .shuffle = true, .workers = 2});
  const Seen zero = epoch_of(loader), one = epoch_of(loader);
  loader.start(0);
  for ([[maybe_unused]] auto& batch : loader) break;
  REQUIRE(epoch_of(loader) == one);
  loader.start(0, 3);
  REQUIRE(epoch_of(loader).index == std::vector<int64_t>(zero.index.begin() + 6, zero.index.end()));
}

TEST_CASE("loader: an error names the sample, arrives in its place, and the loop can go on") {
  for (int workers : {0, 3}) {
    DataLoader loader(Numbers{.broken = 5}, {.batch_size = 2, .workers = workers});
    auto it = loader.begin();
    ++it;
    REQUIRE((*it).index.data<int64_t>()[0] == 2);
    REQUIRE_THROWS_WITH(++it, "sample 5 (number_5.png): is truncated");
    ++it;
    REQUIRE((*it).index.data<int64_t>()[0] == 6);
    REQUIRE_THROWS_AS(epoch_of(loader), SampleError);
  }
}

TEST_CASE("loader: samples of several shapes are an error that says so") {
  DataLoader loader(Ragged{}, {.batch_size = 2, .workers = 1});
  REQUIRE_THROWS_WITH(epoch_of(loader), Catch::Contains("'index'") && Catch::Contains("[1]") && Catch::Contains("[2]"));
  REQUIRE_THROWS_AS(DataLoader(Numbers{}, {.batch_size = 0}), Error);
  REQUIRE_THROWS_AS(DataLoader(Numbers{}, {.workers = -1}), Error);
}

TEST_CASE("loader: is destroyed at any moment without waiting for what is ahead") {
  const auto start = std::chrono::steady_clock::now();
  {
    const DataLoader unused(Numbers{}, {.workers = 2});
    DataLoader loader(Numbers{.count = 5000, .slow_from = 1000}, {.batch_size = 1000, .workers = 4, .prefetch = 8});
    for ([[maybe_unused]] auto& batch : loader) break;
    loader.begin();  // and again while the workers are in the middle of it
  }
  REQUIRE(std::chrono::steady_clock::now() - start < std::chrono::seconds(3));  // a whole batch takes 5
}

TEST_CASE("loader: the samplers' indices are checked") {
  DataLoader loader(Numbers{.count = 4}, {.batch_size = 2, .sampler = std::make_shared<SequentialSampler>(5)});
  REQUIRE_THROWS_WITH(epoch_of(loader), Catch::Contains("index 4"));
}

TEST_CASE("in memory: each sample is made once, at any number of workers, and errors are not kept") {
  struct Counting : Numbers {
    std::shared_ptr<std::atomic<int>> made = std::make_shared<std::atomic<int>>(0);
    Numbered get(int64_t i, RandomStream& stream) const {
      if (++*made == 1) throw FormatError("the first time only");
      return Numbers::get(i, stream);
    }
  };
  const Counting counting;
  DataLoader loader(InMemory{counting}, {.batch_size = 2, .shuffle = true, .workers = 3});
  REQUIRE_THROWS_AS(epoch_of(loader), SampleError);
  for (int epoch = 0; epoch < 3; ++epoch) REQUIRE(epoch_of(loader).index.size() == 10);
  REQUIRE(*counting.made == 11);
}

TEST_CASE("loader: data sets chosen at run time, subsets and splits") {
  const ImageData cells = SyntheticCells({.count = 10, .size = 32});
  const auto [train, validation] = split(cells, 0.2, 1);
  REQUIRE((train.size() == 8 && validation.size() == 2));
  DataLoader loader(train, {.batch_size = 4, .workers = 1});
  for (auto& batch : loader) {
    REQUIRE(batch.image.shape() == Shape{4, 32, 32, 3});
    REQUIRE(batch.mask.shape() == Shape{4, 32, 32});
  }
  auto [a, b] = split_indices(7, 0.4, 3);
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  REQUIRE(a == std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6});
  REQUIRE(split_indices(7, 0.4, 3) == split_indices(7, 0.4, 3));
  REQUIRE(split_indices(2, 0.01, 0).second.size() == 1);
  REQUIRE_THROWS_AS(split_indices(1, 0.5, 0), ShapeError);
  REQUIRE_THROWS_AS(split_indices(9, 1.5, 0), ShapeError);
}

#if defined(TAPETUM_WITH_CUDA)

TEST_CASE("loader: batches come out on the device, the same as on the host", "[emulated]") {
  DataLoader host(Numbers{.count = 23}, {.batch_size = 4, .shuffle = true});
  const Seen expected = epoch_of(host);
  for (int workers : {0, 3}) {
    DataLoader loader(Numbers{.count = 23}, {.batch_size = 4, .shuffle = true, .workers = workers, .device = DeviceKind::cuda});
    Seen seen;
    for (auto& batch : loader) {
      REQUIRE(batch.index.device() == Device("cuda"));
      look(seen, {to(batch.index + 0, Device()), to(batch.noise * 1, Device())});
    }
    REQUIRE(seen == expected);
  }
}

TEST_CASE("loader: a batch on the device may outlive the loop", "[emulated]") {
  std::vector<Numbered> kept;
  {
    DataLoader loader(Numbers{.count = 12}, {.batch_size = 3, .workers = 2, .device = DeviceKind::cuda});
    for (auto& batch : loader) kept.push_back(batch);
  }
  Seen seen;
  for (const Numbered& batch : kept) look(seen, {to(batch.index, Device()), to(batch.noise, Device())});
  REQUIRE(seen.index == std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
}

#endif

}  // namespace tapetum::data
