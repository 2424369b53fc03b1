// Text and binary forms of arrays.
#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/types/array.h"
#include "node/types/integer.h"
#include "node/types/wire.h"

namespace walden {
namespace {

// Parses one array literal by recursive descent.
class LiteralParser {
 public:
  LiteralParser(std::string_view text, TypeIo& io)
      : text_(text), io_(io), element_(TypeOf(io.type->element)), builder_(element_.oid, element_.physical) {}

  std::string_view Parse() {
    SkipSpace();
    int explicit_dimensions = ParseBounds();
    if (explicit_dimensions > 0 && !Take('=')) Malformed("Missing \"=\" after array dimensions.");
    SkipSpace();
    if (Peek() != '{') {
      Malformed(explicit_dimensions > 0 ? "Array contents must start with \"{\"."
                                        : "Array value must start with \"{\" or dimension information.");
    }
    ParseLevel(0);
    SkipSpace();
    if (at_ != text_.size()) Malformed("Junk after closing right brace.");
    if (explicit_dimensions > 0) CheckBounds(explicit_dimensions);
    if (builder_.count() == 0) return builder_.Finish(io_.arena, {}, {});
    CountElements({lengths_, static_cast<size_t>(dimensions_)});
    return builder_.Finish(io_.arena, {lengths_, static_cast<size_t>(dimensions_)},
                           {lower_bounds_, static_cast<size_t>(dimensions_)});
  }

