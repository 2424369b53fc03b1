#include "node/pgwire/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "node/base/log.h"
#include "node/config/conf_file.h"
#include "node/shm/interrupts.h"
#include "node/shm/latch.h"

namespace walden {

Connection::Connection(Descriptor socket)
    : socket_(std::move(socket)), input_(socket_.fd()), peer_(DescribePeer(socket_.fd())) {}

void Connection::StartTls() {
  SetNonBlocking(socket_.fd(), true);
  tls_ = std::make_unique<TlsChannel>(socket_.fd());
  try {
    for (;;) {
      self().latch.Reset();
      CheckInterrupts();
      TlsChannel::Attempt attempt = tls_->Handshake();
      if (attempt.bytes > 0) return;
      WaitLatchOrSocket(socket_.fd(), attempt.wait, -1, WaitEvent::kSslOpenServer);
    }
  } catch (const SqlError& error) {
    if (error.fields().severity >= Severity::kFatal) throw;
    LogError(Severity::kLog, error);
    throw ConnectionLost();
  }
}

// What the socket takes without waiting.
TlsChannel::Attempt Connection::Send(const char* from, size_t bytes) {
  if (tls_ != nullptr) return tls_->Write(from, bytes);
  ssize_t sent;
  do {
    sent = send(socket_.fd(), from, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {sent, 0};
  return {0, errno == EAGAIN || errno == EWOULDBLOCK ? short{POLLOUT} : short{0}};
}

// One read for whatever has arrived; it waits when nothing has. False at the end of the stream.
bool Connection::Receive() {
  char* to = in_.data() + in_end_;
  size_t room = in_.size() - in_end_;
  if (tls_ != nullptr) {
    TlsChannel::Attempt attempt = tls_->Read(to, room);
    in_end_ += static_cast<size_t>(attempt.bytes);
    if (attempt.bytes == 0 && attempt.wait == POLLIN) {
      input_.WaitOrLatch(WaitEvent::kClientRead);
    } else if (attempt.bytes == 0 && attempt.wait != 0) {
      WaitLatchOrSocket(socket_.fd(), attempt.wait, -1, WaitEvent::kClientRead);
    }
    return attempt.bytes > 0 || attempt.wait != 0;
  }
  ssize_t got = input_.ReceiveOrLatch(to, room, WaitEvent::kClientRead);
  if (got > 0) in_end_ += static_cast<size_t>(got);
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

bool Connection::FillInput(size_t wanted) {
  if (in_at_ == in_end_) in_at_ = in_end_ = 0;
  while (in_end_ - in_at_ < wanted) {
    MakeRoom(wanted);
    self().latch.Reset();
    // A cancel request that finds no statement running means nothing.
    if (idle_) TakeInterrupt(Interrupt::kCancel);
    if (idle_ && TakeInterrupt(Interrupt::kReload)) ReloadConfiguration();
    if (idle_ && InterruptPending(Interrupt::kNotify) && deliver_) deliver_();
    CheckInterrupts();
    if (!Receive()) return false;
  }
  if (idle_) TakeInterrupt(Interrupt::kCancel);  // it came before the command that these bytes begin
  return true;
}

// For `wanted` bytes from in_at_ on, and for a good piece of what comes next. Grows with what has arrived: a length that a client only
// claims costs no memory.
void Connection::MakeRoom(size_t wanted) {
  wanted = std::min(wanted, std::max(kLargeInputBytes, 2 * (in_end_ - in_at_)));
  if (in_at_ + wanted <= in_.size() && in_end_ < in_.size()) return;
  std::copy(in_.begin() + static_cast<ptrdiff_t>(in_at_), in_.begin() + static_cast<ptrdiff_t>(in_end_),
            in_.begin());
  in_end_ -= in_at_;
  in_at_ = 0;
  if (wanted > in_.size() || in_end_ == in_.size()) {
    in_.resize(std::max(wanted, in_.size() + kReceiveBytes));
  } else if (in_.size() > kLargeInputBytes && in_end_ < kReceiveBytes && wanted < kReceiveBytes) {
    in_.resize(kReceiveBytes);
    in_.shrink_to_fit();
  }
}

void Connection::ReadExactly(char* to, size_t bytes) {
  if (!FillInput(bytes)) throw ConnectionLost();
  std::memcpy(to, in_.data() + in_at_, bytes);
  in_at_ += bytes;
}

bool Connection::ReadMessage(char* type, std::string_view* body, uint32_t max_bytes) {
  if (!FillInput(1)) return false;
  if (!FillInput(5)) throw ConnectionLost();
  *type = in_[in_at_];
  uint32_t length = LoadBig<uint32_t>(in_.data() + in_at_ + 1);
  if (length < 4 || length - 4 > max_bytes) {
    throw SqlError(ErrorCode::kProtocolViolation, "invalid message length").WithSeverity(Severity::kFatal);
  }
  if (!FillInput(size_t{5} + (length - 4))) throw ConnectionLost();
  *body = std::string_view(in_.data() + in_at_ + 5, length - 4);
  in_at_ += size_t{5} + (length - 4);
  return true;
}

bool Connection::TakeBufferedMessage(char* type, std::string_view* body) {
  size_t available = in_end_ - in_at_;
  if (available < 5) return false;
  const char* at = in_.data() + in_at_;
  uint32_t length = LoadBig<uint32_t>(at + 1);
  if (length < 4 || length > available - 1) return false;
  *type = at[0];
  *body = std::string_view(at + 5, length - 4);
  in_at_ += size_t{1} + length;
  return true;
}

void Connection::JoinBuffered(char type, std::string_view* body) {
  char* const start = in_.data() + (body->data() - in_.data());
  char* end = start + body->size();
  std::string_view next;
  char next_type;
  while (HasBufferedInput() && in_[in_at_] == type && TakeBufferedMessage(&next_type, &next)) {
    std::memmove(end, next.data(), next.size());
    end += next.size();
  }
  *body = {start, static_cast<size_t>(end - start)};
}

void Connection::Begin(char type) {
  const char head[5] = {type};
  message_at_ = out_.size() + 1;
  out_.append(head, sizeof head);
}

void Connection::End() {
  StoreBig<uint32_t>(out_.data() + message_at_, static_cast<uint32_t>(out_.size() - message_at_));
}

void Connection::PutInt16(int16_t value) {
  char bytes[2];
  StoreBig<uint16_t>(bytes, static_cast<uint16_t>(value));
  out_.append(bytes, 2);
}

void Connection::PutInt32(int32_t value) {
  char bytes[4];
  StoreBig<uint32_t>(bytes, static_cast<uint32_t>(value));
  out_.append(bytes, 4);
}

void Connection::PutString(std::string_view text) {
  out_.append(text);
  out_.push_back('\0');
}

size_t Connection::ReserveInt32() {
  out_.append(4, '\0');
  return out_.size() - 4;
}

void Connection::PatchInt32(size_t at, int32_t value) {
  StoreBig<uint32_t>(out_.data() + at, static_cast<uint32_t>(value));
}

void Connection::Flush() {
  if (out_.empty()) return;
  try {
    AwaitSeenDurable();
  } catch (...) {
    // The outcome is unknown: what rests on it must not leave ahead of the error that says so.
    out_.clear();
    throw;
  }
  SendAll(out_.data(), out_.size());
  out_.clear();
  if (out_.capacity() > 1 << 20) out_.shrink_to_fit();
}

void Connection::SendAll(const char* data, size_t bytes) {
  while (bytes > 0) {
    TlsChannel::Attempt attempt = Send(data, bytes);
    if (attempt.bytes > 0) {
      data += attempt.bytes;
      bytes -= static_cast<size_t>(attempt.bytes);
      continue;
    }
    if (attempt.wait == 0) {
      out_.clear();
      throw ConnectionLost();
    }
    self().latch.Reset();
    if (InterruptPending(Interrupt::kTerminate)) {
      // A client that does not read must not keep the node from stopping.
      out_.clear();
      throw ConnectionLost();
    }
    WaitLatchOrSocket(socket_.fd(), attempt.wait, -1, WaitEvent::kClientWrite);
  }
}

void MessageReader::ThrowTooShort() {
  throw SqlError(ErrorCode::kProtocolViolation, "insufficient data left in message");
}

std::string_view MessageReader::String() {
  const void* end = at_ < body_.size() ? std::memchr(body_.data() + at_, 0, body_.size() - at_) : nullptr;
  if (end == nullptr) throw SqlError(ErrorCode::kProtocolViolation, "invalid string in message");
  std::string_view text(body_.data() + at_,
                        static_cast<size_t>(static_cast<const char*>(end) - body_.data()) - at_);
  at_ += text.size() + 1;
  return text;
}

std::string_view MessageReader::Rest() {
  std::string_view rest = body_.substr(at_);
  at_ = body_.size();
  return rest;
}

void MessageReader::ExpectEnd() const {
  if (!AtEnd()) throw SqlError(ErrorCode::kProtocolViolation, "invalid message format");
}

}  // namespace walden
