#include "node/sql/commands/command_names.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/catalog/identity.h"
#include "node/catalog/syscache.h"
#include "node/sql/query/tree_walk.h"
#include "node/txn/transaction.h"

namespace walden {

void CommandContext::Advance() {
  CommandCounterIncrement();
  catalog.Refresh();
}

CatalogName NameOf(const ast::RangeVar& relation) {
  return {std::string(relation.catalogname), std::string(relation.schemaname), std::string(relation.relname)};
}

std::vector<std::string> StringsOf(const ast::NodeList& strings) {
  std::vector<std::string> parts;
  for (const ast::Node* node : strings) parts.emplace_back(ast::StringOf(node));
  return parts;
}
CatalogName NameOf(const ast::NodeList& strings) { return ToCatalogName(StringsOf(strings)); }

std::string DottedName(const ast::NodeList& strings) {
  std::string text;
  for (const std::string& part : StringsOf(strings)) text += (text.empty() ? "" : ".") + part;
  return text;
}

Oid CurrentRole() { return session_identity().current_role; }

Oid RoleOf(const ast::RoleSpec& role, bool allow_public) {
  switch (role.roletype) {
    case RoleSpecType::kCstring: return FindRole(role.rolename);
    case RoleSpecType::kCurrentRole:
    case RoleSpecType::kCurrentUser: return CurrentRole();
    case RoleSpecType::kSessionUser: return session_identity().session_role;
    case RoleSpecType::kPublic:
      if (allow_public) return Oid::kInvalid;
      throw SqlError(ErrorCode::kUndefinedObject, "role \"public\" does not exist");
  }
  return Oid::kInvalid;
}

Oid CreationSchema(const ast::RangeVar& relation, char* persistence) {
  CatalogName name = NameOf(relation);
  bool temporary = *persistence == 't';
  Oid schema;
  if (!name.schema.empty()) {
    schema = name.schema == "pg_temp" ? TemporaryNamespace() : FindNamespace(name.schema);
    if (temporary && schema != TemporaryNamespaceIfAny()) {
      throw SqlError(ErrorCode::kInvalidTableDefinition,
                     "cannot create temporary relation in non-temporary schema");
    }
  } else {
    schema = temporary ? TemporaryNamespace() : CreationNamespace();
  }
  if (schema == TemporaryNamespaceIfAny() && IsValid(schema)) {
    if (*persistence == 'u') {
      throw SqlError(ErrorCode::kInvalidTableDefinition,
                     "only temporary relations may be created in temporary schemas");
    }
    *persistence = 't';
  }
  ThrowUnlessOk(CheckSchema(schema, CurrentRole(), acl::kCreate), ObjectKind::kSchema, SchemaName(schema));
  bool system = schema == kPgCatalogNamespace || schema == kPgToastNamespace;
  if (system && !session_identity().allow_system_table_mods) {
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied to create \"{}.{}\"",
                   SchemaName(schema), name.name)
        .WithDetail("System catalog modifications are currently disallowed.");
  }
  return schema;
}

void CheckOwnsRelation(const Relation& relation) {
  if (!IsOwner(catalog_oid::kPgClass, relation.oid, CurrentRole())) {
    ThrowUnlessOk(AclResult::kNotOwner, RelationObjectKind(relation.row.relkind), relation.name());
  }
  if (IsCatalogRelation(relation.oid) && !session_identity().allow_system_table_mods) {
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
                   relation.name());
  }
}

std::string OptionString(const ast::DefElem& option) {
  const ast::Node* arg = option.arg;
  if (arg == nullptr) throw SqlError(ErrorCode::kSyntaxError, "{} requires a parameter", option.defname);
  if (auto* text = ast::TryAs<ast::String>(arg)) return std::string(text->sval);
  if (auto* number = ast::TryAs<ast::Integer>(arg)) return std::to_string(number->ival);
  if (auto* number = ast::TryAs<ast::Float>(arg)) return std::string(number->fval);
  if (auto* value = ast::TryAs<ast::Boolean>(arg)) return value->boolval ? "true" : "false";
  if (auto* type = ast::TryAs<ast::TypeName>(arg)) return DottedName(type->names);
  if (auto* list = ast::TryAs<ast::ListNode>(arg)) return DottedName(list->items);
  throw SqlError(ErrorCode::kSyntaxError, "{} requires a parameter", option.defname);
}

