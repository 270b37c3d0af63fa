// The machine of pickle.h.
#include "core/serialization/pickle.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/error.h"

namespace tapetum {
namespace {

struct EndOfBytes {};  // thrown within this file alone

class Machine {
 public:
  Machine(std::string_view bytes, const std::string& name, const PickleLimits& limits) : bytes_(bytes), name_(name), limits_(limits) {}

  Pickle run() {
    for (uint8_t op = 0; op != '.';) execute(op = number<uint8_t>());
    if (stack_.size() != 1 || !marks_.empty()) fail("must leave one value");
    pickle_.root = stack_[0];
    pickle_.bytes = at_;
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FormatError(fmt::format("{}: the pickle {} (before its byte {})", name_, reason, at_));
  }

  // --- the stream

  template <class T> T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view take(uint64_t count) {
    if (count > bytes_.size() - at_) throw EndOfBytes();
    const std::string_view part = bytes_.substr(at_, static_cast<size_t>(count));
    at_ += part.size();
    return part;
  }
  std::string_view line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == bytes_.npos) throw EndOfBytes();
    const std::string_view part = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return part;
  }

  // --- memory

  // Vectors double; every one of their bytes counts, so that a few bytes of a file cannot ask for much memory.
  void reserve(std::vector<PickleValue>& list, size_t more) {
    const size_t wanted = list.size() + more;
    if (wanted <= list.capacity()) return;
    const size_t grown = std::max(wanted, 2 * list.capacity());
    spend((grown - list.capacity()) * sizeof(PickleValue));
    list.reserve(grown);
  }
  void spend(uint64_t bytes) {
    spent_ += bytes;
    if (spent_ > limits_.memory) fail(fmt::format("needs more than {} bytes of memory, which is refused for a file of this size", limits_.memory));
  }
  PickleNode* node(size_t items) {
    spend(sizeof(PickleNode));
    PickleNode* n = &pickle_.nodes.emplace_back();
    reserve(n->items, items);
    return n;
  }

  // --- the stack

