#include <catch2/catch.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/memory.h"
#include "core/profiler.h"
#include "core/serialization/utf8.h"
#include "kernels/parallel.h"
#include "tapetum.h"

namespace tapetum {
namespace {

using profiler::Event, profiler::GroupBy, profiler::Kind, profiler::Profile, profiler::Row, profiler::Scope;

const Event& event(Profile& p, Kind kind, const std::string& name) {
  for (const Event& e : p.events())
    if (e.kind == kind && e.name == name) return e;
  FAIL("no event " << name);
  throw 0;
}
Row row(Profile& p, const std::string& name, GroupBy by = GroupBy::name) {
  for (const Row& r : p.rows(by))
    if (r.name == name) return r;
  FAIL("no row " << name);
  throw 0;
}
bool is_inside(const std::vector<Event>& events, const Event& inner, const Event& outer) {
  for (int64_t p = inner.parent; p >= 0; p = events[static_cast<size_t>(p)].parent)
    if (&events[static_cast<size_t>(p)] == &outer) return true;
  return false;
}
void spend(double milliseconds) { std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(milliseconds)); }

// An op of a program's own that fails, and one that runs others.
struct ThrowingOp {
  static constexpr OpInfo info{"throwing"};
  using Options = NoOptions;
  static Tensor forward(Context&, const Options&, const Tensor& x) {
    add(x, x);
    throw Error("throwing: on purpose");
  }
  static Gradients backward(const Context&, const Options&, const Tensor&) { return {Tensor()}; }
};
struct TwiceOp {
  static constexpr OpInfo info{"twice"};
  using Options = NoOptions;
  static Tensor forward(Context&, const Options&, const Tensor& x) { return add(x, x); }
  static Gradients backward(const Context&, const Options&, const Tensor& gy) { return {gy + gy}; }
};

}  // namespace

TEST_CASE("profiler: a range's total holds those inside, its self time does not") {
  Profile p;
  {
    Scope outer("outer");
    spend(2);
    for (int i = 0; i < 2; ++i) {
      Scope inner("inner");
      spend(3);
    }
  }
  p.stop();
  const Row outer = row(p, "outer"), inner = row(p, "inner");
  REQUIRE((outer.calls == 1 && inner.calls == 2));
  REQUIRE(inner.self == Approx(inner.total));
  REQUIRE(outer.self + inner.total == Approx(outer.total));
  REQUIRE((inner.total > 0.006 && outer.self > 0.002));
  REQUIRE(is_inside(p.events(), event(p, Kind::range, "inner"), event(p, Kind::range, "outer")));
  REQUIRE(p.seconds() >= outer.total);
}

TEST_CASE("profiler: the time of a range inside its like is in the total once") {
  Profile p;
  {
    Scope outer("again");
    Scope inner("again");
    spend(2);
  }
  const Row again = row(p, "again");
  REQUIRE(again.calls == 2);
  REQUIRE(again.total == Approx(again.self));
}

TEST_CASE("profiler: a kernel is its op's own time, and an op inside another is not") {
  const Tensor x = ones({64});
  Profile p;
  apply<TwiceOp>({}, x);
  p.stop();
  const Event &twice = event(p, Kind::op, "twice"), &add = event(p, Kind::op, "add"), &kernel = event(p, Kind::kernel, "add_forward");
  REQUIRE(p.events().size() == 3);
  REQUIRE(is_inside(p.events(), kernel, add));
  REQUIRE(is_inside(p.events(), add, twice));
  REQUIRE((twice.kernels == 0 && add.kernels == 1));
  REQUIRE_FALSE(kernel.candidate.empty());
  REQUIRE(p.rows().size() == 2);  // the kernel's time is add's
  REQUIRE(row(p, "add").self == Approx(row(p, "add").total));
  REQUIRE(row(p, "twice").self == Approx(row(p, "twice").total - row(p, "add").total));
  REQUIRE(row(p, "add_forward:" + kernel.candidate, GroupBy::kernel).calls == 1);
}

