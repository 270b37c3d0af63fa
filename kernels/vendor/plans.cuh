// What the yardsticks from NVIDIA's libraries share: they run by name alone, and keep their plans.
#pragma once
#include <cstring>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "kernels/slot.h"

namespace tapetum::kernels {

// Other runs do not even ask the library, which would take memory for its handle.
inline bool is_wanted(const char* slot, std::string_view candidate) { return forced_candidate(slot) == candidate; }
template <class Args> bool by_name_alone(const Args&) { return false; }

// The plans last used, by the bytes of what they were made for.
template <class Key, class Plan> class PlanCache {
  static_assert(is_key<Key>);

 public:
  using Made = std::shared_ptr<const Plan>;  // null: the library cannot do it

  template <class Make> Made find(const Key& key, Make make) {
    std::lock_guard lock(mutex_);
    if (const auto at = places_.find(bytes_of(key)); at != places_.end()) {
      plans_.splice(plans_.begin(), plans_, at->second);
      return at->second->second;
    }
    plans_.emplace_front(key, make());
    places_.emplace(bytes_of(plans_.front().first), plans_.begin());
    if (plans_.size() > kMost) {
      places_.erase(bytes_of(plans_.back().first));
      plans_.pop_back();
    }
    return plans_.front().second;
  }

 private:
  static constexpr size_t kMost = 256;
  using Plans = std::list<std::pair<Key, Made>>;  // the last used first

  static std::string_view bytes_of(const Key& key) { return {reinterpret_cast<const char*>(&key), sizeof key}; }

  std::mutex mutex_;
  Plans plans_;
  std::unordered_map<std::string_view, typename Plans::iterator> places_;
};

}  // namespace tapetum::kernels
