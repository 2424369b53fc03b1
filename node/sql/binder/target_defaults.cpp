// The target lists of INSERT and UPDATE: defaults, identity and generated columns, several assignments to parts of
// one column.
#include <algorithm>

#include "node/base/error.h"
#include "node/sql/binder/coercion.h"
#include "node/sql/binder/rewrite_parts.h"
#include "node/sql/query/query_text.h"

namespace walden {
namespace {

constexpr char kAlways = 'a', kByDefault = 'd';

class TargetRewriter {
 public:
  TargetRewriter(Query* query, const RelationInfo& relation, const BindOptions& options)
      : query_(query), relation_(relation), options_(options) {}

  void Rewrite();

 private:
  List<TargetEntry*> RewriteList(const List<TargetEntry*>& targets, CmdType command);
  TargetEntry* Merge(TargetEntry* earlier, TargetEntry* later, std::string_view column);
  TargetEntry* Decide(AttrNumber number, TargetEntry* given, CmdType command);
  bool ApplyInsertRules(const ColumnInfo& column, TargetEntry* given, bool apply_default);
  void CheckUpdateRules(const ColumnInfo& column, const TargetEntry* given, bool apply_default);
  Expr* DefaultOf(AttrNumber number);
  Const* NullOf(const ColumnInfo& column);
  RangeTblEntry* FindValues();
  bool OnlyDefaults(uint32_t values_column) const;
  void RewriteValues();