bool OptionBoolean(const ast::DefElem& option) {
  if (option.arg == nullptr) return true;
  if (auto* number = ast::TryAs<ast::Integer>(option.arg);
      number != nullptr && (number->ival == 0 || number->ival == 1)) {
    return number->ival == 1;
  }
  std::string text = OptionString(option);
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  if (text == "true" || text == "on") return true;
  if (text == "false" || text == "off") return false;
  throw SqlError(ErrorCode::kSyntaxError, "{} requires a Boolean value", option.defname);
}

int64_t OptionInteger(const ast::DefElem& option) {
  if (auto* number = option.arg != nullptr ? ast::TryAs<ast::Integer>(option.arg) : nullptr)
    return number->ival;
  if (auto* number = option.arg != nullptr ? ast::TryAs<ast::Float>(option.arg) : nullptr) {
    std::string_view text = number->fval;
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "value \"{}\" is out of range for type {}", text,
                   "bigint");
  }
  throw SqlError(ErrorCode::kSyntaxError, "{} requires a numeric value", option.defname);
}

const ast::DefElem* FindOption(const ast::NodeList& options, std::string_view name) {
  for (const ast::Node* node : options) {
    const auto* option = ast::As<ast::DefElem>(node);
    if (option->defname == name) return option;
  }
  return nullptr;
}

namespace {

struct RelationOption {
  std::string_view name;
  std::string_view kinds;  // relkinds that take it
  enum class Type : uint8_t { kInteger, kReal, kBoolean, kCheckOption } type;
  double low, high;
};
using Type = RelationOption::Type;
// Those that something obeys.
constexpr RelationOption kRelationOptions[] = {
    {"fillfactor", "ri", Type::kInteger, 10, 100},
    {"deduplicate_items", "i", Type::kBoolean, 0, 0},
    {"toast_tuple_target", "r", Type::kInteger, 128, 8160},
    {"parallel_workers", "r", Type::kInteger, 0, 1024},
    {"autovacuum_enabled", "rt", Type::kBoolean, 0, 0},
    {"autovacuum_vacuum_threshold", "rt", Type::kInteger, 0, 2147483647},
    {"autovacuum_vacuum_scale_factor", "rt", Type::kReal, 0, 100},
    {"autovacuum_analyze_threshold", "r", Type::kInteger, 0, 2147483647},
    {"autovacuum_analyze_scale_factor", "r", Type::kReal, 0, 100},
    {"autovacuum_vacuum_insert_threshold", "rt", Type::kInteger, -1, 2147483647},
    {"autovacuum_vacuum_insert_scale_factor", "rt", Type::kReal, 0, 100},
    {"autovacuum_vacuum_cost_delay", "rt", Type::kReal, 0, 100},
    {"autovacuum_vacuum_cost_limit", "rt", Type::kInteger, 1, 10000},
    {"log_autovacuum_min_duration", "rt", Type::kInteger, -1, 2147483647},
    {"vacuum_truncate", "rt", Type::kBoolean, 0, 0},
    {"security_barrier", "v", Type::kBoolean, 0, 0},
    {"security_invoker", "v", Type::kBoolean, 0, 0},
    {"check_option", "v", Type::kCheckOption, 0, 0},
};

std::string CheckedOption(const RelationOption& known, const ast::DefElem& option) {
  std::string text = option.arg == nullptr ? "true" : OptionString(option);
  if (known.type == Type::kCheckOption) {
    if (text == "local" || text == "cascaded") return text;
    throw SqlError(ErrorCode::kInvalidParameterValue, "invalid value for enum option \"{}\": {}", known.name,
                   text)
        .WithDetail("Valid values are \"local\" and \"cascaded\".");
  }
  if (known.type == Type::kBoolean) {
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    static constexpr std::string_view kWords[] = {"true", "on", "yes", "1", "false", "off", "no", "0"};
    if (std::find(std::begin(kWords), std::end(kWords), lower) == std::end(kWords)) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "invalid value for boolean option \"{}\": {}",
                     known.name, text);
    }
    return lower;
  }
  char* end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  bool integer = known.type == Type::kInteger;
  if (text.empty() || *end != '\0') {
    throw SqlError(ErrorCode::kInvalidParameterValue, "invalid value for {} option \"{}\": {}",
                   integer ? "integer" : "floating point", known.name, text);
  }
  if (value < known.low || value > known.high) {
    std::string detail =
        integer ? fmt::format("Valid values are between \"{}\" and \"{}\".", static_cast<int64_t>(known.low),
                              static_cast<int64_t>(known.high))
                : fmt::format("Valid values are between \"{:f}\" and \"{:f}\".", known.low, known.high);
    throw SqlError(ErrorCode::kInvalidParameterValue, "value {} out of bounds for option \"{}\"", text,
                   known.name)
        .WithDetail(detail);
  }
  return text;
}

}  // namespace

