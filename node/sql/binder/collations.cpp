#include "node/sql/binder/collations.h"

#include "node/base/stack_depth.h"

namespace walden {
namespace {

constexpr Oid kDefaultCollation{100};

enum class Strength : uint8_t { kNone, kImplicit, kConflict, kExplicit };

// What is known of the collation of the expressions seen so far.
struct Derivation {
  Oid collation{};
  Strength strength = Strength::kNone;
  Location location;
  Oid other{};  // kConflict: the second collation
  Location other_location;
};

void SetCollation(Node* node, Oid collation) {
  switch (node->tag) {
    case NodeTag::kAggref: As<Aggref>(node)->aggcollid = collation; break;
    case NodeTag::kWindowFunc: As<WindowFunc>(node)->wincollid = collation; break;
    case NodeTag::kSubscriptingRef: As<SubscriptingRef>(node)->refcollid = collation; break;
    case NodeTag::kFuncExpr: As<FuncExpr>(node)->funccollid = collation; break;
    case NodeTag::kOpExpr:
    case NodeTag::kDistinctExpr:
    case NodeTag::kNullIfExpr: static_cast<OpExprFields*>(node)->opcollid = collation; break;
    case NodeTag::kRelabelType: As<RelabelType>(node)->resultcollid = collation; break;
    case NodeTag::kCoerceViaIo: As<CoerceViaIo>(node)->resultcollid = collation; break;
    case NodeTag::kArrayCoerceExpr: As<ArrayCoerceExpr>(node)->resultcollid = collation; break;
    case NodeTag::kCaseExpr: As<CaseExpr>(node)->casecollid = collation; break;
    case NodeTag::kArrayExpr: As<ArrayExpr>(node)->array_collid = collation; break;
    case NodeTag::kCoalesceExpr: As<CoalesceExpr>(node)->coalescecollid = collation; break;
    case NodeTag::kMinMaxExpr: As<MinMaxExpr>(node)->minmaxcollid = collation; break;
    case NodeTag::kCoerceToDomain: As<CoerceToDomain>(node)->resultcollid = collation; break;
    default: break;
  }
}

void SetInputCollation(Node* node, Oid collation) {
  switch (node->tag) {
    case NodeTag::kAggref: As<Aggref>(node)->inputcollid = collation; break;
    case NodeTag::kWindowFunc: As<WindowFunc>(node)->inputcollid = collation; break;
    case NodeTag::kFuncExpr: As<FuncExpr>(node)->inputcollid = collation; break;
    case NodeTag::kOpExpr:
    case NodeTag::kDistinctExpr:
    case NodeTag::kNullIfExpr: static_cast<OpExprFields*>(node)->inputcollid = collation; break;
    case NodeTag::kScalarArrayOpExpr: As<ScalarArrayOpExpr>(node)->inputcollid = collation; break;
    case NodeTag::kMinMaxExpr: As<MinMaxExpr>(node)->inputcollid = collation; break;
    default: break;
  }
}

class Assigner {
 public:
  explicit Assigner(BindState& state) : state_(state) {}

  // Merges what `node` derives into `*into`, after assigning within it.
  void Walk(Node* node, Derivation* into);
  void Apart(Node* node) {
    Derivation ignored;
    Walk(node, &ignored);
  }
  SqlError ImplicitMismatch(const Derivation& conflict) {
    SqlError error(
        ErrorCode::kCollationMismatch, "collation mismatch between implicit collations \"{}\" and \"{}\"",
        state_.catalog().CollationName(conflict.collation), state_.catalog().CollationName(conflict.other));
    error.WithHint("You can choose the collation by applying the COLLATE clause to one or both expressions.")
        .WithPosition(state_.Position(conflict.other_location));
    return error;
  }

