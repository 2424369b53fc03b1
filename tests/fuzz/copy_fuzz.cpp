// COPY data: the text, csv and binary readers. However the bytes are cut into pieces, the rows are the same.
#include <vector>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/session/copy_binary.h"
#include "node/session/copy_format.h"
#include "tests/fuzz/fuzz_input.h"

namespace walden {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string Shown(const CopyField& field) {
  return std::string(field.is_null ? "N" : field.was_quoted ? "Q" : "V") + std::string(field.text);
}

// Everything that a reader gives of `bytes`, fed in pieces; what ended it stands last.
Rows ReadText(const CopyOptions& options, std::string_view bytes, size_t piece) {
  Rows rows;
  CopyReader reader(options);
  std::vector<CopyField> fields;
  try {
    for (size_t at = 0;; at += piece) {
      bool last = at + piece >= bytes.size();
      reader.Feed(bytes.substr(std::min(at, bytes.size()), piece), last);
      while (reader.NextRow(&fields)) {
        rows.emplace_back();
        for (const CopyField& field : fields) rows.back().push_back(Shown(field));
      }
      if (last || reader.ended()) break;
    }
  } catch (const SqlError& error) {
    rows.push_back({"error", error.fields().message});
  }
  return rows;
}

Rows ReadBinary(int columns, std::string_view bytes, size_t piece) {
  Rows rows;
  CopyBinaryReader reader(columns);
  std::vector<std::optional<std::string_view>> fields;
  try {
    for (size_t at = 0;; at += piece) {
      bool last = at + piece >= bytes.size();
      reader.Feed(bytes.substr(std::min(at, bytes.size()), piece), last);
      while (reader.NextRow(&fields)) {
        rows.emplace_back();
        for (const auto& field : fields) rows.back().push_back(field ? "V" + std::string(*field) : "N");
      }
      if (last) break;
    }
  } catch (const SqlError& error) {
    rows.push_back({"error", error.fields().message});
  }
  return rows;
}

CopyOptions Options(uint8_t choice) {
  CopyOptions options;
  options.csv = (choice & 1) != 0;
  if (options.csv) {
    options.delimiter = ',';
    options.null = "";
  }
  if ((choice & 2) != 0) options.delimiter = '|';
  if ((choice & 4) != 0) options.escape = '\\';
  if ((choice & 8) != 0) options.null = "NULL";
  options.header = (choice & 16) != 0;
  return options;
}

}  // namespace
}  // namespace walden

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walden;
  FuzzInput input(data, size);
  uint8_t choice = input.Byte();
  size_t piece = 1 + input.Byte() % 13;
  std::string_view bytes = input.Rest();
  if ((choice & 128) != 0) {
    CHECK(ReadBinary(choice & 7, bytes, bytes.size() + 1) == ReadBinary(choice & 7, bytes, piece));
    return 0;
  }
  CopyOptions options = Options(choice);
  CHECK(ReadText(options, bytes, bytes.size() + 1) == ReadText(options, bytes, piece));
  return 0;
}