 private:
  [[noreturn]] void Malformed(std::string detail) {
    throw SqlError(ErrorCode::kInvalidTextRepresentation, "malformed array literal: \"{}\"", text_)
        .WithDetail(std::move(detail));
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (Peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }

  int32_t ParseBound(bool is_first) {
    size_t start = at_;
    if (Peek() == '-' || Peek() == '+') ++at_;
    while (Peek() >= '0' && Peek() <= '9') ++at_;
    if (at_ == start) {
      Malformed(is_first ? "\"[\" must introduce explicitly-specified array dimensions."
                         : "Missing array dimension value.");
    }
    return ParseInt32(text_.substr(start, at_ - start));
  }

  int ParseBounds() {
    int count = 0;
    for (SkipSpace(); Take('['); SkipSpace(), ++count) {
      if (count >= kMaxArrayDimensions) TooManyDimensions(count + 1);
      int32_t lower = 1, upper = ParseBound(true);
      if (Take(':')) {
        lower = upper;
        upper = ParseBound(false);
      }
      if (!Take(']')) Malformed("Missing \"]\" after array dimensions.");
      if (upper < lower) {
        throw SqlError(ErrorCode::kArraySubscriptError, "upper bound cannot be less than lower bound");
      }
      lower_bounds_[count] = lower;
      explicit_lengths_[count] = upper - lower + 1;
    }
    return count;
  }

  [[noreturn]] void TooManyDimensions(int count) {
    throw SqlError(ErrorCode::kProgramLimitExceeded,
                   "number of array dimensions ({}) exceeds the maximum allowed ({})", count,
                   kMaxArrayDimensions);
  }

  void CheckBounds(int count) {
    bool same = count == dimensions_;
    for (int i = 0; same && i < count; ++i) same = lengths_[i] == explicit_lengths_[i];
    if (!same) Malformed("Specified array dimensions do not match array contents.");
    for (int i = 0; i < count; ++i) {
      if (int64_t{lower_bounds_[i]} + lengths_[i] > INT32_MAX)
        throw SqlError(ErrorCode::kProgramLimitExceeded, "array lower bound is too large: {}",
                       lower_bounds_[i]);
    }
  }

  // At '{'. Every level must find as many members as its first sibling did.
  void ParseLevel(int depth) {
    ++at_;
    if (depth >= kMaxArrayDimensions) TooManyDimensions(depth + 1);
    if (depth >= dimensions_) {
      if (leaf_depth_ >= 0)
        Malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
      dimensions_ = depth + 1;
      lengths_[depth] = -1;
    }
    int32_t members = 0;
    SkipSpace();
    if (depth > 0 && Peek() == '}') UnexpectedCharacter();
    if (!Take('}')) {
      while (true) {
        ParseMember(depth);
        ++members;
        SkipSpace();
        if (Take('}')) break;
        if (!Take(io_.type->delimiter)) UnexpectedAfterElement();
        SkipSpace();
        if (Peek() == '}') UnexpectedCharacter();
      }
    }
    if (lengths_[depth] == -1)
      lengths_[depth] = members;
    else if (lengths_[depth] != members) {
      Malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
    }
  }

  [[noreturn]] void UnexpectedCharacter() {
    if (at_ >= text_.size()) Malformed("Unexpected end of input.");
    Malformed(fmt::format("Unexpected \"{}\" character.", text_[at_]));
  }

  // Behind an element or an inner array.
  [[noreturn]] void UnexpectedAfterElement() {
    if (at_ >= text_.size() || Peek() == '{') UnexpectedCharacter();
    Malformed("Unexpected array element.");
  }

  void ParseMember(int depth) {
    SkipSpace();
    if (Peek() == '{') {
      if (leaf_depth_ == depth) Malformed("Unexpected \"{\" character.");
      ParseLevel(depth + 1);
      return;
    }
    if (dimensions_ != depth + 1) Malformed("Unexpected array element.");
    leaf_depth_ = depth;
    ParseElement();
  }

  void ParseElement() {
    std::string word;
    size_t kept = 0;  // trailing unquoted white space is dropped
    if (Take('"')) {
      while (!Take('"')) {
        Take('\\');
        if (at_ >= text_.size()) Malformed("Unexpected end of input.");
        word.push_back(text_[at_++]);
      }
      SkipSpace();
      if (Peek() != '}' && Peek() != io_.type->delimiter) UnexpectedAfterElement();
      kept = word.size();
    } else {
      bool escaped = false;
      while (Peek() != '}' && Peek() != io_.type->delimiter) {
        if (at_ >= text_.size()) Malformed("Unexpected end of input.");
        if (Peek() == '"' || Peek() == '{') UnexpectedAfterElement();
        bool backslash = Take('\\');
        escaped |= backslash;
        if (at_ >= text_.size()) Malformed("Unexpected end of input.");
        word.push_back(text_[at_++]);
        if (backslash || !IsSpace(word.back())) kept = word.size();
      }
      word.resize(kept);
      if (word.empty()) UnexpectedCharacter();
      if (!escaped && nulls_ && IsNullWord(word)) {
        builder_.AddNull();
        return;
      }
    }
    TypeIo element_io{io_.arena, io_.format, io_.names, &element_, io_.typmod};
    Value value{Datum{.words = {0, 0}}, false};
    element_.input(word, element_io, &value.datum);
    builder_.Add(value);
  }

 public:
  static bool IsNullWord(std::string_view word) {
    return word.size() == 4 && (word[0] | 32) == 'n' && (word[1] | 32) == 'u' && (word[2] | 32) == 'l' &&
           (word[3] | 32) == 'l';
  }

 private:
  const bool nulls_ = GetBool(Setting::kArrayNulls);
  std::string_view text_;
  TypeIo& io_;
  const TypeDescriptor& element_;
  ArrayBuilder builder_;
  size_t at_ = 0;
  int dimensions_ = 0;
  int leaf_depth_ = -1;
  int32_t lengths_[kMaxArrayDimensions] = {};
  int32_t lower_bounds_[kMaxArrayDimensions] = {1, 1, 1, 1, 1, 1};
  int32_t explicit_lengths_[kMaxArrayDimensions] = {};
};

bool NeedsQuotes(std::string_view text, char delimiter) {
  if (text.empty() || LiteralParser::IsNullWord(text)) return true;
  for (char c : text) {
    if (c == '"' || c == '\\' || c == '{' || c == '}' || c == delimiter || IsSpace(c)) return true;
  }
  return false;
}

class LiteralWriter {
 public:
  LiteralWriter(const ArrayView& view, TypeIo& io, std::string* to)
      : view_(view),
        element_(TypeOf(view.element_type())),
        reader_(view, element_.physical),
        element_io_{io.arena, io.format, io.names, &element_, -1},
        to_(to) {}

  void Write() {
    if (view_.dimensions() == 0 || view_.count() == 0) {
      to_->append("{}");
      return;
    }
    WriteBounds();
    WriteLevel(0);
  }

 private:
  void WriteBounds() {
    bool usual = true;
    for (int i = 0; i < view_.dimensions(); ++i) usual &= view_.LowerBound(i) == 1;
    if (usual) return;
    for (int i = 0; i < view_.dimensions(); ++i) {
      to_->push_back('[');
      AppendInt(to_, view_.LowerBound(i));
      to_->push_back(':');
      AppendInt(to_, int64_t{view_.LowerBound(i)} + view_.Length(i) - 1);
      to_->push_back(']');
    }
    to_->push_back('=');
  }

