#include "node/cli/commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "node/base/error.h"
#include "node/os/process.h"
#include "node/session/version.h"

namespace walden {
namespace {

constexpr Command kCommands[] = {
    {&kInitSpec, InitCommand},
    {&kStartSpec, StartCommand},
    {&kStopSpec, StopCommand},
    {&kRestartSpec, RestartCommand},
    {&kReloadSpec, ReloadCommand},
    {&kStatusSpec, StatusCommand},
    {&kPromoteSpec, PromoteCommand},
    {&kBasebackupSpec, BasebackupCommand},
    {&kWaldumpSpec, WaldumpCommand},
    {&kChecksumsSpec, ChecksumsCommand},
    {&kControldataSpec, ControldataCommand},
};

void PrintOverview() {
  fmt::print(
      "Walden, a database node that speaks PostgreSQL 15.\n\nUsage:\n  walden COMMAND "
      "[OPTION]...\n\nCommands:\n");
  for (const Command& command : kCommands)
    fmt::print("  {:<14} {}\n", command.spec->name, command.spec->summary);
  fmt::print("\n\"walden COMMAND --help\" explains a command. \"walden --version\" prints the version.\n");
}

void PrintError(const CommandSpec& spec, const ErrorFields& fields) {
  fmt::print(stderr, "walden {}: error: {}\n", spec.name, fields.message);
  if (!fields.detail.empty()) fmt::print(stderr, "walden {}: detail: {}\n", spec.name, fields.detail);
  if (!fields.hint.empty()) fmt::print(stderr, "walden {}: hint: {}\n", spec.name, fields.hint);
}

}  // namespace

std::span<const Command> Commands() { return kCommands; }

int RunWalden(int argc, char** argv) {
  std::string_view name = argc > 1 ? argv[1] : "--help";
  if (name == "--help" || name == "-?" || name == "help") {
    PrintOverview();
    return argc > 1 ? 0 : 1;
  }
  if (name == "--version" || name == "-V") {
    fmt::print("{}\n", VersionText());
    return 0;
  }
  for (const Command& command : kCommands) {
    if (name != command.spec->name) continue;
    try {
      CommandLine line(*command.spec, {argv + 2, static_cast<size_t>(argc - 2)});
      InitProcessTitle(argc, argv);
      return command.run(line);
    } catch (const SqlError& error) {
      PrintError(*command.spec, error.fields());
      return 1;
    }
  }
  fmt::print(stderr, "walden: unknown command \"{}\"\nTry \"walden --help\" for more information.\n", name);
  return 1;
}

}  // namespace walden
