#include "core/ops/einsum.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/autograd/autocast.h"
#include "core/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/launch.h"
#include "core/ops/matmul.h"
#include "core/ops/reduce.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

// Dimensions by number: letters first, then those of "...", the last of which is kLetters + kMaxDims - 1.
constexpr int kLetters = 52;
using Labels = std::vector<int>;

struct Term {
  Tensor x;
  Labels labels;  // of its dimensions, all different
};

bool has(const Labels& labels, int label) { return std::find(labels.begin(), labels.end(), label) != labels.end(); }

[[noreturn]] void refuse(std::string_view equation, const std::string& why) { throw ShapeError(fmt::format("einsum: \"{}\": {}", equation, why)); }

int label_of(std::string_view equation, char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return 26 + c - 'a';
  refuse(equation, fmt::format("expected letters, commas, \"...\" and \"->\", got '{}'", c));
}

// One operand's letters, or the result's; `rest`: how many dimensions "..." stands for.
Labels parse(std::string_view equation, std::string_view text, int rest) {
  Labels labels;
  bool dots = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text[i] != '.') {
      labels.push_back(label_of(equation, text[i]));
      continue;
    }
    if (dots || text.substr(i, 3) != "...") refuse(equation, "a term has at most one \"...\"");
    dots = true;
    i += 2;
    for (int d = kMaxDims - rest; d < kMaxDims; ++d) labels.push_back(kLetters + d);
  }
  return labels;
}

bool has_dots(std::string_view text) { return text.find('.') != std::string_view::npos; }
int letters_in(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return c != '.' && c != ' '; }));
}

std::vector<std::string_view> split_at_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t end; (end = text.find(',')) != std::string_view::npos; text.remove_prefix(end + 1)) parts.push_back(text.substr(0, end));
  parts.push_back(text);
  return parts;
}

Term permuted(const Term& t, const Labels& order) {
  Shape dims;
  for (int label : order) dims.push_back(std::find(t.labels.begin(), t.labels.end(), label) - t.labels.begin());
  return {permute(t.x, dims), order};
}

// Of a square the diagonal: every (n + 1)-th element of its n n.
Term with_one_diagonal(const Term& t, size_t i, size_t j) {
  Shape order, sizes;
  Labels rest;
  for (size_t d = 0; d < t.labels.size(); ++d) {
    if (d == i || d == j) continue;
    order.push_back(static_cast<int64_t>(d));
    sizes.push_back(t.x.size(static_cast<int>(d)));
    rest.push_back(t.labels[d]);
  }
  order.push_back(static_cast<int64_t>(i));
  order.push_back(static_cast<int64_t>(j));
  const int64_t n = t.x.size(static_cast<int>(i));
  sizes.push_back(n * n);
  rest.push_back(t.labels[i]);
  return {slice(reshape(permute(t.x, order), sizes), -1, 0, n * n, n + 1), rest};
}

Term without_repeats(std::string_view equation, Term t) {
  for (size_t i = 0; i < t.labels.size(); ++i)
    for (size_t j = i + 1; j < t.labels.size(); ++j) {
      if (t.labels[i] != t.labels[j]) continue;
      if (t.x.size(static_cast<int>(i)) != t.x.size(static_cast<int>(j)))
        refuse(equation, fmt::format("a repeated letter needs equal sizes, got {}", to_string(t.x.shape())));
      return without_repeats(equation, with_one_diagonal(t, i, j));
    }
  return t;
}

// Summed over the dimensions that neither list has.
Term summed(const Term& t, const Labels& a, const Labels& b) {
  Shape dims;
  Labels rest;
  for (size_t d = 0; d < t.labels.size(); ++d) {
    if (has(a, t.labels[d]) || has(b, t.labels[d]))
      rest.push_back(t.labels[d]);
    else
      dims.push_back(static_cast<int64_t>(d));
  }
  return dims.size() ? Term{sum(t.x, dims), rest} : t;
}

// 1 of what it has not.
int64_t size_in(const Term& t, int label) {
  const auto at = std::find(t.labels.begin(), t.labels.end(), label);
  return at == t.labels.end() ? 1 : t.x.size(static_cast<int>(at - t.labels.begin()));
}

// A term's dimensions in this order, with 1 for those it has not, and of these sizes otherwise.
Tensor laid_out(const Term& t, const Labels& order, const Shape& sizes) {
  Labels own;
  Shape mine, wanted;
  for (size_t i = 0; i < order.size(); ++i) {
    const bool is_own = has(t.labels, order[i]);
    if (is_own) own.push_back(order[i]);
    mine.push_back(size_in(t, order[i]));
    wanted.push_back(is_own ? sizes[static_cast<int>(i)] : 1);
  }
  return expand(reshape(permuted(t, own).x, mine), wanted);
}

