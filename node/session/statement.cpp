// Running statements: plans, portals, delivery of rows.
#include "node/catalog/identity.h"
#include "node/catalog/invalidation.h"
#include "node/config/settings.h"
#include "node/session/literal_parameters.h"
#include "node/session/query_id.h"
#include "node/session/session_state.h"
#include "node/shm/interrupts.h"
#include "node/shm/log_context.h"
#include "node/sql/binder/binder.h"
#include "node/sql/query/expr_facts.h"
#include "node/txn/untold.h"

namespace walden {
namespace {

constexpr int kMaxPlanAttempts = 10;

bool EndsTransaction(const ast::Node& statement) {
  const ast::TransactionStmt* control = ast::TryAs<ast::TransactionStmt>(&statement);
  if (control == nullptr) return false;
  switch (control->kind) {
    case TransactionStmtKind::kCommit:
    case TransactionStmtKind::kRollback:
    case TransactionStmtKind::kRollbackTo:
    case TransactionStmtKind::kPrepare: return true;
    default: return false;
  }
}

}  // namespace

ParseResult SessionState::ParseText(std::string_view text) {
  ParseOptions options;
  options.standard_conforming_strings = GetBool(Setting::kStandardConformingStrings);
  options.escape_string_warning = GetBool(Setting::kEscapeStringWarning);
  options.backslash_quote = GetEnum<ParseOptions::BackslashQuote>(Setting::kBackslashQuote);
  ParseResult tree = walden::Parse(text, options);
  ForwardWarnings(*tree);
  return tree;
}

void SessionState::ForwardWarnings(const ParseTree& tree) {
  for (const ErrorFields& warning : tree.warnings) functions.Report(warning);
}

BindOptions SessionState::MakeBindOptions(Arena& arena, std::string_view source, ParameterTypes* parameters) {
  session.format_.transaction_start_us = walden::TransactionStartTime();
  return BindOptions{.arena = arena,
                     .catalog = SessionReader::Instance(),
                     .source = source,
                     .format = session.format_,
                     .names = &functions,
                     .parameters = parameters};
}

CommandContext SessionState::MakeCommandContext(Arena& arena, std::string_view source) {
  session.format_.transaction_start_us = walden::TransactionStartTime();
  return CommandContext{.arena = arena,
                        .catalog = SessionReader::Instance(),
                        .source = source,
                        .format = session.format_,
                        .session = &functions,
                        .queries = &session,
                        .is_top_level = true,
                        .in_transaction_block = transaction.in_block() || is_one_of_several};
}

Query* SessionState::BindPrepared(PreparedStatement* statement, const BindOptions& options) {
  AcceptInvalidations();
  SessionReader::Instance().Refresh();
  Query* query = statement->cursor_options
                     ? BindCursorQuery(*statement->raw()->stmt, *statement->cursor_options, options)
                     : walden::Bind(*statement->raw(), options);
  query->query_id = static_cast<uint64_t>(QueryIdOf(*query));
  if (options.parameters != nullptr) CheckParameters(*options.parameters);
  return query;
}

double CursorTupleFraction() {
  double part = GetReal(Setting::kCursorTupleFraction);
  if (part >= 1) return 0;
  return part <= 0 ? 1e-10 : part;
}

namespace {

double FetchedPart(const PreparedStatement& statement) {
  return statement.cursor_options ? CursorTupleFraction() : 0;
}

void CheckResult(PreparedStatement* statement, const PlannedQuery& planned) {
  if (!statement->takes_parameters) return;
  std::vector<PreparedStatement::Column> columns;
  for (const ResultColumn& column : planned.columns)
    columns.push_back({std::string(column.name), column.type, column.typmod});
  if (!statement->result) {
    statement->result = std::move(columns);
  } else if (*statement->result != columns) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "cached plan must not change result type");
  }
}

}  // namespace

