// What bound trees refer to, for pg_depend.
#include <algorithm>

#include "node/sql/commands/command_names.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

class ReferenceFinder {
 public:
  explicit ReferenceFinder(Oid relation) : relation_(relation) {}

  void Visit(const Node* node) {
    if (node == nullptr) return;
    switch (node->tag) {
      case NodeTag::kQuery: return VisitQuery(*As<Query>(node));
      case NodeTag::kVar: return VisitVar(*As<Var>(node));
      case NodeTag::kConst: VisitConst(*As<Const>(node)); return;
      case NodeTag::kRangeTblEntry:
        // A join lists every column of both sides; those that are used are met as Vars.
        if (As<RangeTblEntry>(node)->rtekind == RteKind::kJoin) return;
        break;
      case NodeTag::kFuncExpr: Function(As<FuncExpr>(node)->funcid); break;
      case NodeTag::kAggref: Function(As<Aggref>(node)->aggfnoid); break;
      case NodeTag::kWindowFunc: Function(As<WindowFunc>(node)->winfnoid); break;
      case NodeTag::kOpExpr: Operator(As<OpExpr>(node)->opno); break;
      case NodeTag::kDistinctExpr: Operator(As<DistinctExpr>(node)->opno); break;
      case NodeTag::kNullIfExpr: Operator(As<NullIfExpr>(node)->opno); break;
      case NodeTag::kScalarArrayOpExpr: Operator(As<ScalarArrayOpExpr>(node)->opno); break;
      case NodeTag::kRelabelType: Type(As<RelabelType>(node)->resulttype); break;
      case NodeTag::kCoerceViaIo: Type(As<CoerceViaIo>(node)->resulttype); break;
      case NodeTag::kCollateExpr: Add({catalog_oid::kPgCollation, As<CollateExpr>(node)->coll_oid, 0}); break;
      default: break;
    }
    Children(node);
  }

  std::vector<ObjectAddress> found;

 private:
  void Children(const Node* node) {
    AnyChild(node, [&](const Node* child) {
      Visit(child);
      return false;
    });
  }
  void Add(const ObjectAddress& object) {
    if (IsValid(object.object)) found.push_back(object);
  }
  void Function(Oid oid) { Add({catalog_oid::kPgProc, oid, 0}); }
  void Operator(Oid oid) { Add({catalog_oid::kPgOperator, oid, 0}); }
  void Type(Oid oid) { Add({catalog_oid::kPgType, oid, 0}); }

  void VisitConst(const Const& constant) {
    Type(constant.consttype);
    // nextval('seq'::regclass) and its like hold on to the object.
    if (constant.IsNull()) return;
    Oid object{static_cast<uint32_t>(constant.value.datum.i32)};
    if (constant.consttype == type_oid::kRegClass) Add({catalog_oid::kPgClass, object, 0});
  }

  void VisitQuery(const Query& query) {
    queries_.push_back(&query);
    for (const RangeTblEntry* rte : query.rtable) {
      if (rte->rtekind == RteKind::kRelation) Add({catalog_oid::kPgClass, rte->relid, 0});
    }
    for (Oid constraint : query.constraint_deps) Add({catalog_oid::kPgConstraint, constraint, 0});
    Children(&query);
    queries_.pop_back();
  }

  void VisitVar(const Var& var) {
    if (queries_.empty()) {
      if (var.varattno != 0) Add({catalog_oid::kPgClass, relation_, var.varattno});
      return;
    }
    if (var.varlevelsup >= queries_.size()) return;
    const Query& query = *queries_[queries_.size() - 1 - var.varlevelsup];
    if (var.varno < 1 || static_cast<uint32_t>(var.varno) > query.rtable.size()) return;
    const RangeTblEntry& rte = *RteAt(query, var.varno);
    if (rte.rtekind == RteKind::kRelation && var.varattno > 0)
      Add({catalog_oid::kPgClass, rte.relid, var.varattno});
    if (rte.rtekind == RteKind::kJoin && var.varattno > 0) {
      // A merged column stands for the columns of both sides.
      queries_.push_back(&query);
      const Node* alias = rte.joinaliasvars[var.varattno - 1];
      queries_.pop_back();
      if (var.varlevelsup == 0) Visit(alias);
    }
  }

  Oid relation_;
  std::vector<const Query*> queries_;
};

}  // namespace

std::vector<ObjectAddress> ExpressionReferences(const Node* expression, Oid relation) {
  ReferenceFinder finder(relation);
  finder.Visit(expression);
  return std::move(finder.found);
}

std::vector<ObjectAddress> QueryReferences(const Query* query) {
  ReferenceFinder finder(Oid::kInvalid);
  finder.Visit(query);
  // A column reference says more than one to the whole table.
  std::vector<ObjectAddress> result;
  for (const ObjectAddress& object : finder.found) {
    bool covered =
        object.catalog == catalog_oid::kPgClass && object.sub == 0 &&
        std::any_of(finder.found.begin(), finder.found.end(), [&](const ObjectAddress& other) {
          return other.catalog == object.catalog && other.object == object.object && other.sub != 0;
        });
    if (!covered) result.push_back(object);
  }
  return result;
}

}  // namespace walden
