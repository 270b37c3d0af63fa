#include <catch2/catch.hpp>
#include <cstdlib>

#include "core/cuda.h"
#include "core/memory.h"
#include "kernels/allocator.h"
#include "kernels/device.h"
#include "tapetum.h"

using namespace tapetum;

#if defined(TAPETUM_WITH_CUDA)

namespace {

const Device gpu = DeviceKind::cuda;

bool same(const Tensor& a, const Tensor& b) { return all(eq(to(a, DeviceKind::cpu), to(b, DeviceKind::cpu))).item() != 0; }

}  // namespace

TEST_CASE("cuda: a tensor keeps its order of dimensions on the way", "[emulated]") {
  const Tensor x = rand({2, 5, 3, 4}), last = channels_last(x), part = slice(last, 1, 1, 4);
  for (const Tensor& t : {x, last, part, transpose(x, 0, 3)}) {
    const Tensor there = to(t, DeviceKind::cuda), back = to(there, DeviceKind::cpu, true), pinned = pin_memory(t);
    cuda::synchronize();
    REQUIRE(there.strides() == empty_like(t).strides());
    REQUIRE(back.strides() == there.strides());
    REQUIRE(pinned.strides() == there.strides());
    REQUIRE(all(eq(back, t)).item() != 0);
    REQUIRE(all(eq(pinned, t)).item() != 0);
  }
  REQUIRE(to(last, DeviceKind::cuda).strides() == last.strides());
}

TEST_CASE("cuda: tensors go to the device and come back", "[emulated]") {
  const Tensor x = rand({3, 5});
  const Tensor y = to(transpose(x, 0, 1), gpu);
  REQUIRE(y.device() == gpu);
  REQUIRE(same(y, transpose(x, 0, 1)));
  REQUIRE(to(slice(x, 0, 1, 2), gpu).numel() == 5);
  REQUIRE(to(rand({0, 3}), gpu).shape() == Shape{0, 3});
  REQUIRE(to(tensor({2.5}), gpu).item() == 2.5);
}

TEST_CASE("cuda: the emulator is a device for those who ask for it", "[emulated]") {
  REQUIRE(cuda::is_available() == !kernels::device_api(DeviceKind::cuda)->emulated);
  setenv("TAPETUM_DEVICE", "emulated", 1);
  REQUIRE(cuda::is_available() == true);
  unsetenv("TAPETUM_DEVICE");
}

TEST_CASE("cuda: tensors of two devices do not mix", "[emulated]") { REQUIRE_THROWS_AS(rand({3}) + to(rand({3}), gpu), DeviceError); }

TEST_CASE("cuda: a gradient crosses the device border", "[emulated]") {
  const Tensor x = rand({4}).set_requires_grad();
  const Tensor y = to(to(x, gpu) * 3, DeviceKind::cpu);
  REQUIRE(same(grad({y}, {x}, {ones({4})})[0], full({4}, 3)));
}

TEST_CASE("cuda: freed memory is kept and given out again", "[emulated]") {
  release_memory(gpu);
  reset_peak_memory(gpu);
  const size_t before = memory_allocated(gpu);
  const void* first = nullptr;
  {
    const Tensor x = empty({1000}, DType::f32, gpu);
    first = x.raw();
    REQUIRE(memory_allocated(gpu) >= before + 4000);
  }
  REQUIRE(memory_allocated(gpu) == before);
  REQUIRE(peak_memory(gpu) >= before + 4000);
  if (!kernels::allocations_are_exact()) REQUIRE(empty({1000}, DType::f32, gpu).raw() == first);
  release_memory(gpu);
  REQUIRE(memory_reserved(gpu) == before);
}

TEST_CASE("cuda: what does not fit is named, and nothing is lost", "[emulated]") {
  const int64_t much = int64_t{1} << 50;
  REQUIRE_THROWS_WITH(empty({much}, DType::f32, gpu), Catch::Contains("bytes on 'cuda:0'") && Catch::Contains("tensors hold"));
  REQUIRE((to(rand({3}), gpu) + 1).numel() == 3);
}

TEST_CASE("cuda: out of memory tells what is held", "[emulated]") {
  const Tensor a = empty({1 << 20}, DType::f32, gpu), b = empty({1 << 20}, DType::f32, gpu);
  REQUIRE_THAT(held_memory(gpu), Catch::Contains("tensors hold") && Catch::Contains("2 x 4.19 MB") && Catch::Contains("kept for reuse"));
}

TEST_CASE("cuda: a device has a number", "[emulated]") {
  REQUIRE(Device("cuda") == Device("cuda", 0));
  REQUIRE(Device("cuda:3") == Device(DeviceKind::cuda, 3));
  REQUIRE(to_string(Device("cuda", 1)) == "cuda:1");
  for (const char* wrong : {"cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cpu:1", "gpu", ""}) REQUIRE_THROWS_AS(Device(wrong), DeviceError);
  REQUIRE_THROWS_AS(Device("cpu", 1), DeviceError);
  REQUIRE_THROWS_WITH(rand({2}).to(Device("cuda", cuda::device_count())), Catch::Contains("this machine has"));
}

