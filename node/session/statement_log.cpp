#include "node/session/statement_log.h"

#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/base/random.h"
#include "node/config/settings.h"
#include "node/session/portal.h"
#include "node/sql/binder/binder.h"
#include "node/types/type_table.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

// The lowest log_statement that a statement is logged at.
LogStatement KindOf(const ast::Node* statement) {
  if (statement == nullptr) return LogStatement::kAll;
  switch (statement->tag) {
    case ast::Tag::kInsertStmt:
    case ast::Tag::kUpdateStmt:
    case ast::Tag::kDeleteStmt:
    case ast::Tag::kMergeStmt:
    case ast::Tag::kTruncateStmt: return LogStatement::kMod;
    case ast::Tag::kSelectStmt:
      return FindInto(*statement) != nullptr ? LogStatement::kDdl : LogStatement::kAll;
    case ast::Tag::kCopyStmt:
      return static_cast<const ast::CopyStmt*>(statement)->is_from ? LogStatement::kMod : LogStatement::kAll;
    case ast::Tag::kPrepareStmt: return KindOf(static_cast<const ast::PrepareStmt*>(statement)->query);
    case ast::Tag::kExplainStmt: return KindOf(static_cast<const ast::ExplainStmt*>(statement)->query);
    case ast::Tag::kTransactionStmt:
    case ast::Tag::kVariableSetStmt:
    case ast::Tag::kVariableShowStmt:
    case ast::Tag::kDiscardStmt:
    case ast::Tag::kExecuteStmt:
    case ast::Tag::kDeallocateStmt:
    case ast::Tag::kDeclareCursorStmt:
    case ast::Tag::kFetchStmt:
    case ast::Tag::kClosePortalStmt:
    case ast::Tag::kListenStmt:
    case ast::Tag::kUnlistenStmt:
    case ast::Tag::kNotifyStmt:
    case ast::Tag::kLockStmt:
    case ast::Tag::kVacuumStmt:
    case ast::Tag::kReindexStmt:
    case ast::Tag::kCheckPointStmt:
    case ast::Tag::kConstraintsSetStmt:
    case ast::Tag::kDoStmt:
    case ast::Tag::kCallStmt:
    case ast::Tag::kLoadStmt: return LogStatement::kAll;
    default: return LogStatement::kDdl;
  }
}

bool Chance(double rate) {
  if (rate >= 1) return true;
  uint32_t random;
  SecureRandom(&random, sizeof random);
  return random < rate * 4294967296.0;
}

void AppendQuoted(std::string_view text, int64_t limit, std::string* to) {
  std::string_view shown = limit >= 0 && text.size() > static_cast<size_t>(limit)
                               ? Utf8Clip(text, static_cast<size_t>(limit))
                               : text;
  *to += '\'';
  for (char c : shown) {
    if (c == '\'') *to += c;
    *to += c;
  }
  *to += shown.size() < text.size() ? "...'" : "'";
}

}  // namespace

void StatementLog::Use(const TextFormat* format, ObjectNames* names) {
  format_ = format;
  names_ = names;
}

void StatementLog::Begin(bool starts_transaction) {
  was_logged_ = false;
  double rate = GetReal(Setting::kLogTransactionSampleRate);
  if (starts_transaction) is_sampled_ = rate > 0 && Chance(rate);
  bool wanted = is_sampled_ || GetBool(Setting::kLogDuration) ||
                GetInt(Setting::kLogMinDurationStatement) >= 0 || GetInt(Setting::kLogMinDurationSample) >= 0;
  began_us_ = wanted ? MonotonicUs() : 0;
}

bool StatementLog::IsActive() const {
  return began_us_ != 0 || GetEnum<LogStatement>(Setting::kLogStatement) != LogStatement::kNone;
}

void StatementLog::Runs(const ast::Node* statement, std::string_view action, std::string_view text,
                        const Portal* portal) {
  LogStatement wanted = GetEnum<LogStatement>(Setting::kLogStatement);
  if (wanted == LogStatement::kNone || was_logged_ || KindOf(statement) > wanted) return;
  was_logged_ = true;
  Say(fmt::format("{}: {}", action, text), portal);
}

void StatementLog::Ends(std::string_view action, std::string_view text, const Portal* portal) {
  if (began_us_ == 0) return;
  int64_t us = MonotonicUs() - began_us_;
  auto exceeds = [us](Setting limit) { return GetInt(limit) >= 0 && us >= GetInt(limit) * 1000; };
  bool with_text =
      is_sampled_ || exceeds(Setting::kLogMinDurationStatement) ||
      (exceeds(Setting::kLogMinDurationSample) && Chance(GetReal(Setting::kLogStatementSampleRate)));
  if (!with_text && !GetBool(Setting::kLogDuration)) return;
  std::string duration = fmt::format("duration: {}.{:03} ms", us / 1000, us % 1000);
  if (with_text && !was_logged_) {
    Say(fmt::format("{}  {}: {}", duration, action, text), portal);
  } else {
    Say(std::move(duration), nullptr);
  }
}

std::string StatementLog::Parameters(const Portal& portal, int64_t limit) const {
  std::string text, value;
  const std::vector<Oid>& types = portal.statement().parameter_types;
  for (size_t i = 0; i < portal.parameters.size() && i < types.size(); ++i) {
    text += fmt::format("{}${} = ", i == 0 ? "" : ", ", i + 1);
    if (portal.parameters[i].is_null) {
      text += "NULL";
      continue;
    }
    Arena arena;
    const TypeDescriptor& type = TypeOf(types[i]);
    value.clear();
    TypeIo io{arena, *format_, names_, &type, -1};
    type.output(portal.parameters[i].datum, io, &value);
    AppendQuoted(value, limit, &text);
  }
  return text;
}

void StatementLog::Say(std::string message, const Portal* portal) const {
  ErrorFields entry;
  entry.severity = Severity::kLog;
  entry.code = ErrorCode::kSuccessfulCompletion;
  entry.message = std::move(message);
  int64_t limit = GetInt(Setting::kLogParameterMaxLength);
  if (portal != nullptr && limit != 0) {
    std::string parameters = Parameters(*portal, limit);
    if (!parameters.empty()) entry.detail = "parameters: " + parameters;
  }
  EmitLog(entry);
}

std::string ParameterContext(const StatementLog& log, const Portal& portal) {
  int64_t limit = GetInt(Setting::kLogParameterMaxLengthOnError);
  std::string parameters = limit == 0 ? std::string() : log.Parameters(portal, limit);
  if (parameters.empty()) return {};
  return portal.name.empty() ? "unnamed portal with parameters: " + parameters
                             : fmt::format("portal \"{}\" with parameters: {}", portal.name, parameters);
}

}  // namespace walden