 private:
  template <class T>
  void ApartAll(const List<T*>& list) {
    for (T* item : list) {
      if (item != nullptr) Apart(item);
    }
  }
  void WalkChildren(Node* node, Derivation* inputs);
  void WalkAggregate(Aggref* aggregate, Derivation* inputs);
  void WalkRowCompare(RowCompareExpr* compare);
  Derivation DeriveDomain(CoerceToDomain* domain);
  Derivation DeriveGeneral(Node* node);
  void Merge(const Derivation& from, Derivation* into);
  Derivation Own(const Node* node) {
    Derivation own;
    own.collation = ExprCollation(node);
    own.strength = IsValid(own.collation) ? Strength::kImplicit : Strength::kNone;
    own.location = ExprLocation(node);
    return own;
  }

  BindState& state_;
};

void Assigner::Merge(const Derivation& from, Derivation* into) {
  if (from.strength > into->strength) {
    *into = from;
    return;
  }
  if (from.strength < into->strength || from.collation == into->collation) return;
  if (from.strength == Strength::kImplicit) {
    // The default collation gives way to any other.
    if (into->collation == kDefaultCollation) {
      *into = from;
    } else if (from.collation != kDefaultCollation) {
      into->strength = Strength::kConflict;
      into->other = from.collation;
      into->other_location = from.location;
    }
  } else if (from.strength == Strength::kExplicit) {
    throw SqlError(
        ErrorCode::kCollationMismatch, "collation mismatch between explicit collations \"{}\" and \"{}\"",
        state_.catalog().CollationName(into->collation), state_.catalog().CollationName(from.collation))
        .WithPosition(state_.Position(from.location));
  }
}

void Assigner::WalkAggregate(Aggref* aggregate, Derivation* inputs) {
  if (aggregate->aggkind == 'n') {
    for (TargetEntry* argument : aggregate->args) {
      if (argument->resjunk) {
        Apart(argument);
      } else {
        Walk(argument, inputs);
      }
    }
  } else {
    // Only a single aggregated argument decides an ordered-set aggregate's collation.
    ApartAll(aggregate->aggdirectargs);
    for (TargetEntry* argument : aggregate->args) {
      if (aggregate->args.size() == 1) {
        Walk(argument, inputs);
      } else {
        Apart(argument);
      }
    }
  }
  if (aggregate->aggfilter != nullptr) Apart(aggregate->aggfilter);
}

void Assigner::WalkChildren(Node* node, Derivation* inputs) {
  if (auto* aggregate = TryAs<Aggref>(node)) return WalkAggregate(aggregate, inputs);
  if (auto* window = TryAs<WindowFunc>(node)) {
    for (Expr* argument : window->args) Walk(argument, inputs);
    if (window->aggfilter != nullptr) Apart(window->aggfilter);
    return;
  }
  if (auto* choice = TryAs<CaseExpr>(node)) {
    // The test expression was done when it was bound; only results count.
    for (CaseWhen* when : choice->args) {
      Apart(when->expr);
      Walk(when->result, inputs);
    }
    Walk(choice->defresult, inputs);
    return;
  }
  if (auto* ref = TryAs<SubscriptingRef>(node)) {
    ApartAll(ref->refupperindexpr);
    ApartAll(ref->reflowerindexpr);
    Walk(ref->refexpr, inputs);
    if (ref->refassgnexpr != nullptr) Walk(ref->refassgnexpr, inputs);
    return;
  }
  AnyChild(node, [&](const Node* child) {
    Walk(const_cast<Node*>(child), inputs);
    return false;
  });
}

void Assigner::WalkRowCompare(RowCompareExpr* compare) {
  for (uint32_t i = 0; i < compare->largs.size(); ++i) {
    ExprList pair(state_.arena(), {compare->largs[i], compare->rargs[i]});
    compare->inputcollids[i] = CommonCollation(state_, pair, true);
  }
}

Derivation Assigner::DeriveDomain(CoerceToDomain* domain) {
  Derivation inputs, result;
  Walk(domain->arg, &inputs);
  Oid declared = state_.types().CollationOf(domain->resulttype);
  if (declared == kDefaultCollation) {
    result = inputs;
  } else if (IsValid(declared)) {
    result.collation = declared;
    result.strength = Strength::kImplicit;
    result.location = ExprLocation(domain);
  }
  domain->resultcollid = result.strength == Strength::kConflict ? Oid{} : result.collation;
  return result;
}

Derivation Assigner::DeriveGeneral(Node* node) {
  Derivation inputs, result;
  WalkChildren(node, &inputs);
  Oid type_collation = state_.types().CollationOf(ExprType(node));
  if (IsValid(type_collation)) {
    if (inputs.strength > Strength::kNone) {
      result = inputs;
    } else {
      result.collation = type_collation;
      result.strength = Strength::kImplicit;
      result.location = ExprLocation(node);
    }
  }
  // A conflict is an error only if someone needs the collation, at run time.
  SetCollation(node, result.strength == Strength::kConflict ? Oid{} : result.collation);
  SetInputCollation(node, inputs.strength == Strength::kConflict ? Oid{} : inputs.collation);
  return result;
}

void Assigner::Walk(Node* node, Derivation* into) {
  if (node == nullptr) return;
  CheckStackDepth();
  Derivation result;
  switch (node->tag) {
    case NodeTag::kCollateExpr: {
      auto* collate = As<CollateExpr>(node);
      Apart(collate->arg);
      result.collation = collate->coll_oid;
      result.strength = Strength::kExplicit;
      result.location = collate->location;
      break;
    }
    case NodeTag::kFieldSelect:
      Apart(As<FieldSelect>(node)->arg);
      result = Own(node);
      break;
    case NodeTag::kRowExpr: ApartAll(As<RowExpr>(node)->args); return;
    case NodeTag::kRowCompareExpr: WalkRowCompare(As<RowCompareExpr>(node)); return;
    case NodeTag::kCoerceToDomain: result = DeriveDomain(As<CoerceToDomain>(node)); break;
    case NodeTag::kTargetEntry: {
      auto* target = As<TargetEntry>(node);
      Walk(target->expr, &result);
      if (result.strength == Strength::kConflict && target->ressortgroupref != 0)
        throw ImplicitMismatch(result);
      break;
    }
    case NodeTag::kQuery: {
      // A subquery in an expression stands for its first column.
      auto* query = As<Query>(node);
      if (query->target_list.empty() || query->target_list[0]->resjunk) return;
      result = Own(query->target_list[0]->expr);
      break;
    }
    case NodeTag::kVar:
    case NodeTag::kConst:
    case NodeTag::kParam:
    case NodeTag::kCoerceToDomainValue:
    case NodeTag::kCaseTestExpr:
    case NodeTag::kSetToDefault:
    case NodeTag::kCurrentOfExpr: result = Own(node); break;
    case NodeTag::kInferenceElem:
    case NodeTag::kRangeTblRef:
    case NodeTag::kJoinExpr:
    case NodeTag::kFromExpr:
    case NodeTag::kOnConflictExpr:
    case NodeTag::kSortGroupClause:
    case NodeTag::kMergeAction:
      AnyChild(node, [&](const Node* child) {
        Apart(const_cast<Node*>(child));
        return false;
      });
      return;
    case NodeTag::kSetOperationStmt:
    case NodeTag::kRangeTblEntry:
    case NodeTag::kCommonTableExpr:
    case NodeTag::kAlias:
    case NodeTag::kGroupingSet:
    case NodeTag::kRowMarkClause: return;
    case NodeTag::kWindowClause:
      Apart(As<WindowClause>(node)->start_offset);
      Apart(As<WindowClause>(node)->end_offset);
      return;
    default: result = DeriveGeneral(node); break;
  }
  Merge(result, into);
}

}  // namespace

void AssignExprCollations(BindState& state, Node* expr) {
  if (expr != nullptr) Assigner(state).Apart(expr);
}

void AssignQueryCollations(BindState& state, Query* query) {
  Assigner assigner(state);
  AnyChild(query, [&](const Node* child) {
    assigner.Apart(const_cast<Node*>(child));
    return false;
  });
}

Oid CommonCollation(BindState& state, const ExprList& exprs, bool none_ok) {
  Assigner assigner(state);
  Derivation derivation;
  for (Expr* expr : exprs) assigner.Walk(expr, &derivation);
  if (derivation.strength != Strength::kConflict) return derivation.collation;
  if (none_ok) return Oid{};
  throw assigner.ImplicitMismatch(derivation);
}

}  // namespace walden
