// What one session does to the settings of its process, undone as a whole: values, defaults, hooks, custom parameters. For a backend
// that serves one client after the other. Main thread only.
#pragma once

namespace walden {

// From now on every setting's state is remembered before it first changes. Requires: no level is open.
void BeginSessionSettings();
// Everything is as it was at BeginSessionSettings; hooks of then see their values again. Nothing is reported. Requires: no level is open.
void UndoSessionSettings();

}  // namespace walden
