// How tissue looks under the microscope: stains, glowing cells, membranes, nuclei, and debris that only resembles cells.
#pragma once
#include "data/synthetic/geometry.h"
#include "data/synthetic/optics.h"

namespace tapetum::data {

// The scene before the lens. Everything visible is drawn here; only the tissue's owners make the mask.
Planes paint(RandomStream& stream, const Tissue& tissue);

}  // namespace tapetum::data
