#include "node/sql/optimizer/refutation.h"

#include <algorithm>

#include "node/catalog/builtin.h"
#include "node/config/settings.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/optimizer/index_paths.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/query_text.h"
#include "node/sql/query/tree_walk.h"
#include "node/types/array.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

constexpr Oid kBtreeMethod{403};
constexpr uint32_t kMostElements = 100;  // of an IN list that are looked at one by one

// "expr <operator> constant" of a btree family; kNotEqual stands beside the btree strategies.
struct Comparison {
  enum Kind : uint8_t { kLess = 1, kLessEqual, kEqual, kGreaterEqual, kGreater, kNotEqual };
  const Expr* expr = nullptr;
  Oid collation = Oid::kInvalid;
  Oid family = Oid::kInvalid;
  Kind kind = kEqual;
  Oid type = Oid::kInvalid;
  Datum value{};

  bool bounds_above() const { return kind == kLess || kind == kLessEqual || kind == kEqual; }
  bool bounds_below() const { return kind == kGreater || kind == kGreaterEqual || kind == kEqual; }
  bool excludes_value() const { return kind == kLess || kind == kGreater; }
};

bool FindFamily(Oid opno, Comparison* to) {
  for (const BuiltinAmop* amop : BuiltinAmopsOf(opno)) {
    if (amop->method != kBtreeMethod) continue;
    to->family = amop->family;
    to->kind = static_cast<Comparison::Kind>(amop->strategy);
    return true;
  }
  const BuiltinOperator* op = FindBuiltinOperator(opno);
  if (op == nullptr || !IsValid(op->negator)) return false;
  for (const BuiltinAmop* amop : BuiltinAmopsOf(op->negator)) {
    if (amop->method != kBtreeMethod || amop->strategy != Comparison::kEqual) continue;
    to->family = amop->family;
    to->kind = Comparison::kNotEqual;
    return true;
  }
  return false;
}

bool MakeComparison(const Expr* expr, Comparison* to) {
  const OpExpr* op = TryAs<OpExpr>(static_cast<const Node*>(expr));
  if (op == nullptr || op->args.size() != 2) return false;
  Oid opno = op->opno;
  const Const* constant = TryAs<Const>(static_cast<const Node*>(op->args[1]));
  to->expr = op->args[0];
  if (constant == nullptr) {
    constant = TryAs<Const>(static_cast<const Node*>(op->args[0]));
    const BuiltinOperator* row = FindBuiltinOperator(opno);
    if (constant == nullptr || row == nullptr || !IsValid(row->commutator)) return false;
    opno = row->commutator;
    to->expr = op->args[1];
  }
  if (constant->IsNull() || !FindFamily(opno, to)) return false;
  to->collation = op->inputcollid;
  to->type = constant->consttype;
  to->value = constant->value.datum;
  return true;
}

bool IntegerValue(const Comparison& of, int64_t* to) {
  if (of.type == type_oid::kInt2) {
    *to = of.value.i16;
  } else if (of.type == type_oid::kInt4) {
    *to = of.value.i32;
  } else if (of.type == type_oid::kInt8) {
    *to = of.value.i64;
  } else {
    return false;
  }
  return true;
}

// The order of the two constants; false when they cannot be compared.
bool CompareValues(const Comparison& a, const Comparison& b, int* order) {
  int64_t left, right;
  if (IntegerValue(a, &left) && IntegerValue(b, &right)) {
    *order = left < right ? -1 : left > right;
    return true;
  }
  const TypeDescriptor* type = FindType(a.type);
  if (a.type != b.type || type == nullptr || type->compare == nullptr) return false;
  *order = type->compare(a.value, b.value, nullptr);
  return true;
}

bool Contradict(const Comparison& a, const Comparison& b) {
  int order;
  if (!EqualNodes(a.expr, b.expr) || a.family != b.family || a.collation != b.collation ||
      !CompareValues(a, b, &order))
    return false;
  if (a.kind == Comparison::kNotEqual) return b.kind == Comparison::kEqual && order == 0;
  if (b.kind == Comparison::kNotEqual) return a.kind == Comparison::kEqual && order == 0;
  bool meets = !a.excludes_value() && !b.excludes_value();
  if (a.bounds_above() && b.bounds_below() && (order < 0 || (order == 0 && !meets))) return true;
  return a.bounds_below() && b.bounds_above() && (order > 0 || (order == 0 && !meets));
}