TEST_CASE("cuda: each device has its memory, its streams and its results", "[emulated]") {
  if (cuda::device_count() < 2) return;  // another run of this file has several
  const Device second("cuda", 1);
  const size_t held[2] = {memory_allocated(gpu), memory_allocated(second)};
  const Tensor x = rand({1000}), a = to(x, gpu), b = to(a, second);
  REQUIRE(b.device() == second);
  REQUIRE(memory_allocated(gpu) > held[0]);
  REQUIRE(memory_allocated(second) > held[1]);
  REQUIRE(same(b * 2, x * 2));
  REQUIRE(same(to(b, gpu) + a, x * 2));
  REQUIRE_THROWS_WITH(a + b, Catch::Contains("'cuda:0' and 'cuda:1'"));
  const cuda::Stream side(second);
  cuda::StreamGuard on(side);
  const Tensor c = b * 3;
  REQUIRE(cuda::Stream::current(gpu).handle() != side.handle());
  REQUIRE(same(a * 3, x * 3));
  side.synchronize();
  REQUIRE(same(c, x * 3));
}

TEST_CASE("cuda: pinned memory is copied while the program goes on", "[emulated]") {
  const Tensor x = rand({3, 5});
  const Tensor p = pin_memory(transpose(x, 0, 1));
  REQUIRE(is_pinned(p));
  REQUIRE_FALSE(is_pinned(x));
  REQUIRE(same(p, transpose(x, 0, 1)));
  REQUIRE(pin_memory(p).raw() == p.raw());
  REQUIRE_THROWS_AS(pin_memory(to(x, gpu)), DeviceError);
  const Tensor there = to(p, gpu, true);
  const Tensor back = to(there + 1, DeviceKind::cpu, true);
  REQUIRE(is_pinned(back));
  cuda::synchronize();
  REQUIRE(same(back, p + 1));
}

TEST_CASE("cuda: a pinned block is not given out while a copy reads it", "[emulated]") {
  const cuda::Stream stream;
  cuda::StreamGuard on(stream);
  std::vector<Tensor> there;
  for (int i = 0; i < 20; ++i) there.push_back(to(pin_memory(full({4000}, i)), gpu, true));  // each dies at once
  stream.synchronize();
  for (int i = 0; i < 20; ++i) REQUIRE(same(there[static_cast<size_t>(i)], full({4000}, i)));
}

TEST_CASE("cuda: events tell the time between them", "[emulated]") {
  const cuda::Event begin(true), end(true);
  REQUIRE_THROWS_AS(begin.elapsed_time(end), DeviceError);
  begin.record();
  const Tensor y = to(rand({1000}), gpu) * 2;
  end.record();
  end.synchronize();
  REQUIRE(begin.elapsed_time(end) >= 0);
}

TEST_CASE("cuda: streams run side by side, and one waits for the other's event", "[emulated]") {
  const Tensor x = to(full({1000}, 2), gpu);
  cuda::synchronize();
  const cuda::Stream a, b;
  const cuda::Event ready;
  Tensor y, z;
  {
    cuda::StreamGuard on(a);
    y = x * 3;
    ready.record();
  }
  b.wait(ready);
  {
    cuda::StreamGuard on(b);
    z = y + 1;
  }
  b.synchronize();
  REQUIRE(same(z, full({1000}, 7)));
  REQUIRE(a.handle() != b.handle());
}

TEST_CASE("cuda: a block goes back to the stream that it was made on", "[emulated]") {
  const cuda::Stream a;
  const void* block = nullptr;
  {
    cuda::StreamGuard on(a);
    block = empty({777}, DType::f32, gpu).raw();
  }
  REQUIRE(empty({777}, DType::f32, gpu).raw() != block);
  cuda::StreamGuard on(a);
  if (!kernels::allocations_are_exact()) REQUIRE(empty({777}, DType::f32, gpu).raw() == block);
}

#else

TEST_CASE("cuda: a build without it says so") {
  REQUIRE_FALSE(cuda::is_available());
  REQUIRE_THROWS_WITH(zeros({2}, DType::f32, DeviceKind::cuda), "device 'cuda' is not in this build: it has CPU kernels only");
  REQUIRE_THROWS_WITH(cuda::Stream(), "device 'cuda' is not in this build: it has CPU kernels only");
  REQUIRE_THROWS_WITH(cuda::Graph().capture([] {}), "device 'cuda' is not in this build: it has CPU kernels only");
  REQUIRE_THROWS_WITH(memory_allocated(DeviceKind::cuda), "device 'cuda' is not in this build: it has CPU kernels only");
}

#endif
