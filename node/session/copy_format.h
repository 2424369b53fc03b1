// The text and csv formats of COPY: between lines and fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/sql/parser/ast.h"

namespace walden {

struct CopyOptions {
  bool csv = false;
  bool binary = false;  // copy_binary.h
  bool header = false;
  bool match_header = false;
  bool freeze = false;
  char delimiter = '\t';
  std::string null = "\\N";
  char quote = '"';
  char escape = '"';
  std::vector<std::string> force_quote;
  bool force_quote_all = false;
  std::vector<std::string> force_not_null;
  std::vector<std::string> force_null;
};
// Throws 42601, 22023, 0A000 as PostgreSQL.
CopyOptions ParseCopyOptions(const ast::NodeList& options, bool is_from);

struct CopyField {
  std::string text;
  bool is_null = false;
  bool was_quoted = false;
};

// Cuts incoming bytes into rows of fields.
class CopyReader {
 public:
  explicit CopyReader(const CopyOptions& options) : options_(options) {}
  // Adds bytes as they arrive; `last` when no more will come.
  void Feed(std::string_view bytes, bool last);
  // The next whole row; false when more bytes are needed (or the data has ended).
  bool NextRow(std::vector<CopyField>* fields);  // `fields` keeps its memory from row to row
  uint64_t line_number() const { return line_number_; }
  std::string_view line() const { return line_; }
  bool ended() const { return ended_; }

 private:
  bool FindLine(size_t* length, size_t* terminator);
  bool IsSpecial(std::string_view text) const;
  CopyField& AddField(std::vector<CopyField>* fields);
  void SplitPlain(std::vector<CopyField>* fields);
  void SplitText(std::vector<CopyField>* fields);
  void SplitCsv(std::vector<CopyField>* fields);

  const CopyOptions& options_;
  std::string buffer_;
  size_t at_ = 0;
  bool last_ = false;
  bool ended_ = false;
  std::string line_;
  uint64_t line_number_ = 0;
  size_t field_count_ = 0;  // of the row being cut
};

// Appends one field in the format's quoting.
void WriteCopyField(const CopyOptions& options, const std::optional<std::string_view>& value, bool force_quote, bool only_field,
                    std::string* to);

}  // namespace walden
