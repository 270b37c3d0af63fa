// The bytes of the embedded fonts. For viz/font.cpp only.
#pragma once
#include <cstdint>

namespace tapetum::viz {

extern const uint8_t kInterRegular[], kInterSemiBold[];
extern const int kInterRegularSize, kInterSemiBoldSize;

}  // namespace tapetum::viz
