// Options of one command: declared once, parsed and explained from the declaration.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace walden {

struct OptionSpec {
  char letter;        // 0: long form only
  const char* name;   // "data-directory"
  const char* value;  // "DIR"; nullptr: a flag
  const char* help;
};

struct CommandSpec {
  const char* name;
  const char* summary;
  const char* positional;  // "[START [END]]"; nullptr: none allowed
  std::span<const OptionSpec> options;
  const char* notes;  // printed below the options; may be nullptr
};

class CommandLine {
 public:
  // Parses argv after the command's name. Prints help or an error and exits where the user asked for it or
  // erred.
  CommandLine(const CommandSpec& spec, std::span<char* const> arguments);
  bool Has(std::string_view name) const { return values_.count(std::string(name)) > 0; }
  // The last one given.
  std::string Value(std::string_view name, std::string_view otherwise = "") const;
  std::vector<std::string> Values(std::string_view name) const;
  int IntValue(std::string_view name, int otherwise) const;
  const std::vector<std::string>& positional() const { return positional_; }
  // --pgdata, or the environment's PGDATA; absolute. Exits with `exit_code` if neither is there.
  std::string DataDirectory(int exit_code = 1) const;

  [[noreturn]] void Fail(const std::string& message) const;

 private:
  void Add(const OptionSpec& option, std::string value);
  const CommandSpec& spec_;
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> positional_;
};

std::string HelpText(const CommandSpec& spec);

}  // namespace walden