  void WriteLevel(int depth) {
    to_->push_back('{');
    for (int32_t i = 0; i < view_.Length(depth); ++i) {
      if (i != 0) to_->push_back(element_.delimiter);
      if (depth + 1 < view_.dimensions())
        WriteLevel(depth + 1);
      else
        WriteElement();
    }
    to_->push_back('}');
  }

  void WriteElement() {
    Value value;
    reader_.Next(&value);
    if (value.is_null) {
      to_->append("NULL");
      return;
    }
    scratch_.clear();
    element_.output(value.datum, element_io_, &scratch_);
    if (!NeedsQuotes(scratch_, element_.delimiter)) {
      to_->append(scratch_);
      return;
    }
    to_->push_back('"');
    for (char c : scratch_) {
      if (c == '"' || c == '\\') to_->push_back('\\');
      to_->push_back(c);
    }
    to_->push_back('"');
  }

  const ArrayView& view_;
  const TypeDescriptor& element_;
  ArrayReader reader_;
  TypeIo element_io_;
  std::string* to_;
  std::string scratch_;
};

}  // namespace

void ArrayIn(std::string_view text, TypeIo& io, Datum* result) {
  std::string_view stored = LiteralParser(text, io).Parse();
  result->string = {stored.data(), stored.size()};
}

void ArrayOut(const Datum& value, TypeIo& io, std::string* to) {
  ArrayView view(value.string.view());
  LiteralWriter(view, io, to).Write();
}

void ArrayReceive(std::string_view bytes, TypeIo& io, Datum* result) {
  WireReader reader(bytes);
  int32_t dimensions = reader.TakeInt32();
  if (dimensions < 0 || dimensions > kMaxArrayDimensions) {
    throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid number of dimensions: {}", dimensions);
  }
  int32_t flags = reader.TakeInt32();
  if (flags != 0 && flags != 1)
    throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid array flags");
  Oid element_oid{reader.Take<uint32_t>()};
  if (element_oid != io.type->element) {
    throw SqlError(ErrorCode::kDatatypeMismatch,
                   "binary data has array element type {} ({}) instead of expected {} ({})",
                   OidNumber(element_oid), TypeOf(element_oid).name, OidNumber(io.type->element),
                   TypeOf(io.type->element).name);
  }
  const TypeDescriptor& element = TypeOf(element_oid);
  int32_t lengths[kMaxArrayDimensions], lower_bounds[kMaxArrayDimensions];
  for (int32_t i = 0; i < dimensions; ++i) {
    lengths[i] = reader.TakeInt32();
    lower_bounds[i] = reader.TakeInt32();
  }
  uint32_t count = CountElements({lengths, static_cast<size_t>(dimensions)});
  ArrayBuilder builder(element_oid, element.physical);
  TypeIo element_io{io.arena, io.format, io.names, &element, io.typmod};
  for (uint32_t i = 0; i < count; ++i) {
    int32_t size = reader.TakeInt32();
    if (size == -1) {
      builder.AddNull();
      continue;
    }
    Value value{Datum{.words = {0, 0}}, false};
    element.receive(reader.TakeBytes(static_cast<uint32_t>(size)), element_io, &value.datum);
    builder.Add(value);
  }
  size_t used = count == 0 ? 0 : static_cast<size_t>(dimensions);
  std::string_view stored = builder.Finish(io.arena, {lengths, used}, {lower_bounds, used});
  result->string = {stored.data(), stored.size()};
}

void ArraySend(const Datum& value, TypeIo& io, std::string* to) {
  ArrayView view(value.string.view());
  const TypeDescriptor& element = TypeOf(view.element_type());
  AppendBig<uint32_t>(to, static_cast<uint32_t>(view.dimensions()));
  AppendBig<uint32_t>(to, view.has_nulls() ? 1 : 0);
  AppendBig<uint32_t>(to, OidNumber(view.element_type()));
  for (int i = 0; i < view.dimensions(); ++i) {
    AppendBig<uint32_t>(to, static_cast<uint32_t>(view.Length(i)));
    AppendBig<uint32_t>(to, static_cast<uint32_t>(view.LowerBound(i)));
  }
  TypeIo element_io{io.arena, io.format, io.names, &element, -1};
  Value item;
  for (ArrayReader reader(view, element.physical); reader.Next(&item);) {
    if (item.is_null) {
      AppendBig<uint32_t>(to, UINT32_MAX);
      continue;
    }
    size_t start = to->size();
    to->append(4, '\0');
    element.send(item.datum, element_io, to);
    StoreBig<uint32_t>(to->data() + start, static_cast<uint32_t>(to->size() - start - 4));
  }
}

}  // namespace walden