TEST_CASE("profiler: flops are those of the direct form, bytes each element once") {
  const Tensor x = ones({2, 8, 12, 10}), w = ones({16, 4, 3, 3}), a = ones({3, 5, 7}), b = ones({3, 7, 2});
  const Tensor q = ones({2, 3, 5, 8}), k = ones({2, 3, 6, 8}), v = ones({2, 3, 6, 4}), c = ones({4, 1}), d = ones({6});
  Profile p;
  conv2d(x, w, {.stride = 2, .padding = 1, .groups = 2});
  matmul(a, b);
  scaled_dot_product_attention(q, k, v);
  scaled_dot_product_attention(q, k, v, {.causal = true});
  add(expand(c, {4, 6}), d);
  p.stop();
  REQUIRE(event(p, Kind::op, "conv2d").flops == 2.0 * 2 * 16 * 6 * 5 * 4 * 9);
  REQUIRE(event(p, Kind::op, "conv2d").bytes == 4.0 * (2 * 8 * 12 * 10 + 16 * 4 * 9 + 2 * 16 * 6 * 5));
  REQUIRE(event(p, Kind::op, "matmul").flops == 2.0 * 3 * 5 * 2 * 7);
  REQUIRE(event(p, Kind::op, "matmul").bytes == 4.0 * 3 * (5 * 7 + 7 * 2 + 5 * 2));
  const double pair = 2 * (8 + 4), all = 2 * 3 * 5 * 6, causal = 2 * 3 * (1 + 2 + 3 + 4 + 5);
  REQUIRE(row(p, "scaled_dot_product_attention").flops == pair * (all + causal));
  REQUIRE(event(p, Kind::op, "add").flops == 0);
  REQUIRE(event(p, Kind::op, "add").bytes == 4.0 * (4 + 6 + 24));  // an expanded tensor has its own elements only
  REQUIRE(event(p, Kind::op, "expand").bytes == 0);                // a view moves nothing
  const Row conv = row(p, "conv2d");
  REQUIRE((conv.roofline > 0 && conv.roofline < 1.5));
}

TEST_CASE("profiler: a gradient is an event with its ops and kernels inside") {
  const Tensor x = ones({1, 3, 8, 8}).set_requires_grad(), w = ones({4, 3, 3, 3}).set_requires_grad();
  Profile p;
  conv2d(x, w).sum().backward();
  p.stop();
  const Event &forward = event(p, Kind::op, "conv2d"), &backward = event(p, Kind::backward, "conv2d backward");
  const Event &gx = event(p, Kind::op, "conv2d_grad_input"), &gw = event(p, Kind::op, "conv2d_grad_weight");
  REQUIRE(is_inside(p.events(), gx, backward));
  REQUIRE(is_inside(p.events(), gw, backward));
  REQUIRE(is_inside(p.events(), event(p, Kind::kernel, "conv2d_grad_weight"), gw));
  REQUIRE(is_inside(p.events(), backward, event(p, Kind::range, "backward")));
  REQUIRE((forward.flops > 0 && gx.flops == forward.flops && gw.flops == forward.flops));
  REQUIRE((backward.shapes.size() == 1 && backward.shapes[0] == Shape{1, 4, 6, 6}));
  for (const Event& e : p.events())
    if (e.parent >= 0) {
      const Event& outer = p.events()[static_cast<size_t>(e.parent)];
      REQUIRE((outer.start <= e.start && e.start + e.duration <= outer.start + outer.duration));
    }
}

TEST_CASE("profiler: a fused gradient counts the bytes of what it reads and writes") {
  const Tensor x = ones({4, 6}).set_requires_grad();
  const Tensor y = layer_norm(x, {6});
  Profile p;
  backward(y, ones({4, 6}));
  REQUIRE(event(p, Kind::backward, "layer_norm backward").bytes == 4.0 * 24 * 3);  // gy, x and gx
}

