// float4 and its kin, with the sizes and alignments of the CUDA toolkit.
#pragma once

#define TAPETUM_EMULATION_VECTOR(NAME, T, ALIGN2, ALIGN4)               \
  struct NAME##1 {                                                      \
    T x;                                                                \
  };                                                                    \
  struct alignas(ALIGN2) NAME##2 {                                      \
    T x, y;                                                             \
  };                                                                    \
  struct NAME##3 {                                                      \
    T x, y, z;                                                          \
  };                                                                    \
  struct alignas(ALIGN4) NAME##4 {                                      \
    T x, y, z, w;                                                       \
  };                                                                    \
  constexpr NAME##1 make_##NAME##1(T x) { return {x}; }                 \
  constexpr NAME##2 make_##NAME##2(T x, T y) { return {x, y}; }         \
  constexpr NAME##3 make_##NAME##3(T x, T y, T z) { return {x, y, z}; } \
  constexpr NAME##4 make_##NAME##4(T x, T y, T z, T w) { return {x, y, z, w}; }
TAPETUM_EMULATION_VECTOR(char, signed char, 2, 4)
TAPETUM_EMULATION_VECTOR(uchar, unsigned char, 2, 4)
TAPETUM_EMULATION_VECTOR(short, short, 4, 8)
TAPETUM_EMULATION_VECTOR(ushort, unsigned short, 4, 8)
TAPETUM_EMULATION_VECTOR(int, int, 8, 16)
TAPETUM_EMULATION_VECTOR(uint, unsigned, 8, 16)
TAPETUM_EMULATION_VECTOR(longlong, long long, 16, 16)
TAPETUM_EMULATION_VECTOR(ulonglong, unsigned long long, 16, 16)
TAPETUM_EMULATION_VECTOR(float, float, 8, 16)
TAPETUM_EMULATION_VECTOR(double, double, 16, 16)
#undef TAPETUM_EMULATION_VECTOR

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};
