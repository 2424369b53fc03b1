// String functions: parts, padding, trimming, searching, case.
#include <unicode/unorm2.h>

#include <algorithm>

#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/integer.h"
#include "node/types/text.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

using View = std::string_view;

View Upper(CallContext& c, View a) {
  std::string text;
  AppendUpper(&text, a);
  return Keep(c, text);
}
View Lower(CallContext& c, View a) {
  std::string text;
  AppendLower(&text, a);
  return Keep(c, text);
}
View Initcap(CallContext& c, View a) {
  std::string text;
  AppendInitcap(&text, a);
  return Keep(c, text);
}

// Characters [start, start + length), 1-based; start may be below 1.
View Part(View a, int64_t start, int64_t length) {
  int64_t end = start + length;
  if (start < 1) start = 1;
  if (end <= start) return {};
  size_t from = Utf8Offset(a, static_cast<size_t>(start - 1));
  View rest = a.substr(from);
  return rest.substr(0, Utf8Offset(rest, static_cast<size_t>(end - start)));
}
View Substring(View a, int32_t start, int32_t length) {
  if (length < 0) throw SqlError(ErrorCode::kSubstringError, "negative substring length not allowed");
  return Part(a, start, length);
}
View SubstringFrom(View a, int32_t start) { return Part(a, start, int64_t{INT32_MAX} * 2); }

int32_t Position(View a, View b) {
  size_t at = a.find(b);
  return at == View::npos ? 0 : static_cast<int32_t>(Utf8Count(a.substr(0, at)) + 1);
}

View OverlayFor(CallContext& c, View a, View b, int32_t start, int32_t length) {
  if (start <= 0) throw SqlError(ErrorCode::kSubstringError, "negative substring length not allowed");
  int32_t behind;
  if (__builtin_add_overflow(start, length, &behind)) {
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "integer out of range");
  }
  std::string text(Part(a, 1, start - 1));
  text += b;
  text += SubstringFrom(a, behind);
  return Keep(c, text);
}
View Overlay(CallContext& c, View a, View b, int32_t start) {
  return OverlayFor(c, a, b, start, static_cast<int32_t>(Utf8Count(b)));
}

View Left(View a, int32_t count) {
  if (count < 0) {
    auto length = static_cast<int64_t>(Utf8Count(a));
    return Part(a, 1, std::max<int64_t>(0, length + count));
  }
  return Part(a, 1, count);
}
View Right(View a, int32_t count) {
  auto length = static_cast<int64_t>(Utf8Count(a));
  if (count < 0) return Part(a, int64_t{1} - count, INT32_MAX);
  return Part(a, length - count + 1, count);
}

View Reverse(CallContext& c, View a) {
  char* to = static_cast<char*>(c.arena.Allocate(a.size(), 1));
  char* end = to + a.size();
  for (size_t at = 0; at < a.size();) {
    auto length = static_cast<size_t>(Utf8Length(static_cast<unsigned char>(a[at])));
    end -= length;
    std::memcpy(end, a.data() + at, length);
    at += length;
  }
  return {to, a.size()};
}

// Is the character at text[at] one of `set`?
bool Contains(View set, View character) {
  for (size_t at = 0; at < set.size();) {
    auto length = static_cast<size_t>(Utf8Length(static_cast<unsigned char>(set[at])));
    if (set.substr(at, length) == character) return true;
    at += length;
  }
  return false;
}
View TrimLeft(View a, View set) {
  while (!a.empty()) {
    auto length = static_cast<size_t>(Utf8Length(static_cast<unsigned char>(a[0])));
    if (!Contains(set, a.substr(0, length))) break;
    a.remove_prefix(length);
  }
  return a;
}
View TrimRight(View a, View set) {
  while (!a.empty()) {
    size_t start = a.size() - 1;
    while ((a[start] & 0xC0) == 0x80) --start;
    if (!Contains(set, a.substr(start))) break;
    a = a.substr(0, start);
  }
  return a;
}
View Trim(View a, View set) { return TrimRight(TrimLeft(a, set), set); }
View TrimLeftSpaces(View a) { return TrimLeft(a, " "); }
View TrimSpaces(View a) { return Trim(a, " "); }

// `count` characters of repeated `fill`.
std::string Filling(View fill, size_t count) {
  std::string result;
  size_t fill_count = Utf8Count(fill);
  for (; count >= fill_count; count -= fill_count) result += fill;
  result += Part(fill, 1, static_cast<int64_t>(count));
  return result;
}
View Pad(CallContext& c, View a, int32_t length, View fill, bool left) {
  if (length <= 0) return {};
  CheckTextSize(static_cast<size_t>(length) * 4 + 4);
  size_t have = Utf8Count(a), want = static_cast<size_t>(length);
  if (have >= want || fill.empty()) return Part(a, 1, length);
  std::string padding = Filling(fill, want - have);
  return Keep(c, left ? padding + std::string(a) : std::string(a) + padding);
}
// With spaces if no third argument is given.
template <bool kLeft>
void PadArguments(CallContext& c, std::span<const Value> args, Value* result) {
  View fill = args.size() > 2 ? args[2].datum.string.view() : " ";
  *result = Value{StringDatum(Pad(c, args[0].datum.string.view(), args[1].datum.i32, fill, kLeft)), false};
}

