// The statements that would make a catalog object, from this process's catalog caches: the pg_get_*def
// family. Output equals PostgreSQL 15's. Absent when there is no such object.
#pragma once

#include <optional>
#include <string>

#include "node/sql/query/deparse.h"

namespace walden {

// " SELECT ...;" of a view or materialized view; "Not a view" for other relations. wrap_column as
// DeparseOptions'.
std::optional<std::string> ViewDefinition(Oid view, const DeparseNames& names, bool pretty,
                                          int wrap_column = 0);
// column 0: the CREATE INDEX statement; n: the key column or expression alone, empty past the last.
std::optional<std::string> IndexDefinition(Oid index, int column, const DeparseNames& names, bool pretty);
std::optional<std::string> ConstraintDefinition(Oid constraint, const DeparseNames& names, bool pretty);
std::optional<std::string> TriggerDefinition(Oid trigger, const DeparseNames& names, bool pretty);
// A view's own rule; 0A000 for others.
std::optional<std::string> RuleDefinition(Oid rule, const DeparseNames& names, bool pretty);
std::optional<std::string> FunctionDefinition(Oid function, const DeparseNames& names);

// "x integer, OUT y text DEFAULT ..."; defaults only when `with_defaults`, columns of RETURNS TABLE never.
std::optional<std::string> FunctionArguments(Oid function, const DeparseNames& names, bool with_defaults);
// "SETOF integer", "TABLE(a integer)"; absent for procedures too.
std::optional<std::string> FunctionResult(Oid function);

// Of argument n, counting from 1 with OUT arguments; absent when it has none.
std::optional<std::string> FunctionArgumentDefault(Oid function, int argument, const DeparseNames& names);
// "public.t_a_seq": the sequence that belongs to the column (serial, identity), always qualified. Throws
// 42703.
std::optional<std::string> OwnedSequence(Oid relation, std::string_view column);

// A stored expression (or list) over a relation's columns; absent when the relation is gone.
std::optional<std::string> StoredExpression(std::string_view stored, Oid relation, const DeparseNames& names,
                                            bool pretty);

}  // namespace walden
