// Main loops of the processes that keep storage going. Each returns when its process is told to stop
// (kTerminate, for the checkpointer kShutdown: after the shutdown checkpoint). `server` binds them to process
// kinds and sets the handlers: kTerminate has none (the loops look for it), kReload reloads the
// configuration.
#pragma once

namespace walden {

// Startup process: recovery, or on a standby replay until promotion. Returns when the node may run as a
// primary; throws (FATAL) if it cannot recover.
void RunStartup();
// False: told to stop before replay was over.
bool RunRedoWorker();
void RunCheckpointer();
void RunBackgroundWriter();
void RunWalWriter();
void RunArchiver();

// Every process, after its slot is set: hooks of WAL and recovery (segment completion, flush in recovery).
void BindRecoveryHooks();
// Checks of the settings that recovery reads (part of BindRecoveryHooks).
void InstallRecoverySettingHooks();

// Called by the startup process when a recovery has ended, before anybody may write. There may have been no checkpoint since: what
// must not be replayed again calls `checkpoint` first. Bound by `server`.
void BindRecoveryEnd(void (*action)(void (*checkpoint)()));

}  // namespace walden
