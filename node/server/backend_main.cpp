// A pre-forked backend: waits for a client, confirms it, serves it, and waits for the next.
#include <unistd.h>

#include "node/catalog/invalidation.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/os/process.h"
#include "node/pgwire/serve_client.h"
#include "node/server/process_mains.h"
#include "node/session/forget_session.h"
#include "node/shm/interrupts.h"
#include "node/shm/postmaster_link.h"

namespace walden {

ClientServer serve_client = ServeClient;

namespace {

// False: told to end before a client came.
bool AwaitClient(int control_fd, Descriptor* client, Admission* verdict) {
  for (;;) {
    self().latch.Reset();
    if (InterruptPending(Interrupt::kTerminate)) return false;
    if (TakeInterrupt(Interrupt::kReload)) ReloadConfiguration();
    if (WaitLatchOrSocket(control_fd, POLLIN, -1, WaitEvent::kBackendPoolMain) == 0) continue;
    ssize_t got = ReceiveWithDescriptor(control_fd, verdict, sizeof *verdict, client);
    if (got == 0) return false;
    if (got > 0 && client->is_open()) return true;
  }
}

void PrepareSocket(int fd) {
  if (DescribePeer(fd).is_unix) return;
  SetTcpNoDelay(fd);
  SetTcpKeepAlive(fd, static_cast<int>(GetInt(Setting::kTcpKeepalivesIdle)),
                  static_cast<int>(GetInt(Setting::kTcpKeepalivesInterval)),
                  static_cast<int>(GetInt(Setting::kTcpKeepalivesCount)),
                  static_cast<int>(GetInt(Setting::kTcpUserTimeout)));
}

}  // namespace

int BackendMain(const ChildStart& start) {
  Descriptor control(start.control_fd);
  JoinInvalidations();
  BeginSessions();
  for (;;) {
    Descriptor client;
    Admission verdict;
    if (!AwaitClient(control.fd(), &client, &verdict)) return 0;
    self().is_session.store(verdict == Admission::kAccept, std::memory_order_relaxed);
    SetProcessTitle("walden: initializing");
    NotifyPostmaster(PostmasterRequest::kBackendTookClient);
    PrepareSocket(client.fd());
    if (!serve_client(std::move(client), verdict) || !ForgetSession()) return 0;
    ShowProcess(start.kind);
    NotifyPostmaster(PostmasterRequest::kBackendIsFree);
  }
}

}  // namespace walden
