// The WAL receiver process of a standby: fetches WAL from the node that primary_conninfo names, makes it durable, and tells the
// startup process.
#pragma once

namespace walden::replication {

// Main loop. Returns when recovery wants no stream any more, or wants to look elsewhere for WAL.
void RunWalReceiver();

}  // namespace walden::replication
