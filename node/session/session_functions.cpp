#include "node/session/session_functions.h"

#include <unistd.h>

#include <charconv>

#include "node/base/log.h"
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/catalog/syscache.h"
#include "node/catalog/type_name.h"
#include "node/config/settings.h"
#include "node/session/session_state.h"
#include "node/session/text_format_settings.h"
#include "node/session/version.h"
#include "node/types/timezone.h"

namespace walden {
namespace {

CatalogName NameFrom(std::string_view text) {
  std::vector<std::string> parts = ParseIdentifiers(text);
  return ToCatalogName(parts);
}

// All digits: an OID written as a number.
bool ParseNumber(std::string_view text, Oid* oid) {
  uint32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  *oid = Oid{number};
  return true;
}

Oid FindFunction(std::string_view text, bool missing_ok) {
  std::vector<NamedFunction> found = FindFunctions(NameFrom(text));
  if (found.size() == 1) return found[0].oid;
  if (found.empty()) {
    if (missing_ok) return Oid::kInvalid;
    throw SqlError(ErrorCode::kUndefinedFunction, "function \"{}\" does not exist", text);
  }
  if (missing_ok) return Oid::kInvalid;
  throw SqlError(ErrorCode::kAmbiguousFunction, "more than one function named \"{}\"", text);
}

// "name(type, type)"
Oid FindFunctionWithArguments(std::string_view text, bool missing_ok) {
  size_t open = text.find('(');
  if (open == std::string_view::npos || text.back() != ')') {
    throw SqlError(ErrorCode::kInvalidTextRepresentation, "expected a left parenthesis");
  }
  std::vector<Oid> types;
  std::string_view arguments = text.substr(open + 1, text.size() - open - 2);
  while (!arguments.empty()) {
    size_t comma = arguments.find(',');
    std::string_view one = arguments.substr(0, comma);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    ParseResult parsed = walden::Parse(one, {.mode = ParseMode::kTypeName});
    BindOptions options{.arena = parsed->arena, .catalog = SessionReader::Instance(), .source = one};
    types.push_back(BindTypeName(*parsed->type_name, options).type);
    if (comma == std::string_view::npos) break;
    arguments.remove_prefix(comma + 1);
  }
  for (const NamedFunction& function : FindFunctions(NameFrom(text.substr(0, open)))) {
    if (function.arg_types == types) return function.oid;
  }
  if (missing_ok) return Oid::kInvalid;
  throw SqlError(ErrorCode::kUndefinedFunction, "function \"{}\" does not exist", text);
}

Oid FindTypeNamed(std::string_view text, bool missing_ok) {
  ParseResult parsed = walden::Parse(text, {.mode = ParseMode::kTypeName});
  BindOptions options{.arena = parsed->arena, .catalog = SessionReader::Instance(), .source = text};
  try {
    return BindTypeName(*parsed->type_name, options).type;
  } catch (SqlError& error) {
    if (missing_ok && error.code() == ErrorCode::kUndefinedObject) return Oid::kInvalid;
    error.fields().position = 0;
    throw;
  }
}

std::string OperatorText(Oid op) {
  RowRef<PgOperatorRow> row = OperatorRow(op);
  return row == nullptr ? fmt::format("{}", OidNumber(op)) : row->oprname;
}

std::string RelationText(Oid oid) {
  RowRef<PgClassRow> row = ClassRow(oid);
  if (row == nullptr) return fmt::format("{}", OidNumber(oid));
  std::string name = QuoteIdentifier(row->relname);
  return RelationIsVisible(oid) ? name : QuoteIdentifier(SchemaName(row->relnamespace)) + "." + name;
}

std::string FunctionText(Oid oid) {
  RowRef<PgProcRow> row = FunctionRow(oid);
  if (row == nullptr) return fmt::format("{}", OidNumber(oid));
  std::string name = QuoteIdentifier(row->proname);
  return FunctionIsVisible(oid) ? name : QuoteIdentifier(SchemaName(row->pronamespace)) + "." + name;
}

std::string CollationText(Oid oid) {
  RowRef<PgCollationRow> row = CollationRow(oid);
  return row == nullptr ? fmt::format("{}", OidNumber(oid)) : QuoteIdentifier(row->collname);
}

}  // namespace

int64_t SessionFunctions::StatementStartUs() { return StatementStartTime(); }
int64_t SessionFunctions::TransactionStartUs() { return TransactionStartTime(); }
Oid SessionFunctions::CurrentUser() { return session_identity().current_role; }
Oid SessionFunctions::SessionUser() { return session_identity().session_role; }
std::string_view SessionFunctions::CurrentDatabase() { return session_.state_->database_name; }
std::string_view SessionFunctions::ServerVersion() { return VersionText(); }
int32_t SessionFunctions::BackendPid() { return getpid(); }

bool SessionFunctions::GetSetting(std::string_view name, bool throw_missing, std::string* value) {
  try {
    *value = ShowSetting(name, HasRightsOf(session_identity().current_role, Oid{3374}));
    return true;
  } catch (const SqlError& error) {
    if (throw_missing || error.code() != ErrorCode::kUndefinedObject) throw;
    return false;
  }
}

std::string SessionFunctions::SetSetting(std::string_view name, std::string_view value, bool is_local) {
  SetRequest request;
  request.action = is_local ? SetAction::kLocal : SetAction::kSet;
  request.is_superuser = IsSuperuser(session_identity().session_role);
  walden::SetSetting(name, value, request);
  return ShowSetting(name);
}

void SessionFunctions::Report(const ErrorFields& fields) { session_.sink_.Notice(fields); }

Oid SessionFunctions::FindOrInvalid(Oid type, std::string_view text) {
  Oid number;
  if (ParseNumber(text, &number)) return number;
  if (text == "-") return Oid::kInvalid;
  if (type == type_oid::kRegClass) return FindRelation(NameFrom(text), /*missing_ok=*/true);
  if (type == type_oid::kRegType) return FindTypeNamed(text, true);
  if (type == type_oid::kRegProc) return FindFunction(text, true);
  if (type == type_oid::kRegProcedure) return FindFunctionWithArguments(text, true);
  if (type == type_oid::kRegRole) return walden::FindRole(text, true);
  if (type == type_oid::kRegNamespace) return FindNamespace(text, true);
  if (type == type_oid::kRegCollation) return FindCollation(NameFrom(text), true);
  throw NotSupported("look-up of this kind of name");
}

Oid SessionFunctions::Find(Oid type, std::string_view text) {
  Oid number;
  if (ParseNumber(text, &number)) return number;
  if (text == "-") return Oid::kInvalid;
  if (type == type_oid::kRegClass) return FindRelation(NameFrom(text));
  if (type == type_oid::kRegType) return FindTypeNamed(text, false);
  if (type == type_oid::kRegProc) return FindFunction(text, false);
  if (type == type_oid::kRegProcedure) return FindFunctionWithArguments(text, false);
  if (type == type_oid::kRegRole) {
    std::vector<std::string> parts = ParseIdentifiers(text);
    if (parts.size() != 1) throw SqlError(ErrorCode::kInvalidName, "invalid name syntax");
    return walden::FindRole(parts[0]);
  }
  if (type == type_oid::kRegNamespace) return FindNamespace(ParseIdentifiers(text).at(0));
  if (type == type_oid::kRegCollation) return FindCollation(NameFrom(text));
  if (type == type_oid::kRegOper) {
    CatalogName name = NameFrom(text);
    std::vector<NamedOperator> found = FindOperators(name, 'b');
    if (found.size() == 1) return found[0].oid;
    if (found.empty()) throw SqlError(ErrorCode::kUndefinedFunction, "operator does not exist: {}", text);
    throw SqlError(ErrorCode::kAmbiguousFunction, "more than one operator named {}", text);
  }
  throw NotSupported("look-up of this kind of name");
}

std::string_view SessionFunctions::Name(Oid type, Oid object, Arena& arena) {
  if (!IsValid(object)) return "-";
  std::string text;
  if (type == type_oid::kRegClass) {
    text = RelationText(object);
  } else if (type == type_oid::kRegType) {
    text = FormatType(object);
    if (text == "???") text = fmt::format("{}", OidNumber(object));
  } else if (type == type_oid::kRegProc) {
    text = FunctionText(object);
  } else if (type == type_oid::kRegProcedure) {
    text = FormatFunctionSignature(object);
  } else if (type == type_oid::kRegOperator) {
    text = FormatOperatorSignature(object);
  } else if (type == type_oid::kRegOper) {
    text = OperatorText(object);
  } else if (type == type_oid::kRegRole) {
    RowRef<PgAuthidRow> row = RoleRow(object);
    text = row == nullptr ? fmt::format("{}", OidNumber(object)) : QuoteIdentifier(row->rolname);
  } else if (type == type_oid::kRegNamespace) {
    std::string schema = SchemaName(object);
    text = schema.empty() ? fmt::format("{}", OidNumber(object)) : QuoteIdentifier(schema);
  } else if (type == type_oid::kRegCollation) {
    text = CollationText(object);
  } else {
    text = fmt::format("{}", OidNumber(object));
  }
  return arena.Copy(text);
}

Oid SessionFunctions::FindRole(std::string_view name) { return walden::FindRole(name); }

std::string_view SessionFunctions::RoleName(Oid role, Arena& arena) {
  RowRef<PgAuthidRow> row = RoleRow(role);
  return arena.Copy(row == nullptr ? fmt::format("{}", OidNumber(role)) : row->rolname);
}

Oid SessionFunctions::EnumValue(Oid, std::string_view) { throw NotSupported("enum type"); }
std::string_view SessionFunctions::EnumLabel(Oid, Arena&) { throw NotSupported("enum type"); }
int SessionFunctions::CompareEnum(Oid, Oid) { throw NotSupported("enum type"); }

void InstallFormatHooks(TextFormat* format) {
  InstallSettingHooks(Setting::kTimeZone,
                      {.check =
                           [](ProposedValue& proposed) {
                             if (TimeZone::Find(proposed.text) != nullptr) return;
                             throw SqlError(ErrorCode::kInvalidParameterValue, "invalid value for parameter \"TimeZone\": \"{}\"",
                                            proposed.text);
                           },
                       .assign = [format] { format->zone = TimeZone::Find(GetString(Setting::kTimeZone)); }});
  InstallSettingHooks(Setting::kDateStyle, {.assign = [format] { AssignDateStyle(GetString(Setting::kDateStyle), format); }});
  InstallSettingHooks(Setting::kIntervalStyle,
                      {.assign = [format] { format->interval_style = GetEnum<IntervalStyle>(Setting::kIntervalStyle); }});
  InstallSettingHooks(Setting::kByteaOutput, {.assign = [format] {
                        format->bytea_output = GetEnum<ByteaForm>(Setting::kByteaOutput) == ByteaForm::kHex ? ByteaOutput::kHex
                                                                                                            : ByteaOutput::kEscape;
                      }});
  InstallSettingHooks(Setting::kExtraFloatDigits, {.assign = [format] {
                        format->extra_float_digits = static_cast<int8_t>(GetInt(Setting::kExtraFloatDigits));
                      }});
}

void AssignDateStyle(std::string_view text, TextFormat* format) {
  auto mentions = [&](std::string_view word) {
    for (size_t at = 0; at + word.size() <= text.size(); ++at) {
      bool same = true;
      for (size_t i = 0; i < word.size() && same; ++i) same = std::tolower(text[at + i]) == word[i];
      if (same) return true;
    }
    return false;
  };
  if (mentions("iso")) format->date_style = DateStyle::kIso;
  if (mentions("postgres")) format->date_style = DateStyle::kPostgres;
  if (mentions("sql")) format->date_style = DateStyle::kSql;
  if (mentions("german")) format->date_style = DateStyle::kGerman;
  if (mentions("ymd")) format->date_order = DateOrder::kYmd;
  if (mentions("dmy") || mentions("euro")) format->date_order = DateOrder::kDmy;
  if (mentions("mdy") || mentions("us")) format->date_order = DateOrder::kMdy;
}

std::string_view VersionText() {
  static const std::string text = fmt::format("PostgreSQL {} on {}, compiled by {}, 64-bit", GetString(Setting::kServerVersion),
#if defined(__x86_64__)
                                              "x86_64-pc-linux-gnu",
#else
                                              "aarch64-unknown-linux-gnu",
#endif
                                              "gcc " __VERSION__);
  return text;
}

}  // namespace walden