PlannedQueryRef SessionState::GenericPlan(PreparedStatement* statement) {
  for (int attempt = 0; attempt < kMaxPlanAttempts; ++attempt) {
    if (statement->plan != nullptr) {
      LockRelations(*statement->plan->statement);
      if (IsCurrent(*statement->plan)) return statement->plan;
      statement->plan.reset();
    }
    auto planned = std::make_shared<PlannedQuery>();
    planned->statement->keep_row_identity = statement->cursor_options.has_value();
    ParameterTypes parameters;
    parameters.types = statement->parameter_types;
    parameters.variable = true;
    BindOptions options = MakeBindOptions(planned->statement->arena, statement->source(),
                                          statement->takes_parameters ? &parameters : nullptr);
    Query* query = BindPrepared(statement, options);
    statement->parameter_types = parameters.types;
    statement->has_passing_literal = HasPassingLiteral(*query, statement->source());
    RewriteAndPlan(query, options, &functions, {}, planned.get(), FetchedPart(*statement));
    CheckResult(statement, *planned);
    statement->plan = planned;
    if (!parameters.types.empty()) statement->history.NoteGeneric(*planned->statement);
  }
  throw SqlError(ErrorCode::kInternalError, "plan was invalidated again and again");
}

PlannedQueryRef SessionState::CustomPlan(PreparedStatement* statement, std::span<const Value> values) {
  for (int attempt = 0; attempt < kMaxPlanAttempts; ++attempt) {
    auto planned = std::make_shared<PlannedQuery>();
    planned->statement->keep_row_identity = statement->cursor_options.has_value();
    ParameterTypes parameters;
    parameters.types = statement->parameter_types;
    BindOptions options = MakeBindOptions(planned->statement->arena, statement->source(), &parameters);
    RewriteAndPlan(BindPrepared(statement, options), options, &functions, values, planned.get(),
                   FetchedPart(*statement));
    LockRelations(*planned->statement);
    if (!IsCurrent(*planned)) continue;
    CheckResult(statement, *planned);
    statement->history.NoteCustom(*planned->statement);
    return planned;
  }
  throw SqlError(ErrorCode::kInternalError, "plan was invalidated again and again");
}

PlannedQueryRef SessionState::KeptPlan(PreparedStatement* statement, std::span<const Value> values) {
  if (statement->plan == nullptr || (!values.empty() && !statement->history.PrefersGeneric())) return nullptr;
  LockRelations(*statement->plan->statement);
  if (!IsCurrent(*statement->plan)) return nullptr;
  if (!values.empty()) ++statement->history.generic_plans;
  return statement->plan;
}

PlannedQueryRef SessionState::PlanFor(PreparedStatement* statement, std::span<const Value> values) {
  if (values.empty()) return GenericPlan(statement);
  PlanHistory& history = statement->history;
  if (history.PrefersGeneric()) {
    PlannedQueryRef plan = GenericPlan(statement);
    // Its cost may have been unknown before.
    if (history.PrefersGeneric()) {
      ++history.generic_plans;
      return plan;
    }
  }
  return CustomPlan(statement, values);
}

void SessionState::Analyze(PreparedStatement* statement) {
  if (!statement->is_query()) return;
  SnapshotHold snapshot = TransactionSnapshot();
  ActiveSnapshotScope active(*snapshot);
  GenericPlan(statement);
}

void SessionState::StartPortal(Portal* portal) {
  PreparedStatement& statement = portal->statement();
  if (statement.raw() == nullptr) return;
  log_context().command_tag = CommandTagName(statement.statement());
  if (transaction.failed() && !EndsTransaction(*statement.statement())) {
    throw SqlError(ErrorCode::kInFailedSqlTransaction,
                   "current transaction is aborted, commands ignored until end of transaction block");
  }
  if (!statement.is_query()) return;
  portal->plan = KeptPlan(&statement, portal->parameters);
  if (portal->plan == nullptr) {
    // Planning may evaluate functions that look at tables.
    portal->snapshot = TransactionSnapshot();
    ActiveSnapshotScope active(*portal->snapshot);
    portal->plan = PlanFor(&statement, portal->parameters);
  }
  StartExecution(portal);
}

void SessionState::StartExecution(Portal* portal) {
  PlannedQuery& planned = *portal->plan;
  if (!portal->is_cursor) ReportQueryId(planned.query_id);
  CheckPermissions(&planned);
  CheckReadOnly(*planned.statement);
  session.format_.transaction_start_us = walden::TransactionStartTime();
  // Relations may have changed while their locks were waited for: only now.
  portal->snapshot = TransactionSnapshot();
  ActiveSnapshotScope active(*portal->snapshot);
  portal->executor =
      planned.idle != nullptr ? std::move(planned.idle) : std::make_unique<Executor>(*planned.statement);
  ExecutionSettings settings;
  settings.snapshot = &*portal->snapshot;
  settings.session = &functions;
  settings.format = &session.format_;
  settings.parameters = portal->parameters;
  settings.parameter_types = portal->statement().parameter_types;
  settings.answers_with_count = planned.answers_with_count;
  portal->executor->Start(settings);
  portal->started = true;
}

