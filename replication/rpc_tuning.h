// Settings of gRPC that both ends share, and their reasons. Included by rpc_*.cpp only.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/support/byte_buffer.h>

#include <string>
#include <utility>

#include "replication/messages.h"

namespace walden::replication {

inline constexpr int kMaxMessageBytes = 16 << 20;

// The bandwidth probe and small frames cost half the throughput; the look-ahead lets a stream run while the reader is
// busy with the disk. Pings find a dead peer that no message would.
inline constexpr std::pair<const char*, int> kChannelTuning[] = {
    {GRPC_ARG_HTTP2_BDP_PROBE, 0},
    {GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 1 << 20},
    {GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 8 << 20},
    {GRPC_ARG_KEEPALIVE_TIME_MS, 20000},
    {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20000},
    {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
    {GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0},
    {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000},
};

// Before the first use of gRPC in a process.
void PrepareForGrpc();

grpc::ByteBuffer ToBuffer(OutMessage message);
std::string FromBuffer(const grpc::ByteBuffer& buffer);

}  // namespace walden::replication
