// Looking up tables and columns by name, level by level, and what to say when that fails.
#include "node/sql/binder/edit_distance.h"
#include "node/sql/binder/range_table.h"

namespace walden {
namespace {

struct SystemColumn {
  std::string_view name;
  AttrNumber number;
  Oid type;
};
constexpr SystemColumn kSystemColumns[] = {
    {"ctid", -1, type_oid::kTid}, {"xmin", -2, type_oid::kXid}, {"cmin", -3, type_oid::kCid},
    {"xmax", -4, type_oid::kXid}, {"cmax", -5, type_oid::kCid}, {"tableoid", -6, type_oid::kOid},
};
constexpr AttrNumber kTableOid = -6;
constexpr int kMaxHintDistance = 3;

bool HasSystemColumns(const RangeTblEntry& rte) {
  return rte.rtekind == RteKind::kRelation && rte.relkind != 'v' && rte.relkind != 'c';
}

void CheckLateral(BindState& level, const NamespaceItem& item, BindState& state, Location location) {
  if (!item.lateral_only || item.lateral_ok) return;
  SqlError error(ErrorCode::kInvalidColumnReference,
                 "invalid reference to FROM-clause entry for table \"{}\"", item.names->aliasname);
  error.WithPosition(state.Position(location));
  if (level.target != nullptr && item.rte == level.target->rte) {
    throw error.WithHint(
        fmt::format("There is an entry for table \"{}\", but it cannot be referenced from this part "
                    "of the query.",
                    item.names->aliasname));
  }
  throw error.WithDetail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.");
}

Expr* SystemColumnVar(BindState& state, NamespaceItem& item, uint32_t levels_up, std::string_view name,
                      Location location) {
  AttrNumber number;
  Oid type;
  if (!HasSystemColumns(*item.rte) || !FindSystemColumn(name, &number, &type)) return nullptr;
  if ((state.expr_kind == ExprKind::kCheckConstraint) && number != kTableOid) {
    throw SqlError(ErrorCode::kInvalidColumnReference,
                   "system column \"{}\" reference in check constraint is invalid", name)
        .WithPosition(state.Position(location));
  }
  if (state.expr_kind == ExprKind::kGeneratedColumn && number != kTableOid) {
    throw SqlError(ErrorCode::kInvalidColumnReference,
                   "cannot use system column \"{}\" in column generation expression", name)
        .WithPosition(state.Position(location));
  }
  Var* var = MakeVar(state.arena(), item.rtindex, number, type, -1, Oid{}, levels_up);
  var->location = location;
  MarkSelected(state, *var);
  return var;
}

// Index of the column of that name, or -1. 42702 when there are two.
int ColumnIndex(BindState& state, const NamespaceItem& item, std::string_view name, Location location) {
  int found = -1;
  const List<std::string_view>& names = item.names->colnames;
  for (uint32_t i = 0; i < names.size(); ++i) {
    if (names[i] != name || name.empty()) continue;
    if (found >= 0) {
      throw SqlError(ErrorCode::kAmbiguousColumn, "column reference \"{}\" is ambiguous", name)
          .WithPosition(state.Position(location));
    }
    found = static_cast<int>(i);
  }
  return found;
}

bool MatchesRelation(const NamespaceItem& item, Oid relation) {
  return item.rte->rtekind == RteKind::kRelation && item.rte->relid == relation && item.rte->alias == nullptr;
}

// Closest column names, for "Perhaps you meant". At most two are worth mentioning.
struct ColumnGuess {
  int distance = kMaxHintDistance + 1;
  const RangeTblEntry* first_rte = nullptr;
  const RangeTblEntry* second_rte = nullptr;
  std::string_view first, second;
  const RangeTblEntry* exact = nullptr;  // has the column but is not visible here
};

void Consider(const RangeTblEntry& rte, std::string_view candidate, std::string_view wanted, int penalty,
              ColumnGuess* guess) {
  if (penalty > guess->distance || candidate.empty()) return;
  int distance = EditDistance(candidate, wanted, guess->distance + 1 - penalty);
  if (distance > static_cast<int>(wanted.size()) / 2) return;
  distance += penalty;
  if (distance < guess->distance) {
    guess->distance = distance;
    guess->first_rte = &rte;
    guess->first = candidate;
    guess->second_rte = nullptr;
  } else if (distance == guess->distance) {
    if (guess->second_rte != nullptr) {
      // More than two equally good: none of them is.
      guess->first_rte = guess->second_rte = nullptr;
      guess->distance = distance - 1;
    } else if (guess->first_rte != nullptr) {
      guess->second_rte = &rte;
      guess->second = candidate;
    } else if (guess->distance <= kMaxHintDistance) {
      guess->first_rte = &rte;
      guess->first = candidate;
    }
  }
}

ColumnGuess GuessColumn(BindState& state, std::string_view table, std::string_view column) {
  ColumnGuess guess;
  for (BindState* level = &state; level != nullptr; level = level->parent) {
    for (const RangeTblEntry* rte : level->rtable) {
      if (rte->rtekind == RteKind::kJoin) continue;  // its columns are those of other entries
      int penalty = 0;
      if (!table.empty()) {
        penalty =
            std::min(EditDistance(table, rte->eref->aliasname, kMaxHintDistance + 1), kMaxHintDistance + 1);
      }
      bool exact = false;
      for (std::string_view name : rte->eref->colnames) {
        if (name == column) exact = true;
        Consider(*rte, name, column, penalty, &guess);
      }
      AttrNumber number;
      Oid type;
      if (!exact && HasSystemColumns(*rte)) exact = FindSystemColumn(column, &number, &type);
      if (exact && penalty == 0) {
        guess.exact = rte;
        return guess;
      }
    }
  }
  return guess;
}

NamespaceItem* FindByRelation(BindState& state, Oid relation, Location location, uint32_t* levels_up) {
  for (BindState* level = &state; level != nullptr; level = level->parent, ++*levels_up) {
    NamespaceItem* found = nullptr;
    for (NamespaceItem* item : level->names) {
      if (!item->rel_visible || (item->lateral_only && !level->lateral_active)) continue;
      if (!MatchesRelation(*item, relation)) continue;
      if (found != nullptr) {
        throw SqlError(ErrorCode::kAmbiguousAlias, "table reference {} is ambiguous", OidNumber(relation))
            .WithPosition(state.Position(location));
      }
      CheckLateral(*level, *item, state, location);
      found = item;
    }
    if (found != nullptr) return found;
  }
  return nullptr;
}

}  // namespace

bool FindSystemColumn(std::string_view name, AttrNumber* number, Oid* type) {
  for (const SystemColumn& column : kSystemColumns) {
    if (column.name != name) continue;
    *number = column.number;
    *type = column.type;
    return true;
  }
  return false;
}

std::string_view SystemColumnName(AttrNumber number) {
  for (const SystemColumn& column : kSystemColumns) {
    if (column.number == number) return column.name;
  }
  return "";
}

NamespaceItem* FindTableName(BindState& state, std::string_view schema, std::string_view name,
                             Location location, uint32_t* levels_up) {
  *levels_up = 0;
  if (!schema.empty()) {
    const RelationInfo* relation = state.catalog().FindRelation(schema, name, RelationLockNeed::kNone);
    return relation == nullptr ? nullptr : FindByRelation(state, relation->oid, location, levels_up);
  }
  for (BindState* level = &state; level != nullptr; level = level->parent, ++*levels_up) {
    NamespaceItem* found = nullptr;
    for (NamespaceItem* item : level->names) {
      if (!item->rel_visible || (item->lateral_only && !level->lateral_active)) continue;
      if (item->names->aliasname != name) continue;
      if (found != nullptr) {
        throw SqlError(ErrorCode::kAmbiguousAlias, "table reference \"{}\" is ambiguous", name)
            .WithPosition(state.Position(location));
      }
      CheckLateral(*level, *item, state, location);
      found = item;
    }
    if (found != nullptr) return found;
  }
  return nullptr;
}

CommonTableExpr* FindCte(BindState& state, std::string_view name, uint32_t* levels_up) {
  *levels_up = 0;
  for (BindState* level = &state; level != nullptr; level = level->parent, ++*levels_up) {
    for (CommonTableExpr* cte : level->ctes) {
      if (cte->ctename == name) return cte;
    }
  }
  return nullptr;
}

Expr* FindColumnOfItem(BindState& state, NamespaceItem& item, uint32_t levels_up, std::string_view name,
                       Location location) {
  int index = ColumnIndex(state, item, name, location);
  if (index < 0) return SystemColumnVar(state, item, levels_up, name, location);
  const NamespaceColumn& column = item.columns[static_cast<uint32_t>(index)];
  if (column.varno == 0) {
    throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", name,
                   item.names->aliasname)
        .WithPosition(state.Position(location));
  }
  Var* var = MakeVar(state.arena(), column.varno, column.varattno, column.type, column.typmod,
                     column.collation, levels_up);
  var->varnosyn = column.varnosyn;
  var->varattnosyn = column.varattnosyn;
  var->location = location;
  MarkSelected(state, *var);
  return var;
}

