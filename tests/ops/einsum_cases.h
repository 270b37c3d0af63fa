#pragma once
#include "kernels/matmul.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline Case einsum_case(const char* name, const char* equation, const std::vector<Shape>& shapes, bool by_matmul = true) {
  return {.name = name,
          .shapes = shapes,
          .op = [=](const auto& x) { return einsum(equation, x); },
          .slots = by_matmul ? std::vector<const kernels::SlotBase*>{&kernels::matmul_forward} : std::vector<const kernels::SlotBase*>{},
          .amplification = 4};
}

inline const std::vector<Case> einsum_cases = {
    einsum_case("einsum product", "ij,jk->ik", {{3, 4}, {4, 5}}),
    einsum_case("einsum batch", "bij,bkj->bki", {{2, 3, 4}, {2, 5, 4}}),
    einsum_case("einsum implicit", "kj,ai k", {{3, 4}, {2, 3, 3}}),
    einsum_case("einsum dot", "i,i", {{7}, {7}}),
    einsum_case("einsum diagonal", "iij->ji", {{3, 3, 4}}, false),
    einsum_case("einsum trace", "ii", {{4, 4}}, false),
    einsum_case("einsum permute", "...ij->j...i", {{2, 3, 4, 5}}, false),
    einsum_case("einsum outer", "i,j->ji", {{3}, {4}}, false),
    einsum_case("einsum elementwise", "ij,ij->ij", {{3, 4}, {3, 4}}, false),
    einsum_case("einsum three operands", "bn,anm,bm->ba", {{2, 3}, {4, 3, 5}, {2, 5}}),
    einsum_case("einsum broadcasting dots", "...ij,...jk", {{2, 1, 3, 4}, {5, 4, 2}}),
    einsum_case("einsum sums what one operand has", "ij,kl->i", {{3, 4}, {2, 5}}, false),
    einsum_case("einsum repeated letters", "iij,jj,j->i", {{3, 3, 4}, {4, 4}, {4}}, false),
    einsum_case("einsum size 1 broadcasts", "ij,jk->ik", {{3, 1}, {4, 5}}),
};

}  // namespace tapetum::test
