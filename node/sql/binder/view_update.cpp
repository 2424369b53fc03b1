// Writes through simple views.
#include "node/base/error.h"
#include "node/sql/binder/rewrite_parts.h"
#include "node/sql/binder/rewriter.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
const char* WhyColumnNotUpdatable(const TargetEntry& target, int32_t base_index) {
  if (target.resjunk) return "Junk view columns are not updatable.";
  const auto* var = TryAs<Var>(target.expr);
  if (var == nullptr || var->varno != base_index || var->varlevelsup != 0) {
    return "View columns that are not columns of their base relation are not updatable.";
  }
  if (var->varattno < 0) return "View columns that refer to system columns are not updatable.";
  if (var->varattno == 0) return "View columns that return whole-row references are not updatable.";
  return nullptr;
}

namespace {

constexpr int32_t kRowExclusiveLock = 3;

struct CommandWords {
  const char* does;   // "cannot <does> view"
  const char* doing;  // "To enable <doing> the view"
  const char* event;
  const char* column;  // "cannot <column> column"
};
CommandWords WordsOf(CmdType command) {
  if (command == CmdType::kInsert) return {"insert into", "inserting into", "INSERT", "insert into"};
  if (command == CmdType::kUpdate) return {"update", "updating", "UPDATE", "update"};
  return {"delete from", "deleting from", "DELETE", "delete from"};
}

class ViewWrite {
 public:
  ViewWrite(Query* query, const RelationInfo& view, const BindOptions& options)
      : query_(query), view_(view), options_(options), arena_(options.arena) {}

  void Rewrite();

 private:
  void CheckUpdatable();
  void CheckColumns(const List<TargetEntry*>& assigned, CmdType command);
  void AddBaseEntry();
  void MapColumns(const List<int32_t>& from, List<int32_t>* to);
  void RenumberTargets(const List<TargetEntry*>& targets);
  void ReplaceInQuery(int32_t varno, const List<TargetEntry*>& targets);
  void ReplaceExcluded();
  void AddCheckOption();
  void AddCondition();

  Query* query_;
  const RelationInfo& view_;
  const BindOptions& options_;
  Arena& arena_;
  Query* definition_ = nullptr;
  int32_t base_index_ = 0;  // in the view's query
  int32_t new_index_ = 0;   // of the base relation in the rewritten query
  const RelationInfo* base_ = nullptr;
  List<TargetEntry*> columns_;  // the view's, over the new entry
};

void ViewWrite::CheckUpdatable() {
  const char* why = WhyViewNotUpdatable(*definition_, query_->command_type != CmdType::kDelete);
  if (why == nullptr) return;
  CommandWords words = WordsOf(query_->command_type);
  throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "cannot {} view \"{}\"", words.does, view_.name)
      .WithDetail(why)
      .WithHint(
          fmt::format("To enable {} the view, provide an INSTEAD OF {} trigger or an unconditional ON {} DO "
                      "INSTEAD rule.",
                      words.doing, words.event, words.event));
}

void ViewWrite::CheckColumns(const List<TargetEntry*>& assigned, CmdType command) {
  for (const TargetEntry* target : assigned) {
    if (target->resjunk) continue;
    const TargetEntry* column = FindTarget(definition_->target_list, target->resno);
    const char* why = WhyColumnNotUpdatable(*column, base_index_);
    if (why == nullptr) continue;
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot {} column \"{}\" of view \"{}\"",
                   WordsOf(command).column, view_.columns[static_cast<size_t>(target->resno - 1)].name,
                   view_.name)
        .WithDetail(why);
  }
}

// Column numbers of the view become those of the relation below.
void ViewWrite::MapColumns(const List<int32_t>& from, List<int32_t>* to) {
  for (int32_t number : from) {
    const TargetEntry* column = number > 0 ? FindTarget(columns_, static_cast<AttrNumber>(number)) : nullptr;
    if (column == nullptr) continue;
    if (const auto* var = TryAs<Var>(column->expr)) to->AppendUnique(arena_, var->varattno);
  }
}

