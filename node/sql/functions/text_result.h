// Building text results in a call's arena.
#pragma once

#include <string>
#include <string_view>

#include "node/base/error.h"
#include "node/sql/functions/registry.h"
#include "node/types/quote.h"

namespace walden {

inline std::string_view Keep(CallContext& context, std::string_view text) { return context.arena.Copy(text); }

// A value's text form by its type's output function.
inline void AppendText(CallContext& context, Oid type, const Datum& value, std::string* to) {
  TypeIo io = context.Io(type);
  if (io.type == nullptr) TypeOf(type);
  io.type->output(value, io, to);
}

inline constexpr size_t kMaxTextBytes = 0x3FFFFFFF;
inline void CheckTextSize(size_t bytes) {
  if (bytes >= kMaxTextBytes) throw SqlError(ErrorCode::kProgramLimitExceeded, "requested length too large");
}

}  // namespace walden
