// Python's pickle format as data. A pickle is a program for a small stack machine that may call any Python function; this machine calls
// nothing: what would be made by a call comes out as an inert object, which names the class or function and holds the arguments, and a
// function outside the caller's list is a FormatError. Protocols 0 to 5 as far as PyTorch, numpy and Python's own types need them; opcodes
// and their meanings: Lib/pickletools.py of Python.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tapetum {

enum class PickleKind : uint8_t {
  none,
  boolean,
  integer,
  real,
  text,   // str, and Python 2's 8-bit str
  bytes,  // bytes, and integers of more than 64 bits
  list,   // also set
  tuple,
  dict,     // keys and values by turns; collections.OrderedDict too
  global,   // a class or function: module and name, both text
  object,   // class, arguments, state (none where there is none); then what was appended, or set by key
  external  // a persistent id, which the file around the pickle explains: the id
};

struct PickleNode;

// 16 bytes. Texts lie in the pickle's bytes; nodes belong to the Pickle.
class PickleValue {
 public:
  PickleValue() : integer_(0) {}
  static PickleValue of(bool v);
  static PickleValue of(int64_t v);
  static PickleValue of(double v);
  static PickleValue of(PickleKind kind, std::string_view text);
  static PickleValue of(PickleKind kind, PickleNode* node);

  PickleKind kind() const { return kind_; }
  bool is(PickleKind kind) const { return kind_ == kind; }
  int64_t integer() const { return integer_; }  // also of a boolean
  double real() const { return real_; }
  std::string_view text() const { return {text_, size_}; }
  const PickleNode* node() const { return node_; }
  PickleNode* mutable_node() const { return node_; }
  const std::vector<PickleValue>& items() const;        // of a node; empty for anything else
  const PickleValue* find(std::string_view key) const;  // in a dict, by text; null when absent, or in anything else
  std::string global_name() const;                      // of a global, or of an object's class; empty for anything else

 private:
  PickleKind kind_ = PickleKind::none;
  uint32_t size_ = 0;
  union {
    int64_t integer_;
    double real_;
    const char* text_;
    PickleNode* node_;
  };
};

struct PickleNode {
  std::vector<PickleValue> items;
};

struct Pickle {
  PickleValue root;
  size_t bytes = 0;  // of the pickle, which may be followed by others
  std::deque<PickleNode> nodes;
};

struct PickleLimits {
  uint64_t memory;                         // bytes for values, at most
  std::vector<std::string_view> callable;  // functions and classes that a pickle may call, "module.name"
};

// Reads the pickle that `bytes` begins with; they must outlive the result. Nothing when they end too early: with more of them there may be
// one. Throws FormatError, whose text begins with `name`.
std::optional<Pickle> parse_pickle(std::string_view bytes, const std::string& name, const PickleLimits& limits);

}  // namespace tapetum