void ViewWrite::AddBaseEntry() {
  const RangeTblEntry& view_entry = *RteAt(*query_, query_->result_relation);
  auto* entry = Copy(RteAt(*definition_, base_index_), arena_);
  base_ = options_.catalog.GetRelation(entry->relid, RelationLockNeed::kRowExclusive);
  entry->rellockmode = kRowExclusiveLock;
  entry->in_from_cl = false;
  query_->rtable.Append(arena_, entry);
  new_index_ = static_cast<int32_t>(query_->rtable.size());
  columns_ = CopyList(definition_->target_list, arena_);
  for (TargetEntry* column : columns_) RenumberRelation(column, base_index_, new_index_);
  // The view's owner needs the rights that the writer needs on the view, and to read what the view reads.
  entry->required_perms = view_entry.required_perms;
  entry->inserted_cols.Clear();
  entry->updated_cols.Clear();
  MapColumns(view_entry.inserted_cols, &entry->inserted_cols);
  MapColumns(view_entry.updated_cols, &entry->updated_cols);
}

void ViewWrite::RenumberTargets(const List<TargetEntry*>& targets) {
  for (TargetEntry* target : targets) {
    if (target->resjunk) continue;
    const TargetEntry* column = FindTarget(columns_, target->resno);
    target->resno = As<Var>(column->expr)->varattno;
  }
}

void ViewWrite::ReplaceInQuery(int32_t varno, const List<TargetEntry*>& targets) {
  Node* changed = MutateChildren(
      query_, arena_, [&](Node* child) { return ReplaceRelationVars(child, varno, targets, arena_); });
  if (changed != query_) *query_ = *As<Query>(changed);
}

// ON CONFLICT DO UPDATE: EXCLUDED is a row of the relation below, seen through the view.
void ViewWrite::ReplaceExcluded() {
  OnConflictExpr* conflict = query_->on_conflict;
  if (conflict == nullptr || conflict->action != OnConflictAction::kUpdate) return;
  int32_t old_index = conflict->excl_rel_index;
  auto* entry = arena_.New<RangeTblEntry>();
  entry->rtekind = RteKind::kRelation;
  entry->relid = base_->oid;
  entry->relkind = 'c';
  entry->rellockmode = kRowExclusiveLock;
  entry->alias = arena_.New<Alias>();
  entry->alias->aliasname = "excluded";
  entry->eref = arena_.New<Alias>();
  entry->eref->aliasname = "excluded";
  query_->rtable.Append(arena_, entry);
  auto new_index = static_cast<int32_t>(query_->rtable.size());
  List<TargetEntry*> list;
  for (size_t i = 0; i < base_->columns.size(); ++i) {
    const ColumnInfo& column = base_->columns[i];
    auto number = static_cast<AttrNumber>(i + 1);
    std::string_view name = column.dropped ? std::string_view("") : arena_.Copy(column.name);
    entry->eref->colnames.Append(arena_, name);
    Expr* expr =
        column.dropped
            ? static_cast<Expr*>(MakeNullConst(arena_, type_oid::kInt4, -1, Oid{}, PhysicalType::kInt32))
            : MakeVar(arena_, new_index, number, column.type, column.typmod, column.collation);
    list.Append(arena_, MakeTargetEntry(arena_, expr, number, name, false));
  }
  List<TargetEntry*> columns = CopyList(columns_, arena_);
  for (TargetEntry* column : columns) RenumberRelation(column, new_index_, new_index);
  ReplaceInQuery(old_index, columns);
  query_->on_conflict->excl_rel_index = new_index;
  query_->on_conflict->excl_rel_tlist = list;
}

// WITH CHECK OPTION: rows written must be visible through the view; a cascaded one holds for the views below too.
void ViewWrite::AddCheckOption() {
  if (query_->command_type == CmdType::kDelete) return;
  char option = options_.catalog.CheckOption(view_.oid);
  bool cascaded = option == 'c';
  bool wanted = option != 0;
  if (!query_->with_check_options.empty() && query_->with_check_options[0]->cascaded)
    wanted = cascaded = true;
  if (!wanted || (!cascaded && definition_->jointree->quals == nullptr)) return;
  auto* check = arena_.New<WithCheckOption>();
  check->kind = WcoKind::kViewCheck;
  check->relname = arena_.Copy(view_.name);
  check->cascaded = cascaded;
  if (definition_->jointree->quals != nullptr) {
    check->qual = Copy(definition_->jointree->quals, arena_);
    RenumberRelation(check->qual, base_index_, new_index_);
    query_->has_sub_links = query_->has_sub_links || ContainsSubLink(check->qual);
  }
  query_->with_check_options.Prepend(arena_, check);
}

