// The tables of ./run ladder, and a step's source with what lies beside its lines.
#pragma once
#include <optional>

#include "bench/ladder/measure.h"

namespace tapetum::bench {

struct Row {
  const ladders::Step* step;
  Measured measured;
};

std::string table(const ladders::Ladder& ladder, const std::vector<Row>& rows);
// Lines that `before` has not are marked +, and what it had in their place stands above them, marked -.
std::string annotated(const Row& row, const ladders::Step* before);
std::string json(const ladders::Ladder& ladder, const std::vector<Row>& rows);

}  // namespace tapetum::bench
