#include "core/device.h"

#include <fmt/core.h>

#include <charconv>
#include <string_view>

#include "core/error.h"

namespace tapetum {
namespace {

[[noreturn]] void reject(std::string_view name) {
  throw DeviceError(fmt::format("device: expected 'cpu', 'cuda', 'cuda:1' and so on, or 'meta', got '{}'", name));
}

DeviceKind kind_of(std::string_view kind, std::string_view name) {
  for (DeviceKind k : {DeviceKind::cpu, DeviceKind::cuda, DeviceKind::meta})
    if (kind == name_of(k)) return k;
  reject(name);
}

}  // namespace

Device::Device(const char* name) {
  const std::string_view text = name;
  const size_t colon = text.find(':');
  kind = kind_of(text.substr(0, colon), text);
  if (colon == text.npos) return;
  const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), index);
  if (kind != DeviceKind::cuda || error != std::errc{} || end != text.data() + text.size() || index < 0) reject(text);
}

Device::Device(const char* name, int i) : kind(kind_of(name, name)), index(i) {
  if (i < 0 || (kind != DeviceKind::cuda && i > 0)) reject(fmt::format("{}:{}", name, i));
}

std::string to_string(Device d) { return d.kind == DeviceKind::cuda ? fmt::format("cuda:{}", d.index) : name_of(d.kind); }

}  // namespace tapetum
