#include "node/sql/query/deparse.h"

#include "node/sql/query/deparser.h"

namespace walden {

namespace {

// A query over one relation under the given aliases, for expressions that belong to it.
struct SingleRelation {
  Arena arena;
  Query query;

  void Add(Oid relation, const DeparseNames& names, std::string_view alias) {
    auto* rte = arena.New<RangeTblEntry>();
    rte->relid = relation;
    rte->in_from_cl = true;
    rte->inh = true;
    rte->eref = arena.New<Alias>();
    rte->eref->aliasname = alias.empty() ? arena.Copy(names.RelationBareName(relation)) : alias;
    for (const std::string& column : names.ColumnNames(relation)) {
      rte->eref->colnames.Append(arena, arena.Copy(column));
    }
    if (!alias.empty()) {
      rte->alias = arena.New<Alias>();
      rte->alias->aliasname = alias;
    }
    query.rtable.Append(arena, rte);
  }
};

}  // namespace

std::string DeparseQuery(const Query& query, const DeparseNames& names, const DeparseOptions& options,
                         const std::vector<std::string>& column_names) {
  Deparser deparser(names, options);
  deparser.PutQuery(query, column_names, /*names_visible=*/true);
  return deparser.text();
}

std::string DeparseExpr(const Node* expr, Oid relation, const DeparseNames& names,
                        const DeparseOptions& options) {
  SingleRelation single;
  if (IsValid(relation)) single.Add(relation, names, "");
  DeparseScope scope(single.query, names, nullptr);
  Deparser deparser(names, options);
  deparser.Enter(&scope, options.qualify_columns);
  deparser.PutExpr(expr, false);
  return deparser.text();
}

std::string DeparseTriggerCondition(const Node* expr, Oid relation, const DeparseNames& names,
                                    const DeparseOptions& options) {
  SingleRelation rows;
  rows.Add(relation, names, "old");
  rows.Add(relation, names, "new");
  DeparseScope scope(rows.query, names, nullptr);
  Deparser deparser(names, options);
  deparser.Enter(&scope, /*prefix=*/true);
  deparser.PutExpr(expr, false);
  return deparser.text();
}

struct RangeTableNames::Impl {
  const DeparseNames& names;
  DeparseScope scope;
};

RangeTableNames::RangeTableNames(const List<RangeTblEntry*>& rtable, const DeparseNames& names)
    : impl_(new Impl{names, DeparseScope(rtable, names)}) {}
RangeTableNames::~RangeTableNames() = default;

const std::string& RangeTableNames::RefName(int32_t rtindex) const { return impl_->scope.RefName(rtindex); }

std::string RangeTableNames::Expr(const Node* expr, bool prefix, CallableRef<const Node*(const Var&)> resolve,
                                  CallableRef<const Node*(const Param&)> resolve_parameter) const {
  Deparser deparser(impl_->names, DeparseOptions{});
  deparser.Enter(&impl_->scope, prefix);
  deparser.set_resolver(&resolve);
  deparser.set_parameter_resolver(&resolve_parameter);
  deparser.PutExpr(expr, true);
  return deparser.text();
}

}  // namespace walden