void ViewWrite::AddCondition() {
  if (query_->command_type == CmdType::kInsert || definition_->jointree->quals == nullptr) return;
  Expr* condition = Copy(definition_->jointree->quals, arena_);
  RenumberRelation(condition, base_index_, new_index_);
  query_->jointree->quals = AndConditions(arena_, condition, query_->jointree->quals);
  query_->has_sub_links = query_->has_sub_links || ContainsSubLink(condition);
}

void ViewWrite::Rewrite() {
  definition_ = OpenViewQuery(view_, options_);
  CheckUpdatable();
  base_index_ = As<RangeTblRef>(definition_->jointree->fromlist[0])->rtindex;
  if (query_->command_type != CmdType::kDelete) CheckColumns(query_->target_list, query_->command_type);
  if (query_->on_conflict != nullptr) CheckColumns(query_->on_conflict->on_conflict_set, CmdType::kUpdate);
  AddBaseEntry();
  int32_t old_index = query_->result_relation;
  if (query_->command_type != CmdType::kDelete) RenumberTargets(query_->target_list);
  if (query_->on_conflict != nullptr) RenumberTargets(query_->on_conflict->on_conflict_set);
  // The join tree's leaf first: as a Var it would be replaced, as a reference it is renumbered.
  for (Node*& item : query_->jointree->fromlist) {
    auto* reference = TryAs<RangeTblRef>(item);
    if (reference == nullptr || reference->rtindex != old_index) continue;
    item = Copy(reference, arena_);
    As<RangeTblRef>(item)->rtindex = new_index_;
  }
  ReplaceInQuery(old_index, columns_);
  query_->result_relation = new_index_;
  ReplaceExcluded();
  AddCheckOption();
  AddCondition();
}

}  // namespace

const char* WhyViewNotUpdatable(const Query& query, bool check_columns) {
  if (!query.distinct_clause.empty()) return "Views containing DISTINCT are not automatically updatable.";
  if (!query.group_clause.empty() || !query.grouping_sets.empty()) {
    return "Views containing GROUP BY are not automatically updatable.";
  }
  if (query.having_qual != nullptr) return "Views containing HAVING are not automatically updatable.";
  if (query.set_operations != nullptr) {
    return "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.";
  }
  if (!query.cte_list.empty()) return "Views containing WITH are not automatically updatable.";
  if (query.limit_offset != nullptr || query.limit_count != nullptr) {
    return "Views containing LIMIT or OFFSET are not automatically updatable.";
  }
  if (query.has_aggs) return "Views that return aggregate functions are not automatically updatable.";
  if (query.has_window_funcs) return "Views that return window functions are not automatically updatable.";
  if (query.has_target_srfs)
    return "Views that return set-returning functions are not automatically updatable.";
  constexpr const char* kNotSingle =
      "Views that do not select from a single table or view are not automatically updatable.";
  const List<Node*>& from = query.jointree->fromlist;
  if (from.size() != 1 || !Is<RangeTblRef>(from[0])) return kNotSingle;
  int32_t base_index = As<RangeTblRef>(from[0])->rtindex;
  const RangeTblEntry& base = *RteAt(query, base_index);
  if (base.rtekind != RteKind::kRelation ||
      (base.relkind != 'r' && base.relkind != 'f' && base.relkind != 'v' && base.relkind != 'p')) {
    return kNotSingle;
  }
  if (base.tablesample != nullptr) return "Views containing TABLESAMPLE are not automatically updatable.";
  if (!check_columns) return nullptr;
  for (const TargetEntry* target : query.target_list) {
    if (WhyColumnNotUpdatable(*target, base_index) == nullptr) return nullptr;
  }
  return "Views that have no updatable columns are not automatically updatable.";
}

void RewriteViewTarget(Query* query, const RelationInfo& view, const BindOptions& options) {
  ViewWrite(query, view, options).Rewrite();
}

}  // namespace walden
