// to_char of numbers and to_number. A template is a row of positions: digits (9, 0), the point, separators and signs.
#include <algorithm>
#include <cfloat>
#include <cmath>

#include "node/base/error.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/numeric.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

using View = std::string_view;

enum class Item { kNine, kZero, kPoint, kComma, kLiteral, kSign, kMinus, kPlusSign, kPlus, kCurrency };
struct Position {
  Item item;
  std::string literal;
};

struct Pattern {
  std::vector<Position> positions;
  int before = 0, after = 0;  // digit positions on both sides of the point
  int first_zero = -1;        // index among the digit positions before the point of the first 0
  bool zero_after = false;
  bool has_point = false, fill = false, brackets = false, exponent = false, roman = false,
       roman_lower = false;
  bool blank = false;
  int multiply = 0;  // digits behind V
  bool has_v = false;
  bool sign_first = false, sign_last = false, has_s = false, has_mi = false, has_pl = false, has_sg = false;
  char ordinal = '\0';
  int last_zero_after = 0;  // decimals that are always shown
};

bool StartsWith(View text, View word) {
  if (text.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    char c = text[i] >= 'a' && text[i] <= 'z' ? static_cast<char>(text[i] - 32) : text[i];
    if (c != word[i]) return false;
  }
  return true;
}

