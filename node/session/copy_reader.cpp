// Lines and fields of COPY FROM in text and csv.
//
// One pass over the bytes finds, sixteen at a time, whatever is not plain: delimiters are noted, line ends and the
// format's special byte stop it. A line without special bytes is then its fields as they lie in the buffer.
#include <algorithm>

#include "node/base/error.h"
#include "node/session/copy_format.h"
#include "node/types/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace walden {

void CopyReader::Feed(std::string_view bytes, bool last) {
  if (at_ > 0) {
    buffer_.erase(0, at_);
    ascii_until_ -= std::min(ascii_until_, at_);
    at_ = 0;
  }
  buffer_.append(bytes);
  last_ = last;
  // Most data is ASCII: then no line needs to be looked at for its encoding.
  std::string_view unchecked = std::string_view(buffer_).substr(ascii_until_);
  if (IsAscii(unchecked) && unchecked.find('\0') == std::string_view::npos) ascii_until_ = buffer_.size();
}

bool CopyReader::NextRow(std::vector<CopyField>* fields) {
  if (ended_) return false;
  if (!reading_) {
    reading_ = true;
    ++line_number_;
    scanned_ = 0;
    delimiters_.clear();
    has_special_ = quoted_ = escaped_ = false;
  }
  if (!FindLine()) return false;
  line_ = std::string_view(buffer_).substr(at_, length_);
  CheckEncoding();
  at_ += length_ + terminator_;
  reading_ = false;
  if (ended_) return false;
  decoded_.clear();
  if (has_special_) decoded_.reserve(line_.size());  // views into it stay good
  fields->resize(delimiters_.size() + 1);
  size_t from = 0;
  for (size_t i = 0; i <= delimiters_.size(); ++i) {
    size_t end = i < delimiters_.size() ? delimiters_[i] : line_.size();
    std::string_view raw = line_.substr(from, end - from);
    from = end + 1;
    CopyField& field = (*fields)[i];
    bool special = has_special_ && raw.find(special_) != std::string_view::npos;
    field.was_quoted = special && options_.csv;
    field.is_null = !field.was_quoted && raw == options_.null;
    field.text = !special ? raw : options_.csv ? Unquote(raw) : Unescape(raw);
  }
  return true;
}

// The first byte from `from` on that may end the line or is special; notes the delimiters before it.
size_t CopyReader::NextStop(size_t from) {
  const char* data = buffer_.data();
  size_t end = buffer_.size();
  auto note = [&](size_t at) { delimiters_.push_back(static_cast<uint32_t>(at - at_)); };
#if defined(__SSE2__)
  const __m128i newline = _mm_set1_epi8('\n'), feed = _mm_set1_epi8('\r');
  const __m128i special = _mm_set1_epi8(special_), delimiter = _mm_set1_epi8(options_.delimiter);
  for (; from + 16 <= end; from += 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + from));
    __m128i stops = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, newline), _mm_cmpeq_epi8(bytes, feed)),
                                 _mm_cmpeq_epi8(bytes, special));
    auto stop = static_cast<uint32_t>(_mm_movemask_epi8(stops));
    auto found = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, delimiter)));
    if (stop != 0) found &= (stop & -stop) - 1;
    for (; found != 0; found &= found - 1) note(from + static_cast<size_t>(__builtin_ctz(found)));
    if (stop != 0) return from + static_cast<size_t>(__builtin_ctz(stop));
  }
#endif
  for (; from < end; ++from) {
    char c = data[from];
    if (c == '\n' || c == '\r' || c == special_) return from;
    if (c == options_.delimiter) note(from);
  }
  return end;
}

void CopyReader::EndLine(size_t length, size_t terminator) {
  length_ = length;
  terminator_ = terminator;
}