void SessionState::RunPortal(Portal* portal, uint64_t max_rows, bool describe) {
  ResultSink& sink = session.sink_;
  PreparedStatement& statement = portal->statement();
  if (statement.raw() == nullptr) {
    sink.EmptyQuery();
    portal->done = true;
    return;
  }
  if (!statement.is_query()) {
    if (portal->text_rows == nullptr && portal->tag.empty()) RunUtility(portal);
    DeliverTextRows(portal, max_rows, describe);
    return;
  }
  std::string tag = DeliverRows(portal, max_rows, describe);
  if (tag.empty()) {
    sink.PortalSuspended();
  } else {
    sink.Complete(tag);
  }
}

std::string SessionState::DeliverRows(Portal* portal, uint64_t max_rows, bool describe) {
  ResultSink& sink = session.sink_;
  const PlannedQuery& planned = *portal->plan;
  bool has_rows = planned.returns_rows();
  if (has_rows && describe) sink.Describe(planned.columns, portal->result_formats);
  if (has_rows && !describe) sink.ExpectRows(planned.columns, portal->result_formats);
  // Executing a finished portal again delivers nothing more.
  if (portal->done) return CompletionTag(*planned.statement, 0);
  if (!planned.answers_with_count) TellContents();
  ActiveSnapshotScope active(*portal->snapshot);
  Executor& executor = *portal->executor;
  uint64_t delivered = 0;
  Batch batch;
  batch.columns.swap(spare_columns);
  while (max_rows == 0 || delivered < max_rows) {
    uint64_t wanted = max_rows == 0 ? kBatchRows : std::min<uint64_t>(max_rows - delivered, kBatchRows);
    if (!executor.Next(&batch, static_cast<uint32_t>(wanted))) {
      portal->done = true;
      break;
    }
    delivered += batch.selection.count;
    if (has_rows) sink.Rows(batch);
  }
  batch.columns.swap(spare_columns);
  portal->rows_delivered += delivered;
  if (!portal->done) return {};
  executor.RunAfterQueue();
  bool counts_changes = planned.statement->command != CmdType::kSelect;
  std::string tag = CompletionTag(*planned.statement, counts_changes ? executor.rows_affected() : delivered);
  portal->FinishExecution();
  return tag;
}

void SessionState::DeliverTextRows(Portal* portal, uint64_t max_rows, bool describe) {
  ResultSink& sink = session.sink_;
  if (portal->text_rows == nullptr) {
    portal->done = true;
    sink.Complete(portal->tag);
    return;
  }
  TextRows& rows = *portal->text_rows;
  if (describe) {
    sink.Describe(rows.columns, portal->result_formats);
  } else {
    sink.ExpectRows(rows.columns, portal->result_formats);
  }
  std::vector<Vector> vectors(rows.columns.size());
  Batch batch;
  for (Vector& vector : vectors) {
    vector.Reset(PhysicalType::kString, kBatchRows);
    batch.columns.push_back(&vector);
  }
  uint64_t delivered = 0;
  while (portal->text_row < rows.rows.size() && (max_rows == 0 || delivered < max_rows)) {
    uint64_t room = max_rows == 0 ? kBatchRows : std::min<uint64_t>(kBatchRows, max_rows - delivered);
    uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(room, rows.rows.size() - portal->text_row));
    for (size_t c = 0; c < vectors.size(); ++c) {
      vectors[c].SetAllValid();
      for (uint32_t i = 0; i < n; ++i) {
        const std::optional<std::string>& text = rows.rows[portal->text_row + i][c];
        Value value;
        value.is_null = !text.has_value();
        if (text) value.datum = StringDatum(*text);
        vectors[c].Set(i, value);
      }
    }
    batch.selection = Selection{nullptr, n};
    sink.Rows(batch);
    portal->text_row += n;
    delivered += n;
  }
  portal->done = portal->text_row >= rows.rows.size();
  if (portal->done) {
    sink.Complete(portal->tag);
  } else {
    sink.PortalSuspended();
  }
}

void SessionState::RunStatement(const PreparedStatementRef& statement) {
  Portal portal(statement);
  StartPortal(&portal);
  RunPortal(&portal, 0, /*describe=*/true);
}

}  // namespace walden
