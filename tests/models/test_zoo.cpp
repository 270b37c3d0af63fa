#include <catch2/catch.hpp>

#include "tapetum.h"

namespace tapetum {

TEST_CASE("zoo: an unknown name is an error that lists the nearest ones") {
  REQUIRE_THROWS_WITH(models::create("squeeznet1.1"), Catch::Contains("no model is called 'squeeznet1.1'") && Catch::Contains("squeezenet1_1"));
  REQUIRE_THROWS_AS(models::create(""), Error);
}

TEST_CASE("zoo: every name of the list can be created, and its classifier layer has its classes") {
  for (const models::ModelEntry& entry : models::list()) {
    INFO(entry.name);
    auto model = models::create(entry.name, {.classes = 3});
    const std::string layer = model->classifier_name();
    REQUIRE(model->state_dict().at(layer + ".weight").size(0) == 3);
    REQUIRE(model->state_dict().at(layer + ".bias").shape() == Shape{3});
  }
}

}  // namespace tapetum