TEST_CASE("profiler: in-place ops and optimizers' steps are rows, with their bytes") {
  Tensor x = ones({100}), y = ones({100});
  x.set_requires_grad();
  x.set_grad(ones({100}));
  optim::Adam adam({x}, {});
  adam.step();  // makes its state
  Profile p;
  add_(y, ones({100}));
  copy_(y, ones({1}));
  adam.step();
  REQUIRE(event(p, Kind::in_place, "add_").bytes == 4.0 * 300);
  REQUIRE(event(p, Kind::in_place, "copy_").bytes == 4.0 * 101);
  REQUIRE(row(p, "adam_step").bytes == 4.0 * 100 * (2 + 1 + 2 * 2));  // value and two states read and written, the gradient read
  REQUIRE(is_inside(p.events(), event(p, Kind::kernel, "adam_step"), event(p, Kind::range, "optimizer step")));
}

TEST_CASE("profiler: an exception closes the events that it leaves") {
  const Tensor x = ones({4});
  Profile p;
  {
    Scope scope("around");
    REQUIRE_THROWS_AS(apply<ThrowingOp>({}, x), Error);
    add(x, x);
  }
  const Event &thrown = event(p, Kind::op, "throwing"), &around = event(p, Kind::range, "around");
  REQUIRE(thrown.duration >= 0);
  const Event& last = p.events()[p.events().size() - 2];  // add, before its kernel
  REQUIRE(last.name == "add");
  REQUIRE(&p.events()[static_cast<size_t>(last.parent)] == &around);
}

TEST_CASE("profiler: threads have their own events") {
  const Tensor x = ones({16});
  Profile p;
  Scope main("main thread");
  std::thread other([&] {
    Scope scope("other thread");
    add(x, x);
  });
  other.join();
  add(x, x);
  p.stop();
  const Event &here = event(p, Kind::range, "main thread"), &there = event(p, Kind::range, "other thread");
  REQUIRE((here.thread == 0 && there.thread == 1));
  REQUIRE(there.parent == -1);
  REQUIRE(std::count_if(p.events().begin(), p.events().end(), [](const Event& e) { return e.kind == Kind::op && e.thread == 1; }) == 1);
  REQUIRE(row(p, "add").calls == 2);
}

TEST_CASE("profiler: many threads record at once, and one stops") {
  const Tensor x = ones({16});
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    auto p = std::make_unique<Profile>();
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          Scope scope("work");
          add(x, x);
        }
      });
    spend(0.2);
    for (const Event& e : p->events()) REQUIRE((e.duration >= 0 && e.parent < static_cast<int64_t>(p->events().size())));
    p.reset();
    for (auto& t : threads) t.join();
  }
}

TEST_CASE("profiler: what is open at the end ends there, and the next profile does not see it") {
  auto p = std::make_unique<Profile>();
  Scope open("open");
  p->stop();
  REQUIRE(event(*p, Kind::range, "open").duration >= 0);
  p = std::make_unique<Profile>();
  { Scope second("second"); }
  REQUIRE(p->events().size() == 1);
  REQUIRE(p->events()[0].parent == -1);
}

TEST_CASE("profiler: without a profile nothing is recorded, and there is one at a time") {
  const Tensor x = ones({4});
  add(x, x);
  Scope before("before");
  {
    Profile p;
    REQUIRE_THROWS_AS(Profile(), Error);
    p.stop();
    add(x, x);
    REQUIRE(p.events().empty());
  }
  REQUIRE_FALSE(profiler::is_recording());
  Profile again;
  REQUIRE(again.rows().empty());
}