View Repeat(CallContext& c, View a, int32_t count) {
  if (count <= 0 || a.empty()) return {};
  size_t size = a.size() * static_cast<size_t>(count);
  CheckTextSize(size);
  char* to = static_cast<char*>(c.arena.Allocate(size, 1));
  for (size_t at = 0; at < size; at += a.size()) std::memcpy(to + at, a.data(), a.size());
  return {to, size};
}

View Replace(CallContext& c, View a, View from, View to) {
  if (from.empty() || a.find(from) == View::npos) return a;
  std::string text;
  size_t at = 0;
  for (size_t found; (found = a.find(from, at)) != View::npos; at = found + from.size()) {
    text += a.substr(at, found - at);
    text += to;
  }
  text += a.substr(at);
  return Keep(c, text);
}

View Translate(CallContext& c, View a, View from, View to) {
  std::string text;
  for (size_t at = 0; at < a.size();) {
    auto length = static_cast<size_t>(Utf8Length(static_cast<unsigned char>(a[at])));
    View character = a.substr(at, length);
    at += length;
    size_t index = 0, found = View::npos;
    for (size_t f = 0; f < from.size(); ++index) {
      auto size = static_cast<size_t>(Utf8Length(static_cast<unsigned char>(from[f])));
      if (from.substr(f, size) == character) {
        found = index;
        break;
      }
      f += size;
    }
    if (found == View::npos)
      text += character;
    else
      text += Part(to, static_cast<int64_t>(found) + 1, 1);
  }
  return Keep(c, text);
}

View SplitPart(View a, View delimiter, int32_t field) {
  if (field == 0) throw SqlError(ErrorCode::kInvalidParameterValue, "field position must not be zero");
  if (a.empty()) return {};
  if (delimiter.empty()) return field == 1 || field == -1 ? a : View{};
  std::vector<View> parts;
  size_t at = 0;
  for (size_t found; (found = a.find(delimiter, at)) != View::npos; at = found + delimiter.size()) {
    parts.push_back(a.substr(at, found - at));
  }
  parts.push_back(a.substr(at));
  int64_t index = field > 0 ? int64_t{field} - 1 : static_cast<int64_t>(parts.size()) + field;
  return index >= 0 && index < static_cast<int64_t>(parts.size()) ? parts[static_cast<size_t>(index)]
                                                                  : View{};
}

int32_t Ascii(View a) {
  size_t at = 0;
  return a.empty() ? 0 : static_cast<int32_t>(Utf8Decode(a, &at));
}
View Chr(CallContext& c, int32_t code) {
  if (code < 0) throw SqlError(ErrorCode::kProgramLimitExceeded, "character number must be positive");
  if (code == 0) throw SqlError(ErrorCode::kProgramLimitExceeded, "null character not permitted");
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    throw SqlError(ErrorCode::kProgramLimitExceeded, "requested character {} for encoding: {}",
                   code > 0x10FFFF ? "too large" : "not valid", code);
  }
  std::string text;
  Utf8Append(&text, static_cast<char32_t>(code));
  return Keep(c, text);
}

View ToHex32(CallContext& c, int32_t a) { return Keep(c, fmt::format("{:x}", static_cast<uint32_t>(a))); }
View ToHex64(CallContext& c, int64_t a) { return Keep(c, fmt::format("{:x}", static_cast<uint64_t>(a))); }

// Unicode escapes \XXXX, \+XXXXXX, \uXXXX, \UXXXXXXXX.
View Unistr(CallContext& c, View a) {
  std::string text;
  char32_t high = 0;
  auto invalid = [] { return SqlError(ErrorCode::kSyntaxError, "invalid Unicode escape"); };
  auto take = [&](size_t at, size_t digits) {
    uint32_t value = 0;
    if (at + digits > a.size())
      throw invalid().WithHint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.");
    for (size_t i = 0; i < digits; ++i) {
      char d = a[at + i];
      int v = d >= '0' && d <= '9' ? d - '0' : (d | 32) >= 'a' && (d | 32) <= 'f' ? (d | 32) - 'a' + 10 : -1;
      if (v < 0)
        throw invalid().WithHint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.");
      value = value * 16 + static_cast<uint32_t>(v);
    }
    return value;
  };
  auto bad_pair = [] { return SqlError(ErrorCode::kSyntaxError, "invalid Unicode surrogate pair"); };
  for (size_t at = 0; at < a.size();) {
    if (a[at] != '\\' || (at + 1 < a.size() && a[at + 1] == '\\')) {
      if (high != 0) throw bad_pair();
      text.push_back(a[at]);
      at += a[at] == '\\' ? 2 : 1;
      continue;
    }
    char kind = at + 1 < a.size() ? a[at + 1] : '\0';
    size_t skip = kind == '+' || kind == 'u' || kind == 'U' ? 2 : 1;
    size_t digits = kind == '+' ? 6 : kind == 'U' ? 8 : 4;
    char32_t code = take(at + skip, digits);
    at += skip + digits;
    if (code >= 0xD800 && code < 0xDC00) {
      if (high != 0) throw bad_pair();
      high = code;
      continue;
    }
    if (code >= 0xDC00 && code < 0xE000) {
      if (high == 0) throw bad_pair();
      code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00);
      high = 0;
    } else if (high != 0) {
      throw bad_pair();
    }
    if (code == 0 || code > 0x10FFFF) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "invalid Unicode code point: {:04X}",
                     static_cast<uint32_t>(code));
    }
    Utf8Append(&text, code);
  }
  if (high != 0) throw bad_pair();
  return Keep(c, text);
}