bool IsStrictIn(const Expr* condition, const Expr* subject) {
  const OpExpr* op = TryAs<OpExpr>(static_cast<const Node*>(condition));
  if (op == nullptr) return EqualNodes(condition, subject);
  const BuiltinFunction* function = FindBuiltinFunction(op->opfuncid);
  return function != nullptr && function->strict &&
         std::any_of(op->args.begin(), op->args.end(),
                     [&](const Expr* arg) { return IsStrictIn(arg, subject); });
}

const Expr* NullTestOf(const Expr* expr, NullTestType type) {
  const NullTest* test = TryAs<NullTest>(static_cast<const Node*>(expr));
  return test != nullptr && !test->argisrow && test->nulltesttype == type ? test->arg : nullptr;
}

const BoolExpr* BoolOf(const Expr* expr, BoolExprType op) {
  const BoolExpr* node = TryAs<BoolExpr>(static_cast<const Node*>(expr));
  return node != nullptr && node->boolop == op ? node : nullptr;
}

// Neither is AND, OR or an IN list.
bool SimpleRefutes(const Expr* given, const Expr* predicate, Refutation kind) {
  if (const BoolExpr* negation = BoolOf(predicate, BoolExprType::kNot);
      negation != nullptr && EqualNodes(negation->args[0], given)) {
    return true;
  }
  if (const BoolExpr* negation = BoolOf(given, BoolExprType::kNot);
      negation != nullptr && EqualNodes(negation->args[0], predicate)) {
    return true;
  }
  if (const Expr* subject = NullTestOf(predicate, NullTestType::kIsNull)) {
    return NullTestOf(given, NullTestType::kIsNull) == nullptr &&
           BoolOf(given, BoolExprType::kNot) == nullptr &&
           (IsStrictIn(given, subject) || (NullTestOf(given, NullTestType::kIsNotNull) != nullptr &&
                                           EqualNodes(NullTestOf(given, NullTestType::kIsNotNull), subject)));
  }
  if (const Expr* subject = NullTestOf(given, NullTestType::kIsNull)) {
    if (const Expr* other = NullTestOf(predicate, NullTestType::kIsNotNull))
      return EqualNodes(subject, other);
    return kind == Refutation::kNotTrue && IsStrictIn(predicate, subject);
  }
  Comparison a, b;
  return MakeComparison(given, &a) && MakeComparison(predicate, &b) && Contradict(a, b);
}

// x = ANY (constants): does test(comparison with one element) hold for all elements? False when it is no such list.
template <class Test>
bool AllElements(const ScalarArrayOpExpr& list, Arena& arena, Test test) {
  const Const* constant = TryAs<Const>(static_cast<const Node*>(list.args[1]));
  if (!list.use_or || constant == nullptr || constant->IsNull()) return false;
  ArrayView view(constant->value.datum.string.view());
  if (view.count() == 0 || view.count() > kMostElements) return false;
  PhysicalType physical = TypeOf(view.element_type()).physical;
  ArrayReader reader(view, physical);
  for (Value element; reader.Next(&element);) {
    if (element.is_null) continue;  // never equal to anything
    Const* value = MakeConst(arena, view.element_type(), -1, list.inputcollid, physical, element);
    OpExpr* op = MakeOpExpr(arena, list.opno, list.opfuncid, type_oid::kBool, Oid::kInvalid, list.inputcollid,
                            ExprList(arena, {list.args[0], value}));
    if (!test(op)) return false;
  }
  return true;
}

class Refuter {
 public:
  explicit Refuter(Refutation kind) : kind_(kind) {}