Labels joined(const Labels& a, const Labels& b) {
  Labels all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

// The product of two terms, summed over what both have and `kept` has not.
Term contracted(const Term& left, const Term& right, const Labels& kept) {
  const Term a = summed(left, kept, right.labels), b = summed(right, kept, left.labels);
  Labels batch, mine, its, inner;
  for (int label : a.labels) (!has(b.labels, label) ? mine : has(kept, label) ? batch : inner).push_back(label);
  for (int label : b.labels)
    if (!has(a.labels, label)) its.push_back(label);
  const auto sizes = [&](const Labels& labels) {
    Shape s;
    for (int label : labels) s.push_back(size_in(a, label) == 1 ? size_in(b, label) : size_in(a, label));
    return s;
  };
  const Labels all = joined(joined(batch, mine), its);
  if (inner.empty()) {
    const Shape wide = sizes(all);
    return {laid_out(a, all, wide) * laid_out(b, all, wide), all};
  }
  const Labels rows = joined(joined(batch, mine), inner), columns = joined(joined(batch, inner), its);
  const int64_t n = sizes(batch).numel(), m = sizes(mine).numel(), k = sizes(inner).numel(), p = sizes(its).numel();
  const Tensor y = matmul(reshape(laid_out(a, rows, sizes(rows)), {n, m, k}), reshape(laid_out(b, columns, sizes(columns)), {n, k, p}));
  return {reshape(y, sizes(all)), all};
}

void check_sizes(std::string_view equation, const std::vector<Term>& terms) {
  int64_t sizes[kLetters + kMaxDims];
  std::fill(std::begin(sizes), std::end(sizes), 1);
  for (const Term& t : terms)
    for (size_t d = 0; d < t.labels.size(); ++d) {
      const int64_t n = t.x.size(static_cast<int>(d));
      int64_t& known = sizes[t.labels[d]];
      if (n != known && n != 1 && known != 1) refuse(equation, fmt::format("operands have sizes {} and {} of one dimension", known, n));
      known = known == 1 ? n : known;
    }
}

// Letters that occur once, in order, behind the dimensions of "...".
Labels implied(const std::vector<Labels>& terms, int rest) {
  int times[kLetters] = {};
  for (const Labels& t : terms)
    for (int label : t)
      if (label < kLetters) ++times[label];
  Labels result;
  for (int d = kMaxDims - rest; d < kMaxDims; ++d) result.push_back(kLetters + d);
  for (int label = 0; label < kLetters; ++label)
    if (times[label] == 1) result.push_back(label);
  return result;
}

}  // namespace

Tensor einsum(const char* text, TensorList inputs) {
  const Casting cast(Autocast::lower);
  const std::vector<Tensor> operands = cast(inputs);
  const std::string_view equation(text);
  const size_t arrow = equation.find("->");
  const auto parts = split_at_commas(equation.substr(0, arrow));
  if (parts.size() != operands.size()) refuse(equation, fmt::format("{} terms for {} operands", parts.size(), operands.size()));
  int rest = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const int letters = letters_in(parts[i]), dims = operands[i].dim();
    if (letters > dims || (letters < dims && !has_dots(parts[i])))
      refuse(equation, fmt::format("term \"{}\" does not fit {}", parts[i], to_string(operands[i].shape())));
    rest = std::max(rest, dims - letters);
    if (i) check_device("einsum", operands[0], operands[i]);
  }
  std::vector<Labels> labels;
  for (size_t i = 0; i < parts.size(); ++i) labels.push_back(parse(equation, parts[i], operands[i].dim() - letters_in(parts[i])));
  const Labels result = arrow == std::string_view::npos ? implied(labels, rest) : parse(equation, equation.substr(arrow + 2), rest);
  std::vector<Term> terms;
  for (size_t i = 0; i < parts.size(); ++i) terms.push_back(without_repeats(equation, {operands[i], labels[i]}));
  check_sizes(equation, terms);
  for (size_t i = 0; i < result.size(); ++i) {
    if (std::count(result.begin(), result.end(), result[i]) > 1) refuse(equation, "the result names a letter twice");
    if (result[i] < kLetters && std::none_of(labels.begin(), labels.end(), [&](const Labels& l) { return has(l, result[i]); }))
      refuse(equation, "the result names a letter that no operand has");
  }
  Term y = terms[0];
  for (size_t i = 1; i < terms.size(); ++i) {
    Labels kept = result;
    for (size_t j = i + 1; j < terms.size(); ++j) kept = joined(kept, terms[j].labels);
    y = contracted(y, terms[i], kept);
  }
  return permuted(summed(y, result, {}), result).x;
}

}  // namespace tapetum
