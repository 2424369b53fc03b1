// Functions about the value at hand or the session: pg_typeof, version, random, uuid, settings.
#include <cmath>
#include <optional>

#include "node/base/error.h"
#include "node/base/random.h"
#include "node/config/settings.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/random_seed.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/array.h"
#include "node/types/numeric.h"

namespace walden {
namespace {

using View = std::string_view;

SessionHooks& Session(CallContext& c) {
  if (c.session == nullptr) throw NotSupported("a session function outside a session");
  return *c.session;
}

void TypeOfArgument(CallContext& c, std::span<const Value>, Value* result) {
  *result = Value{Datum{.i32 = static_cast<int32_t>(OidNumber(c.site.arg_types[0]))}, false};
}

View Version(CallContext& c) { return Session(c).ServerVersion(); }
View CurrentDatabase(CallContext& c) { return Session(c).CurrentDatabase(); }
View CurrentUser(CallContext& c) { return Session(c).RoleName(Session(c).CurrentUser(), c.arena); }
View SessionUser(CallContext& c) { return Session(c).RoleName(Session(c).SessionUser(), c.arena); }
int32_t BackendPid(CallContext& c) { return Session(c).BackendPid(); }
View Utf8Name() { return "UTF8"; }
View ClientEncodingName() { return GetString(Setting::kClientEncoding); }

View CurrentSetting(CallContext& c, View name) {
  std::string value;
  Session(c).GetSetting(name, true, &value);
  return Keep(c, value);
}
std::optional<View> CurrentSettingOrNull(CallContext& c, View name, bool missing_ok) {
  std::string value;
  if (!Session(c).GetSetting(name, !missing_ok, &value)) return std::nullopt;
  return Keep(c, value);
}
std::optional<View> SetConfig(CallContext& c, std::optional<View> name, std::optional<View> value,
                              std::optional<bool> is_local) {
  if (!name) throw SqlError(ErrorCode::kNullValueNotAllowed, "SET requires parameter name");
  return Keep(c, Session(c).SetSetting(*name, value.value_or(""), is_local.value_or(false)));
}

Random KernelSeeded() {
  uint64_t seed;
  SecureRandom(&seed, sizeof(seed));
  return Random(seed);
}

// Seeded from the kernel when it is first wanted, or by setseed().
std::optional<Random>& Generator() {
  static std::optional<Random> random;
  return random;
}
double RandomDouble() {
  std::optional<Random>& random = Generator();
  if (!random) random = KernelSeeded();
  return random->NextDouble();
}
View SetSeed(double seed) {
  if (!(seed >= -1 && seed <= 1)) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "setseed parameter {} is out of allowed range [-1,1]",
                   seed);
  }
  Generator() = Random(static_cast<uint64_t>(static_cast<int64_t>(seed * 9007199254740992.0)));
  return {};
}
UuidValue GenRandomUuid() {
  UuidValue uuid;
  SecureRandom(uuid.bytes, sizeof(uuid.bytes));
  uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0F) | 0x40);
  uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);
  return uuid;
}

void ColumnSize(CallContext& c, std::span<const Value> args, Value* result) {
  const TypeDescriptor& type = TypeOf(c.site.arg_types[0]);
  int32_t size = type.length;
  if (type.physical == PhysicalType::kString && type.length < 0) {
    uint64_t bytes = args[0].datum.string.size;
    size = static_cast<int32_t>(bytes + (bytes < 127 ? 1 : 4));
  } else if (type.physical == PhysicalType::kNumeric) {
    size = static_cast<int32_t>(
        args[0].datum.numeric.kind == NumericKind::kBig ? args[0].datum.numeric.digits_size + 8 : 16);
  }
  *result = Value{Datum{.i32 = size}, false};
}

