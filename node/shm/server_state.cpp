#include "node/shm/server_state.h"

#include <new>

#include "node/shm/region.h"

namespace walden {

size_t ServerStateBytes() { return sizeof(ServerState); }
void InitServerState(void* at) { (new (at) ServerState{})->auto_file.Init(LwRank::kAutoFile); }
ServerState* TheServerState() { return ShmArea<ServerState>(Area::kServerState); }

}  // namespace walden
