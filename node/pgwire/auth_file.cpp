#include "node/pgwire/auth_file.h"

#include <fcntl.h>

#include "node/os/file.h"

namespace walden {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::vector<std::vector<AuthToken>> SplitFields(std::string_view line) {
  std::vector<std::vector<AuthToken>> fields;
  size_t i = 0;
  while (i < line.size()) {
    while (i < line.size() && IsSpace(line[i])) ++i;
    if (i >= line.size() || line[i] == '#') break;
    std::vector<AuthToken> field(1);
    while (i < line.size() && !IsSpace(line[i]) && line[i] != '#') {
      if (line[i] == '"') {
        field.back().quoted = true;
        for (++i; i < line.size() && line[i] != '"'; ++i) field.back().text += line[i];
        ++i;
      } else if (line[i] == ',') {
        field.emplace_back();
        ++i;
        while (i < line.size() && IsSpace(line[i])) ++i;
      } else {
        field.back().text += line[i++];
      }
    }
    if (field.back().text.empty() && !field.back().quoted) field.pop_back();
    fields.push_back(std::move(field));
  }
  return fields;
}

// The next line with its continuations joined; counts what it takes off.
std::string TakeLine(std::string_view* text, int* number) {
  std::string line;
  for (;;) {
    size_t end = text->find('\n');
    std::string_view part = text->substr(0, end);
    text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
    ++*number;
    if (part.ends_with('\r')) part.remove_suffix(1);
    bool continues = part.ends_with('\\') && !text->empty();
    if (continues) part.remove_suffix(1);
    line += part;
    if (!continues) return line;
  }
}

// All tokens of a file that "@name" names.
void AppendTokensOfFile(const std::string& name, const std::string& directory,
                        std::vector<AuthToken>* tokens) {
  std::string path = name.starts_with('/') ? name : directory + "/" + name;
  int error = 0;
  if (!File::TryOpen(path, O_RDONLY, &error).is_open()) {
    throw FileError(
        error, fmt::format("could not open secondary authentication file \"@{}\" as \"{}\"", name, path));
  }
  for (AuthFileLine& line : ReadAuthLines(ReadWholeFile(path), directory)) {
    if (!line.error.empty()) throw SqlError(ErrorCode::kConfigFileError, "{}", line.error);
    for (std::vector<AuthToken>& field : line.fields) {
      for (AuthToken& token : field) tokens->push_back(std::move(token));
    }
  }
}

void ExpandFiles(AuthFileLine* line, const std::string& directory) {
  for (std::vector<AuthToken>& field : line->fields) {
    std::vector<AuthToken> expanded;
    for (AuthToken& token : field) {
      if (!token.quoted && token.text.size() > 1 && token.text[0] == '@') {
        AppendTokensOfFile(token.text.substr(1), directory, &expanded);
      } else {
        expanded.push_back(std::move(token));
      }
    }
    field = std::move(expanded);
  }
}

}  // namespace

std::vector<AuthFileLine> ReadAuthLines(std::string_view text, const std::string& directory) {
  std::vector<AuthFileLine> lines;
  int number = 0;
  while (!text.empty()) {
    AuthFileLine line;
    line.number = number + 1;
    line.text = TakeLine(&text, &number);
    line.fields = SplitFields(line.text);
    if (line.fields.empty()) continue;
    try {
      if (!directory.empty()) ExpandFiles(&line, directory);
    } catch (const SqlError& error) {
      line.error = error.fields().message;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

SqlError BadAuthLine(std::string_view file, int line, std::string_view what) {
  return SqlError(ErrorCode::kConfigFileError, "{}", what)
      .WithContext(fmt::format("line {} of configuration file \"{}\"", line, file));
}

}  // namespace walden