  void push(PickleValue v) {
    reserve(stack_, 1);
    stack_.push_back(v);
  }
  void push(PickleKind kind, std::initializer_list<PickleValue> items) {
    PickleNode* n = node(items.size());
    n->items.assign(items);
    push(PickleValue::of(kind, n));
  }
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }  // what lies below belongs to an open mark
  PickleValue pop() {
    if (stack_.size() <= floor()) fail("takes a value from an empty stack");
    const PickleValue v = stack_.back();
    stack_.pop_back();
    return v;
  }
  PickleValue top() {
    const PickleValue v = pop();
    stack_.push_back(v);
    return v;
  }
  size_t pop_mark() {
    if (marks_.empty()) fail("has no mark where it needs one");
    const size_t at = marks_.back();
    marks_.pop_back();
    return at;
  }
  // What stands above the last mark, or the last `count` values, becomes a node.
  void collect(PickleKind kind, size_t from) {
    if (kind == PickleKind::dict && (stack_.size() - from) % 2) fail("has a dict with a key and no value");
    PickleNode* n = node(stack_.size() - from);
    n->items.assign(stack_.begin() + static_cast<std::ptrdiff_t>(from), stack_.end());
    stack_.resize(from);
    push(PickleValue::of(kind, n));
  }
  void collect_last(size_t count) {
    if (stack_.size() < floor() + count) fail("takes a value from an empty stack");
    collect(PickleKind::tuple, stack_.size() - count);
  }
  // What stands above `from` is added to the list or dict below it.
  void extend(size_t from, PickleKind kind) {
    if (from == 0 || from <= floor()) fail("adds items to nothing");
    const PickleValue to = stack_[from - 1];
    if (!to.is(kind) && !to.is(PickleKind::object)) fail("adds items to what is no collection");
    if (kind == PickleKind::dict && (stack_.size() - from) % 2) fail("has a dict with a key and no value");
    auto& items = to.mutable_node()->items;
    reserve(items, stack_.size() - from);
    items.insert(items.end(), stack_.begin() + static_cast<std::ptrdiff_t>(from), stack_.end());
    stack_.resize(from);
  }
  size_t above(size_t count) {
    if (stack_.size() < floor() + count) fail("takes a value from an empty stack");
    return stack_.size() - count;
  }

  // --- the memo

  void remember(uint64_t index) {
    if (index > bytes_.size()) fail("remembers a value under an impossible number");
    if (index >= memo_.size()) {
      reserve(memo_, static_cast<size_t>(index) + 1 - memo_.size());
      memo_.resize(static_cast<size_t>(index) + 1);
    }
    memo_[static_cast<size_t>(index)] = top();
  }
  void recall(uint64_t index) {
    if (index >= memo_.size()) fail("recalls a value that it has not remembered");
    push(memo_[static_cast<size_t>(index)]);
  }

  // --- values

  template <class T> T parsed(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) fail("has a number that is none");
    return value;
  }
  void push_text(PickleKind kind, uint64_t size) {
    if (size > UINT32_MAX) fail("has a text of more than 4 GB");
    push(PickleValue::of(kind, take(size)));
  }
  void push_long(uint64_t size) {  // two's complement, little-endian
    const std::string_view digits = take(size);
    if (size > 8) return push(PickleValue::of(PickleKind::bytes, digits));
    uint64_t value = size && (digits.back() & 0x80) ? ~uint64_t{0} : 0;
    std::memcpy(&value, digits.data(), digits.size());
    push(PickleValue::of(static_cast<int64_t>(value)));
  }
  void push_big_endian_real() {
    uint64_t bits = 0;
    for (char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);
    double value;
    std::memcpy(&value, &bits, 8);
    push(PickleValue::of(value));
  }
  void push_int_line() {
    const std::string_view text = line();
    if (text == "00" || text == "01") return push(PickleValue::of(text == "01"));
    push(PickleValue::of(parsed<int64_t>(text)));
  }
  void push_global(std::string_view module, std::string_view name) {
    push(PickleKind::global, {PickleValue::of(PickleKind::text, module), PickleValue::of(PickleKind::text, name)});
  }

  // Nothing is called: the result is an object that says what would have been.
  void call(bool only_listed) {
    const PickleValue arguments = pop(), callable = pop();
    if (!callable.is(PickleKind::global) || !arguments.is(PickleKind::tuple)) fail("calls what is no function");
    if (only_listed) {
      const std::string called = callable.global_name();
      if (std::find(limits_.callable.begin(), limits_.callable.end(), called) == limits_.callable.end())
        fail(fmt::format("calls {}, which is not allowed: nothing is executed", called));
      if (called == "collections.OrderedDict" && arguments.items().empty()) return push(PickleKind::dict, {});
    }
    push(PickleKind::object, {callable, arguments, PickleValue()});
  }
  void build() {
    const PickleValue state = pop(), to = top();
    if (to.is(PickleKind::object))
      to.mutable_node()->items[2] = state;
    else if (!to.is(PickleKind::dict))  // an OrderedDict may have attributes, which PyTorch's state has: versions of modules
      fail("sets the state of what is no object");
  }

  void set_protocol(int version) {
    if (version > 5) fail("is of a protocol above 5");
  }
  void mark() {
    if (marks_.size() == marks_.capacity()) spend((marks_.size() + 1) * sizeof(size_t));
    marks_.push_back(stack_.size());
  }
  void push_long_line() {
    std::string_view text = line();
    if (text.ends_with('L')) text.remove_suffix(1);
    push(PickleValue::of(parsed<int64_t>(text)));
  }
  void push_global_lines() {
    const std::string_view module = line();
    push_global(module, line());
  }
  void push_global_of_stack() {
    const PickleValue name = pop(), module = pop();
    if (!name.is(PickleKind::text) || !module.is(PickleKind::text)) fail("names a class by what is no text");
    push_global(module.text(), name.text());
  }
  void call_with_keywords() {
    pop();
    call(false);
  }

  // Opcodes as pickletools.py has them; after each its name.
  void execute(uint8_t op) {
    using enum PickleKind;
    switch (op) {
      case '.':  // Stop
        return;
      case 0x80:  // Proto
        return set_protocol(number<uint8_t>());
      case 0x95:  // Frame
        return void(take(8));
      case '(':  // Mark
        return mark();
      case '0':  // Pop
        return void(pop());
      case '1':  // PopMark
        return stack_.resize(pop_mark());
      case '2':  // Dup
        return push(top());
      case 'N':  // None
        return push(PickleValue());
      case 0x88:  // NewTrue
        return push(PickleValue::of(true));
      case 0x89:  // NewFalse
        return push(PickleValue::of(false));
      case 'I':  // Int
        return push_int_line();
      case 'L':  // Long
        return push_long_line();
      case 'J':  // BinInt
        return push(PickleValue::of(int64_t{number<int32_t>()}));
      case 'K':  // BinInt1
        return push(PickleValue::of(int64_t{number<uint8_t>()}));
      case 'M':  // BinInt2
        return push(PickleValue::of(int64_t{number<uint16_t>()}));
      case 0x8a:  // Long1
        return push_long(number<uint8_t>());
      case 0x8b:  // Long4
        return push_long(number<uint32_t>());
      case 'F':  // Float
        return push(PickleValue::of(parsed<double>(line())));
      case 'G':  // BinFloat
        return push_big_endian_real();
      case 'T':  // BinString
        return push_text(text, number<uint32_t>());
      case 'U':  // ShortBinString
        return push_text(text, number<uint8_t>());
      case 'X':  // BinUnicode
        return push_text(text, number<uint32_t>());
      case 0x8c:  // ShortBinUnicode
        return push_text(text, number<uint8_t>());
      case 0x8d:  // BinUnicode8
        return push_text(text, number<uint64_t>());
      case 'B':  // BinBytes
        return push_text(PickleKind::bytes, number<uint32_t>());
      case 'C':  // ShortBinBytes
        return push_text(PickleKind::bytes, number<uint8_t>());
      case 0x8e:  // BinBytes8
        return push_text(PickleKind::bytes, number<uint64_t>());
      case ']':  // EmptyList
        return push(list, {});
      case 0x8f:  // EmptySet
        return push(list, {});
      case '}':  // EmptyDict
        return push(dict, {});
      case ')':  // EmptyTuple
        return push(tuple, {});
      case 0x85:  // Tuple1
        return collect_last(1);
      case 0x86:  // Tuple2
        return collect_last(2);
      case 0x87:  // Tuple3
        return collect_last(3);
      case 't':  // Tuple
        return collect(tuple, pop_mark());
      case 'l':  // List
        return collect(list, pop_mark());
      case 0x91:  // FrozenSet
        return collect(list, pop_mark());
      case 'd':  // Dict
        return collect(dict, pop_mark());
      case 'a':  // Append
        return extend(above(1), list);
      case 'e':  // Appends
        return extend(pop_mark(), list);
      case 0x90:  // AddItems
        return extend(pop_mark(), list);
      case 's':  // SetItem
        return extend(above(2), dict);
      case 'u':  // SetItems
        return extend(pop_mark(), dict);
      case 'p':  // Put
        return remember(parsed<uint64_t>(line()));
      case 'q':  // BinPut
        return remember(number<uint8_t>());
      case 'r':  // LongBinPut
        return remember(number<uint32_t>());
      case 0x94:  // Memoize
        return remember(memo_.size());
      case 'g':  // Get
        return recall(parsed<uint64_t>(line()));
      case 'h':  // BinGet
        return recall(number<uint8_t>());
      case 'j':  // LongBinGet
        return recall(number<uint32_t>());
      case 'c':  // Global
        return push_global_lines();
      case 0x93:  // StackGlobal
        return push_global_of_stack();
      case 'Q':  // BinPersid
        return push(external, {pop()});
      case 'R':  // Reduce
        return call(true);
      case 0x81:  // NewObj
        return call(false);
      case 0x92:  // NewObjEx
        return call_with_keywords();
      case 'b':  // Build
        return build();
    }
    fail(fmt::format("has opcode 0x{:02x}, which is not allowed", op));
  }

  std::string_view bytes_;
  const std::string& name_;
  const PickleLimits& limits_;
  size_t at_ = 0;
  uint64_t spent_ = 0;
  std::vector<PickleValue> stack_, memo_;
  std::vector<size_t> marks_;  // heights of the stack
  Pickle pickle_;
};

}  // namespace

std::optional<Pickle> parse_pickle(std::string_view bytes, const std::string& name, const PickleLimits& limits) {
  try {
    return Machine(bytes, name, limits).run();
  } catch (const EndOfBytes&) {
    return std::nullopt;
  }
}

}  // namespace tapetum
