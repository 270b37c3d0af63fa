// What one block of a step does to memory, as a picture (SVG): the parts of each array that it touches; sector by sector what a warp asks of
// global memory; wavefront by wavefront what it asks of the banks of shared memory; which threads still take part.
#pragma once
#include <string>

#include "ladders/ladder.h"

namespace tapetum::bench {

std::string drawing(const ladders::Ladder& ladder, const ladders::Step& step);  // of the block in the middle, at the sizes `ladder.counted`

}  // namespace tapetum::bench
