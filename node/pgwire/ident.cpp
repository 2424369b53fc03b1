// pg_ident.conf: which names of the outer world stand for which roles.
#include "node/pgwire/auth_file.h"
#include "node/pgwire/hba.h"
#include "node/types/regex.h"

namespace walden {
namespace {

// A pattern finds the system user; "\1" in the role stands for its first group.
bool PatternAllows(const IdentLine& line, std::string_view system_user, std::string_view role) {
  std::shared_ptr<const Regex> pattern =
      CompileRegex(std::string_view(line.system_user).substr(1), RegexOptions{});
  RegexSubject subject(system_user);
  std::vector<RegexSpan> spans;
  if (!pattern->Search(subject, 0, &spans)) return false;
  std::string wanted = line.role;
  if (size_t at = wanted.find("\\1"); at != std::string::npos) {
    if (spans.size() < 2 || !spans[1].matched()) {
      throw SqlError(
          ErrorCode::kInvalidRegularExpression,
          "regular expression \"{}\" has no subexpressions as requested by backreference in \"{}\"",
          line.system_user.substr(1), line.role)
          .WithSeverity(Severity::kFatal);
    }
    wanted.replace(at, 2, system_user.substr(spans[1].start, spans[1].end - spans[1].start));
  }
  return wanted == role;
}

}  // namespace

// The message names the pattern, of which a file may have many.
static void CheckPattern(const std::string& pattern) {
  try {
    CompileRegex(pattern, RegexOptions{});
  } catch (const SqlError& error) {
    std::string_view message = error.fields().message, beginning = "invalid regular expression: ";
    if (!message.starts_with(beginning)) throw;
    throw SqlError(error.code(), "invalid regular expression \"{}\": {}", pattern,
                   message.substr(beginning.size()));
  }
}

static IdentLine ParseIdentLine(const AuthFileLine& source, std::string_view file) {
  if (source.fields.size() < 3) throw BadAuthLine(file, source.number, "missing entry at end of line");
  for (const std::vector<AuthToken>& field : source.fields) {
    if (field.size() != 1) throw BadAuthLine(file, source.number, "multiple values in ident field");
  }
  IdentLine line{source.fields[0][0].text, source.fields[1][0].text, source.fields[2][0].text};
  if (line.system_user.starts_with('/')) CheckPattern(line.system_user.substr(1));
  return line;
}

std::vector<ReadLine<IdentLine>> ReadIdent(std::string_view text, std::string_view file) {
  std::vector<ReadLine<IdentLine>> lines;
  for (const AuthFileLine& source : ReadAuthLines(text, {})) {
    ReadLine<IdentLine>& read = lines.emplace_back();
    read.number = source.number;
    try {
      read.line = ParseIdentLine(source, file);
    } catch (const SqlError& error) {
      read.problem = error;
    }
  }
  return lines;
}

std::vector<IdentLine> ParseIdent(std::string_view text, std::string_view file) {
  std::vector<IdentLine> lines;
  for (ReadLine<IdentLine>& read : ReadIdent(text, file)) {
    if (read.problem) throw *read.problem;
    lines.push_back(std::move(*read.line));
  }
  return lines;
}

bool IdentAllows(const std::vector<IdentLine>& lines, std::string_view map, std::string_view system_user,
                 std::string_view role) {
  if (map.empty()) return system_user == role;
  for (const IdentLine& line : lines) {
    if (line.map != map) continue;
    bool fits = line.system_user.starts_with('/') ? PatternAllows(line, system_user, role)
                                                  : line.system_user == system_user && line.role == role;
    if (fits) return true;
  }
  return false;
}

}  // namespace walden
