// Chrome's trace format: complete events "X", counters "C", names of threads "M"; times in microseconds. (Duan, "Trace Event Format")
#include <fmt/format.h>

#include "core/profiler.h"
#include "core/serialization/atomic_file.h"
#include "core/serialization/utf8.h"
#include "kernels/parallel.h"
#include "kernels/roofline.h"

namespace tapetum::profiler {
namespace {

double microseconds(int64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-3; }

std::string list_of(const std::vector<Shape>& shapes) {
  std::string text;
  for (const Shape& s : shapes) {
    std::string sizes;
    for (int64_t d : s) sizes += (sizes.empty() ? "" : ",") + std::to_string(d);
    text += (text.empty() ? "[" : ",[") + sizes + ']';
  }
  return '[' + text + ']';
}

std::string arguments_of(const Event& e) {
  std::string text;
  const auto add = [&](const char* name, const std::string& value) { text += fmt::format("{}\"{}\":{}", text.empty() ? "" : ",", name, value); };
  if (!e.candidate.empty()) add("candidate", json_text(e.candidate));
  if (!e.shapes.empty()) add("shapes", list_of(e.shapes));
  if (!e.shapes.empty() || e.kind == Kind::kernel) add("dtype", json_text(name_of(e.dtype)));
  if (!e.shapes.empty() || e.kind == Kind::kernel) add("device", json_text(to_string(e.device)));
  if (e.flops > 0) add("flops", fmt::format("{:.0f}", e.flops));
  if (e.bytes > 0) add("bytes", fmt::format("{:.0f}", e.bytes));
  return '{' + text + '}';
}

void append(std::string& text, const Event& e) {
  text += fmt::format(",\n{{\"name\":{},\"cat\":\"{}\",\"ph\":\"X\",\"ts\":{:.3f},\"dur\":{:.3f},\"pid\":1,\"tid\":{},\"args\":{}}}",
                      json_text(e.name), name_of(e.kind), microseconds(e.start), microseconds(e.duration), e.thread, arguments_of(e));
}

void append(std::string& text, const MemorySample& s) {
  text += fmt::format(",\n{{\"name\":{},\"ph\":\"C\",\"ts\":{:.3f},\"pid\":1,\"args\":{{\"allocated\":{}}}}}",
                      json_text("memory of " + to_string(s.device)), microseconds(s.time), s.allocated);
}

void append_thread_name(std::string& text, int thread) {
  text += fmt::format(",\n{{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":{},\"args\":{{\"name\":\"{}\"}}}}", thread,
                      thread == 0 ? "main" : fmt::format("thread {}", thread));
}

std::string list_of(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& r : rows)
    text += fmt::format(
        "{}\n{{\"name\":{},\"kind\":\"{}\",\"shapes\":{},\"calls\":{},\"total_seconds\":{:.9f},\"self_seconds\":{:.9f},\"flops\":{:.0f},"
        "\"bytes\":{:.0f},\"roofline\":{:.4f}}}",
        text.empty() ? "" : ",", json_text(r.name), name_of(r.kind), json_text(r.shapes), r.calls, r.total, r.self, r.flops, r.bytes, r.roofline);
  return '[' + text + ']';
}

}  // namespace

std::string Profile::trace() {
  stop();
  const kernels::Roofline machine = kernels::roofline();
  std::string text =
      "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"tapetum\"}}";
  int named = -1;
  for (const Event& e : events()) {
    if (e.thread > named) append_thread_name(text, named = e.thread);
    append(text, e);
  }
  for (const MemorySample& s : memory()) append(text, s);
  text += fmt::format("],\n\"tapetum\":{{\"seconds\":{:.9f},\"peak_memory\":{},\"threads\":{},\"roofline\":{{\"flops\":{:.0f},\"bytes\":{:.0f}}}",
                      seconds(), peak_memory(), kernels::thread_count(), machine.flops, machine.bytes);
  for (const auto& [name, by] : {std::pair("operations", GroupBy::name), std::pair("shapes", GroupBy::shapes), std::pair("kernels", GroupBy::kernel)})
    text += fmt::format(",\n\"{}\":{}", name, list_of(rows(by)));
  return text + "}}\n";
}

void Profile::export_chrome_trace(const std::string& path) { write_file_atomically(path, trace()); }

}  // namespace tapetum::profiler
