// Private to pgwire: the shape that pg_hba.conf and pg_ident.conf share. Lines of fields, fields of comma-separated tokens; '#' begins
// a comment, '"' quotes, a backslash at the end continues the line, "@file" stands for the tokens of that file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node/base/error.h"

namespace walden {

struct AuthToken {
  std::string text;
  bool quoted = false;  // a plain name: never a key word
};
struct AuthFileLine {
  int number = 0;  // of its first line in the file
  std::string text;
  std::vector<std::vector<AuthToken>> fields;
  std::string error;  // a file that it names cannot be read
};
// `directory` empty: "@file" is not looked for.
std::vector<AuthFileLine> ReadAuthLines(std::string_view text, const std::string& directory);

SqlError BadAuthLine(std::string_view file_name, int line, std::string_view what);

}  // namespace walden
