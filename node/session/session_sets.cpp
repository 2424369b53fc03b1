// pg_prepared_statements and pg_cursors: what this session keeps, as rows.
#include "node/session/session_state.h"
#include "node/sql/functions/record_rows.h"
#include "node/types/array.h"

namespace walden {

// Reaches the session's state from a function's hooks.
class SessionSets {
 public:
  static SessionState& StateOf(CallContext& context) {
    return *static_cast<SessionFunctions*>(context.session)->session_.state_;
  }
};

namespace {

constexpr Oid kRegtype{2206};

std::string_view TypeArray(const std::vector<Oid>& types, Arena& arena) {
  ArrayBuilder builder(kRegtype, PhysicalType::kInt32);
  for (Oid type : types) builder.Add({Datum{.i32 = static_cast<int32_t>(OidNumber(type))}, false});
  return builder.Finish(arena);
}

std::unique_ptr<TableFunction> StartPreparedStatements(CallContext& context, std::span<const Value>) {
  auto rows = std::make_unique<RowSet>();
  for (const auto& [name, statement] : SessionSets::StateOf(context).prepared) {
    RowValues row = rows->NewRow();
    row.Text(name).Text(statement->source());
    row.Time(statement->prepared_at)
        .Text(TypeArray(statement->parameter_types, context.arena))
        .Bool(statement->from_sql);
    row.Int8(static_cast<int64_t>(statement->history.generic_plans))
        .Int8(static_cast<int64_t>(statement->history.custom_plans));
    rows->Add(row);
  }
  return rows;
}

std::unique_ptr<TableFunction> StartCursors(CallContext& context, std::span<const Value>) {
  auto rows = std::make_unique<RowSet>();
  for (const auto& [name, portal] : SessionSets::StateOf(context).portals) {
    RowValues row = rows->NewRow();
    row.Text(name).Text(portal->is_cursor ? std::string_view(portal->declared_text)
                                          : portal->statement().source());
    row.Bool(portal->is_holdable).Bool(false).Bool(portal->is_scrollable).Time(portal->created_at);
    rows->Add(row);
  }
  return rows;
}

constexpr SetFunction kSets[] = {{"pg_prepared_statement", true, StartPreparedStatements},
                                 {"pg_cursor", true, StartCursors}};

}  // namespace

std::span<const SetFunction> SessionSetFunctions() { return kSets; }

}  // namespace walden
