// The text and csv formats of COPY: between lines and fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/sql/parser/ast.h"
#include "node/types/encoding.h"

namespace walden {

struct CopyOptions {
  bool csv = false;
  bool binary = false;  // copy_binary.h
  bool header = false;
  bool match_header = false;
  bool freeze = false;
  const Encoding* encoding = nullptr;  // of text and csv data; null: the client's
  char delimiter = '\t';
  std::string null = "\\N";
  char quote = '"';
  char escape = '"';
  std::vector<std::string> force_quote;
  bool force_quote_all = false;
  std::vector<std::string> force_not_null;
  std::vector<std::string> force_null;
};
// `source`: the statement's text, for positions. Throws 42601, 22023, 0A000 as PostgreSQL.
CopyOptions ParseCopyOptions(const ast::NodeList& options, bool is_from, std::string_view source);

// One field of a row; the text lies in the reader's memory until its next NextRow or Feed.
struct CopyField {
  std::string_view text;
  bool is_null = false;
  bool was_quoted = false;
};

// Cuts incoming bytes into rows of fields. Lines end as the first one does, as PostgreSQL demands.
class CopyReader {
 public:
  explicit CopyReader(const CopyOptions& options)
      : options_(options), special_(options.csv ? options.quote : '\\') {}
  // Adds bytes as they arrive; `last` when no more will come.
  void Feed(std::string_view bytes, bool last);
  // The next whole row; false when more bytes are needed (or the data has ended). Throws 22P04 and 22021.
  bool NextRow(std::vector<CopyField>* fields);
  // Of the row last returned or, when reading the next one failed, of that.
  uint64_t line_number() const { return line_number_; }
  // The row last returned; nothing while another is being read.
  std::optional<std::string_view> line() const { return reading_ ? std::nullopt : std::optional(line_); }
  bool ended() const { return ended_; }

 private:
  enum class LineEnd : uint8_t { kUnknown, kNl, kCr, kCrNl };
  enum class Marker : uint8_t { kNone, kEnd, kUnclear };

  bool FindLine();
  size_t NextStop(size_t from);
  bool EndAtNewline(size_t at);
  bool EndAtReturn(size_t at);
  Marker FindMarker(size_t at);
  void SkipQuoted();
  [[noreturn]] void ThrowBareLineEnd(bool newline) const;
  void EndLine(size_t length, size_t terminator);
  void CheckEncoding();
  std::string_view Unescape(std::string_view raw);
  std::string_view Unquote(std::string_view raw);

  const CopyOptions& options_;
  const char special_;  // the byte that needs more than cutting at delimiters
  std::string buffer_;
  size_t at_ = 0;           // where the line begins
  size_t ascii_until_ = 0;  // everything before it is ASCII without NUL
  bool last_ = false;
  bool ended_ = false;
  LineEnd line_end_ = LineEnd::kUnknown;
  // The line being read; positions count from its beginning.
  bool reading_ = false;
  size_t scanned_ = 0;
  std::vector<uint32_t> delimiters_;
  bool has_special_ = false;
  bool quoted_ = false;   // csv: inside quotes
  bool escaped_ = false;  // csv: the byte before was the escape character
  size_t length_ = 0;     // once its end is found
  size_t terminator_ = 0;

  std::string_view line_;
  std::string decoded_;  // fields that are not in the line as they are
  uint64_t line_number_ = 0;
};

// Appends one field in the format's quoting.
void WriteCopyField(const CopyOptions& options, const std::optional<std::string_view>& value,
                    bool force_quote, bool only_field, std::string* to);

}  // namespace walden
