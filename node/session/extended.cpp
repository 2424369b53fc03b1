// The extended protocol: Parse, Bind, Describe, Execute, Close, Sync.
#include "node/base/clock.h"
#include "node/catalog/invalidation.h"
#include "node/config/settings.h"
#include "node/session/session_state.h"
#include "node/session/statement_timeout.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

SqlError NoSuchStatement(std::string_view name) {
  if (name.empty())
    return SqlError(ErrorCode::kUndefinedPstatement, "unnamed prepared statement does not exist");
  return SqlError(ErrorCode::kUndefinedPstatement, "prepared statement \"{}\" does not exist", name);
}

SqlError NoSuchPortal(std::string_view name) {
  return SqlError(ErrorCode::kUndefinedCursor, "portal \"{}\" does not exist", name);
}

// One value as the client sent it.
Value ReadParameter(const std::optional<std::string_view>& bytes, int16_t format, Oid type, Arena& arena,
                    const TextFormat& text_format, ObjectNames* names) {
  Value value;
  if (!bytes.has_value()) return value;
  const TypeDescriptor& descriptor = TypeOf(type);
  TypeIo io{arena, text_format, names, &descriptor, -1};
  std::string_view copy = arena.Copy(*bytes);
  if (format == 0) {
    descriptor.input(copy, io, &value.datum);
  } else if (descriptor.receive != nullptr) {
    descriptor.receive(copy, io, &value.datum);
  } else {
    throw SqlError(ErrorCode::kUndefinedFunction, "no binary input function available for type {}",
                   descriptor.name);
  }
  value.is_null = false;
  return value;
}

void CheckFormats(std::span<const int16_t> formats) {
  for (int16_t format : formats) {
    if (format != 0 && format != 1)
      throw SqlError(ErrorCode::kInvalidParameterValue, "unsupported format code: {}", format);
  }
}

PreparedStatementRef& FindStatement(SessionState& state, std::string_view name) {
  if (name.empty()) {
    if (state.unnamed_statement == nullptr) throw NoSuchStatement(name);
    return state.unnamed_statement;
  }
  auto found = state.prepared.find(name);
  if (found == state.prepared.end()) throw NoSuchStatement(name);
  return found->second;
}

bool MayRunInFailedTransaction(const PreparedStatement& statement) {
  const ast::Node* node = statement.statement();
  return node == nullptr || ast::Is<ast::TransactionStmt>(node);
}

void RefuseInFailedTransaction(const SessionState& state, const PreparedStatement& statement) {
  if (!state.transaction.failed() || MayRunInFailedTransaction(statement)) return;
  throw SqlError(ErrorCode::kInFailedSqlTransaction,
                 "current transaction is aborted, commands ignored until end of transaction block");
}

// "execute s/p": how the log calls work on a portal.
std::string NameForLog(std::string_view action, const Portal& portal) {
  return fmt::format("{} {}{}{}", action, portal.statement_name.empty() ? "<unnamed>" : portal.statement_name,
                     portal.name.empty() ? "" : "/", portal.name);
}

PreparedStatementRef ParseStatement(SessionState& state, std::string_view text,
                                    std::span<const Oid> parameter_types) {
  ParseResult tree = state.ParseText(text);
  if (tree->statements.size() > 1) {
    throw SqlError(ErrorCode::kSyntaxError, "cannot insert multiple commands into a prepared statement");
  }
  auto statement =
      std::make_shared<PreparedStatement>(tree, tree->statements.empty() ? nullptr : tree->statements[0]);
  statement->parameter_types.assign(parameter_types.begin(), parameter_types.end());
  statement->prepared_at = WallClockUs();
  return statement;
}

}  // namespace

// A text parsed before into the unnamed statement, if what was found out then still holds.
PreparedStatementRef SessionState::FindParsed(const StatementKey& key) {
  if (transaction.failed() || !StatementCache::IsEnabled()) return nullptr;
  CachedStatementRef entry = statements.Find(key);
  if (entry == nullptr) return nullptr;
  PreparedStatement& statement = *entry->statement;
  if (!statement.is_query()) return entry->statement;
  AcceptInvalidations();
  bool current = statement.plan != nullptr && IsCurrent(*statement.plan);
  if (current && (statement.history.value_independent || !HasOutgrownTables(statement.plan.get())))
    return entry->statement;
  statements.Remove(key);
  return nullptr;
}

