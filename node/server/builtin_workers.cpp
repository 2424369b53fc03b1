#include "node/server/builtin_workers.h"

namespace walden {

void ScrubChecksums(WorkerContext& worker);

namespace {

struct BuiltinWorker {
  BackgroundWorker registration;
  WorkerFunction run;
};

const BuiltinWorker kWorkers[] = {
    {{.name = "checksum scrubber",
      .function = "scrub_checksums",
      .start_at_consistency = true,
      .restart_delay_s = 60},
     ScrubChecksums},
};

}  // namespace

void RegisterBuiltinWorkers() {
  for (const BuiltinWorker& worker : kWorkers) RegisterBackgroundWorker(worker.registration);
}

WorkerFunction FindBuiltinWorker(std::string_view function) {
  for (const BuiltinWorker& worker : kWorkers) {
    if (worker.registration.function == function) return worker.run;
  }
  return nullptr;
}

}  // namespace walden
