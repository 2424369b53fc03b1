// The table of `walden` commands. Each returns the process's exit code and may throw SqlError, which is
// printed.
#pragma once

#include <span>

#include "node/cli/command_line.h"

namespace walden {

struct Command {
  const CommandSpec* spec;
  int (*run)(const CommandLine& line);
};
std::span<const Command> Commands();

extern const CommandSpec kInitSpec, kStartSpec, kStopSpec, kRestartSpec, kReloadSpec, kStatusSpec,
    kPromoteSpec, kBasebackupSpec, kWaldumpSpec, kChecksumsSpec, kControldataSpec;
int InitCommand(const CommandLine& line);
int StartCommand(const CommandLine& line);
int StopCommand(const CommandLine& line);
int RestartCommand(const CommandLine& line);
int ReloadCommand(const CommandLine& line);
int StatusCommand(const CommandLine& line);
int PromoteCommand(const CommandLine& line);
int BasebackupCommand(const CommandLine& line);
int WaldumpCommand(const CommandLine& line);
int ChecksumsCommand(const CommandLine& line);
int ControldataCommand(const CommandLine& line);

// argv as main got it.
int RunWalden(int argc, char** argv);

}  // namespace walden
