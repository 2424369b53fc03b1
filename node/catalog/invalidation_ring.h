// The shared ring of invalidation messages. Private to this folder.
#pragma once

#include <span>
#include <vector>

#include "node/catalog/invalidation.h"

namespace walden {

// Appends. Never waits for readers: those that lag by more than the ring start over.
void SendInvalidations(std::span<const InvalidationMessage> messages);
// What arrived since the last call. False: some was missed, everything cached must go.
bool ReceiveInvalidations(std::vector<InvalidationMessage>* messages);

}  // namespace walden
