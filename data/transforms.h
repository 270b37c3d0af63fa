// Transforms of image and mask together.
#pragma once
#include "data/transforms/colour.h"
#include "data/transforms/geometric.h"
#include "data/transforms/transform.h"
