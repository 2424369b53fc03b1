// The range table and the names it makes visible: adding entries, looking up tables and columns, expanding "*".
#pragma once

#include <string_view>
#include <vector>

#include "node/sql/binder/bind_state.h"

namespace walden {

// A column of any range table entry.
struct RteColumn {
  std::string_view name;  // empty: dropped
  Oid type{};
  int32_t typmod = -1;
  Oid collation{};
};
std::vector<RteColumn> RteColumns(BindContext& context, const RangeTblEntry& rte);

// ---- adding entries; each returns the item that names can be made visible through ----
struct FunctionInFrom {
  std::string_view name;
  Expr* call = nullptr;
  const ast::NodeList* column_definitions = nullptr;  // null: none
};
const RelationInfo& OpenRelation(BindState& state, const ast::RangeVar& name, RelationLockNeed lock);
NamespaceItem* AddRelation(BindState& state, const RelationInfo& relation, RelationLockNeed lock,
                           Alias* alias, bool inherit, bool in_from);
NamespaceItem* AddSubquery(BindState& state, Query* query, Alias* alias, bool lateral, bool in_from);
NamespaceItem* AddFunctions(BindState& state, const std::vector<FunctionInFrom>& functions, Alias* alias,
                            bool ordinality, bool lateral, bool rows_from);
NamespaceItem* AddValues(BindState& state, RangeTblEntry* filled_rte, Alias* alias);
NamespaceItem* AddCte(BindState& state, CommonTableExpr& cte, uint32_t levels_up, const ast::RangeVar& name,
                      Alias* alias);
// `item_columns` are the join's, already made.
NamespaceItem* AddJoin(BindState& state, RangeTblEntry* filled_rte, Alias* alias,
                       List<std::string_view> column_names, List<NamespaceColumn> item_columns, bool in_from);
// An item for an entry that already stands in the range table.
NamespaceItem* ItemForRte(BindState& state, RangeTblEntry* rte, int32_t rtindex);
Alias* BindAlias(BindState& state, const ast::Alias* alias);

void AddToJoinList(BindState& state, const NamespaceItem& item);
void AddToNamespace(BindState& state, NamespaceItem* item, bool rel_visible, bool columns_visible);
// 42712 when two visible tables have one name.
void CheckNameConflicts(const std::vector<NamespaceItem*>& a, const std::vector<NamespaceItem*>& b);

// ---- looking up ----
NamespaceItem* FindTableName(BindState& state, std::string_view schema, std::string_view name,
                             Location location, uint32_t* levels_up);
CommonTableExpr* FindCte(BindState& state, std::string_view name, uint32_t* levels_up);
// The Var for a column of one item, or null.
Expr* FindColumnOfItem(BindState& state, NamespaceItem& item, uint32_t levels_up, std::string_view name,
                       Location location);
// The Var for an unqualified column at this level or an outer one, or null. 42702 when ambiguous.
Expr* FindColumn(BindState& state, std::string_view name, bool local_only, Location location);
// The whole row of an item.
Expr* WholeRow(BindState& state, NamespaceItem& item, uint32_t levels_up, Location location);

[[noreturn]] void ThrowMissingTable(BindState& state, std::string_view schema, std::string_view name,
                                    Location location);
[[noreturn]] void ThrowMissingColumn(BindState& state, std::string_view table, std::string_view column,
                                     Location location);

// ---- expanding ----
ExprList ExpandItem(BindState& state, NamespaceItem& item, uint32_t levels_up, Location location,
                    List<std::string_view>* names);
List<TargetEntry*> ExpandItemTargets(BindState& state, NamespaceItem& item, uint32_t levels_up,
                                     Location location);
ExprList ExpandRangeTableVars(BindState& state, int32_t varno, int levels_up, Location location);

// Notes that the query reads what `var` stands for.
void MarkSelected(BindState& state, const Var& var);

// System columns: ctid, xmin, cmin, xmax, cmax, tableoid; false for other names.
bool FindSystemColumn(std::string_view name, AttrNumber* number, Oid* type);
std::string_view SystemColumnName(AttrNumber number);

}  // namespace walden
