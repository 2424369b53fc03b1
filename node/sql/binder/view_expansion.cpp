// Views in FROM become subqueries.
#include <algorithm>

#include "node/base/error.h"
#include "node/base/stack_depth.h"
#include "node/sql/binder/rewrite_parts.h"
#include "node/sql/query/query_text.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

// Marks every relation below a view, at all levels.
void PrepareViewEntries(const Node* node, Oid owner, const BindOptions& options) {
  if (node == nullptr) return;
  if (const auto* constant = TryAs<RangeTblEntry>(node)) {
    auto* rte = const_cast<RangeTblEntry*>(constant);
    rte->check_as_user = owner;
    if (rte->rtekind == RteKind::kRelation) {
      constexpr int32_t kRowShareLock = 2;
      RelationLockNeed lock =
          rte->rellockmode == kRowShareLock ? RelationLockNeed::kRowShare : RelationLockNeed::kAccessShare;
      if (options.catalog.GetRelation(rte->relid, lock) == nullptr) {
        throw SqlError(ErrorCode::kInternalError, "could not open relation with OID {}",
                       OidNumber(rte->relid));
      }
    }
  }
  AnyChild(node, [&](const Node* child) {
    PrepareViewEntries(child, owner, options);
    return false;
  });
}

void MarkEntryLocked(Query* query, int32_t rtindex, const RowMarkClause& outer, Arena& arena);

// FOR UPDATE of a view locks what the view reads.
void PushLocking(Query* query, const Node* tree, const RowMarkClause& outer, Arena& arena) {
  if (tree == nullptr) return;
  if (const auto* reference = TryAs<RangeTblRef>(tree)) {
    MarkEntryLocked(query, reference->rtindex, outer, arena);
  } else if (const auto* from = TryAs<FromExpr>(tree)) {
    for (const Node* item : from->fromlist) PushLocking(query, item, outer, arena);
  } else if (const auto* join = TryAs<JoinExpr>(tree)) {
    PushLocking(query, join->larg, outer, arena);
    PushLocking(query, join->rarg, outer, arena);
  }
}

void MarkEntryLocked(Query* query, int32_t rtindex, const RowMarkClause& outer, Arena& arena) {
  RangeTblEntry& rte = *RteAt(*query, rtindex);
  if (rte.rtekind != RteKind::kRelation && rte.rtekind != RteKind::kSubquery) return;
  auto mark = std::ranges::find(query->row_marks, static_cast<uint32_t>(rtindex), &RowMarkClause::rti);
  if (mark == query->row_marks.end()) {
    auto* added = arena.New<RowMarkClause>(outer);
    added->rti = static_cast<uint32_t>(rtindex);
    added->pushed_down = true;
    query->row_marks.Append(arena, added);
  } else {
    (*mark)->strength = std::max((*mark)->strength, outer.strength);
    (*mark)->wait_policy = std::max((*mark)->wait_policy, outer.wait_policy);
  }
  if (rte.rtekind == RteKind::kRelation) {
    rte.required_perms |= acl_mode::kSelectForUpdate;
  } else {
    PushLocking(rte.subquery, rte.subquery->jointree, outer, arena);
  }
}

class Expander {
 public:
  explicit Expander(const BindOptions& options) : options_(options) {}

  // Expands the views of one query and of all below it.
  void Expand(Query* query) {
    CheckStackDepth();
    for (RangeTblEntry* rte : query->rtable) {
      if (rte->rtekind == RteKind::kSubquery) Expand(rte->subquery);
    }
    ExpandTree(query, query->jointree);
    for (CommonTableExpr* cte : query->cte_list) Expand(cte->ctequery);
    // Subqueries in expressions.
    AnyChild(query, [&](const Node* child) {
      ExpandSubLinks(child);
      return false;
    });
  }

 private:
  void ExpandTree(Query* query, const Node* tree) {
    if (tree == nullptr) return;
    if (const auto* reference = TryAs<RangeTblRef>(tree)) {
      ExpandEntry(query, reference->rtindex);
    } else if (const auto* from = TryAs<FromExpr>(tree)) {
      for (const Node* item : from->fromlist) ExpandTree(query, item);
    } else if (const auto* join = TryAs<JoinExpr>(tree)) {
      ExpandTree(query, join->larg);
      ExpandTree(query, join->rarg);
    }
  }

  void ExpandEntry(Query* query, int32_t rtindex) {
    RangeTblEntry* rte = RteAt(*query, rtindex);
    if (rte->rtekind != RteKind::kRelation || rte->relkind != 'v') return;
    const RelationInfo* view = options_.catalog.GetRelation(rte->relid, RelationLockNeed::kNone);
    if (std::ranges::find(active_, rte->relid) != active_.end()) {
      throw SqlError(ErrorCode::kInvalidObjectDefinition,
                     "infinite recursion detected in rules for relation \"{}\"", view->name);
    }
    active_.push_back(rte->relid);
    Query* below = OpenViewQuery(*view, options_);
    for (const RowMarkClause* mark : query->row_marks) {
      if (mark->rti == static_cast<uint32_t>(rtindex))
        PushLocking(below, below->jointree, *mark, options_.arena);
    }
    Expand(below);
    active_.pop_back();
    rte->rtekind = RteKind::kSubquery;
    rte->subquery = below;
    rte->security_barrier = options_.catalog.IsSecurityBarrier(rte->relid);
    rte->inh = false;
    rte->tablesample = nullptr;
  }

  void ExpandSubLinks(const Node* node) {
    if (node == nullptr || Is<CommonTableExpr>(node)) return;
    if (const auto* rte = TryAs<RangeTblEntry>(node); rte != nullptr && rte->rtekind == RteKind::kSubquery)
      return;
    if (const auto* link = TryAs<SubLink>(node)) {
      Expand(link->subselect);
      ExpandSubLinks(link->testexpr);
      return;
    }
    AnyChild(node, [&](const Node* child) {
      ExpandSubLinks(child);
      return false;
    });
  }

  const BindOptions& options_;
  std::vector<Oid> active_;  // views being expanded
};

}  // namespace

Query* OpenViewQuery(const RelationInfo& view, const BindOptions& options) {
  std::string stored = options.catalog.ViewQuery(view.oid);
  List<Node*> queries = stored.starts_with('(')
                            ? ReadNodeList(stored, options.arena)
                            : List<Node*>(options.arena, {ReadNode(stored, options.arena)});
  if (queries.size() != 1 || !Is<Query>(queries[0])) {
    throw SqlError(ErrorCode::kDataCorrupted, "view \"{}\" has no definition", view.name);
  }
  auto* query = As<Query>(queries[0]);
  Oid owner = options.catalog.IsSecurityInvoker(view.oid) ? Oid{} : view.owner;
  PrepareViewEntries(query, owner, options);
  return query;
}

void ExpandViews(Query* query, const BindOptions& options) { Expander(options).Expand(query); }

}  // namespace walden
