// DECLARE, FETCH, MOVE, CLOSE; PREPARE, EXECUTE, DEALLOCATE; and what the end of a transaction does to portals.
//
// A cursor's rows are kept in a RowStore as they are read when it may be asked to go back (SCROLL) or outlives its
// transaction (WITH HOLD: the rest is read when the transaction commits).
#include <algorithm>

#include "node/access/deform.h"
#include "node/base/clock.h"
#include "node/catalog/syscache.h"
#include "node/config/settings.h"
#include "node/session/session_state.h"
#include "node/sql/executor/row_container.h"

namespace walden {
namespace {

// CursorOption bits of DECLARE.
constexpr int32_t kScroll = 0x0002, kNoScroll = 0x0004, kHold = 0x0020;

SqlError NoSuchCursor(std::string_view name) {
  return SqlError(ErrorCode::kUndefinedCursor, "cursor \"{}\" does not exist", name);
}

std::vector<PhysicalType> TypesOf(const PlannedQuery& plan) {
  std::vector<PhysicalType> types;
  for (const ResultColumn& column : plan.columns) types.push_back(TypeOf(column.type).physical);
  // Then the identities of the rows that it was made of.
  types.resize(types.size() + plan.statement->row_identities.size(), PhysicalType::kInt64);
  return types;
}

void OpenStore(Portal* cursor) {
  if (cursor->store != nullptr) return;
  size_t limit = static_cast<size_t>(GetInt(Setting::kWorkMem)) * 1024;
  cursor->store = std::make_unique<RowStore>(TypesOf(*cursor->plan), &ProcessMemory(), limit);
}

// Reads until the store holds `wanted` rows or the query ends.
void ReadAhead(Portal* cursor, uint64_t wanted) {
  if (cursor->done || cursor->executor == nullptr) return;
  ActiveSnapshotScope active(*cursor->snapshot);
  size_t columns = cursor->plan->columns.size();
  Batch batch;
  std::vector<Vector*> kept;
  while (cursor->store->size() < wanted) {
    uint64_t room = wanted - cursor->store->size();
    if (!cursor->executor->Next(&batch, static_cast<uint32_t>(std::min<uint64_t>(room, kBatchRows)))) {
      cursor->done = true;
      cursor->FinishExecution();
      return;
    }
    kept.assign(batch.columns.begin(), batch.columns.begin() + static_cast<ptrdiff_t>(columns));
    for (const RowIdentity& identity : cursor->plan->statement->row_identities)
      kept.push_back(batch.columns[identity.column - 1]);
    cursor->store->Append(kept, batch.selection);
  }
}

}  // namespace

TupleId SessionFunctions::CurrentCursorRow(std::string_view name, Oid relation) {
  Portal* cursor = session_.state_->FindPortal(name);
  if (cursor == nullptr) throw NoSuchCursor(name);
  auto bad_state = [&](std::string_view what) {
    return SqlError(ErrorCode::kInvalidCursorState, "cursor \"{}\" {}", name, what);
  };
  if (cursor->plan == nullptr || cursor->plan->statement->command != CmdType::kSelect)
    throw bad_state("is not a SELECT query");
  if (cursor->is_held) throw bad_state("is held from a previous transaction");
  const PlannedStatement& statement = *cursor->plan->statement;
  size_t column = cursor->plan->columns.size(), found = 0;
  for (uint32_t i = 0; i < statement.row_identities.size(); ++i) {
    if (statement.row_identities[i].relation != relation) continue;
    if (found != 0)
      throw bad_state(
          fmt::format("has multiple FOR UPDATE/SHARE references to table \"{}\"", RelationName(relation)));
    found = column + i + 1;
  }
  if (found == 0)
    throw bad_state(fmt::format("is not a simply updatable scan of table \"{}\"", RelationName(relation)));
  if (cursor->store == nullptr || cursor->position < 1 ||
      cursor->position > static_cast<int64_t>(cursor->store->size())) {
    throw bad_state("is not positioned on a row");
  }
  std::vector<std::unique_ptr<Vector>> vectors;
  std::vector<Vector*> row;
  for (PhysicalType type : cursor->store->types()) {
    vectors.push_back(std::make_unique<Vector>(type));
    row.push_back(vectors.back().get());
  }
  RowStore::Reader reader(cursor->store.get());
  reader.Seek(static_cast<size_t>(cursor->position - 1));
  if (reader.Read(row, 1) == 0 || row[found - 1]->IsNull(0)) throw bad_state("is not positioned on a row");
  return TidFromInt64(row[found - 1]->Get(0).datum.i64);
}

Portal* SessionState::FindPortal(std::string_view name) {
  auto found = portals.find(name);
  return found == portals.end() ? nullptr : found->second.get();
}

std::string SessionState::RunDeclare(const ast::DeclareCursorStmt& statement,
                                     const PreparedStatementRef& whole) {
  bool holdable = (statement.options & kHold) != 0;
  PreparedStatementRef prepared_query = whole->Inner(statement.query);
  prepared_query->cursor_options = statement.options;
  // The query's own errors come first.
  auto refuse = [&](SqlError error) {
    Arena scratch(&ProcessMemory());
    BindPrepared(prepared_query.get(), MakeBindOptions(scratch, whole->source(), nullptr));
    throw error;
  };
  if (!prepared_query->is_query())
    refuse(SqlError(ErrorCode::kInternalError, "unexpected non-SELECT command in DECLARE CURSOR"));
  if (!transaction.in_block() && !holdable) {
    refuse(SqlError(ErrorCode::kNoActiveSqlTransaction,
                    "DECLARE CURSOR can only be used in transaction blocks"));
  }
  if (portals.contains(statement.portalname))
    refuse(SqlError(ErrorCode::kDuplicateCursor, "cursor \"{}\" already exists", statement.portalname));
  auto cursor = std::make_unique<Portal>(prepared_query);
  cursor->name = statement.portalname;
  cursor->is_cursor = true;
  cursor->is_holdable = holdable;
  cursor->is_scrollable = (statement.options & kNoScroll) == 0;
  cursor->declared_text = whole->source();
  cursor->created_at = WallClockUs();
  cursor->created_in_sub = CurrentSubId();
  StartPortal(cursor.get());
  // Rows are locked as they come; who says SCROLL is refused.
  if (cursor->plan != nullptr && cursor->plan->statement->has_row_marks) cursor->is_scrollable = false;
  OpenStore(cursor.get());
  cursor->savepoint_depth = transaction.savepoint_depth();
  portals[cursor->name] = std::move(cursor);
  return "DECLARE CURSOR";
}

std::string SessionState::RunFetch(const ast::FetchStmt& statement, Portal* output) {
  Portal* cursor = FindPortal(statement.portalname);
  if (cursor == nullptr) throw NoSuchCursor(statement.portalname);
  if (cursor->plan == nullptr)
    throw SqlError(ErrorCode::kInvalidCursorDefinition, "cursor \"{}\" has no rows", statement.portalname);
  OpenStore(cursor);
  int64_t from = cursor->position;
  int64_t first = 0, last = -1;  // rows to deliver, 1-based, inclusive
  bool backward = false;
  int64_t many = statement.how_many;
  FetchDirection direction = statement.direction;
  if (many < 0 && (direction == FetchDirection::kForward || direction == FetchDirection::kBackward)) {
    direction = direction == FetchDirection::kForward ? FetchDirection::kBackward : FetchDirection::kForward;
    many = -many;
  }
  constexpr int64_t kAll = INT64_MAX;
  auto size = [&] { return static_cast<int64_t>(cursor->store->size()); };
  switch (direction) {
    case FetchDirection::kForward:
      if (many == 0) {
        first = last = from;  // the current row again
        if (from == 0 || from > size()) last = first - 1;
        break;
      }
      ReadAhead(cursor, many == kAll ? UINT64_MAX : static_cast<uint64_t>(from + many));
      first = from + 1;
      last = many == kAll ? size() : std::min(size(), from + many);
      cursor->position = last < first || (many == kAll || last - first + 1 < many) ? size() + 1 : last;
      break;
    case FetchDirection::kBackward:
      backward = true;
      first = many == kAll ? 1 : std::max<int64_t>(1, from - many);
      last = std::min(from, size() + 1) - 1;
      cursor->position = many == kAll || from - many < 1 ? 0 : first;
      break;
    case FetchDirection::kAbsolute:
    case FetchDirection::kRelative: {
      int64_t target = direction == FetchDirection::kRelative ? from + many : many;
      if (direction == FetchDirection::kAbsolute && many < 0) {
        ReadAhead(cursor, UINT64_MAX);
        target = size() + 1 + many;
      }
      if (target > 0) ReadAhead(cursor, static_cast<uint64_t>(target));
      target = std::clamp<int64_t>(target, 0, size() + 1);
      backward = target < from;
      cursor->position = target;
      first = last = target;
      if (target < 1 || target > size()) last = first - 1;
      break;
    }
  }
  if (backward && !cursor->is_scrollable) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "cursor can only scan forward")
        .WithHint("Declare it with SCROLL option to enable backward scan.");
  }
  int64_t count = std::max<int64_t>(0, last - first + 1);
  if (statement.ismove) return fmt::format("MOVE {}", count);
  ResultSink& sink = session.sink_;
  if (output->has_been_described) {
    sink.ExpectRows(cursor->plan->columns, output->result_formats);
  } else {
    sink.Describe(cursor->plan->columns, output->result_formats);
  }
  RowStore::Reader reader(cursor->store.get());
  std::vector<std::unique_ptr<Vector>> columns;
  Batch batch;
  for (PhysicalType type : TypesOf(*cursor->plan)) {
    columns.push_back(std::make_unique<Vector>(type));
    batch.columns.push_back(columns.back().get());
  }
  for (int64_t i = 0; i < count;) {
    uint32_t wanted = backward ? 1 : static_cast<uint32_t>(std::min<int64_t>(count - i, kBatchRows));
    reader.Seek(static_cast<size_t>(backward ? last - i - 1 : first + i - 1));
    uint32_t rows = reader.Read(batch.columns, wanted);
    if (rows == 0) break;
    batch.selection = Selection{nullptr, rows};
    sink.Rows(batch);
    i += rows;
  }
  return fmt::format("FETCH {}", count);
}

