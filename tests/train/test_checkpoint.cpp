#include <catch2/catch.hpp>

#include <cstring>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/random.h"
#include "tests/folder.h"
#include "train/checkpoint.h"
#include "train/checksum.h"

namespace tapetum::train {

using test::content, test::Folder;

TEST_CASE("xxh64: the published values") {
  const auto hash = [](const char* text) { return xxh64(text, std::strlen(text)); };
  REQUIRE(hash("") == 0xef46db3751d8e999);
  REQUIRE(hash("a") == 0xd24ec4f1a98c6e5b);
  REQUIRE(hash("abc") == 0x44bc2cf5ad770999);
  REQUIRE(hash("Nobody inspects the spammish repetition") == 0xfbcea83c8a378bf1);
}

TEST_CASE("checkpoint: comes back with its parts, and any damage to a tensor is named") {
  Folder folder;
  StateDict model, whole;
  model.set("conv.weight", rand({4, 3, 3, 3}));
  model.set("conv.bias", rand({4}));
  add_part(whole, "model", model);
  whole.set("position", pack(std::vector<int64_t>{3, 17}));
  whole.set("history.loss", pack(std::vector<double>{0.5, 0.25}));
  save_checkpoint(whole, folder / "c", {{"seed", "0"}});

  const Safetensors loaded = load_checkpoint(folder / "c");
  REQUIRE(loaded.metadata == Metadata{{"seed", "0"}});
  REQUIRE(get_part(loaded, "model").size() == 2);
  REQUIRE(get_part(loaded, "model").at("conv.bias").shape() == Shape{4});
  REQUIRE(unpack_integers(loaded.at("position")) == std::vector<int64_t>{3, 17});
  REQUIRE(unpack(loaded.at("history.loss")) == std::vector<double>{0.5, 0.25});

  const std::string whole_file = content(folder / "c");
  for (size_t back = 1; back < 480; back += 7) {  // the last 480 bytes are tensors
    std::string damaged = whole_file;
    damaged[damaged.size() - back] ^= 4;
    std::ofstream(folder / "d", std::ios::binary) << damaged;
    REQUIRE_THROWS_WITH(load_checkpoint(folder / "d"), Catch::Contains("its checksum is wrong"));
  }
  save(model, folder / "plain");
  REQUIRE_THROWS_WITH(load_checkpoint(folder / "plain"), Catch::Contains("has no checksum"));
}

}  // namespace tapetum::train
