// Any callable behind one type, without <functional>: copies share the callable. An empty one must not be called.
#pragma once
#include <type_traits>

#include "core/ref.h"

namespace tapetum {

template <class Signature> class Function;

template <class R, class... A> class Function<R(A...)> {
 public:
  Function() = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Function> && std::is_invocable_r_v<R, F&, A...>) Function(F&& f)
      : object_(new Holder<std::remove_cvref_t<F>>(std::forward<F>(f))) {}

  explicit operator bool() const { return static_cast<bool>(object_); }
  R operator()(A... a) const { return object_->call(std::forward<A>(a)...); }

 private:
  struct Base : RefCounted {
    virtual ~Base() = default;
    virtual R call(A... a) = 0;
  };
  template <class F> struct Holder final : Base {
    explicit Holder(F f) : f(std::move(f)) {}
    R call(A... a) override {
      if constexpr (std::is_void_v<R>)
        f(std::forward<A>(a)...);
      else
        return f(std::forward<A>(a)...);
    }
    F f;
  };
  Ref<Base> object_;
};

}  // namespace tapetum