std::optional<std::vector<std::string>> RelationOptions(const ast::NodeList& options, char kind,
                                                        const std::optional<std::vector<std::string>>& old) {
  std::vector<std::string> result = old.value_or(std::vector<std::string>());
  std::set<std::string_view> given;
  for (const ast::Node* node : options) {
    const auto& option = *ast::As<ast::DefElem>(node);
    if (!option.defnamespace.empty() && option.defnamespace != "toast") {
      throw SqlError(ErrorCode::kInvalidParameterValue, "unrecognized parameter namespace \"{}\"",
                     option.defnamespace);
    }
    if ((option.defnamespace == "toast") != (kind == relkind::kToast)) continue;
    if (!given.insert(option.defname).second) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "parameter \"{}\" specified more than once",
                     option.defname);
    }
    if (option.defname == "oids") {
      if (option.arg == nullptr || OptionBoolean(option)) {
        throw SqlError(ErrorCode::kFeatureNotSupported, "tables declared WITH OIDS are not supported");
      }
      continue;
    }
    const RelationOption* known = nullptr;
    for (const RelationOption& candidate : kRelationOptions) {
      if (candidate.name == option.defname && candidate.kinds.find(kind) != std::string_view::npos)
        known = &candidate;
    }
    if (known == nullptr) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "unrecognized parameter \"{}\"", option.defname);
    }
    std::string prefix = std::string(option.defname) + "=";
    std::erase_if(result, [&](const std::string& item) { return item.starts_with(prefix); });
    result.push_back(prefix + CheckedOption(*known, option));
  }
  if (result.empty()) return std::nullopt;
  return result;
}

void Notice(std::string message, std::string detail, std::string hint) {
  ErrorFields fields;
  fields.severity = Severity::kNotice;
  fields.code = ErrorCode::kSuccessfulCompletion;
  fields.message = std::move(message);
  fields.detail = std::move(detail);
  fields.hint = std::move(hint);
  ReportToClient(fields);
}

void Warning(ErrorCode code, std::string message) {
  ErrorFields fields;
  fields.severity = Severity::kWarning;
  fields.code = code;
  fields.message = std::move(message);
  ReportToClient(fields);
}

void RequireNoTransactionBlock(const CommandContext& context, std::string_view statement) {
  if (context.in_transaction_block) {
    throw SqlError(ErrorCode::kActiveSqlTransaction, "{} cannot run inside a transaction block", statement);
  }
  if (!context.is_top_level) {
    throw SqlError(ErrorCode::kActiveSqlTransaction, "{} cannot be executed from a function", statement);
  }
}

const RelationInfo& InfoOf(CommandContext& context, Oid relation) {
  const RelationInfo* info = context.catalog.GetRelation(relation, RelationLockNeed::kNone);
  if (info == nullptr)
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for relation {}", OidNumber(relation));
  return *info;
}

}  // namespace walden
