#include "node/cli/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <climits>
#include <cstdio>
#include <cstdlib>

namespace walden {
namespace {

const OptionSpec* FindLong(const CommandSpec& spec, std::string_view name) {
  for (const OptionSpec& option : spec.options) {
    if (name == option.name) return &option;
  }
  return nullptr;
}

const OptionSpec* FindLetter(const CommandSpec& spec, char letter) {
  for (const OptionSpec& option : spec.options) {
    if (letter == option.letter) return &option;
  }
  return nullptr;
}

}  // namespace

std::string HelpText(const CommandSpec& spec) {
  std::string text =
      fmt::format("{}\n\nUsage:\n  walden {} [OPTION]...{}{}\n\nOptions:\n", spec.summary, spec.name,
                  spec.positional ? " " : "", spec.positional ? spec.positional : "");
  for (const OptionSpec& option : spec.options) {
    if (option.help == nullptr) continue;
    std::string left = option.letter ? fmt::format("-{}, --{}", option.letter, option.name)
                                     : fmt::format("    --{}", option.name);
    if (option.value != nullptr) left += fmt::format("={}", option.value);
    text += fmt::format("  {:<28} {}\n", left, option.help);
  }
  text += fmt::format("  {:<28} {}\n", "-?, --help", "show this help, then exit");
  if (spec.notes != nullptr) text += fmt::format("\n{}\n", spec.notes);
  return text;
}

CommandLine::CommandLine(const CommandSpec& spec, std::span<char* const> arguments) : spec_(spec) {
  bool only_positional = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (only_positional || argument == "-" || !argument.starts_with('-')) {
      if (spec.positional == nullptr)
        Fail(fmt::format("too many command-line arguments (first is \"{}\")", argument));
      positional_.emplace_back(argument);
      continue;
    }
    if (argument == "--") {
      only_positional = true;
      continue;
    }
    if (argument == "--help" || argument == "-?") {
      std::fputs(HelpText(spec).c_str(), stdout);
      std::exit(0);
    }
    bool is_long = argument.starts_with("--");
    size_t equals = is_long ? argument.find('=') : std::string_view::npos;
    std::string_view name = is_long
                                ? argument.substr(2, equals == std::string_view::npos ? equals : equals - 2)
                                : argument.substr(1, 1);
    const OptionSpec* option = is_long ? FindLong(spec, name) : FindLetter(spec, name[0]);
    if (option == nullptr) Fail(fmt::format("unrecognized option \"{}\"", argument));
    if (option->value == nullptr) {
      if (equals != std::string_view::npos) Fail(fmt::format("option \"--{}\" takes no value", name));
      Add(*option, "");
      // Flags may be bundled: -FV.
      for (size_t k = 2; !is_long && k < argument.size(); ++k) {
        const OptionSpec* next = FindLetter(spec, argument[k]);
        if (next == nullptr || next->value != nullptr)
          Fail(fmt::format("unrecognized option \"{}\"", argument));
        Add(*next, "");
      }
    } else if (equals != std::string_view::npos) {
      Add(*option, std::string(argument.substr(equals + 1)));
    } else if (!is_long && argument.size() > 2) {
      Add(*option, std::string(argument.substr(2)));
    } else if (i + 1 < arguments.size()) {
      Add(*option, arguments[++i]);
    } else {
      Fail(fmt::format("option \"{}\" requires a value", argument));
    }
  }
}

void CommandLine::Add(const OptionSpec& option, std::string value) {
  values_[option.name].push_back(std::move(value));
}

std::string CommandLine::Value(std::string_view name, std::string_view otherwise) const {
  auto found = values_.find(std::string(name));
  return found == values_.end() ? std::string(otherwise) : found->second.back();
}

std::vector<std::string> CommandLine::Values(std::string_view name) const {
  auto found = values_.find(std::string(name));
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

int CommandLine::IntValue(std::string_view name, int otherwise) const {
  if (!Has(name)) return otherwise;
  std::string text = Value(name);
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    Fail(fmt::format("invalid value \"{}\" for option --{}", text, name));
  return value;
}

std::string CommandLine::DataDirectory(int exit_code) const {
  std::string directory = Value("pgdata");
  if (directory.empty() && std::getenv("PGDATA") != nullptr) directory = std::getenv("PGDATA");
  if (directory.empty()) {
    fmt::print(stderr, "walden {}: no data directory specified and environment variable PGDATA unset\n",
               spec_.name);
    fmt::print(stderr, "Try \"walden {} --help\" for more information.\n", spec_.name);
    std::exit(exit_code);
  }
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  if (directory.starts_with('/')) return directory;
  char current[PATH_MAX];
  if (getcwd(current, sizeof current) == nullptr) Fail("could not identify the current directory");
  return directory == "." ? current : fmt::format("{}/{}", current, directory);
}

void CommandLine::Fail(const std::string& message) const {
  fmt::print(stderr, "walden {}: {}\nTry \"walden {} --help\" for more information.\n", spec_.name, message,
             spec_.name);
  std::exit(1);
}

}  // namespace walden