Expr* FindColumn(BindState& state, std::string_view name, bool local_only, Location location) {
  uint32_t levels_up = 0;
  for (BindState* level = &state; level != nullptr; level = level->parent, ++levels_up) {
    Expr* found = nullptr;
    for (NamespaceItem* item : level->names) {
      if (!item->columns_visible || (item->lateral_only && !level->lateral_active)) continue;
      Expr* column = FindColumnOfItem(state, *item, levels_up, name, location);
      if (column == nullptr) continue;
      if (found != nullptr) {
        throw SqlError(ErrorCode::kAmbiguousColumn, "column reference \"{}\" is ambiguous", name)
            .WithPosition(state.Position(location));
      }
      CheckLateral(*level, *item, state, location);
      found = column;
    }
    if (found != nullptr || local_only) return found;
  }
  return nullptr;
}

Expr* WholeRow(BindState& state, NamespaceItem& item, uint32_t levels_up, Location location) {
  // A JOIN USING alias is not a range table entry of its own.
  if (item.names != item.rte->eref) {
    auto* row = state.New<RowExpr>();
    row->args = ExpandItem(state, item, levels_up, location, &row->colnames);
    for (Expr* arg : row->args) MarkSelected(state, *As<Var>(arg));
    row->row_typeid = type_oid::kRecord;
    row->location = location;
    return row;
  }
  RangeTblEntry& rte = *item.rte;
  Oid type = type_oid::kRecord;
  AttrNumber number = 0;
  Oid collation{};
  if (rte.rtekind == RteKind::kRelation) {
    const RelationInfo* relation = state.catalog().GetRelation(rte.relid, RelationLockNeed::kNone);
    type = relation->row_type;
    if (!IsValid(type)) {
      throw SqlError(ErrorCode::kWrongObjectType, "relation \"{}\" does not have a composite type",
                     relation->name);
    }
  } else if (rte.rtekind == RteKind::kFunction && rte.functions.size() == 1 && !rte.funcordinality) {
    Expr* call = rte.functions[0]->funcexpr;
    Oid result = ExprType(call);
    if (IsValid(state.types().RowRelation(result))) {
      type = result;
    } else if (result != type_oid::kRecord) {
      // A scalar function's "row" is its value.
      type = result;
      number = 1;
      collation = ExprCollation(call);
    }
  }
  Var* var = MakeVar(state.arena(), item.rtindex, number, type, -1, collation, levels_up);
  var->location = location;
  MarkSelected(state, *var);
  return var;
}