// Where the line that begins at at_ ends. False: more bytes must come first; what was seen is not looked at again.
bool CopyReader::FindLine() {
  if (options_.csv && scanned_ == 0 && at_ < buffer_.size() && buffer_[at_] == '\\') {
    Marker marker = FindMarker(at_);
    if (marker == Marker::kUnclear) return false;
    if (marker == Marker::kEnd) return true;
  }
  while (true) {
    if (quoted_) SkipQuoted();
    size_t at = quoted_ ? buffer_.size() : NextStop(at_ + scanned_);
    scanned_ = at - at_;
    if (at == buffer_.size()) {
      if (!last_ || scanned_ == 0) return false;
      if (quoted_) throw SqlError(ErrorCode::kBadCopyFileFormat, "unterminated CSV quoted field");
      EndLine(scanned_, 0);
      return true;
    }
    char c = buffer_[at];
    if (c == '\n') return EndAtNewline(at);
    if (c == '\r') return EndAtReturn(at);
    has_special_ = true;
    if (options_.csv) {
      quoted_ = true;
      ++scanned_;
      continue;
    }
    if (at + 1 == buffer_.size() && !last_) return false;
    Marker marker = FindMarker(at);
    if (marker == Marker::kUnclear) return false;
    if (marker == Marker::kEnd) return true;
    scanned_ = std::min(scanned_ + 2, buffer_.size() - at_);  // an escaped character never ends the line
  }
}

void CopyReader::ThrowBareLineEnd(bool newline) const {
  throw SqlError(ErrorCode::kBadCopyFileFormat, "{} {} found in data", options_.csv ? "unquoted" : "literal",
                 newline ? "newline" : "carriage return")
      .WithHint(options_.csv ? fmt::format("Use quoted CSV field to represent {}.",
                                           newline ? "newline" : "carriage return")
                : newline    ? "Use \"\\n\" to represent newline."
                             : "Use \"\\r\" to represent carriage return.");
}

bool CopyReader::EndAtNewline(size_t at) {
  if (line_end_ == LineEnd::kCr || line_end_ == LineEnd::kCrNl) ThrowBareLineEnd(true);
  line_end_ = LineEnd::kNl;
  EndLine(at - at_, 1);
  return true;
}

bool CopyReader::EndAtReturn(size_t at) {
  if (line_end_ == LineEnd::kNl) ThrowBareLineEnd(false);
  bool more = at + 1 < buffer_.size();
  if (line_end_ != LineEnd::kCr) {
    if (!more && !last_) return false;
    if (more && buffer_[at + 1] == '\n') {
      line_end_ = LineEnd::kCrNl;
      EndLine(at - at_, 2);
      return true;
    }
    if (line_end_ == LineEnd::kCrNl) ThrowBareLineEnd(false);
    line_end_ = LineEnd::kCr;
  }
  EndLine(at - at_, 1);
  return true;
}

// Is the backslash at `at` the beginning of an end marker, "\." and a line end? It ends the data when it stands alone;
// what stands before it is a row. In csv it must begin the line, and what only resembles it is data.
CopyReader::Marker CopyReader::FindMarker(size_t at) {
  auto missing = [&](size_t position) { return position >= buffer_.size() && !last_; };
  auto byte = [&](size_t position) { return position < buffer_.size() ? buffer_[position] : '\0'; };
  if (missing(at + 1)) return Marker::kUnclear;
  if (byte(at + 1) != '.') return Marker::kNone;
  if (missing(at + 2)) return Marker::kUnclear;
  auto no_match = [&](const char* problem) {
    if (options_.csv) return Marker::kNone;
    throw SqlError(ErrorCode::kBadCopyFileFormat, "{}", problem);
  };
  constexpr const char* kCorrupt = "end-of-copy marker corrupt";
  constexpr const char* kOtherStyle = "end-of-copy marker does not match previous newline style";
  size_t end = at + 2;
  if (line_end_ == LineEnd::kCrNl) {
    if (byte(end) == '\n') return no_match(kOtherStyle);
    if (byte(end) != '\r') return no_match(kCorrupt);
    if (missing(++end)) return Marker::kUnclear;
  }
  char c = byte(end);
  if (c != '\r' && c != '\n') return no_match(kCorrupt);
  bool other_style = (line_end_ == LineEnd::kNl && c != '\n') || (line_end_ == LineEnd::kCrNl && c != '\n') ||
                     (line_end_ == LineEnd::kCr && c != '\r');
  if (other_style) return no_match(kOtherStyle);
  EndLine(at - at_, end + 1 - at);
  ended_ = at == at_;
  return Marker::kEnd;
}

