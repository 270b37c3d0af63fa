// Where time and memory go: every operation, gradient, kernel and range of the program's own while a profile runs, on all threads.
//
//   profiler::Profile profile;
//   for (int step = 0; step < 5; ++step) {
//     profiler::Scope scope("step");        // ranges of your own, to any depth
//     train_one_batch();
//   }
//   profile.stop();
//   std::puts(profile.table().c_str());     // docs/profiling.md says how to read it
//   profile.export_chrome_trace("trace.json");  // for ui.perfetto.dev or chrome://tracing
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/profiler_scope.h"

namespace tapetum::profiler {

const char* name_of(Kind kind);  // "range", "op", "in-place", "backward", "kernel"

std::string running_kernel();  // the slot that runs on this thread, while a profile does; empty: none

struct Event {
  Kind kind = Kind::range;
  std::string name;           // "conv2d", "add_", "conv2d backward", a slot's name, or the range's
  std::string candidate;      // of a kernel: who ran it
  std::vector<Shape> shapes;  // of an op's inputs, and of the gradients that a backward begins with; absent ones are left out
  DType dtype = DType::f32;
  Device device;
  int thread = 0;         // 0: the one that began the profile
  int64_t parent = -1;    // index of the event around it; -1: none
  int64_t start = 0;      // nanoseconds since the profile began
  int64_t duration = -1;  // nanoseconds; of one that was open when the profile ended, until then
  int64_t kernels = 0;    // that it ran itself, not through another op
  double flops = 0;       // of these, or of the kernel: what the direct form takes, whatever algorithm ran
  double bytes = 0;       // compulsory: each element of inputs and outputs once; 0 without kernels, and for kernels that do not know
};

struct MemorySample {
  int64_t time;  // nanoseconds since the profile began
  Device device;
  size_t allocated;  // bytes, as memory_allocated() counts them: of tensors and kernels' workspaces
};

enum class GroupBy { name, shapes, kernel };  // shapes: name and input shapes; kernel: slot:candidate, of kernels alone

// Events that are alike. A kernel belongs to the op that ran it; one that no op ran (an optimizer's step) is a row of its own.
struct Row {
  std::string name, shapes;
  Kind kind = Kind::op;
  int64_t calls = 0;
  double total = 0, self = 0;  // seconds; self: without the ops and ranges inside
  double flops = 0, bytes = 0;
  double roofline = 0;  // the least time that this machine would take (kernels/roofline.h), as a share of self; 0: unknown, as on a GPU
};

class Profile {
 public:
  Profile();   // starts. Throws Error while another one runs
  ~Profile();  // stops, and forgets
  Profile(const Profile&) = delete;
  void stop();  // only the first call counts

  // Each of these stops it first.
  const std::vector<Event>& events();         // thread by thread, each in the order in which they began: an event comes before those inside it
  const std::vector<MemorySample>& memory();  // in order of time
  size_t peak_memory(Device device = {});     // the greatest sample, what was allocated at the start included; bytes
  double seconds();                           // from start to stop
  std::vector<Row> rows(GroupBy by = GroupBy::name);                // most self time first. The first call measures the roofline: < 0.5 s
  std::string table(size_t most = 25, GroupBy by = GroupBy::name);  // text for people; `most`: rows, 0 for all
  std::string trace();                                              // JSON of Chrome's trace format, with all tables under "tapetum"
  void export_chrome_trace(const std::string& path);                // trace() into a file; throws IoError

 private:
  void take(Log& log, int thread);

  Log* own_ = nullptr;  // of the thread that began
  uint64_t session_ = 0;
  int64_t started_ = 0, stopped_ = -1;
  std::vector<Event> events_;
  std::vector<MemorySample> memory_;
};

}  // namespace tapetum::profiler
