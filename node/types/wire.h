// Reading and writing the binary forms of values: network byte order, with bounds checks (08P01).
#pragma once

#include <bit>
#include <string>
#include <string_view>

#include "node/base/bytes.h"
#include "node/base/error.h"

namespace walden {

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}
  template <class T>  // unsigned
  T Take() {
    std::string_view bytes = TakeBytes(sizeof(T));
    if constexpr (sizeof(T) == 1)
      return static_cast<T>(bytes[0]);
    else
      return LoadBig<T>(bytes.data());
  }
  int16_t TakeInt16() { return static_cast<int16_t>(Take<uint16_t>()); }
  int32_t TakeInt32() { return static_cast<int32_t>(Take<uint32_t>()); }
  int64_t TakeInt64() { return static_cast<int64_t>(Take<uint64_t>()); }
  double TakeDouble() { return std::bit_cast<double>(Take<uint64_t>()); }
  float TakeFloat() { return std::bit_cast<float>(Take<uint32_t>()); }
  std::string_view TakeBytes(size_t count) {
    if (count > rest_.size())
      throw SqlError(ErrorCode::kProtocolViolation, "insufficient data left in message");
    std::string_view result = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return result;
  }
  std::string_view TakeRest() { return TakeBytes(rest_.size()); }
  size_t size() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

template <class T>  // unsigned
void AppendBig(std::string* to, T value) {
  char bytes[sizeof(T)];
  if constexpr (sizeof(T) == 1)
    bytes[0] = static_cast<char>(value);
  else
    StoreBig<T>(bytes, value);
  to->append(bytes, sizeof(T));
}

}  // namespace walden