  Query* query_;
  const RelationInfo& relation_;
  const BindOptions& options_;
  RangeTblEntry* values_ = nullptr;  // INSERT ... VALUES with several rows
  int32_t values_index_ = 0;
};

Const* TargetRewriter::NullOf(const ColumnInfo& column) {
  return MakeNullConst(options_.arena, column.type, column.typmod, column.collation,
                       ConstPhysicalType(column.type));
}

// The column's default expression, of its type; null when it has none.
Expr* TargetRewriter::DefaultOf(AttrNumber number) {
  const ColumnInfo& column = relation_.columns[static_cast<size_t>(number - 1)];
  if (column.identity != 0) {
    auto* next = options_.arena.New<NextValueExpr>();
    next->seqid = options_.catalog.IdentitySequence(relation_.oid, number);
    next->type_id = column.type;
    if (!IsValid(next->seqid)) {
      throw SqlError(ErrorCode::kInternalError, "no owned sequence found for column \"{}\"", column.name);
    }
    return next;
  }
  std::string stored = options_.catalog.ColumnDefault(relation_.oid, number);
  return stored.empty() ? nullptr : static_cast<Expr*>(ReadNode(stored, options_.arena));
}

RangeTblEntry* TargetRewriter::FindValues() {
  for (const Node* item : query_->jointree->fromlist) {
    const auto* reference = TryAs<RangeTblRef>(item);
    if (reference == nullptr) continue;
    RangeTblEntry* rte = RteAt(*query_, reference->rtindex);
    if (rte->rtekind != RteKind::kValues) continue;
    values_index_ = reference->rtindex;
    return rte;
  }
  return nullptr;
}

bool TargetRewriter::OnlyDefaults(uint32_t column) const {
  return std::ranges::all_of(values_->values_lists,
                             [column](const RowExpr* row) { return Is<SetToDefault>(row->args[column]); });
}

// SET x[1] = a, x[2] = b: the second assignment starts from the result of the first.
TargetEntry* TargetRewriter::Merge(TargetEntry* earlier, TargetEntry* later, std::string_view column) {
  if (earlier == nullptr) return later;
  auto base_of = [](Expr* expr) -> Expr** {
    if (auto* domain = TryAs<CoerceToDomain>(expr)) expr = domain->arg;
    if (auto* store = TryAs<FieldStore>(expr)) return &store->arg;
    auto* ref = TryAs<SubscriptingRef>(expr);
    return ref != nullptr && ref->refassgnexpr != nullptr ? &ref->refexpr : nullptr;
  };
  Expr** base = base_of(later->expr);
  if (base == nullptr || base_of(earlier->expr) == nullptr ||
      ExprType(earlier->expr) != ExprType(later->expr)) {
    throw SqlError(ErrorCode::kSyntaxError, "multiple assignments to same column \"{}\"", column);
  }
  // Down to the innermost base of the later one, which is the column itself.
  while (Expr** inner = base_of(*base)) base = inner;
  *base = earlier->expr;
  return later;
}

SqlError NotDefault(const ColumnInfo& column) {
  SqlError error(ErrorCode::kGeneratedAlways, "cannot insert a non-DEFAULT value into column \"{}\"",
                 column.name);
  if (column.identity == kAlways) {
    error
        .WithDetail(
            fmt::format("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", column.name))
        .WithHint("Use OVERRIDING SYSTEM VALUE to override.");
  } else {
    error.WithDetail(fmt::format("Column \"{}\" is a generated column.", column.name));
  }
  return error;
}

bool TargetRewriter::ApplyInsertRules(const ColumnInfo& column, TargetEntry* given, bool apply_default) {
  const auto* var = given == nullptr ? nullptr : TryAs<Var>(given->expr);
  bool from_values = values_ != nullptr && var != nullptr && var->varno == values_index_;
  auto values_column = from_values ? static_cast<uint32_t>(var->varattno - 1) : 0;
  bool only_defaults = from_values && OnlyDefaults(values_column);
  if (column.identity == kAlways && !apply_default) {
    if (query_->override == OverridingKind::kUserValue || only_defaults) {
      apply_default = true;
    } else if (query_->override != OverridingKind::kSystemValue) {
      throw NotDefault(column);
    }
  }
  if (column.identity == kByDefault && query_->override == OverridingKind::kUserValue) apply_default = true;
  if (column.generated != 0 && !apply_default) {
    if (!only_defaults) throw NotDefault(column);
    apply_default = true;
  }
  return apply_default;
}

void TargetRewriter::CheckUpdateRules(const ColumnInfo& column, const TargetEntry* given,
                                      bool apply_default) {
  if (given == nullptr || apply_default) return;
  if (column.identity != kAlways && column.generated == 0) return;
  throw SqlError(ErrorCode::kGeneratedAlways, "column \"{}\" can only be updated to DEFAULT", column.name)
      .WithDetail(
          column.identity == kAlways
              ? fmt::format("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", column.name)
              : fmt::format("Column \"{}\" is a generated column.", column.name));
}

// The entry that a column finally gets; null for none.
TargetEntry* TargetRewriter::Decide(AttrNumber number, TargetEntry* given, CmdType command) {
  const ColumnInfo& column = relation_.columns[static_cast<size_t>(number - 1)];
  bool insert = command == CmdType::kInsert;
  bool apply_default = (given == nullptr && insert) || (given != nullptr && Is<SetToDefault>(given->expr));
  if (insert) {
    apply_default = ApplyInsertRules(column, given, apply_default);
  } else {
    CheckUpdateRules(column, given, apply_default);
  }
  // Stored generated columns are computed when the row is written.
  if (column.generated != 0) return nullptr;
  if (!apply_default) return given;
  Expr* value = DefaultOf(number);
  if (value == nullptr && insert) return nullptr;
  if (value == nullptr) value = NullOf(column);
  return MakeTargetEntry(options_.arena, value, number, options_.arena.Copy(column.name), false);
}

List<TargetEntry*> TargetRewriter::RewriteList(const List<TargetEntry*>& targets, CmdType command) {
  std::vector<TargetEntry*> by_column(relation_.columns.size(), nullptr);
  List<TargetEntry*> junk, result;
  for (TargetEntry* target : targets) {
    if (target->resjunk) {
      junk.Append(options_.arena, target);
      continue;
    }
    auto at = static_cast<size_t>(target->resno - 1);
    by_column[at] = Merge(by_column[at], target, relation_.columns[at].name);
  }
  for (size_t i = 0; i < by_column.size(); ++i) {
    if (relation_.columns[i].dropped) continue;
    TargetEntry* decided = Decide(static_cast<AttrNumber>(i + 1), by_column[i], command);
    if (decided != nullptr) result.Append(options_.arena, decided);
  }
  auto next = static_cast<AttrNumber>(relation_.columns.size() + 1);
  for (TargetEntry* target : junk) {
    target->resno = next++;
    result.Append(options_.arena, target);
  }
  return result;
}

// DEFAULT items in rows of VALUES.
void TargetRewriter::RewriteValues() {
  std::vector<AttrNumber> column_of(values_->coltypes.size(), 0);
  for (const TargetEntry* target : query_->target_list) {
    const auto* var = TryAs<Var>(target->expr);
    if (var != nullptr && var->varno == values_index_ && var->varattno > 0) {
      column_of[static_cast<size_t>(var->varattno - 1)] = target->resno;
    }
  }
  for (RowExpr* row : values_->values_lists) {
    for (uint32_t i = 0; i < row->args.size(); ++i) {
      const auto* placeholder = TryAs<SetToDefault>(row->args[i]);
      if (placeholder == nullptr) continue;
      // Through a view, the table below may still have a default to give.
      if (relation_.kind == 'v' && column_of[i] != 0) continue;
      Expr* value = column_of[i] == 0 ? nullptr : DefaultOf(column_of[i]);
      if (value == nullptr) {
        value = MakeNullConst(options_.arena, placeholder->type_id, placeholder->type_mod,
                              placeholder->collation, ConstPhysicalType(placeholder->type_id));
      }
      row->args[i] = value;
    }
  }
}

void TargetRewriter::Rewrite() {
  if (query_->command_type == CmdType::kInsert) {
    values_ = FindValues();
    query_->target_list = RewriteList(query_->target_list, CmdType::kInsert);
    if (values_ != nullptr) RewriteValues();
    if (query_->on_conflict != nullptr && query_->on_conflict->action == OnConflictAction::kUpdate) {
      query_->on_conflict->on_conflict_set =
          RewriteList(query_->on_conflict->on_conflict_set, CmdType::kUpdate);
    }
  } else if (query_->command_type == CmdType::kUpdate) {
    query_->target_list = RewriteList(query_->target_list, CmdType::kUpdate);
  }
}

}  // namespace

void RewriteTargets(Query* query, const RelationInfo& relation, const BindOptions& options) {
  TargetRewriter(query, relation, options).Rewrite();
}

}  // namespace walden