std::string SessionState::RunCloseCursor(const ast::ClosePortalStmt& statement) {
  if (IsAbsent(statement.portalname)) {
    portals.clear();
    return "CLOSE CURSOR ALL";
  }
  auto found = portals.find(statement.portalname);
  if (found == portals.end()) throw NoSuchCursor(statement.portalname);
  portals.erase(found);
  return "CLOSE CURSOR";
}

// Cursors WITH HOLD survive a commit with the rows they still have to give; all others end with the transaction.
void SessionState::DropPortals(bool commit) {
  for (auto at = portals.begin(); at != portals.end();) {
    Portal& portal = *at->second;
    if (commit && portal.is_cursor && portal.is_holdable && !portal.is_held) {
      ReadAhead(&portal, UINT64_MAX);
      portal.FinishExecution();
      portal.done = true;
      portal.is_held = true;
    }
    if (portal.is_held) {
      ++at;
    } else {
      at = DropPortal(at);
    }
  }
}

SessionState::Portals::iterator SessionState::DropPortal(Portals::iterator at) {
  Portals::iterator next = std::next(at);
  spare_portal = portals.extract(at);
  spare_portal.mapped()->Clear();
  return next;
}

SessionState::Portals::node_type SessionState::NewPortal(std::string_view name,
                                                         const PreparedStatementRef& statement) {
  Portals::node_type made = std::move(spare_portal);
  if (made.empty()) {
    Portals one;
    one.emplace(std::string(), std::make_unique<Portal>(nullptr));
    made = one.extract(one.begin());
  }
  made.key() = name;
  made.mapped()->name = name;
  made.mapped()->Begin(statement);
  return made;
}

