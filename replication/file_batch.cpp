#include "replication/file_batch.h"

#include <lz4.h>

#include <algorithm>

namespace walden::replication {

void FileBatch::Begin(v1::BackupFileStart start) {
  *pieces_.emplace_back().mutable_start() = std::move(start);
}

// The piece of the file that has begun: in this batch, or in the one before.
v1::BackupPiece& FileBatch::Current() { return pieces_.empty() ? pieces_.emplace_back() : pieces_.back(); }

std::span<char> FileBatch::Room(uint64_t wanted) {
  if (content_.empty()) content_.resize(options_.bytes);
  return {content_.data() + used_, std::min<uint64_t>(wanted, options_.bytes - used_)};
}

void FileBatch::Fill(size_t bytes) {
  if (bytes == 0) return;
  used_ += bytes;
  if (Current().zero_bytes() > 0) pieces_.emplace_back();
  v1::BackupPiece& piece = pieces_.back();
  piece.set_data_bytes(piece.data_bytes() + static_cast<uint32_t>(bytes));
}

void FileBatch::Zeros(size_t bytes) {
  if (bytes == 0) return;
  zeros_ += bytes;
  v1::BackupPiece& piece = Current();
  piece.set_zero_bytes(piece.zero_bytes() + static_cast<uint32_t>(bytes));
}

void FileBatch::End(uint32_t crc, uint64_t size_bytes) {
  v1::BackupFileEnd* end = Current().mutable_end();
  end->set_crc32c(crc);
  end->set_size_bytes(size_bytes);
}

// The size before, of what could be made smaller; otherwise 0.
uint32_t FileBatch::Compress(std::string* bytes) const {
  size_t size = bytes->size();
  if (!options_.compress || size == 0) return 0;
  std::string packed(static_cast<size_t>(LZ4_compressBound(static_cast<int>(size))), '\0');
  int length = LZ4_compress_default(bytes->data(), packed.data(), static_cast<int>(size),
                                    static_cast<int>(packed.size()));
  if (length <= 0 || static_cast<size_t>(length) >= size - size / 10) return 0;
  packed.resize(static_cast<size_t>(length));
  *bytes = std::move(packed);
  return static_cast<uint32_t>(size);
}

OutMessage FileBatch::TakeTogether() {
  v1::BackupBatch batch;
  for (v1::BackupPiece& piece : pieces_) *batch.add_pieces() = std::move(piece);
  batch.set_raw_bytes(Compress(&content_));
  return EncodeBackupBatch(batch, std::move(content_));
}

std::vector<OutMessage> FileBatch::TakeApart() {
  std::vector<OutMessage> messages;
  size_t at = 0;
  for (v1::BackupPiece& piece : pieces_) {
    v1::BaseBackupReply head, tail;
    if (piece.has_start()) {
      *head.mutable_file() = std::move(*piece.mutable_start());
      messages.push_back(Encode(head));
    }
    if (piece.data_bytes() > 0) {
      std::string bytes = content_.substr(at, piece.data_bytes());
      at += piece.data_bytes();
      uint32_t raw_bytes = Compress(&bytes);
      messages.push_back(EncodeBackupData(raw_bytes, std::move(bytes)));
    }
    if (piece.has_end()) {
      *tail.mutable_file_end() = std::move(*piece.mutable_end());
      messages.push_back(Encode(tail));
    }
  }
  return messages;
}

std::vector<OutMessage> FileBatch::Take() {
  std::vector<OutMessage> messages;
  content_.resize(used_);
  if (!options_.together)
    messages = TakeApart();
  else if (!empty())
    messages.push_back(TakeTogether());
  pieces_.clear();
  content_.clear();
  used_ = 0;
  zeros_ = 0;
  return messages;
}

}  // namespace walden::replication