TEST_CASE("profiler: the memory timeline is that of memory_allocated, workspaces included") {
  const Tensor x = ones({1, 16, 32, 32}), w = ones({16, 16, 3, 3});
  reset_peak_memory();
  Profile p;
  const size_t before = memory_allocated();
  size_t during = 0;
  {
    const Tensor y = empty({1 << 20});
    during = memory_allocated();
  }
  conv2d(x, w);
  p.stop();
  REQUIRE(p.peak_memory() == peak_memory());
  REQUIRE(during - before >= (4 << 20));
  REQUIRE(p.memory().front().allocated == before);
  REQUIRE(p.memory().back().allocated == memory_allocated());
  REQUIRE(std::any_of(p.memory().begin(), p.memory().end(), [&](const auto& s) { return s.allocated == during; }));
}

TEST_CASE("profiler: the trace is JSON, whatever the names") {
  const std::string hostile = "\"quote\" \\ \n\t\x01 \xff\xed\xa0\x80 \xf0\x9f\x91\x81";
  const Tensor x = ones({2, 3}).set_requires_grad();
  Profile p;
  {
    Scope scope(hostile);
    (x * x).sum().backward();
  }
  const auto trace = nlohmann::json::parse(p.trace());
  std::vector<std::string> names;
  int counters = 0;
  for (const auto& e : trace["traceEvents"]) {
    names.push_back(e["name"]);
    counters += e["ph"] == "C";
    if (e["ph"] != "X") continue;
    REQUIRE((e["ts"] >= 0 && e["dur"] >= 0));
    if (e["name"] == "mul" && std::count(names.begin(), names.end(), "mul") == 1) {  // the others are the gradient's
      REQUIRE(e["args"]["shapes"] == nlohmann::json::parse("[[2,3],[2,3]]"));
      REQUIRE(e["args"]["bytes"] == 72);
    }
    if (e["cat"] == "kernel") REQUIRE(e["args"].contains("candidate"));
  }
  const auto has = [&](const std::string& name) { return std::count(names.begin(), names.end(), name) > 0; };
  REQUIRE(has("\"quote\" \\ \n\t\x01 \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xf0\x9f\x91\x81"));
  REQUIRE((has("mul") && has("mul backward") && has("mul_forward") && has("thread_name") && counters > 0));
  REQUIRE(trace["tapetum"]["operations"].size() == p.rows().size());
  REQUIRE(trace["tapetum"]["roofline"]["flops"] > 0);
}

TEST_CASE("profiler: the table has a line a row, the most self time first") {
  const Tensor x = ones({64, 64});
  Profile p;
  for (int i = 0; i < 3; ++i) matmul(x, x);
  add(x, x);
  add(x, ones({64, 1}));
  const std::string table = p.table(1), shapes = p.table(0, GroupBy::shapes);
  INFO(table << shapes);
  REQUIRE(table.find("1 more rows") != table.npos);
  REQUIRE(p.rows().size() == 2);
  REQUIRE(p.rows()[0].self >= p.rows()[1].self);
  REQUIRE(p.rows(GroupBy::shapes).size() == 3);
  REQUIRE(shapes.find("[64, 64] [64, 1]") != shapes.npos);
  REQUIRE(table.find("MB allocated") != table.npos);
}

TEST_CASE("profiler: the slot that runs on this thread") {
  CHECK(profiler::running_kernel().empty());
  profiler::Profile profile;
  const profiler::Scope around("around");
  CHECK(profiler::running_kernel().empty());
  {
    const profiler::KernelScope kernel("add_forward", {}, DType::f32);
    CHECK(profiler::running_kernel() == "add_forward");
    std::string elsewhere = "?";
    std::thread([&] { elsewhere = profiler::running_kernel(); }).join();
    CHECK(elsewhere.empty());
    profile.stop();
    CHECK(profiler::running_kernel().empty());
  }
  CHECK(profiler::running_kernel().empty());
}

TEST_CASE("utf8: only what the standard calls well-formed") {
  for (const char* good : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) REQUIRE(is_utf8(good));
  for (const char* bad :
       {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"})
    REQUIRE_FALSE(is_utf8(bad));
  REQUIRE(json_text("a\"\\\x7f\xff") == "\"a\\\"\\\\\\u007f\xEF\xBF\xBD\"");
}

}  // namespace tapetum