void SessionState::RememberParsed(const StatementKey& key, const PreparedStatementRef& statement) {
  if (transaction.failed() || !StatementCache::IsEnabled() || !MayRemember(*statement) ||
      !statements.IsRepeated(key))
    return;
  auto entry = std::make_shared<CachedStatement>();
  entry->statement = statement;
  statements.Add(key, std::move(entry));
}

Session::Result Session::Parse(std::string_view name, std::string_view text,
                               std::span<const Oid> parameter_types) {
  StatementTimeout timeout;
  SessionState& state = *state_;
  Result error = CatchStatementError([&] {
    state.log.Begin(!InTransaction());
    state.transaction.StartStatement();
    if (name.empty()) {
      state.unnamed_statement.reset();
    } else if (state.prepared.contains(name)) {
      throw SqlError(ErrorCode::kDuplicatePstatement, "prepared statement \"{}\" already exists", name);
    }
    PreparedStatementRef statement;
    StatementKey key{StatementKeyKind::kParse, text, parameter_types};
    if (name.empty()) statement = state.FindParsed(key);
    if (statement == nullptr) {
      statement = ParseStatement(state, text, parameter_types);
      RefuseInFailedTransaction(state, *statement);
      if (!state.transaction.failed()) state.Analyze(statement.get());
      if (name.empty()) state.RememberParsed(key, statement);
    }
    if (name.empty()) {
      state.unnamed_statement = statement;
    } else {
      state.prepared.emplace(name, statement);
    }
    if (InTransaction()) CommandCounterIncrement();
    if (state.log.IsActive())
      state.log.Ends(fmt::format("parse {}", name.empty() ? "<unnamed>" : name), text);
  });
  if (error) state.transaction.AbortStatement();
  return error;
}

Session::Result Session::Bind(std::string_view portal_name, std::string_view statement_name,
                              const BindParameters& given) {
  StatementTimeout timeout;
  SessionState& state = *state_;
  Result error = CatchStatementError([&] {
    state.log.Begin(!InTransaction());
    PreparedStatementRef statement = FindStatement(state, statement_name);
    size_t count = statement->parameter_types.size();
    if (given.formats.size() > 1 && given.formats.size() != given.values.size()) {
      throw SqlError(ErrorCode::kProtocolViolation, "bind message has {} parameter formats but {} parameters",
                     given.formats.size(), given.values.size());
    }
    if (given.values.size() != count) {
      throw SqlError(ErrorCode::kProtocolViolation,
                     "bind message supplies {} parameters, but prepared statement \"{}\" requires {}",
                     given.values.size(), statement_name, count);
    }
    RefuseInFailedTransaction(state, *statement);
    CheckFormats(given.formats);
    CheckFormats(given.result_formats);
    state.transaction.StartStatement(/*takes_time=*/false);
    if (portal_name.empty()) {
      if (auto at = state.portals.find(portal_name); at != state.portals.end()) state.DropPortal(at);
    } else if (state.portals.contains(portal_name)) {
      throw SqlError(ErrorCode::kDuplicateCursor, "cursor \"{}\" already exists", portal_name);
    }
    SessionState::Portals::node_type place = state.NewPortal(portal_name, statement);
    Portal* portal = place.mapped().get();
    portal->statement_name = statement_name;
    portal->created_at = StatementStartTime();
    if (InTransaction()) portal->created_in_sub = CurrentSubId();
    for (size_t i = 0; i < count; ++i) {
      int16_t format = given.formats.empty()       ? 0
                       : given.formats.size() == 1 ? given.formats[0]
                                                   : given.formats[i];
      try {
        portal->parameters.push_back(ReadParameter(given.values[i], format, statement->parameter_types[i],
                                                   portal->arena, format_, &state.functions));
      } catch (SqlError& failure) {
        failure.WithContext(statement_name.empty()
                                ? fmt::format("unnamed portal parameter ${}", i + 1)
                                : fmt::format("portal \"{}\" parameter ${}", portal_name, i + 1));
        throw;
      }
    }
    state.StartPortal(portal);
    size_t columns = portal->plan != nullptr ? portal->plan->columns.size() : 0;
    if (given.result_formats.size() > 1 && given.result_formats.size() != columns) {
      throw SqlError(ErrorCode::kProtocolViolation,
                     "bind message has {} result formats but query has {} columns",
                     given.result_formats.size(), columns);
    }
    portal->has_been_described = true;
    portal->result_formats.assign(given.result_formats.begin(), given.result_formats.end());
    if (state.log.IsActive()) state.log.Ends(NameForLog("bind", *portal), portal->statement().text(), portal);
    portal->savepoint_depth = state.transaction.savepoint_depth();
    state.portals.insert(std::move(place));
  });
  if (error) state.transaction.AbortStatement();
  return error;
}

