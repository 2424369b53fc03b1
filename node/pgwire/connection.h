// One client connection: buffered messages in and out. The only place that writes to the client's socket: before bytes
// leave it waits until everything the answer may depend on is durable (I5).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/os/socket.h"
#include "node/pgwire/tls.h"
#include "node/shm/socket_input.h"
#include "node/txn/durability.h"

namespace walden {

inline constexpr uint32_t kMaxMessageBytes = 0x3FFFFFFF;

// The client went away, or broke the protocol so that no answer makes sense: the process ends quietly.
class ConnectionLost {};

class Connection {
 public:
  explicit Connection(Descriptor socket);

  int fd() const { return socket_.fd(); }
  const PeerAddress& peer() const { return peer_; }
  // From here on everything passes through TLS: the handshake, which the client begins. Nothing may be buffered in either direction.
  // A handshake that fails is logged and throws ConnectionLost.
  void StartTls();
  // Null: not encrypted.
  const TlsChannel* tls() const { return tls_.get(); }

  // --- in
  // Reads exactly `bytes` (start-up packets have no type byte). Waits with the latch, serving interrupts.
  void ReadExactly(char* to, size_t bytes);
  // One message: its type and body (valid until the next read). False at end of stream.
  bool ReadMessage(char* type, std::string_view* body, uint32_t max_bytes = kMaxMessageBytes);
  // The same for one that has arrived whole already; false if none has.
  bool TakeBufferedMessage(char* type, std::string_view* body);
  // Messages of this type that follow the one that was read last and have arrived whole too: their bodies are moved up behind
  // its `body`, which then is all of them.
  void JoinBuffered(char type, std::string_view* body);
  bool HasBufferedInput() const { return in_at_ < in_end_; }

  // --- out
  // Begins a message; its length is filled in by End.
  void Begin(char type);
  void PutByte(char byte) { out_.push_back(byte); }
  void PutInt16(int16_t value);
  void PutInt32(int32_t value);
  void PutString(std::string_view text);  // with its terminating zero
  void PutBytes(std::string_view bytes) { out_.append(bytes); }
  // Leaves room for an int32 and gives its place; PatchInt32 fills it.
  size_t ReserveInt32();
  void PatchInt32(size_t at, int32_t value);
  std::string& out() { return out_; }
  void End();
  // Takes back the message that was begun.
  void Abandon() { out_.resize(message_at_ - 1); }
  // Sends what is buffered when it has grown large; Flush sends all.
  void FlushIfLarge() {
    if (out_.size() >= kFlushBytes) Flush();
  }
  void Flush();
  // While true, waiting for input may be interrupted by requests to end (idle), else they wait.
  void set_idle(bool idle) { idle_ = idle; }
  // Called while idle when Interrupt::kNotify has been raised.
  void OnNotification(std::function<void()> deliver) { deliver_ = std::move(deliver); }

 private:
  static constexpr size_t kFlushBytes = 8192;
  static constexpr size_t kReceiveBytes = 8192;
  static constexpr size_t kLargeInputBytes = 1 << 20;  // a buffer that grew beyond is given back
  bool FillInput(size_t wanted);
  void MakeRoom(size_t wanted);
  void SendAll(const char* data, size_t bytes);
  bool Receive();
  TlsChannel::Attempt Send(const char* from, size_t bytes);

  Descriptor socket_;
  SocketInput input_;
  std::unique_ptr<TlsChannel> tls_;
  PeerAddress peer_;
  std::vector<char> in_ = std::vector<char>(kReceiveBytes);
  size_t in_at_ = 0;   // the next byte to give out
  size_t in_end_ = 0;  // what was received ends here
  std::string out_;
  size_t message_at_ = 0;
  bool idle_ = false;
  std::function<void()> deliver_;
};

// Reads the fields of a message body; a body that ends too early throws 08P01.
class MessageReader {
 public:
  explicit MessageReader(std::string_view body) : body_(body) {}
  int16_t Int16() { return static_cast<int16_t>(LoadBig<uint16_t>(Bytes(2).data())); }
  int32_t Int32() { return static_cast<int32_t>(LoadBig<uint32_t>(Bytes(4).data())); }
  std::string_view String();  // up to its zero
  std::string_view Bytes(size_t count) {
    if (count > body_.size() - at_) ThrowTooShort();
    std::string_view bytes(body_.data() + at_, count);
    at_ += count;
    return bytes;
  }
  std::string_view Rest();
  bool AtEnd() const { return at_ == body_.size(); }
  void ExpectEnd() const;

 private:
  [[noreturn]] static void ThrowTooShort();

  std::string_view body_;
  size_t at_ = 0;
};

}  // namespace walden
