// Captured graphs: what a replay computes and draws, whose memory it uses, and what may not be captured.
#if defined(TAPETUM_WITH_CUDA)
#include <catch2/catch.hpp>
#include <functional>

#include "core/memory.h"
#include "tapetum.h"

namespace tapetum {
namespace {

const Device gpu = DeviceKind::cuda;

bool same(const Tensor& a, const Tensor& b) { return all(eq(to(a, DeviceKind::cpu), to(b, DeviceKind::cpu))).item() != 0; }

}  // namespace

TEST_CASE("graph: a replay does the captured work on what its inputs hold now", "[emulated]") {
  Tensor x = zeros({3, 5}, DType::f32, gpu), y;
  cuda::Graph graph;
  graph.capture([&] {
    REQUIRE(cuda::is_capturing());
    y = matmul(x, transpose(x, 0, 1)) + full({3, 3}, 0.5, DType::f32, gpu) + ones({3, 3}, DType::f32, gpu);
  });
  REQUIRE_FALSE(cuda::is_capturing());
  const void* place = y.raw();
  for (int i = 0; i < 3; ++i) {
    const Tensor next = rand({3, 5}, -1, 1, DType::f32, gpu);
    copy_(x, next);
    graph.replay();
    REQUIRE(same(y, matmul(next, transpose(next, 0, 1)) + 0.5 + 1));
  }
  REQUIRE(y.raw() == place);
}

TEST_CASE("graph: a replay draws what the code would have drawn", "[emulated]") {
  const Tensor x = ones({50, 20}, DType::f32, gpu);
  Tensor noise, dropped;
  const auto draw = [&] {
    noise = randn({7, 9}, 0, 1, DType::f32, gpu);
    dropped = dropout(x, 0.4);
    dropped = dropped + rand_like(x);
  };
  cuda::Graph graph;
  graph.capture(draw);
  const Tensor graph_noise = noise, graph_dropped = dropped;
  for (uint64_t seed : {3, 4}) {
    manual_seed(seed);
    std::vector<Tensor> expected;
    for (int i = 0; i < 3; ++i) {
      draw();
      expected.insert(expected.end(), {noise, dropped, rand({4}, 0, 1, DType::f32, gpu)});
    }
    manual_seed(seed);
    for (size_t i = 0; i < 9; i += 3) {
      graph.replay();
      REQUIRE(same(graph_noise, expected[i]));
      REQUIRE(same(graph_dropped, expected[i + 1]));
      REQUIRE(same(rand({4}, 0, 1, DType::f32, gpu), expected[i + 2]));
    }
  }
}

TEST_CASE("graph: a checkpointed segment draws the same numbers twice in a replay too", "[emulated]") {
  const Tensor x = rand({30}, 0, 1, DType::f32, gpu).set_requires_grad();
  Tensor y, g;
  const auto step = [&] {
    y = checkpoint([](const std::vector<Tensor>& in) { return square(dropout(in[0], 0.5)); }, {x});
    g = grad({y}, {x}, {ones({30}, DType::f32, gpu)})[0];
  };
  cuda::Graph graph;
  graph.capture(step);
  const Tensor graph_y = y, graph_g = g;
  manual_seed(9);
  step();
  manual_seed(9);
  graph.replay();
  REQUIRE(same(graph_y, y));
  REQUIRE(same(graph_g, g));
}

TEST_CASE("graph: what would wait, or leave the host's values in it, is refused by name and ends the capture", "[emulated]") {
  const Tensor host = tensor({1, 0, 2}), x = to(host, gpu), three = sum(x);
  const cuda::Stream stream;
  const cuda::Event event;
  event.record();
  const std::vector<std::pair<const char*, std::function<void()>>> calls = {
      {"item", [&] { three.item(); }},
      {"nonzero", [&] { nonzero(x); }},
      {"nonzero", [&] { masked_select(x, x > 0); }},
      {"to", [&] { to(x, Device()); }},
      {"to", [&] { to(host, gpu); }},
      {"synchronize", [] { cuda::synchronize(); }},
      {"Stream::synchronize", [&] { stream.synchronize(); }},
      {"Event::synchronize", [&] { event.synchronize(); }},
      {"manual_seed", [] { manual_seed(1); }},
      {"rand", [] { rand({3}); }},
      {"randperm", [] { randperm(3); }},
      {"Graph::capture", [] { cuda::Graph().capture([] {}); }},
  };
  for (const auto& [name, call] : calls) {
    INFO(name);
    cuda::Graph graph;
    const auto capture = [&, f = call] {
      graph.capture([&] {
        const Tensor y = x * 2;
        f();
      });
    };
    REQUIRE_THROWS_WITH(capture(), Catch::StartsWith(std::string(name) + ": ") && Catch::EndsWith(", while a graph is captured"));
    REQUIRE_FALSE(cuda::is_capturing());
    REQUIRE_THROWS_WITH(graph.replay(), "Graph::replay: nothing was captured");
    REQUIRE(sum(x + 1).item() == 6);
  }
}

TEST_CASE("graph: what its code throws comes through, and the next capture works", "[emulated]") {
  const Tensor x = ones({4}, DType::f32, gpu);
  Tensor y;
  cuda::Graph graph;
  REQUIRE_THROWS_AS(graph.capture([&] { y = x + ones({5}, DType::f32, gpu); }), ShapeError);
  graph.capture([&] { y = x * 3; });
  graph.replay();
  REQUIRE(sum(y).item() == 12);
}

TEST_CASE("graph: its memory is nobody else's until it is gone", "[emulated]") {
  release_memory(gpu);
  const size_t before = memory_reserved(gpu);
  const Tensor x = ones({1000}, DType::f32, gpu);
  cuda::Graph graph;
  Tensor y;
  graph.capture([&] {
    Tensor z = x;
    for (int i = 0; i < 5; ++i) z = z + 1;  // the temporaries' blocks are used again within the graph
    y = z * 2;
  });
  release_memory(gpu);
  const Tensor other = full({1000}, 7, DType::f32, gpu), another = full({1000}, 8, DType::f32, gpu);
  graph.replay();
  REQUIRE(sum(y).item() == 12000);
  REQUIRE(same(other, full({1000}, 7)));
  REQUIRE(same(another, full({1000}, 8)));
  graph.reset();
  REQUIRE(sum(y).item() == 12000);  // a tensor that lives keeps its block
  REQUIRE_THROWS_AS(graph.replay(), DeviceError);
  y = Tensor();
  release_memory(gpu);
  REQUIRE(memory_reserved(gpu) <= before + 3 * 4096);
}

TEST_CASE("graph: a bad index at a replay is said where the host next waits, once a replay", "[emulated]") {
  const Tensor table = to(rand({5}), gpu);
  Tensor index = zeros({2, 3}, DType::i64, gpu), y;
  cuda::Graph graph;
  graph.capture([&] { y = index_select(table, 0, reshape(index, {-1})); });
  graph.replay();
  cuda::synchronize();
  for (double wrong : {9, -1}) {
    copy_(index, full({2, 3}, wrong, DType::i64, gpu));
    graph.replay();
    REQUIRE_THROWS_WITH(cuda::synchronize(), Catch::StartsWith("index_select: index " + std::to_string(static_cast<int>(wrong)) + " at [0]"));
    cuda::synchronize();
  }
  copy_(index, full({2, 3}, 4, DType::i64, gpu));
  graph.replay();
  REQUIRE(same(y, expand(slice(table, 0, 4, 5), {6})));
}

}  // namespace tapetum
#endif
