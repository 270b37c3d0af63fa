// Modules in rows and under names. Children are owned by pointer, so that a container holds any class derived from its type.
#pragma once
#include "nn/module.h"

namespace tapetum::nn {

[[noreturn]] void throw_no_module(const std::string& name, size_t size);

// Owns a module of a class derived from M and knows how to copy it: the class is known when the box is made.
template <std::derived_from<Module> M> class Box {
 public:
  template <std::derived_from<M> L>
  requires(!std::is_lvalue_reference_v<L>) explicit Box(L&& l)
      : module_(std::make_unique<L>(std::forward<L>(l))),
        copy_([](const M& m) -> std::unique_ptr<M> { return std::make_unique<L>(clone(static_cast<const L&>(m))); }) {}
  Box(Box&&) noexcept = default;
  Box& operator=(Box&&) noexcept = default;
  Box(const Box& o) : module_(o.copy_(*o.module_)), copy_(o.copy_) {}
  M& operator*() const { return *module_; }
  M* operator->() const { return module_.get(); }

 private:
  std::unique_ptr<M> module_;
  std::unique_ptr<M> (*copy_)(const M&);
};

// One after the other, some of them as one op (nn/fuse.h).
class Sequential : public Layer {
 public:
  // Only temporaries: nothing is copied by accident. Sequential(Sequential(...)) alone is the inner one; use add().
  template <class... L>
  requires(std::derived_from<L, Layer>&&...) explicit Sequential(L&&... l) { (add(std::move(l)), ...); }
  template <std::derived_from<Layer> L> void add(L l) { children_.emplace_back(std::move(l)); }
  size_t size() const { return children_.size(); }
  Layer& operator[](size_t i);  // throws Error past the end
  void visit(Visitor& v) override;
  Tensor forward(const Tensor& x) override;

 protected:
  Tensor forward_recomputed(const Tensor& x) override;  // in parts that begin with a convolution each

 private:
  Tensor run(const Tensor& x, size_t begin, size_t end);

  std::vector<Box<Layer>> children_;
};

// Sets `recomputed` in every Block of a model or, where there is none, in each Sequential with a convolution. Throws Error for a model with neither.
void recompute_blocks(Module& model);

// Named "0", "1", ...; its owner's forward says how they are called.
template <std::derived_from<Module> M = Layer> class ModuleList : public Module {
 public:
  template <std::derived_from<M> L> void add(L l) { children_.emplace_back(std::move(l)); }
  size_t size() const { return children_.size(); }
  M& operator[](size_t i) {  // throws Error past the end
    if (i >= size()) throw_no_module(std::to_string(i), size());
    return *children_[i];
  }
  void visit(Visitor& v) override {
    for (size_t i = 0; i < size(); ++i) v(std::to_string(i).c_str(), *children_[i]);
  }

 private:
  std::vector<Box<M>> children_;
};

// In the order of addition; a name that is given again replaces the module and keeps its place.
template <std::derived_from<Module> M = Layer> class ModuleDict : public Module {
 public:
  template <std::derived_from<M> L> void add(const std::string& name, L l) {
    Box<M> box(std::move(l));
    if (auto* known = find(name))
      *known = std::move(box);
    else
      children_.emplace_back(name, std::move(box));
  }
  bool contains(const std::string& name) { return find(name) != nullptr; }
  size_t size() const { return children_.size(); }
  M& operator[](const std::string& name) {  // throws Error where there is none
    if (auto* known = find(name)) return **known;
    throw_no_module(name, size());
  }
  void visit(Visitor& v) override {
    for (auto& [name, child] : children_) v(name.c_str(), *child);
  }

 private:
  Box<M>* find(const std::string& name) {
    for (auto& [known, child] : children_)
      if (known == name) return &child;
    return nullptr;
  }
  std::vector<std::pair<std::string, Box<M>>> children_;
};

}  // namespace tapetum::nn