void ThrowMissingTable(BindState& state, std::string_view schema, std::string_view name, Location location) {
  // Is there such a table, hidden by an alias or by where we stand?
  Oid wanted{};
  uint32_t levels_up;
  bool is_cte = schema.empty() && FindCte(state, name, &levels_up) != nullptr;
  if (!is_cte) {
    const RelationInfo* relation = state.catalog().FindRelation(schema, name, RelationLockNeed::kNone);
    if (relation != nullptr) wanted = relation->oid;
  }
  const RangeTblEntry* rte = nullptr;
  BindState* found_level = nullptr;
  for (BindState* level = &state; level != nullptr && rte == nullptr; level = level->parent) {
    for (const RangeTblEntry* candidate : level->rtable) {
      bool by_oid = candidate->rtekind == RteKind::kRelation && IsValid(wanted) && candidate->relid == wanted;
      bool by_cte = candidate->rtekind == RteKind::kCte && is_cte && candidate->ctename == name;
      if (!by_oid && !by_cte && candidate->eref->aliasname != name) continue;
      rte = candidate;
      found_level = level;
      break;
    }
  }
  if (rte == nullptr) {
    throw SqlError(ErrorCode::kUndefinedTable, "missing FROM-clause entry for table \"{}\"", name)
        .WithPosition(state.Position(location));
  }
  SqlError error(ErrorCode::kUndefinedTable, "invalid reference to FROM-clause entry for table \"{}\"", name);
  error.WithPosition(state.Position(location));
  // An alias hides the table's name; say so if the alias could be used here.
  if (rte->alias != nullptr && rte->eref->aliasname != name) {
    for (const NamespaceItem* item : found_level->names) {
      if (item->rte != rte || !item->rel_visible || (item->lateral_only && !found_level->lateral_active))
        continue;
      throw error.WithHint(
          fmt::format("Perhaps you meant to reference the table alias \"{}\".", rte->eref->aliasname));
    }
  }
  throw error.WithHint(fmt::format(
      "There is an entry for table \"{}\", but it cannot be referenced from this part of the query.",
      rte->eref->aliasname));
}

void ThrowMissingColumn(BindState& state, std::string_view table, std::string_view column,
                        Location location) {
  std::string shown = table.empty() ? fmt::format("\"{}\"", column) : fmt::format("{}.{}", table, column);
  SqlError error(ErrorCode::kUndefinedColumn, "column {} does not exist", shown);
  error.WithPosition(state.Position(location));
  ColumnGuess guess = GuessColumn(state, table, column);
  if (guess.exact != nullptr) {
    error.WithHint(
        fmt::format("There is a column named \"{}\" in table \"{}\", but it cannot be referenced from this "
                    "part of the query.",
                    column, guess.exact->eref->aliasname));
  } else if (guess.second_rte != nullptr) {
    error.WithHint(fmt::format("Perhaps you meant to reference the column \"{}.{}\" or the column \"{}.{}\".",
                               guess.first_rte->eref->aliasname, guess.first,
                               guess.second_rte->eref->aliasname, guess.second));
  } else if (guess.first_rte != nullptr) {
    error.WithHint(fmt::format("Perhaps you meant to reference the column \"{}.{}\".",
                               guess.first_rte->eref->aliasname, guess.first));
  }
  throw error;
}

}  // namespace walden