Session::Result Session::DescribeStatement(std::string_view name, Description* description) {
  SessionState& state = *state_;
  Result error = CatchStatementError([&] {
    state.transaction.StartStatement(/*takes_time=*/false);
    PreparedStatementRef statement = FindStatement(state, name);
    RefuseInFailedTransaction(state, *statement);
    description->parameters = statement->parameter_types;
    if (statement->is_query()) {
      state.Analyze(statement.get());
      description->columns = statement->plan->columns;
      description->has_rows = statement->plan->returns_rows();
    } else {
      state.DescribeUtility(*statement, description);
    }
  });
  if (error) state.transaction.AbortStatement();
  return error;
}

void SessionState::DescribeUtility(const PreparedStatement& statement, Session::Description* description) {
  if (statement.raw() == nullptr) return;
  description->has_rows = UtilityReturnsRows(*statement.statement());
  if (!description->has_rows) return;
  described_names = TextRows();
  description->made = UtilityColumns(*statement.statement(), &described_names);
  description->columns = description->made;
}

Session::Result Session::DescribePortal(std::string_view name, Description* description) {
  SessionState& state = *state_;
  Result error = CatchStatementError([&] {
    state.transaction.StartStatement(/*takes_time=*/false);
    Portal* portal = state.FindPortal(name);
    if (portal == nullptr) throw NoSuchPortal(name);
    RefuseInFailedTransaction(state, portal->statement());
    description->formats = portal->result_formats;
    if (portal->plan != nullptr) {
      description->columns = portal->plan->columns;
      description->has_rows = portal->plan->returns_rows();
    } else {
      state.DescribeUtility(portal->statement(), description);
    }
  });
  if (error) state.transaction.AbortStatement();
  return error;
}

Session::Result Session::Execute(std::string_view name, int64_t max_rows) {
  StatementTimeout timeout;
  SessionState& state = *state_;
  Result error = CatchStatementError([&] {
    Portal* portal = state.FindPortal(name);
    if (portal == nullptr) throw NoSuchPortal(name);
    state.log.Begin(!InTransaction());
    state.transaction.StartStatement();
    RefuseInFailedTransaction(state, portal->statement());
    // A COMMIT inside drops portals: keep what runs alive until it is done.
    const ast::Node* node = portal->statement().statement();
    std::unique_ptr<Portal> taken;
    if (node != nullptr && !portal->statement().is_query()) {
      auto at = state.portals.find(name);
      taken = std::move(at->second);
      state.portals.erase(at);
    }
    std::string_view text = portal->statement().text();
    bool is_logged = state.log.IsActive();
    std::string action = is_logged
                             ? NameForLog(portal->is_resumed ? "execute fetch from" : "execute", *portal)
                             : std::string();
    if (is_logged) state.log.Runs(node, action, text, portal);
    try {
      state.RunPortal(portal, max_rows <= 0 ? 0 : static_cast<uint64_t>(max_rows), /*describe=*/false);
    } catch (SqlError& failure) {
      if (std::string context = ParameterContext(state.log, *portal); !context.empty())
        failure.WithContext(context);
      throw;
    }
    if (is_logged) state.log.Ends(action, text, portal);
    portal->is_resumed = true;
    if (taken != nullptr && !taken->done) state.portals[taken->name] = std::move(taken);
    if (InTransaction()) CommandCounterIncrement();
  });
  if (error) state.transaction.AbortStatement();
  return error;
}

Session::Result Session::ClosePrepared(std::string_view name) {
  if (name.empty()) {
    state_->unnamed_statement.reset();
  } else if (auto found = state_->prepared.find(name); found != state_->prepared.end()) {
    state_->prepared.erase(found);
  }
  return std::nullopt;
}

Session::Result Session::ClosePortal(std::string_view name) {
  if (auto found = state_->portals.find(name); found != state_->portals.end()) state_->portals.erase(found);
  return std::nullopt;
}

Session::Result Session::Sync() {
  SessionState& state = *state_;
  Result error = CatchStatementError([&] { state.transaction.FinishStatement(/*ends_implicit=*/true); });
  if (error) state.transaction.AbortStatement();
  return error;
}

}  // namespace walden
