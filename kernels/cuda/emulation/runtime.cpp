// The fake CUDA runtime: device memory, streams, events, launches.
#include "block.h"
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <sys/mman.h>
#include <unistd.h>

struct CUevent_st { unsigned long recorded = 0, done = 0; double time = 0; CUstream_st* stream = nullptr; };
struct CUstream_st { std::deque<std::function<void()>> queue; bool running = false; };

namespace emu {
std::string run_grid(const LaunchDesc& d);

namespace {
std::recursive_mutex g_mutex;
cudaError_t g_error = cudaSuccess;
std::string g_diagnostic;
cudaError_t set_error(cudaError_t e) { if (e != cudaSuccess) g_error = e; return e; }

bool env_is(const char* k, const char* v) { const char* e = std::getenv(k); return e && !std::strcmp(e, v); }
Config from_environment() {
  Config c;
  if (const char* s = std::getenv("CUDAEMU_SCHED")) {
    c.schedule = !std::strncmp(s, "reverse", 7) ? Schedule::reverse : !std::strncmp(s, "random", 6) ? Schedule::random : Schedule::forward;
    if (const char* p = std::strchr(s, ':')) c.seed = static_cast<unsigned>(std::strtoul(p + 1, nullptr, 10));
  }
  if (const char* s = std::getenv("CUDAEMU_THREADS")) c.threads = static_cast<unsigned>(std::atoi(s));
  c.lazy_async = !env_is("CUDAEMU_ASYNC", "eager");
  c.lazy_streams = env_is("CUDAEMU_STREAMS", "lazy");
  c.poison_shared = !env_is("CUDAEMU_POISON", "0");
  c.guard_device_memory = env_is("CUDAEMU_GUARD", "1");
  c.abort_on_error = env_is("CUDAEMU_ABORT", "1");
  return c;
}

// ---- device memory ----
struct Allocation { size_t bytes; char* map; size_t map_bytes; };
std::map<char*, Allocation>& allocations() { static std::map<char*, Allocation> m; return m; }
std::set<void*>& pinned() { static std::set<void*> s; return s; }
int g_guard_depth = 0;
struct DeviceAccess {  // device memory is touchable while one exists
  DeviceAccess() { if (config().guard_device_memory && g_guard_depth++ == 0) set(PROT_READ | PROT_WRITE); }
  ~DeviceAccess() { if (config().guard_device_memory && --g_guard_depth == 0) set(PROT_NONE); }
  static void set(int prot) { for (auto& [p, a] : allocations()) if (a.map) mprotect(a.map, a.map_bytes, prot); }
};
}  // namespace

Config& config() { static Config c = from_environment(); return c; }
const std::string& last_diagnostic() { return g_diagnostic; }
void clear_error() { g_error = cudaSuccess; g_diagnostic.clear(); }

using Stream = CUstream_st;
using Event = CUevent_st;

namespace {
double now_ms() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
Stream g_null;
std::set<Stream*>& streams() { static std::set<Stream*> s{&g_null}; return s; }
Stream* resolve(cudaStream_t s) { return s ? s : &g_null; }
void drain(Stream* s) {
  if (s->running) return;
  s->running = true;
  while (!s->queue.empty()) { auto f = std::move(s->queue.front()); s->queue.pop_front(); f(); }
  s->running = false;
}
void drain_all() { for (auto it = streams().rbegin(); it != streams().rend(); ++it) drain(*it); }
void submit(cudaStream_t st, std::function<void()> f) {
  Stream* s = resolve(st);
  if (s == &g_null) for (Stream* o : streams()) if (o != s) drain(o);  // the legacy default stream waits for the others
  if (s != &g_null) drain(&g_null);
  if (!config().lazy_streams) { drain(s); f(); return; }
  s->queue.push_back(std::move(f));
}
void execute(const LaunchDesc& d) {
  if (g_error == cudaErrorLaunchFailure) return;  // sticky, as on the device
  DeviceAccess a;
  std::string m = run_grid(d);
  if (m.empty()) return;
  g_diagnostic = std::move(m);
  set_error(cudaErrorLaunchFailure);
  if (!config().quiet) std::fprintf(stderr, "cudaemu: %s\n", g_diagnostic.c_str());
}
}  // namespace

cudaError_t launch(LaunchDesc d) {
  std::lock_guard<std::recursive_mutex> l(g_mutex);
  const uint64_t nt = static_cast<uint64_t>(d.block.x) * d.block.y * d.block.z;
  if (nt == 0 || nt > 1024 || d.block.z > 64 || d.grid.x == 0 || d.grid.y == 0 || d.grid.z == 0 || d.grid.x > 0x7fffffffu || d.grid.y > 65535 || d.grid.z > 65535 || d.smem > 227 * 1024) {
    g_diagnostic = "kernel " + std::string(d.name) + ": invalid launch configuration";
    return set_error(cudaErrorInvalidConfiguration);
  }
  const cudaStream_t s = d.stream;
  submit(s, [d = std::move(d)] { execute(d); });
  return g_error;
}
}  // namespace emu