Pattern Parse(View text) {
  Pattern p;
  auto add = [&](Item item, View literal = {}) { p.positions.push_back({item, std::string(literal)}); };
  auto fail = [](const char* message) { return SqlError(ErrorCode::kSyntaxError, "{}", message); };
  for (size_t at = 0; at < text.size();) {
    View rest = text.substr(at);
    if (StartsWith(rest, "FM")) {
      p.fill = true;
      at += 2;
    } else if (StartsWith(rest, "EEEE")) {
      if (p.has_s || p.has_mi || p.has_pl || p.has_sg || p.brackets)
        throw fail("\"EEEE\" is incompatible with other formats");
      p.exponent = true;
      at += 4;
    } else if (StartsWith(rest, "PR")) {
      if (p.has_s || p.has_mi || p.has_pl || p.has_sg)
        throw fail("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
      p.brackets = true;
      at += 2;
    } else if (StartsWith(rest, "MI")) {
      p.has_mi = true;
      add(Item::kMinus);
      at += 2;
    } else if (StartsWith(rest, "PL")) {
      p.has_pl = true;
      add(Item::kPlus);
      at += 2;
    } else if (StartsWith(rest, "SG")) {
      p.has_sg = true;
      add(Item::kPlusSign);
      at += 2;
    } else if (StartsWith(rest, "TH")) {
      p.ordinal = rest[0] == 'T' ? 'T' : 't';
      at += 2;
    } else if (StartsWith(rest, "RN")) {
      p.roman = true;
      p.roman_lower = rest[0] == 'r';
      at += 2;
    } else if (rest[0] == '"') {
      size_t end = at + 1;
      std::string literal;
      while (end < text.size() && text[end] != '"') {
        if (text[end] == '\\' && end + 1 < text.size()) ++end;
        literal.push_back(text[end++]);
      }
      add(Item::kLiteral, literal);
      at = end + 1;
    } else if (StartsWith(rest, "\\\"")) {  // a quote that quotes nothing
      add(Item::kLiteral, "\"");
      at += 2;
    } else {
      char c = rest[0] >= 'a' && rest[0] <= 'z' ? static_cast<char>(rest[0] - 32) : rest[0];
      ++at;
      switch (c) {
        case '9':
        case '0':
          if (p.brackets) throw fail("\"9\" must be ahead of \"PR\"");
          if (p.has_v) ++p.multiply;
          if (p.has_point) {
            ++p.after;
            if (c == '0') p.last_zero_after = p.after;
          } else {
            if (c == '0' && p.first_zero < 0) p.first_zero = p.before;
            ++p.before;
          }
          add(c == '0' ? Item::kZero : Item::kNine);
          break;
        case '.':
        case 'D':
          if (p.has_point) throw fail("multiple decimal points");
          if (p.has_v) throw fail("cannot use \"V\" and decimal point together");
          p.has_point = true;
          add(Item::kPoint);
          break;
        case ',':
        case 'G': add(Item::kComma); break;
        case 'S':
          if (p.has_s) throw fail("cannot use \"S\" twice");
          if (p.has_pl || p.has_mi || p.has_sg || p.brackets)
            throw fail("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
          p.has_s = true;
          (p.before == 0 && !p.has_point ? p.sign_first : p.sign_last) = true;
          break;
        case 'L':
        case '$': add(c == 'L' ? Item::kCurrency : Item::kLiteral, View(&rest[0], 1)); break;
        case 'V':
          if (p.has_point) throw fail("cannot use \"V\" and decimal point together");
          p.has_v = true;
          break;
        case 'B': p.blank = true; break;
        default: {
          auto length = static_cast<size_t>(Utf8Length(static_cast<unsigned char>(rest[0])));
          add(Item::kLiteral, rest.substr(0, length));
          at += length - 1;
        }
      }
    }
  }
  return p;
}

std::string Roman(int64_t value, bool lower, bool fill) {
  static constexpr View kHundreds[] = {"", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM"};
  static constexpr View kTens[] = {"", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"};
  static constexpr View kOnes[] = {"", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"};
  if (value < 1 || value > 3999) return std::string(15, '#');
  std::string text(static_cast<size_t>(value / 1000), 'M');
  text += kHundreds[value / 100 % 10];
  text += kTens[value / 10 % 10];
  text += kOnes[value % 10];
  if (lower) {
    for (char& c : text) c = static_cast<char>(c + 32);
  }
  return fill ? text : std::string(15 - std::min<size_t>(15, text.size()), ' ') + text;
}

// Fills the template from the digits of a rounded number. `whole` has no leading zeros ("" for 0); "" and overflow give #.
std::string Fill(const Pattern& p, bool negative, std::string whole, std::string decimals, bool overflow) {
  int blanks = p.before - static_cast<int>(whole.size());
  if (overflow || blanks < 0) {
    whole.assign(static_cast<size_t>(p.before), '#');
    decimals.assign(static_cast<size_t>(p.after), '#');
    blanks = 0;
  }
  bool plain_sign = !p.has_s && !p.has_mi && !p.has_sg && !p.brackets;
  // Decimals at the end that FM drops: trailing zeros in positions of 9.
  int shown_decimals = p.after;
  if (p.fill) {
    while (shown_decimals > std::min(p.last_zero_after, p.after) &&
           decimals[static_cast<size_t>(shown_decimals - 1)] == '0')
      --shown_decimals;
  }
  // The digit position where output starts: the first digit or the first 0 position; a lone zero shows in the last 9.
  int start = blanks;
  if (p.first_zero >= 0 && p.first_zero < start) start = p.first_zero;
  std::string out;
  bool sign_written = false;
  auto write_sign = [&] {
    if (sign_written) return;
    sign_written = true;
    if (p.sign_first)
      out.push_back(negative ? '-' : '+');
    else if (p.brackets) {
      if (negative)
        out.push_back('<');
      else if (!p.fill)
        out.push_back(' ');
    } else if (plain_sign) {
      if (negative)
        out.push_back('-');
      else if (!p.fill)
        out.push_back(' ');
    }
  };
  bool sign_matters = plain_sign || p.brackets || p.sign_first;
  if (!sign_matters) sign_written = true;
  int digit = 0;
  int decimal = 0;
  bool in_decimals = false, started = false;
  for (const Position& position : p.positions) {
    switch (position.item) {
      case Item::kNine:
      case Item::kZero:
        if (in_decimals) {
          ++decimal;
          if (decimal <= shown_decimals) out.push_back(decimals[static_cast<size_t>(decimal - 1)]);
          break;
        }
        if (digit >= start) {
          write_sign();
          started = true;
          out.push_back(digit >= blanks ? whole[static_cast<size_t>(digit - blanks)] : '0');
        } else if (digit == p.before - 1 && whole.empty() && !p.has_point) {
          write_sign();
          started = true;
          out.push_back('0');
        } else if (digit == p.before - 1 && whole.empty() &&
                   (p.after == 0 || (p.fill && shown_decimals == 0))) {
          write_sign();
          started = true;
          out.push_back('0');
        } else if (!p.fill) {
          out.push_back(' ');
        }
        ++digit;
        break;
      case Item::kPoint:
        in_decimals = true;
        if (p.after == 0) break;
        write_sign();
        out.push_back('.');
        started = true;
        break;
      case Item::kComma:
        if (in_decimals ? !p.fill || decimal < shown_decimals : started)
          out.push_back(',');
        else if (!p.fill)
          out.push_back(' ');
        break;
      case Item::kMinus:
        if (negative)
          out.push_back('-');
        else if (!p.fill)
          out.push_back(' ');
        break;
      case Item::kPlus:
        if (!negative)
          out.push_back('+');
        else if (!p.fill)
          out.push_back(' ');
        break;
      case Item::kPlusSign: out.push_back(negative ? '-' : '+'); break;
      case Item::kCurrency:
        if (!p.fill) out.push_back(' ');
        break;
      case Item::kLiteral: out += position.literal; break;
      case Item::kSign: break;
    }
  }
  if (p.before + p.after > 0) write_sign();
  if (p.sign_last) out.push_back(negative ? '-' : '+');
  if (p.brackets) {
    if (negative)
      out.push_back('>');
    else if (!p.fill)
      out.push_back(' ');
  }
  if (p.ordinal != '\0' && !negative && p.after == 0 && !overflow) {
    std::string digits = whole.empty() ? "0" : whole;
    char last = digits.back();
    bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
    View suffix = teen ? "th" : last == '1' ? "st" : last == '2' ? "nd" : last == '3' ? "rd" : "th";
    std::string cased(suffix);
    if (p.ordinal == 'T') {
      for (char& c : cased) c = static_cast<char>(c - 32);
    }
    out += cased;
  }
  return out;
}

std::string Exponential(const Pattern& p, NumericRef value, Arena& arena) {
  std::string text;
  AppendNumeric(&text, NumericAbsolute(value, arena));
  // d.ddd * 10^e with p.after decimals.
  size_t point = text.find('.');
  std::string digits = text.substr(0, point) + (point == text.npos ? "" : text.substr(point + 1));
  int exponent = static_cast<int>(point == text.npos ? text.size() : point) - 1;
  size_t lead = digits.find_first_not_of('0');
  if (lead == digits.npos) {
    digits = "0";
    exponent = 0;
  } else {
    exponent -= static_cast<int>(lead);
    digits = digits.substr(lead);
  }
  std::string mantissa = digits.substr(0, 1) + "." + digits.substr(1);
  if (mantissa.back() == '.') mantissa.push_back('0');
  NumericRef rounded = NumericRound(ParseNumeric(mantissa, arena), p.after, arena);
  if (CompareNumeric(rounded, NumericFromInt64(10)) >= 0) {
    rounded = NumericRound(NumericDivide(rounded, NumericFromInt64(10), arena), p.after, arena);
    ++exponent;
  }
  std::string out = NumericSign(value) < 0 ? "-" : " ";
  AppendNumeric(&out, rounded);
  if (p.after == 0 && p.has_point) out.push_back('.');
  return out + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
}

// `digits`: significant ones of a float; decimals beyond them are not shown.
void LimitDecimals(Pattern* p, NumericRef value, int digits, Arena& arena) {
  std::string whole;
  AppendNumeric(&whole, NumericRound(NumericAbsolute(value, arena), 0, arena));
  p->after = std::clamp(digits - static_cast<int>(whole.size()), 0, p->after);
}

std::string FormatNumber(CallContext& c, NumericRef value, View text, int significant_digits = 0) {
  Pattern p = Parse(text);
  bool finite = IsNumericFinite(value);
  if (p.roman) {
    bool fits = finite && CompareNumeric(NumericAbsolute(value, c.arena), NumericFromInt64(100000)) < 0;
    return Roman(fits ? NumericToInt64(value) : 0, p.roman_lower, p.fill);
  }
  if (p.exponent) {
    if (!finite)
      return " " + std::string(static_cast<size_t>(p.before), '#') + "." +
             std::string(static_cast<size_t>(p.after + 4), '#');
    return Exponential(p, value, c.arena);
  }
  View special = IsNumericNaN(value) ? "NaN" : "Infinity";
  if (!finite && special.size() <= static_cast<size_t>(p.before)) {
    std::string padding(p.fill ? 0 : static_cast<size_t>(p.before) - special.size(), ' ');
    std::string sign = NumericSign(value) < 0 ? "-" : p.has_s ? "+" : p.fill ? "" : " ";
    return (p.has_mi ? sign + padding : padding + sign) + std::string(special);
  }
  if (!finite)
    return Fill(p, NumericSign(value) < 0, "", std::string(static_cast<size_t>(p.after), '0'), true);
  if (p.multiply > 0) {
    value = NumericMultiply(value, NumericPower(NumericFromInt64(10), NumericFromInt64(p.multiply), c.arena),
                            c.arena);
  }
  if (significant_digits > 0) LimitDecimals(&p, value, significant_digits, c.arena);
  NumericRef rounded = NumericRound(value, p.after, c.arena);
  std::string digits;
  AppendNumeric(&digits, NumericAbsolute(rounded, c.arena));
  size_t point = digits.find('.');
  std::string whole = digits.substr(0, point),
              decimals = point == digits.npos ? "" : digits.substr(point + 1);
  if (whole == "0") whole.clear();
  bool negative = NumericSign(rounded) < 0;
  if (p.blank && NumericSign(rounded) == 0)
    return std::string(static_cast<size_t>(p.before + p.after + 1), ' ');
  return Fill(p, negative, whole, decimals, false);
}

std::optional<View> NumericToChar(CallContext& c, NumericRef value, View pattern) {
  return Keep(c, FormatNumber(c, value, pattern));
}
std::optional<View> Int4ToChar(CallContext& c, int32_t value, View pattern) {
  return NumericToChar(c, NumericFromInt64(value), pattern);
}
std::optional<View> Int8ToChar(CallContext& c, int64_t value, View pattern) {
  return NumericToChar(c, NumericFromInt64(value), pattern);
}
std::optional<View> Float4ToChar(CallContext& c, float value, View pattern) {
  return Keep(c, FormatNumber(c, NumericFromFloat(value, c.arena), pattern, FLT_DIG));
}
std::optional<View> Float8ToChar(CallContext& c, double value, View pattern) {
  return Keep(c, FormatNumber(c, NumericFromDouble(value, c.arena), pattern, DBL_DIG));
}

// Takes the digits that fall on digit positions, the point and the sign; skips the rest.
std::optional<NumericRef> ToNumber(CallContext& c, View text, View pattern) {
  if (text.empty()) return std::nullopt;
  Pattern p = Parse(pattern);
  std::string digits;
  bool negative = false, point = false;
  int before = 0, after = 0;
  for (char ch : text) {
    if (ch >= '0' && ch <= '9') {
      if (point ? after < p.after : before < p.before) digits.push_back(ch);
      ++(point ? after : before);
    } else if (ch == '-' || ch == '<') {
      negative = true;
    } else if (ch == '.' && p.has_point && !point) {
      point = true;
      digits.push_back('.');
    }
  }
  if (digits.empty() || digits == ".")
    throw SqlError(ErrorCode::kInvalidTextRepresentation, "invalid input syntax for type numeric: \"{}\"",
                   " ");
  NumericRef value = ParseNumeric((negative ? "-" : "") + digits, c.arena);
  if (p.multiply > 0) {
    value = NumericDivide(value, NumericPower(NumericFromInt64(10), NumericFromInt64(p.multiply), c.arena),
                          c.arena);
  }
  return value;
}

constexpr ScalarFunction kTable[] = {
    Scalar<&NumericToChar>("numeric_to_char"), Scalar<&Int4ToChar>("int4_to_char"),
    Scalar<&Int8ToChar>("int8_to_char"),       Scalar<&Float4ToChar>("float4_to_char"),
    Scalar<&Float8ToChar>("float8_to_char"),   Scalar<&ToNumber>("numeric_to_number"),
};

}  // namespace

std::span<const ScalarFunction> NumberToCharFunctions() { return kTable; }

}  // namespace walden