void SessionState::DropPortalsOfSavepoint(size_t depth) {
  std::erase_if(portals, [depth](const auto& entry) { return entry.second->savepoint_depth >= depth; });
}

void SessionState::KeepPortalsOfSavepoint(size_t depth) {
  for (auto& [name, portal] : portals) portal->savepoint_depth = std::min(portal->savepoint_depth, depth - 1);
}

std::string SessionState::RunPrepare(const ast::PrepareStmt& statement, const PreparedStatementRef& whole) {
  if (prepared.contains(statement.name)) {
    throw SqlError(ErrorCode::kDuplicatePstatement, "prepared statement \"{}\" already exists",
                   statement.name);
  }
  PreparedStatementRef made = whole->Inner(statement.query);
  made->from_sql = true;
  made->prepared_at = WallClockUs();
  Arena arena;
  BindOptions options = MakeBindOptions(arena, whole->source(), nullptr);
  for (const ast::Node* type : statement.argtypes) {
    made->parameter_types.push_back(BindTypeName(*ast::As<ast::TypeName>(type), options).type);
  }
  Analyze(made.get());
  prepared.emplace(statement.name, made);
  return "PREPARE";
}

std::string SessionState::RunExecute(const ast::ExecuteStmt& statement, Portal* output) {
  auto found = prepared.find(statement.name);
  if (found == prepared.end()) {
    throw SqlError(ErrorCode::kUndefinedPstatement, "prepared statement \"{}\" does not exist",
                   statement.name);
  }
  PreparedStatementRef target = found->second;
  if (target->parameter_types.size() != statement.params.size()) {
    throw SqlError(ErrorCode::kSyntaxError, "wrong number of parameters for prepared statement \"{}\"",
                   statement.name)
        .WithDetail(fmt::format("Expected {} parameters but got {}.", target->parameter_types.size(),
                                statement.params.size()));
  }
  Portal portal(target);
  BindOptions options = MakeBindOptions(portal.arena, output->statement().source(), nullptr);
  EvalContext context(portal.arena, session.format_, &functions);
  for (uint32_t i = 0; i < statement.params.size(); ++i) {
    Oid type = target->parameter_types[i];
    Expr* bound = BindValue(*statement.params[i], type, -1, Oid::kInvalid,
                            fmt::format("parameter ${}", i + 1), ValueKind::kExecuteParameter, options);
    Value value = EvaluateConstant(bound, context);
    if (!value.is_null) value.datum = CopyDatum(TypeOf(type).physical, value.datum, &portal.arena);
    portal.parameters.push_back(value);
  }
  portal.result_formats = output->result_formats;
  StartPortal(&portal);
  if (!target->is_query()) {
    RunUtility(&portal);
    output->text_rows = std::move(portal.text_rows);
    return portal.tag;
  }
  // Its rows go straight to the client; its tag stands for EXECUTE's.
  return DeliverRows(&portal, 0, /*describe=*/!output->has_been_described);
}

std::string SessionState::RunDeallocate(const ast::DeallocateStmt& statement) {
  if (IsAbsent(statement.name)) {
    prepared.clear();
    return "DEALLOCATE ALL";
  }
  auto found = prepared.find(statement.name);
  if (found == prepared.end()) {
    throw SqlError(ErrorCode::kUndefinedPstatement, "prepared statement \"{}\" does not exist",
                   statement.name);
  }
  prepared.erase(found);
  return "DEALLOCATE";
}

}  // namespace walden
