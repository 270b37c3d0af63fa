// From the start of counting to its end, and what TAPETUM_EMULATION_PROFILE asks for.
#include "kernels/cuda/emulation/profile/session.h"
#include <fmt/core.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>
#include "kernels/cuda/emulation/launch.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/streams.h"

namespace tapetum::emulation::profile {
namespace {

struct Session {
  bool on = false;
  std::function<bool()> which{};  // empty: all launches
  bool detects = false;           // faults, and does not only count
  bool looks = false;             // at single requests
  Records records{};
  std::vector<Seen> seen{};
  std::vector<SeenRequest> requests{};
  unsigned launches = 0;
  std::unique_ptr<Launch> launch{};
};
Session& session() {  // never destroyed: reported at the end of the program
  static Session& s = *new Session;
  return s;
}

// The file is opened before the work whose counts it shall get.
std::FILE* output_of(const char* value) {
  const std::string_view target = value;
  if (target == "1") return stderr;
  if (target.size() > 5 && target.substr(target.size() - 5) == ".json") {
    if (std::FILE* f = std::fopen(value, "w")) return f;
    std::fprintf(stderr, "tapetum emulation: TAPETUM_EMULATION_PROFILE=%s cannot be written: %s\n", value, std::strerror(errno));
  } else {
    std::fprintf(stderr, "tapetum emulation: TAPETUM_EMULATION_PROFILE=%s is not understood: 0, 1 or a file.json\n", value);
  }
  std::exit(2);
}

std::FILE* output = nullptr;

void report_at_exit() {
  try {
    const std::vector<Kernel> kernels = report();
    std::fputs((output == stderr ? text(kernels) : json(kernels)).c_str(), output);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tapetum emulation: %s\n", e.what());
  }
  if (output != stderr) std::fclose(output);
}

const bool asked_for = [] {
  const char* value = std::getenv("TAPETUM_EMULATION_PROFILE");
  if (!value || !*value || std::string_view(value) == "0") return false;
  output = output_of(value);
  session();  // made before the handler is registered
  start();
  std::atexit(report_at_exit);
  return true;
}();

std::string name_and_shape(const LaunchDesc& d) {
  return fmt::format("{} {} {} {} {} {} {}", d.name, d.grid.x, d.grid.y, d.grid.z, d.block.x, d.block.y, d.block.z);
}

// While one exists, another session runs; the one before comes back, whatever the work of this one throws.
class Aside {
 public:
  explicit Aside(Session other) : other_(std::move(other)) { exchange(); }
  ~Aside() { exchange(); }

 private:
  void exchange() {
    cudaDeviceSynchronize();
    const auto lock = lock_runtime();
    std::swap(session(), other_);
  }
  Session other_;
};

}  // namespace

bool counts() { return session().on && (!session().which || session().which()); }
Launch* current_launch() { return session().launch.get(); }
const Records& records() { return session().records; }

void begin_launch(const LaunchDesc& d) {
  const auto [entry, is_new] = session().records.try_emplace(name_and_shape(d));
  Record& record = entry->second;
  if (is_new) record.number = session().records.size();
  record.kernel.name = d.name;
  record.kernel.grid = d.grid;
  record.kernel.block = d.block;
  ++record.kernel.launches;
  session().launch.reset(new Launch{record, Spans(device_allocations()), Spans(shared_variables_of_this_thread()), {}, {}, {}, {}});
  Launch& launch = *session().launch;
  launch.number = session().launches++;
  if (session().looks) launch.all_requests = &session().requests;
  if (session().detects) launch.detector = std::make_unique<Detector>(record.kernel.name, d.grid, d.block);
}

void end_launch() {
  Launch& launch = *current_launch();
  launch.record.kernel.unique_read += launch.read.count();
  launch.record.kernel.unique_written += launch.written.count();
  if (launch.detector) session().seen.push_back(launch.detector->seen());
  session().launch.reset();
}

void start() {
  const auto lock = lock_runtime();
  session().on = true;
}
void stop() {
  const auto lock = lock_runtime();
  session().on = false;
}
void clear() {
  const auto lock = lock_runtime();
  session().records.clear();
}

std::vector<Kernel> kernels_of(const std::function<void()>& work, const std::function<bool()>& which) {
  const Aside aside({.on = true, .which = which});
  work();
  cudaDeviceSynchronize();
  return report();
}

std::vector<Request> requests_of(const std::function<void()>& work) {
  const Aside aside({.on = true, .looks = true});
  work();
  cudaDeviceSynchronize();
  const auto lock = lock_runtime();
  return placed(session().requests);
}

Faults faults_of(const std::function<void()>& work, const std::function<bool()>& which) {
  const Aside aside({.on = true, .which = which, .detects = true});
  work();
  cudaDeviceSynchronize();
  const auto lock = lock_runtime();
  return faults_in(session().seen);
}

}  // namespace tapetum::emulation::profile