  bool Refutes(const Expr* given, const Expr* predicate) {
    // Of a conjunction one part must fall, of a disjunction each; what is given as a disjunction must do it in each case.
    if (RefutesParts(given, predicate)) return true;
    if (const BoolExpr* parts = BoolOf(given, BoolExprType::kAnd)) {
      return std::any_of(parts->args.begin(), parts->args.end(),
                         [&](const Expr* part) { return Refutes(part, predicate); });
    }
    if (const BoolExpr* parts = BoolOf(given, BoolExprType::kOr)) {
      return std::all_of(parts->args.begin(), parts->args.end(),
                         [&](const Expr* part) { return Refutes(part, predicate); });
    }
    if (SimpleRefutes(given, predicate, kind_)) return true;
    const ScalarArrayOpExpr* list = TryAs<ScalarArrayOpExpr>(static_cast<const Node*>(given));
    return list != nullptr &&
           AllElements(*list, arena_, [&](const Expr* one) { return Refutes(one, predicate); });
  }

 private:
  bool RefutesParts(const Expr* given, const Expr* predicate) {
    if (const BoolExpr* parts = BoolOf(predicate, BoolExprType::kAnd)) {
      return std::any_of(parts->args.begin(), parts->args.end(),
                         [&](const Expr* part) { return Refutes(given, part); });
    }
    if (const BoolExpr* parts = BoolOf(predicate, BoolExprType::kOr)) {
      return std::all_of(parts->args.begin(), parts->args.end(),
                         [&](const Expr* part) { return Refutes(given, part); });
    }
    const ScalarArrayOpExpr* list = TryAs<ScalarArrayOpExpr>(static_cast<const Node*>(predicate));
    // An element that is null makes the list null at worst, never true.
    if (list == nullptr || (kind_ == Refutation::kFalse && HasNulls(*list))) return false;
    return AllElements(*list, arena_, [&](const Expr* one) { return Refutes(given, one); });
  }

  static bool HasNulls(const ScalarArrayOpExpr& list) {
    const Const* constant = TryAs<Const>(static_cast<const Node*>(list.args[1]));
    return constant == nullptr || constant->IsNull() ||
           ArrayView(constant->value.datum.string.view()).has_nulls();
  }

  Refutation kind_;
  Arena arena_;
};

bool IsNeverTrue(const Expr* condition) {
  const Const* constant = TryAs<Const>(static_cast<const Node*>(condition));
  return constant != nullptr && (constant->IsNull() || !constant->value.datum.b);
}

bool ContradictsNotNull(const BaseRel& base, const Expr* condition) {
  const Expr* subject = NullTestOf(condition, NullTestType::kIsNull);
  const Var* var = subject == nullptr ? nullptr : TryAs<Var>(static_cast<const Node*>(subject));
  return var != nullptr && var->varlevelsup == 0 && var->varno == base.rtindex && var->varattno > 0 &&
         base.relation->columns[var->varattno - 1].attnotnull;
}

}  // namespace

bool Refutes(const Expr* given, const Expr* predicate, Refutation kind) {
  return Refuter(kind).Refutes(given, predicate);
}

bool IsExcluded(const BaseRel& base, Arena& arena, const PlannerOptions& options) {
  std::vector<const Expr*> conditions;
  for (const Qual& qual : base.quals) {
    if (IsNeverTrue(qual.expr)) return true;
    if (VolatilityOf(qual.expr) == 'i') conditions.push_back(qual.expr);
  }
  // There are no partitions and children, which "partition" is about.
  if (conditions.empty() || base.relation == nullptr ||
      GetEnum<ConstraintExclusion>(Setting::kConstraintExclusion) != ConstraintExclusion::kOn)
    return false;
  for (const Expr* condition : conditions) {
    if (ContradictsNotNull(base, condition)) return true;
    for (const Expr* other : conditions) {
      if (Refutes(condition, other, Refutation::kNotTrue)) return true;
    }
  }
  for (const CheckConstraint& check : base.relation->checks) {
    if (!check.validated) continue;
    Expr* predicate = static_cast<Expr*>(ReadNode(check.expression, arena));
    SetRelation(predicate, base.rtindex);
    predicate = static_cast<Expr*>(FoldConstants(predicate, arena, options));
    if (VolatilityOf(predicate) != 'i') continue;
    for (const Expr* condition : conditions) {
      if (Refutes(condition, predicate, Refutation::kFalse)) return true;
    }
  }
  return false;
}

}  // namespace walden