// num_nulls("any"...) and num_nonnulls.
template <bool kCountNulls>
void CountNulls(CallContext& c, std::span<const Value> args, Value* result) {
  int32_t nulls = 0, count = 0;
  if (c.site.is_variadic_array) {
    if (args[0].is_null) return;
    ArrayView view(args[0].datum.string.view());
    count = static_cast<int32_t>(view.count());
    for (uint32_t i = 0; i < view.count(); ++i) nulls += view.IsNull(i);
  } else {
    count = static_cast<int32_t>(args.size());
    for (const Value& arg : args) nulls += arg.is_null;
  }
  *result = Value{Datum{.i32 = kCountNulls ? nulls : count - nulls}, false};
}

View SizePretty(CallContext& c, int64_t size) {
  static constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  auto magnitude = static_cast<uint64_t>(size < 0 ? -(size + 1) : size) + (size < 0 ? 1 : 0);
  if (magnitude < 10 * 1024) return Keep(c, fmt::format("{} bytes", size));
  // One bit of the unit below is kept for rounding.
  uint64_t halves = magnitude >> 9;
  size_t unit = 1;
  while (unit < 5 && halves >= 20 * 1024 - 1) {
    halves >>= 10;
    ++unit;
  }
  return Keep(c, fmt::format("{}{} {}", size < 0 ? "-" : "", (halves + 1) / 2, kUnits[unit]));
}
View SizePrettyNumeric(CallContext& c, NumericRef size) {
  NumericRef limit = NumericFromInt64(INT64_MAX);
  if (CompareNumeric(NumericAbsolute(size, c.arena), limit) <= 0 &&
      CompareNumeric(size, NumericTruncate(size, 0, c.arena)) == 0) {
    return SizePretty(c, NumericToInt64(size));
  }
  static constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  std::string text;
  if (CompareNumeric(NumericAbsolute(size, c.arena), NumericFromInt64(10 * 1024)) < 0) {
    AppendNumeric(&text, size);
    return Keep(c, text + " bytes");
  }
  // One bit of the unit below is kept for rounding.
  NumericRef halves = NumericDivideTruncate(size, NumericFromInt64(512), c.arena),
             thousand = NumericFromInt64(1024);
  size_t unit = 1;
  while (unit < 5 && CompareNumeric(NumericAbsolute(halves, c.arena), NumericFromInt64(20 * 1024 - 1)) >= 0) {
    halves = NumericDivideTruncate(halves, thousand, c.arena);
    ++unit;
  }
  NumericRef up = NumericAdd(halves, NumericFromInt64(NumericSign(size) < 0 ? -1 : 1), c.arena);
  AppendNumeric(&text, NumericDivideTruncate(up, NumericFromInt64(2), c.arena));
  return Keep(c, text + " " + kUnits[unit]);
}

constexpr ScalarFunction kTable[] = {
    RowForm<&TypeOfArgument, false>("pg_typeof"),
    Scalar<&Version>("pgsql_version"),
    Scalar<&CurrentDatabase>("current_database"),
    Scalar<&CurrentUser>("current_user"),
    Scalar<&SessionUser>("session_user"),
    Scalar<&BackendPid>("pg_backend_pid"),
    Scalar<&ClientEncodingName>("pg_client_encoding"),
    Scalar<&Utf8Name>("getdatabaseencoding"),
    Scalar<&CurrentSetting>("show_config_by_name"),
    Scalar<&CurrentSettingOrNull>("show_config_by_name_missing_ok"),
    Volatile<&SetConfig>("set_config_by_name"),
    Volatile<&RandomDouble>("drandom"),
    Volatile<&SetSeed>("setseed"),
    Volatile<&GenRandomUuid>("gen_random_uuid"),
    RowForm<&ColumnSize, true>("pg_column_size"),
    RowForm<&CountNulls<true>, false>("pg_num_nulls"),
    RowForm<&CountNulls<false>, false>("pg_num_nonnulls"),
    Scalar<&SizePretty>("pg_size_pretty"),
    Scalar<&SizePrettyNumeric>("pg_size_pretty_numeric"),
};

}  // namespace

std::span<const ScalarFunction> SessionFunctions() { return kTable; }

void ReseedRandom() { Generator().reset(); }

}  // namespace walden
