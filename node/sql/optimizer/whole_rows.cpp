// References to whole rows (SELECT t FROM t) become rows of columns before anything is planned.
#include "node/catalog/relation.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

// Range table entries whose rows an outer join may replace by nulls.
void CollectNullable(const Node* node, bool nullable, RelSet* to) {
  if (const RangeTblRef* ref = TryAs<RangeTblRef>(node)) {
    if (nullable) to->Add(ref->rtindex);
  } else if (const FromExpr* from = TryAs<FromExpr>(node)) {
    for (const Node* item : from->fromlist) CollectNullable(item, nullable, to);
  } else if (const JoinExpr* join = TryAs<JoinExpr>(node)) {
    bool left = join->jointype == JoinType::kRight || join->jointype == JoinType::kFull;
    bool right = join->jointype == JoinType::kLeft || join->jointype == JoinType::kFull;
    CollectNullable(join->larg, nullable || left, to);
    CollectNullable(join->rarg, nullable || right, to);
  }
}

class Expander {
 public:
  Expander(const Query& query, Arena& arena) : query_(query), arena_(arena) {
    if (query.jointree != nullptr) CollectNullable(query.jointree, false, &nullable_);
  }

  Node* Expand(Node* node, uint32_t level) {
    if (Var* var = TryAs<Var>(node)) {
      bool whole = var->varlevelsup == level && var->varno > 0 && var->varattno == 0;
      return whole ? WholeRow(*var) : node;
    }
    uint32_t below = Is<Query>(node) ? level + 1 : level;
    ReplaceChildren(node, [&](Node* child) { return Expand(child, below); });
    return node;
  }

 private:
  Expr* WholeRow(const Var& var) {
    const RangeTblEntry& rte = *query_.rtable[var.varno - 1];
    if (rte.rtekind == RteKind::kJoin) return const_cast<Var*>(&var);
    RowExpr* row = arena_.New<RowExpr>();
    row->row_typeid = var.vartype;
    row->location = var.location;
    bool is_table = rte.rtekind == RteKind::kRelation && rte.relkind != relkind::kView;
    Var* marker = nullptr;  // null exactly where an outer join has no row
    if (rte.rtekind == RteKind::kRelation) {
      AddTableColumns(var, rte, row);
      if (is_table)
        marker = MakeVar(arena_, var.varno, kSelfItemPointerAttr, type_oid::kTid, -1, Oid::kInvalid,
                         var.varlevelsup);
    } else {
      AddColumns(var, rte, row);
    }
    if (!nullable_.Contains(var.varno)) return row;
    NullTest* test = arena_.New<NullTest>();
    test->arg = marker != nullptr ? static_cast<Expr*>(marker) : row;
    test->argisrow = marker == nullptr;
    CaseExpr* expr = arena_.New<CaseExpr>();
    expr->casetype = var.vartype;
    CaseWhen* when = arena_.New<CaseWhen>();
    when->expr = test;
    when->result = MakeNullConst(arena_, var.vartype, -1, Oid::kInvalid, PhysicalType::kString);
    expr->args.Append(arena_, when);
    expr->defresult = marker != nullptr ? static_cast<Expr*>(row) : Copy(row, arena_);
    return expr;
  }

  void Add(const Var& var, RowExpr* row, size_t column, std::string_view name, Oid type, int32_t typmod,
           Oid collation) {
    row->args.Append(arena_, MakeVar(arena_, var.varno, static_cast<AttrNumber>(column), type, typmod,
                                     collation, var.varlevelsup));
    row->colnames.Append(arena_, name);
  }

  void AddTableColumns(const Var& var, const RangeTblEntry& rte, RowExpr* row) {
    RelationRef relation = OpenRelation(rte.relid, LockMode::kNone);
    for (size_t i = 0; i < relation->columns.size(); ++i) {
      const PgAttributeRow& column = relation->columns[i];
      if (column.attisdropped) {
        // Keeps its place, so that the fields after it keep theirs.
        row->args.Append(arena_,
                         MakeNullConst(arena_, Oid::kInvalid, -1, Oid::kInvalid, PhysicalType::kInt32));
        row->colnames.Append(arena_, "");
        continue;
      }
      Add(var, row, i + 1, arena_.Copy(column.attname), column.atttypid, column.atttypmod,
          column.attcollation);
    }
  }

  void AddColumns(const Var& var, const RangeTblEntry& rte, RowExpr* row) {
    auto name_of = [&](size_t i) {
      return i < rte.eref->colnames.size() ? rte.eref->colnames[i] : std::string_view();
    };
    if (rte.rtekind == RteKind::kSubquery) {
      for (const TargetEntry* entry : rte.subquery->target_list) {
        if (entry->resjunk) continue;
        Add(var, row, static_cast<size_t>(entry->resno), name_of(entry->resno - 1), ExprType(entry->expr),
            ExprTypmod(entry->expr), ExprCollation(entry->expr));
      }
      return;
    }
    if (rte.rtekind == RteKind::kFunction) {
      AddFunctionColumns(var, rte, row);
      return;
    }
    for (uint32_t i = 0; i < rte.coltypes.size(); ++i) {
      Add(var, row, i + 1, name_of(i), rte.coltypes[i], rte.coltypmods[i], rte.colcollations[i]);
    }
    if (!row->args.empty() || rte.rtekind != RteKind::kValues) return;
    const ExprList& first = rte.values_lists[0]->args;
    for (uint32_t i = 0; i < first.size(); ++i)
      Add(var, row, i + 1, name_of(i), ExprType(first[i]), ExprTypmod(first[i]), ExprCollation(first[i]));
  }

  void AddFunctionColumns(const Var& var, const RangeTblEntry& rte, RowExpr* row) {
    size_t column = 0;
    for (const RangeTblFunction* function : rte.functions) {
      if (function->funccoltypes.empty() && function->funccolcount > 1)
        throw NotSupported("whole row of this function's result");
      if (function->funccoltypes.empty()) {
        std::string_view name =
            column < rte.eref->colnames.size() ? rte.eref->colnames[column] : std::string_view();
        Add(var, row, column + 1, name, ExprType(function->funcexpr), ExprTypmod(function->funcexpr),
            ExprCollation(function->funcexpr));
        ++column;
        continue;
      }
      for (uint32_t i = 0; i < function->funccoltypes.size(); ++i, ++column) {
        Add(var, row, column + 1, rte.eref->colnames[column], function->funccoltypes[i],
            function->funccoltypmods[i], function->funccolcollations[i]);
      }
    }
    if (rte.funcordinality)
      Add(var, row, column + 1, rte.eref->colnames[column], type_oid::kInt8, -1, Oid::kInvalid);
  }

  const Query& query_;
  Arena& arena_;
  RelSet nullable_;
};

}  // namespace

void QueryPlanner::ExpandWholeRows() {
  Expander expander(*query_, arena());
  ReplaceChildren(query_, [&](Node* child) { return expander.Expand(child, 0); });
}

}  // namespace walden
