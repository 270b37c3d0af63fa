#include <catch2/catch.hpp>
#include <memory>

#include "tapetum.h"

namespace tapetum {
namespace {

// Another library's tensor, which counts how often it is given back.
struct Foreign {
  std::vector<float> data{0, 1, 2, 3, 4, 5, 6, 7};
  std::vector<int64_t> shape{2, 3}, strides{4, 1};
  int deleted = 0;
  dlpack::Managed managed{.version = {1, 1},
                          .manager_ctx = this,
                          .deleter = [](dlpack::Managed* m) { ++static_cast<Foreign*>(m->manager_ctx)->deleted; },
                          .flags = 0,
                          .view = {.data = data.data(),
                                   .device = {dlpack::DeviceType::cpu, 0},
                                   .ndim = 2,
                                   .dtype = {dlpack::TypeCode::floating, 32, 1},
                                   .shape = shape.data(),
                                   .strides = strides.data(),
                                   .byte_offset = sizeof(float)}};
};

}  // namespace

TEST_CASE("dlpack: the structs have the standard's layout") {
  REQUIRE(sizeof(dlpack::View) == 48);
  REQUIRE(offsetof(dlpack::View, ndim) == 16);
  REQUIRE(offsetof(dlpack::View, shape) == 24);
  REQUIRE(offsetof(dlpack::View, byte_offset) == 40);
  REQUIRE(offsetof(dlpack::Managed, deleter) == 16);
  REQUIRE(offsetof(dlpack::Managed, view) == 32);
}

TEST_CASE("dlpack: a tensor of any dtype, shape and strides comes back over the same memory") {
  for (DType t : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8, DType::boolean}) {
    const Tensor x = to(reshape(arange(24), {2, 3, 4}), t);
    for (const Tensor& view : {x, transpose(x, 0, 2), slice(x, 2, 1, 4, 2), select(select(select(x, 0, 1), 0, 1), 0, 1), slice(x, 0, 1, 1)}) {
      const Tensor y = from_dlpack(to_dlpack(view));
      REQUIRE(y.raw() == view.raw());
      REQUIRE(y.shape() == view.shape());
      REQUIRE(y.strides() == view.strides());
      REQUIRE(y.dtype() == t);
    }
  }
}

TEST_CASE("dlpack: memory lives as long as either side needs it") {
  dlpack::Managed* handed;
  {
    const Tensor x = full({3}, 7);
    handed = to_dlpack(x);
  }
  REQUIRE(static_cast<float*>(handed->view.data)[2] == 7);
  Tensor part;
  {
    const Tensor y = from_dlpack(handed);
    part = slice(y, 0, 1, 3);
  }
  REQUIRE(sum(part).item() == 14);
}

TEST_CASE("dlpack: a foreign tensor is given back once, with the last view of it") {
  Foreign foreign;
  Tensor view;
  {
    const Tensor x = from_dlpack(&foreign.managed);
    REQUIRE(x.raw() == &foreign.data[1]);
    view = select(x, 0, 1);
    REQUIRE(view.data<float>()[0] == 5);
    view.fill_(9);
    REQUIRE(foreign.data[6] == 9);
  }
  REQUIRE(foreign.deleted == 0);
  view = {};
  REQUIRE(foreign.deleted == 1);
}

TEST_CASE("dlpack: without strides it is row-major, without a deleter nothing is called, read-only memory is copied") {
  Foreign foreign;
  foreign.managed.view.strides = nullptr;
  foreign.managed.deleter = nullptr;
  { REQUIRE(from_dlpack(&foreign.managed).data<float>()[5] == 6); }
  Foreign constant;
  constant.managed.flags = dlpack::kReadOnly;
  Tensor x = from_dlpack(&constant.managed);
  REQUIRE(constant.deleted == 1);
  x.fill_(0);
  REQUIRE(constant.data[1] == 1);
}

TEST_CASE("dlpack: what no tensor can be is refused, and stays the caller's") {
  const auto refused = [](auto change) {
    Foreign foreign;
    change(foreign.managed);
    try {
      from_dlpack(&foreign.managed);
      FAIL("taken");
    } catch (const Error&) {
    }
    REQUIRE(foreign.deleted == 0);
  };
  refused([](dlpack::Managed& m) { m.version.major = 2; });
  refused([](dlpack::Managed& m) { m.view.dtype.lanes = 4; });
  refused([](dlpack::Managed& m) { m.view.dtype.bits = 4; });
  refused([](dlpack::Managed& m) { m.view.ndim = 9; });
  refused([](dlpack::Managed& m) { m.view.strides[1] = -1; });
  refused([](dlpack::Managed& m) { m.view.device.type = static_cast<dlpack::DeviceType>(7); });
  REQUIRE_THROWS_AS(to_dlpack(full({2}, 1).set_requires_grad()), AutogradError);
  REQUIRE_THROWS_AS(to_dlpack(to(full({2}, 1), Device("meta"))), DeviceError);
}

}  // namespace tapetum