using namespace emu;
#define LOCK std::lock_guard<std::recursive_mutex> lock(g_mutex)

const char* cudaGetErrorString(cudaError_t e) {
  switch (e) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorNotReady: return "device not ready";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    default: return "unknown error";
  }
}
cudaError_t cudaGetLastError() { LOCK; const cudaError_t e = g_error; if (e != cudaErrorLaunchFailure) g_error = cudaSuccess; return e; }
cudaError_t cudaPeekAtLastError() { LOCK; return g_error; }

cudaError_t cudaMalloc(void** p, size_t n) {
  LOCK;
  *p = nullptr;
  if (!n) return cudaSuccess;
  Allocation a{n, nullptr, 0};
  char* q;
  if (config().guard_device_memory) {
    const size_t page = 4096, need = (n + 255) & ~size_t{255};
    a.map_bytes = (need + page - 1) & ~(page - 1);
    a.map = static_cast<char*>(mmap(nullptr, a.map_bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (a.map == MAP_FAILED) return set_error(cudaErrorMemoryAllocation);
    mprotect(a.map + a.map_bytes, page, PROT_NONE);
    q = a.map + (a.map_bytes - need);
  } else {
    void* m = nullptr;  // the exact size: ASan puts its redzone right behind
    if (posix_memalign(&m, 256, n)) return set_error(cudaErrorMemoryAllocation);
    q = static_cast<char*>(m);
  }
  if (config().poison_shared) std::memset(q, 0xff, n);
  if (a.map && g_guard_depth == 0) mprotect(a.map, a.map_bytes, PROT_NONE);
  allocations()[q] = a;
  *p = q;
  return cudaSuccess;
}
cudaError_t cudaFree(void* p) {
  LOCK;
  if (!p) return cudaSuccess;
  drain_all();
  auto it = allocations().find(static_cast<char*>(p));
  if (it == allocations().end()) return set_error(cudaErrorInvalidValue);
  if (it->second.map) munmap(it->second.map, it->second.map_bytes + 4096); else std::free(p);
  allocations().erase(it);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** p, size_t n) { LOCK; *p = std::malloc(n); pinned().insert(*p); return cudaSuccess; }
cudaError_t cudaFreeHost(void* p) { LOCK; drain_all(); pinned().erase(p); std::free(p); return cudaSuccess; }
cudaError_t cudaMemcpyAsync(void* d, const void* s, size_t n, cudaMemcpyKind k, cudaStream_t st) {
  LOCK;
  if (k == cudaMemcpyHostToDevice && !pinned().count(const_cast<void*>(s))) {  // pageable: staged before the call returns
    auto stage = std::make_shared<std::vector<char>>(static_cast<const char*>(s), static_cast<const char*>(s) + n);
    submit(st, [=] { DeviceAccess a; std::memcpy(d, stage->data(), n); });
  } else {
    submit(st, [=] { DeviceAccess a; std::memmove(d, s, n); });
    if (k == cudaMemcpyDeviceToHost && !pinned().count(d)) drain(resolve(st));
  }
  return g_error;
}
cudaError_t cudaMemcpy(void* d, const void* s, size_t n, cudaMemcpyKind) {
  LOCK;
  drain_all();
  DeviceAccess a;
  std::memmove(d, s, n);
  return g_error;
}
cudaError_t cudaMemsetAsync(void* d, int v, size_t n, cudaStream_t st) { LOCK; submit(st, [=] { DeviceAccess a; std::memset(d, v, n); }); return g_error; }
cudaError_t cudaMemset(void* d, int v, size_t n) { return cudaMemsetAsync(d, v, n, nullptr); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned) { LOCK; *s = new Stream; streams().insert(*s); return cudaSuccess; }
cudaError_t cudaStreamCreate(cudaStream_t* s) { return cudaStreamCreateWithFlags(s, 0); }
cudaError_t cudaStreamDestroy(cudaStream_t s) { LOCK; drain(s); streams().erase(s); delete s; return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t s) { LOCK; drain(resolve(s)); return g_error; }
cudaError_t cudaDeviceSynchronize() { LOCK; drain_all(); return g_error; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) { LOCK; *e = new Event; return cudaSuccess; }
cudaError_t cudaEventCreate(cudaEvent_t* e) { return cudaEventCreateWithFlags(e, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t e) { LOCK; drain_all(); delete e; return cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
  LOCK;
  e->stream = resolve(s);
  const unsigned long id = ++e->recorded;
  submit(s, [e, id] { e->done = id; e->time = now_ms(); });
  return g_error;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
  LOCK;
  const unsigned long id = e->recorded;
  Stream* from = e->stream;
  submit(s, [=] { if (e->done < id && from) drain(from); });
  return g_error;
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) { LOCK; if (e->done < e->recorded) drain(e->stream); return g_error; }
cudaError_t cudaEventQuery(cudaEvent_t e) { LOCK; return e->done < e->recorded ? cudaErrorNotReady : cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) { LOCK; *ms = static_cast<float>(b->time - a->time); return cudaSuccess; }