const UNormalizer2* Normalizer(View form) {
  UErrorCode error = U_ZERO_ERROR;
  std::string upper;
  AppendUpper(&upper, form);
  if (upper == "NFC") return unorm2_getNFCInstance(&error);
  if (upper == "NFD") return unorm2_getNFDInstance(&error);
  if (upper == "NFKC") return unorm2_getNFKCInstance(&error);
  if (upper == "NFKD") return unorm2_getNFKDInstance(&error);
  throw SqlError(ErrorCode::kInvalidParameterValue, "invalid normalization form: {}", form);
}
std::u16string ToUtf16(View a) {
  std::u16string result;
  for (size_t at = 0; at < a.size();) {
    char32_t c = Utf8Decode(a, &at);
    if (c >= 0x10000) {
      result.push_back(static_cast<char16_t>(0xD800 + ((c - 0x10000) >> 10)));
      result.push_back(static_cast<char16_t>(0xDC00 + ((c - 0x10000) & 0x3FF)));
    } else {
      result.push_back(static_cast<char16_t>(c));
    }
  }
  return result;
}
std::string Normalized(View a, View form) {
  const UNormalizer2* normalizer = Normalizer(form);
  std::u16string from = ToUtf16(a), to(from.size() * 18 + 16, u'\0');
  UErrorCode error = U_ZERO_ERROR;
  int32_t length = unorm2_normalize(normalizer, from.data(), static_cast<int32_t>(from.size()), to.data(),
                                    static_cast<int32_t>(to.size()), &error);
  std::string result;
  for (int32_t i = 0; i < length; ++i) {
    char32_t c = to[static_cast<size_t>(i)];
    if (c >= 0xD800 && c < 0xDC00 && i + 1 < length) {
      c = 0x10000 + ((c - 0xD800) << 10) + (char32_t{to[static_cast<size_t>(++i)]} - 0xDC00);
    }
    Utf8Append(&result, c);
  }
  return result;
}
View Normalize(CallContext& c, View a, View form) { return Keep(c, Normalized(a, form)); }
bool IsNormalized(View a, View form) { return Normalized(a, form) == a; }

constexpr ScalarFunction kTable[] = {
    Scalar<&Upper>("upper"),
    Scalar<&Lower>("lower"),
    Scalar<&Initcap>("initcap"),
    Scalar<&Substring>("text_substr"),
    Scalar<&SubstringFrom>("text_substr_no_len"),
    Scalar<&Position>("textpos"),
    Scalar<&OverlayFor>("textoverlay"),
    Scalar<&Overlay>("textoverlay_no_len"),
    Scalar<&Left>("text_left"),
    Scalar<&Right>("text_right"),
    Scalar<&Reverse>("text_reverse"),
    Scalar<&TrimLeft>("ltrim"),
    Scalar<&TrimRight>("rtrim"),
    Scalar<&Trim>("btrim"),
    Scalar<&TrimLeftSpaces>("ltrim1"),
    Scalar<&TrimSpaces>("btrim1"),
    RowForm<&PadArguments<true>, true>("lpad"),
    RowForm<&PadArguments<false>, true>("rpad"),
    Scalar<&Repeat>("repeat"),
    Scalar<&Replace>("replace_text"),
    Scalar<&Translate>("translate"),
    Scalar<&SplitPart>("split_part"),
    Scalar<&Ascii>("ascii"),
    Scalar<&Chr>("chr"),
    Scalar<&ToHex32>("to_hex32"),
    Scalar<&ToHex64>("to_hex64"),
    Scalar<&Unistr>("unistr"),
    Scalar<&Normalize>("unicode_normalize_func"),
    Scalar<&IsNormalized>("unicode_is_normalized"),
};

}  // namespace

std::span<const ScalarFunction> TextFunctions() { return kTable; }

}  // namespace walden
