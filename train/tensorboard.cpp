#include "train/tensorboard.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "core/serialization/crc.h"
#include "core/serialization/protobuf_writer.h"
#include "data/image.h"
#include "train/run_folder.h"

namespace tapetum::train {
namespace {

// Numbers of fields in event.proto, summary.proto, histogram.proto and tensor.proto.
namespace event {
constexpr uint32_t wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7;
}
namespace value {
constexpr uint32_t tag = 1, simple_value = 2, image = 4, histogram = 5, tensor = 8, metadata = 9;
}

double wall_time() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string host() {
  char name[256] = "unknown";
  if (::gethostname(name, sizeof name - 1) != 0 || std::strchr(name, '/')) return "unknown";
  return name;
}

template <class T> std::string raw(T value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

// A check that stands beside what it checks is turned and shifted: a CRC over bytes that hold their own CRC would say little.
std::string masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes.data(), bytes.size());
  return raw((crc >> 15 | crc << 17) + 0xa282ead8u);
}

// The upper ends of the buckets: -max, ..., -1.1e-12, -1e-12, 0, 1e-12, 1.1e-12, ..., max.
const std::vector<double>& bucket_limits() {
  static const std::vector<double> limits = [] {
    std::vector<double> list;
    for (double v = 1e-12; v < 1e20; v *= 1.1) list.push_back(v);
    list.push_back(std::numeric_limits<double>::max());
    std::vector<double> all(list.rbegin(), list.rend());
    for (double& v : all) v = -v;
    all.push_back(0);
    all.insert(all.end(), list.begin(), list.end());
    return all;
  }();
  return limits;
}

}  // namespace

SummaryWriter::SummaryWriter(const std::string& folder, int64_t purge_step) {
  static std::atomic<int> count = 0;
  make_folder(folder);
  const double now = wall_time();
  path_ = fmt::format("{}/events.out.tfevents.{:010}.{}.{}.{}", folder, static_cast<int64_t>(now), host(), ::getpid(), count++);
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) throw IoError(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
  try {
    write(ProtobufWriter().number(event::wall_time, now).bytes(event::file_version, "brain.Event:2").message());
    if (purge_step < 0) return;
    const std::string start = ProtobufWriter().varint(1, 1).message();  // SessionLog.status = START
    const auto step = static_cast<uint64_t>(purge_step);
    write(ProtobufWriter().number(event::wall_time, now).varint(event::step, step).bytes(event::session_log, start).message());
  } catch (...) {
    ::close(file_);
    throw;
  }
}

SummaryWriter::~SummaryWriter() { ::close(file_); }

void SummaryWriter::write(const std::string& event) const {
  const std::string length = raw(uint64_t{event.size()}), record = length + masked_crc(length) + event + masked_crc(event);
  const ssize_t n = ::write(file_, record.data(), record.size());
  if (n != static_cast<ssize_t>(record.size()))
    throw IoError(fmt::format("{}: writing failed: {}", path_, n < 0 ? std::strerror(errno) : "disk full"));
}

void SummaryWriter::add(int64_t step, const ProtobufWriter& value) const {
  write(ProtobufWriter()
            .number(event::wall_time, wall_time())
            .varint(event::step, static_cast<uint64_t>(step))
            .bytes(event::summary, ProtobufWriter().bytes(1, value.message()).message())
            .message());
}

void SummaryWriter::add_scalar(const std::string& tag, double scalar, int64_t step) {
  add(step, ProtobufWriter().bytes(value::tag, tag).number(value::simple_value, static_cast<float>(scalar)));
}

void SummaryWriter::add_text(const std::string& tag, std::string_view text, int64_t step) {
  constexpr uint32_t dtype = 1, shape = 2, string_val = 8, dt_string = 7;
  const std::string one = ProtobufWriter().bytes(2, ProtobufWriter().varint(1, 1).message()).message();  // TensorShapeProto [1]
  const std::string plugin = ProtobufWriter().bytes(1, ProtobufWriter().bytes(1, "text").message()).message();
  const std::string content = ProtobufWriter().varint(dtype, dt_string).bytes(shape, one).bytes(string_val, text).message();
  add(step, ProtobufWriter().bytes(value::tag, tag).bytes(value::tensor, content).bytes(value::metadata, plugin));
}

void SummaryWriter::add_image(const std::string& tag, const Tensor& image, int64_t step) {
  const Tensor x = to(image.detach(), Device());
  const data::Image pixels = x.dtype() == DType::f32 ? data::from_float(x) : data::Image(x);
  ProtobufWriter content;
  content.varint(1, static_cast<uint64_t>(pixels.height())).varint(2, static_cast<uint64_t>(pixels.width()));
  content.varint(3, static_cast<uint64_t>(pixels.channels())).bytes(4, encode_png(pixels));
  add(step, ProtobufWriter().bytes(value::tag, tag).bytes(value::image, content.message()));
}

void SummaryWriter::add_histogram(const std::string& tag, const Tensor& values, int64_t step) {
  const NoGrad no_grad;
  const Tensor x = contiguous(to(to(values.detach(), Device()), DType::f64));
  if (x.numel() == 0) throw Error(fmt::format("add_histogram: {}: at least one value is expected, got {}", tag, to_string(values.shape())));
  const std::vector<double>& limits = bucket_limits();
  std::vector<double> counts(limits.size());
  double sum = 0, squares = 0, low = HUGE_VAL, high = -HUGE_VAL;
  for (double v : x.span<double>()) {
    if (!std::isfinite(v)) throw Error(fmt::format("add_histogram: {}: values must be finite, got {}", tag, v));
    ++counts[static_cast<size_t>(std::upper_bound(limits.begin(), limits.end() - 1, v) - limits.begin())];  // limits[i - 1] <= v < limits[i]
    sum += v, squares += v * v;
    low = std::min(low, v), high = std::max(high, v);
  }
  const auto filled = [](double n) { return n > 0; };
  const auto first = std::find_if(counts.begin(), counts.end(), filled), last = std::find_if(counts.rbegin(), counts.rend(), filled).base();
  const auto begin = limits.begin() + (first - counts.begin()), end = limits.begin() + (last - counts.begin());
  ProtobufWriter h;
  h.number(1, low).number(2, high).number(3, static_cast<double>(x.numel())).number(4, sum).number(5, squares);
  h.packed(6, {begin, end}).packed(7, {first, last});
  add(step, ProtobufWriter().bytes(value::tag, tag).bytes(value::histogram, h.message()));
}

}  // namespace tapetum::train
