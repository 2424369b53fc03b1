#include "node/session/copy_binary.h"

#include "node/base/error.h"
#include "node/types/wire.h"

namespace walden {
namespace {

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr uint32_t kHasOids = 1u << 16, kCriticalFlags = 0xFFFF0000u;

template <class T>
T LoadBig(const char* at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(static_cast<uint64_t>(value) << 8 | static_cast<unsigned char>(at[i]));
  return value;
}

SqlError BadFormat(std::string message) {
  return SqlError(ErrorCode::kBadCopyFileFormat, std::move(message));
}

}  // namespace

std::string CopyBinaryHeader() {
  std::string header(kSignature);
  AppendBig<uint32_t>(&header, 0);
  AppendBig<uint32_t>(&header, 0);
  return header;
}

std::string CopyBinaryTrailer() {
  std::string trailer;
  AppendBig<uint16_t>(&trailer, UINT16_MAX);
  return trailer;
}

void AppendCopyBinaryCount(int columns, std::string* to) {
  AppendBig<uint16_t>(to, static_cast<uint16_t>(columns));
}

void AppendCopyBinaryField(std::optional<std::string_view> bytes, std::string* to) {
  if (!bytes) {
    AppendBig<uint32_t>(to, UINT32_MAX);
    return;
  }
  AppendBig<uint32_t>(to, static_cast<uint32_t>(bytes->size()));
  to->append(*bytes);
}

void CopyBinaryReader::Feed(std::string_view bytes, bool last) {
  if (at_ > 0) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  if (ended_ && !bytes.empty()) throw BadFormat("received copy data after EOF marker");
  buffer_.append(bytes);
  last_ = last;
}

bool CopyBinaryReader::Has(size_t at, size_t wanted) const {
  if (at + wanted <= buffer_.size()) return true;
  if (last_) throw BadFormat("unexpected EOF in COPY data");
  return false;
}

bool CopyBinaryReader::ReadHeader() {
  size_t compared = std::min(buffer_.size() - at_, kSignature.size());
  if (std::string_view(buffer_).substr(at_, compared) != kSignature.substr(0, compared))
    throw BadFormat("COPY file signature not recognized");
  size_t fixed = kSignature.size() + 8;
  if (buffer_.size() - at_ < kSignature.size() && last_)
    throw BadFormat("COPY file signature not recognized");
  if (!Has(at_, fixed)) return false;
  uint32_t flags = LoadBig<uint32_t>(buffer_.data() + at_ + kSignature.size());
  if ((flags & kHasOids) != 0) throw BadFormat("invalid COPY file header (WITH OIDS)");
  if ((flags & kCriticalFlags) != 0) throw BadFormat("unrecognized critical flags in COPY file header");
  int32_t extension = LoadBig<int32_t>(buffer_.data() + at_ + kSignature.size() + 4);
  if (extension < 0) throw BadFormat("invalid COPY file header (missing length)");
  if (!Has(at_, fixed + static_cast<size_t>(extension))) return false;
  at_ += fixed + static_cast<size_t>(extension);
  header_read_ = true;
  return true;
}

bool CopyBinaryReader::NextRow(std::vector<std::optional<std::string_view>>* fields) {
  if (ended_) {
    if (at_ < buffer_.size()) throw BadFormat("received copy data after EOF marker");
    return false;
  }
  if (!header_read_ && !ReadHeader()) return false;
  if (at_ == buffer_.size() && last_) {  // data may end without the marker
    ended_ = true;
    return false;
  }
  size_t at = at_;
  if (!Has(at, 2)) return false;
  int16_t count = LoadBig<int16_t>(buffer_.data() + at);
  at += 2;
  if (count == -1) {
    at_ = at;
    ended_ = true;
    if (at_ < buffer_.size()) throw BadFormat("received copy data after EOF marker");
    return false;
  }
  ++row_number_;
  if (count != columns_) throw BadFormat(fmt::format("row field count is {}, expected {}", count, columns_));
  fields->clear();
  for (int i = 0; i < count; ++i) {
    if (!Has(at, 4)) {
      --row_number_;
      return false;
    }
    int32_t size = LoadBig<int32_t>(buffer_.data() + at);
    at += 4;
    if (size == -1) {
      fields->push_back(std::nullopt);
      continue;
    }
    if (size < 0) throw BadFormat("invalid field size");
    if (!Has(at, static_cast<size_t>(size))) {
      --row_number_;
      return false;
    }
    fields->push_back(std::string_view(buffer_).substr(at, static_cast<size_t>(size)));
    at += static_cast<size_t>(size);
  }
  at_ = at;
  return true;
}

}  // namespace walden