// To the quote that ends the quoted part, or to the end of what is there.
void CopyReader::SkipQuoted() {
  char counted = line_end_ == LineEnd::kNl ? '\n' : '\r';
  for (; at_ + scanned_ < buffer_.size(); ++scanned_) {
    char c = buffer_[at_ + scanned_];
    if (c == options_.escape) escaped_ = !escaped_;
    bool closes = c == options_.quote && (options_.escape == options_.quote || !escaped_);
    if (c != options_.escape) escaped_ = false;
    if (c == counted) ++line_number_;
    if (!closes) continue;
    quoted_ = escaped_ = false;
    ++scanned_;
    return;
  }
}

void CopyReader::CheckEncoding() {
  if (at_ + length_ > ascii_until_) Utf8Validate(line_);
}

namespace {

bool IsHex(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }
int HexValue(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

// The byte that \digits at `*at` stand for; `*at` moves behind them.
char OctalByte(std::string_view raw, size_t* at) {
  int value = 0;
  for (int digits = 0; digits < 3 && *at < raw.size() && raw[*at] >= '0' && raw[*at] <= '7'; ++digits) {
    value = value * 8 + (raw[(*at)++] - '0');
  }
  return static_cast<char>(value);
}

char HexByte(std::string_view raw, size_t* at) {
  int value = 0;
  for (int digits = 0; digits < 2 && *at < raw.size() && IsHex(raw[*at]); ++digits) {
    value = value * 16 + HexValue(raw[(*at)++]);
  }
  return static_cast<char>(value);
}

}  // namespace

std::string_view CopyReader::Unescape(std::string_view raw) {
  size_t start = decoded_.size();
  bool has_coded_bytes = false;  // they could be anything
  for (size_t i = 0; i < raw.size();) {
    size_t plain = std::min(raw.find('\\', i), raw.size());
    decoded_.append(raw, i, plain - i);
    i = plain + 1;
    if (i >= raw.size()) break;  // a backslash at the end says nothing
    char c = raw[i++];
    switch (c) {
      case 'b': decoded_ += '\b'; break;
      case 'f': decoded_ += '\f'; break;
      case 'n': decoded_ += '\n'; break;
      case 'r': decoded_ += '\r'; break;
      case 't': decoded_ += '\t'; break;
      case 'v': decoded_ += '\v'; break;
      case 'x':
        has_coded_bytes = true;
        decoded_ += i < raw.size() && IsHex(raw[i]) ? HexByte(raw, &i) : 'x';
        break;
      default:
        if (c < '0' || c > '7') {
          decoded_ += c;
          break;
        }
        has_coded_bytes = true;
        --i;
        decoded_ += OctalByte(raw, &i);
    }
  }
  std::string_view text = std::string_view(decoded_).substr(start);
  if (has_coded_bytes) Utf8Validate(text);
  return text;
}

std::string_view CopyReader::Unquote(std::string_view raw) {
  size_t start = decoded_.size();
  bool quoted = false;
  for (size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (quoted && c == options_.escape && i + 1 < raw.size() &&
        (raw[i + 1] == options_.quote || raw[i + 1] == options_.escape)) {
      decoded_ += raw[++i];
    } else if (c == options_.quote) {
      quoted = !quoted;
    } else {
      decoded_ += c;
    }
  }
  return std::string_view(decoded_).substr(start);
}

}  // namespace walden
