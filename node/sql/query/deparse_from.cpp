// The FROM clause.
#include "node/base/error.h"
#include "node/base/stack_depth.h"
#include "node/sql/query/deparser.h"
#include "node/types/quote.h"

namespace walden {

namespace {

constexpr int kStep = 8;
constexpr int kItemStep = 4;
constexpr Oid kUnnestAnyArray{2331};

}  // namespace

void Deparser::PutFrom(const Query& query) {
  if (query.jointree == nullptr) return;
  bool first = true;
  for (const Node* item : query.jointree->fromlist) {
    const auto* leaf = TryAs<RangeTblRef>(item);
    if (leaf != nullptr && !scope_->rte(leaf->rtindex).in_from_cl) continue;
    if (first) {
      PutKeyword(" FROM ", -kStep, kStep, 2);
      PutFromItem(item);
      first = false;
      continue;
    }
    Put(", ");
    std::string text = Captured([&] { PutFromItem(item); });
    if (indenting() && options_.wrap_column >= 0) {
      if (!text.empty() && text[0] == '\n') {
        StripTrailingSpaces();
      } else if (CurrentLineLength() + text.size() > static_cast<size_t>(options_.wrap_column)) {
        PutKeyword("", -kStep, kStep, kItemStep);
      }
    }
    Put(text);
  }
}

void Deparser::PutFromItem(const Node* item) {
  CheckStackDepth();
  if (const auto* leaf = TryAs<RangeTblRef>(item)) {
    PutTableItem(leaf->rtindex);
  } else {
    PutJoin(*As<JoinExpr>(item));
  }
}

std::string Deparser::RelationName(Oid relation) const {
  bool hidden_by_cte = scope_ != nullptr && scope_->HasCte(names_.RelationBareName(relation));
  return names_.RelationName(relation, hidden_by_cte);
}

void Deparser::PutTableItem(int rtindex) {
  const RangeTblEntry& rte = scope_->rte(rtindex);
  const RangeTblFunction* with_columns = nullptr;
  if (rte.lateral) Put("LATERAL ");
  switch (rte.rtekind) {
    case RteKind::kRelation:
      if (!rte.inh) Put("ONLY ");
      Put(RelationName(rte.relid));
      break;
    case RteKind::kSubquery:
      Put("(");
      PutQuery(*rte.subquery, {}, /*names_visible=*/true);
      Put(")");
      break;
    case RteKind::kFunction: PutFunctions(rte, &with_columns); break;
    case RteKind::kValues:
      Put("(");
      PutValues(rte.values_lists);
      Put(")");
      break;
    case RteKind::kCte: Put(QuoteIdentifier(rte.ctename)); break;
    default: throw NotSupported("showing this kind of FROM item");
  }
  PutTableAlias(rte, rtindex, with_columns);
}

bool Deparser::AllPlainUnnest(const RangeTblEntry& rte) const {
  if (rte.functions.size() < 2) return false;
  for (const RangeTblFunction* function : rte.functions) {
    const auto* call = TryAs<FuncExpr>(function->funcexpr);
    if (call == nullptr || call->funcid != kUnnestAnyArray || !function->funccolnames.empty()) return false;
  }
  return true;
}

// Sets *single when the column definitions of the only function are to follow the alias.
void Deparser::PutFunctions(const RangeTblEntry& rte, const RangeTblFunction** single) {
  const RangeTblFunction* first = rte.functions[0];
  if (rte.functions.size() == 1 && (first->funccolnames.empty() || !rte.funcordinality)) {
    PutFunctionItem(first->funcexpr);
    *single = first;
  } else if (AllPlainUnnest(rte)) {
    Put("UNNEST(");
    for (uint32_t i = 0; i < rte.functions.size(); ++i) {
      if (i > 0) Put(", ");
      PutExprList(As<FuncExpr>(rte.functions[i]->funcexpr)->args, true);
    }
    Put(")");
  } else {
    Put("ROWS FROM(");
    for (uint32_t i = 0; i < rte.functions.size(); ++i) {
      if (i > 0) Put(", ");
      PutFunctionItem(rte.functions[i]->funcexpr);
      if (!rte.functions[i]->funccolnames.empty()) {
        Put(" AS ");
        PutColumnDefinitions(*rte.functions[i], nullptr);
      }
    }
    Put(")");
  }
  if (rte.funcordinality) Put(" WITH ORDINALITY");
}

bool Deparser::NeedsAlias(const RangeTblEntry& rte, int rtindex) const {
  if (rte.alias != nullptr || scope_->Columns(rtindex).print_aliases) return true;
  switch (rte.rtekind) {
    case RteKind::kRelation: return scope_->RefName(rtindex) != names_.RelationBareName(rte.relid);
    case RteKind::kFunction:
    case RteKind::kSubquery:
    case RteKind::kValues: return true;
    case RteKind::kCte: return scope_->RefName(rtindex) != rte.ctename;
    default: return false;
  }
}

void Deparser::PutTableAlias(const RangeTblEntry& rte, int rtindex, const RangeTblFunction* with_columns) {
  if (NeedsAlias(rte, rtindex)) Put(" " + QuoteIdentifier(scope_->RefName(rtindex)));
  const ColumnScope& columns = scope_->Columns(rtindex);
  if (with_columns != nullptr && !with_columns->funccolnames.empty()) {
    PutColumnDefinitions(*with_columns, &columns);
  } else {
    PutColumnAliases(columns);
  }
  if (rte.rtekind == RteKind::kRelation && rte.tablesample != nullptr) {
    throw NotSupported("showing TABLESAMPLE");
  }
}

void Deparser::PutColumnDefinitions(const RangeTblFunction& function, const ColumnScope* columns) {
  Put("(");
  for (uint32_t i = 0; i < function.funccolnames.size(); ++i) {
    if (i > 0) Put(", ");
    std::string name =
        columns != nullptr ? columns->names[i].value_or("") : std::string(function.funccolnames[i]);
    Oid type = function.funccoltypes[i];
    Put(QuoteIdentifier(name) + " " + names_.TypeName(type, function.funccoltypmods[i]));
    Oid collation = function.funccolcollations[i];
    if (IsValid(collation) && collation != names_.TypeCollation(type)) {
      Put(" COLLATE " + names_.CollationName(collation));
    }
  }
  Put(")");
}

void Deparser::PutColumnAliases(const ColumnScope& columns) {
  if (!columns.print_aliases || columns.current_names.empty()) return;
  Put("(");
  for (size_t i = 0; i < columns.current_names.size(); ++i) {
    if (i > 0) Put(", ");
    Put(QuoteIdentifier(columns.current_names[i]));
  }
  Put(")");
}

void Deparser::PutJoin(const JoinExpr& join) {
  const auto* right_join = TryAs<JoinExpr>(join.rarg);
  bool parens_on_right =
      pretty() && !Is<RangeTblRef>(join.rarg) && !(right_join != nullptr && right_join->alias != nullptr);
  bool parens = !pretty() || join.alias != nullptr;
  if (parens) Put("(");
  PutFromItem(join.larg);
  switch (join.jointype) {
    case JoinType::kInner:
      PutKeyword(join.quals != nullptr ? " JOIN " : " CROSS JOIN ", -kStep, kStep, 4);
      break;
    case JoinType::kLeft: PutKeyword(" LEFT JOIN ", -kStep, kStep, 4); break;
    case JoinType::kFull: PutKeyword(" FULL JOIN ", -kStep, kStep, 4); break;
    case JoinType::kRight: PutKeyword(" RIGHT JOIN ", -kStep, kStep, 4); break;
    default:
      throw SqlError(ErrorCode::kInternalError, "unrecognized join type: {}",
                     static_cast<int>(join.jointype));
  }
  if (parens_on_right) Put("(");
  PutFromItem(join.rarg);
  if (parens_on_right) Put(")");
  PutJoinCondition(join);
  if (parens) Put(")");
  if (join.alias != nullptr) {
    Put(" " + QuoteIdentifier(scope_->RefName(join.rtindex)));
    PutColumnAliases(scope_->Columns(join.rtindex));
  }
}

void Deparser::PutJoinCondition(const JoinExpr& join) {
  if (!join.using_clause.empty()) {
    const ColumnScope& columns = scope_->Columns(join.rtindex);
    Put(" USING (");
    for (size_t i = 0; i < columns.using_names.size(); ++i) {
      if (i > 0) Put(", ");
      Put(QuoteIdentifier(columns.using_names[i]));
    }
    Put(")");
    if (join.join_using_alias != nullptr) Put(" AS " + QuoteIdentifier(join.join_using_alias->aliasname));
  } else if (join.quals != nullptr) {
    Put(" ON ");
    PutOpenParen();
    PutExpr(join.quals, false);
    PutCloseParen();
  } else if (join.jointype != JoinType::kInner) {
    Put(" ON TRUE");
  }
}

}  // namespace walden
