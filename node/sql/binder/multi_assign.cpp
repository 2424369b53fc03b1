// UPDATE ... SET (a, b) = (SELECT ...): each column gets a scalar subquery of its own over the same SELECT. The SELECT
// then runs once per column, so it may not be volatile.
#include "node/base/error.h"
#include "node/sql/binder/rewrite_parts.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

bool CallsVolatile(const Node* node, CatalogReader& catalog) {
  if (node == nullptr) return false;
  Oid function{};
  if (const auto* call = TryAs<FuncExpr>(node)) function = call->funcid;
  if (const auto* op = TryAs<OpExpr>(node)) function = op->opfuncid;
  if (IsValid(function)) {
    const FunctionInfo* info = catalog.GetFunction(function);
    if (info != nullptr && info->volatility == 'v') return true;
  }
  return AnyChild(node, [&](const Node* child) { return CallsVolatile(child, catalog); });
}

class Splitter {
 public:
  Splitter(const BindOptions& options) : options_(options), arena_(options.arena) {}

  List<TargetEntry*> Split(const List<TargetEntry*>& targets) {
    List<TargetEntry*> kept;
    for (TargetEntry* target : targets) {
      auto* link = TryAs<SubLink>(target->expr);
      if (target->resjunk && link != nullptr && link->sub_link_type == SubLinkType::kMultiExpr) {
        sources_.push_back(link);
      } else {
        kept.Append(arena_, target);
      }
    }
    if (sources_.empty()) return kept;
    for (const SubLink* source : sources_) {
      if (CallsVolatile(source->subselect, options_.catalog)) {
        throw NotSupported("assigning several columns from a subquery with volatile functions");
      }
    }
    for (TargetEntry* target : kept) target->expr = static_cast<Expr*>(Replace(target->expr));
    return kept;
  }

 private:
  Node* Replace(Node* node) {
    auto* param = TryAs<Param>(node);
    if (param != nullptr && param->paramkind == ParamKind::kMultiExpr) return Column(*param);
    return MutateChildren(node, arena_, [this](Node* child) { return Replace(child); });
  }

  // (SELECT column FROM (the source) s)
  SubLink* Column(const Param& param) {
    const SubLink* source = nullptr;
    for (const SubLink* each : sources_) {
      if (each->sub_link_id == param.paramid >> 16) source = each;
    }
    auto column = static_cast<AttrNumber>(param.paramid & 0xFFFF);
    auto* entry = arena_.New<RangeTblEntry>();
    entry->rtekind = RteKind::kSubquery;
    entry->subquery = Copy(source->subselect, arena_);
    IncrementVarLevels(entry->subquery, 1, 1);
    entry->in_from_cl = true;
    entry->eref = arena_.New<Alias>();
    entry->eref->aliasname = "source";
    for (const TargetEntry* target : entry->subquery->target_list) {
      if (!target->resjunk) entry->eref->colnames.Append(arena_, target->resname);
    }
    auto* leaf = arena_.New<RangeTblRef>();
    leaf->rtindex = 1;
    const TargetEntry* target = FindTarget(entry->subquery->target_list, column);
    auto* query = arena_.New<Query>();
    query->command_type = CmdType::kSelect;
    query->rtable.Append(arena_, entry);
    query->jointree = arena_.New<FromExpr>();
    query->jointree->fromlist.Append(arena_, leaf);
    query->target_list.Append(
        arena_, MakeTargetEntry(arena_, MakeVarFromTarget(arena_, 1, *target), 1, target->resname, false));
    auto* link = arena_.New<SubLink>();
    link->sub_link_type = SubLinkType::kExpr;
    link->subselect = query;
    link->location = source->location;
    return link;
  }

  const BindOptions& options_;
  Arena& arena_;
  std::vector<const SubLink*> sources_;
};

}  // namespace

void SplitMultiAssignments(Query* query, const BindOptions& options) {
  if (query->command_type == CmdType::kUpdate)
    query->target_list = Splitter(options).Split(query->target_list);
  if (query->on_conflict != nullptr) {
    query->on_conflict->on_conflict_set = Splitter(options).Split(query->on_conflict->on_conflict_set);
  }
}

}  // namespace walden
