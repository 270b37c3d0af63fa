// UTF-8 as the Unicode standard has it (table 3-7): no overlong forms, no surrogates, nothing past U+10FFFF.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace tapetum {

size_t utf8_length(std::string_view text);  // bytes of the code point at the beginning; 0 where none is
bool is_utf8(std::string_view text);
std::string json_text(std::string_view text);  // quoted and escaped; a byte that belongs to no code point becomes U+FFFD

}  // namespace tapetum
