// Expressions.
#include "node/base/error.h"
#include "node/base/stack_depth.h"
#include "node/sql/query/deparser.h"
#include "node/sql/query/expr_facts.h"
#include "node/types/quote.h"

namespace walden {

namespace {

constexpr Oid kBoolOid{16};
constexpr Oid kInt4Oid{23};
constexpr Oid kUnknownOid{705};
constexpr Oid kNumericOid{1700};
constexpr Oid kRecordOid{2249};

// A string constant in the syntax of standard_conforming_strings: backslashes stand for themselves.
std::string PlainLiteral(std::string_view text) {
  std::string literal = "'";
  for (char c : text) {
    if (c == '\'') literal += '\'';
    literal += c;
  }
  return literal + "'";
}

const Node* StripImplicitCoercions(const Node* node) {
  for (;;) {
    const Node* inner = nullptr;
    if (const auto* func = TryAs<FuncExpr>(node)) {
      if (func->funcformat == CoercionForm::kImplicitCast) inner = func->args[0];
    } else if (const auto* relabel = TryAs<RelabelType>(node)) {
      if (relabel->relabelformat == CoercionForm::kImplicitCast) inner = relabel->arg;
    } else if (const auto* via_io = TryAs<CoerceViaIo>(node)) {
      if (via_io->coerceformat == CoercionForm::kImplicitCast) inner = via_io->arg;
    } else if (const auto* array = TryAs<ArrayCoerceExpr>(node)) {
      if (array->coerceformat == CoercionForm::kImplicitCast) inner = array->arg;
    } else if (const auto* domain = TryAs<CoerceToDomain>(node)) {
      if (domain->coercionformat == CoercionForm::kImplicitCast) inner = domain->arg;
    }
    if (inner == nullptr) return node;
    node = inner;
  }
}

bool LooksLikeFunction(const Node* node) {
  switch (node->tag) {
    case NodeTag::kFuncExpr: {
      CoercionForm form = As<FuncExpr>(node)->funcformat;
      return form == CoercionForm::kExplicitCall || form == CoercionForm::kSqlSyntax;
    }
    case NodeTag::kAggref:
    case NodeTag::kGroupingFunc:
    case NodeTag::kWindowFunc:
    case NodeTag::kCoalesceExpr:
    case NodeTag::kMinMaxExpr:
    case NodeTag::kSqlValueFunction:
    case NodeTag::kXmlExpr:
    case NodeTag::kNullIfExpr: return true;
    default: return false;
  }
}

// Does `parent` enclose its operands by its own syntax?
bool ParentEncloses(const Node* parent) {
  switch (parent->tag) {
    case NodeTag::kFuncExpr: {
      CoercionForm form = As<FuncExpr>(parent)->funcformat;
      return form == CoercionForm::kExplicitCall;
    }
    case NodeTag::kSubscriptingRef:
    case NodeTag::kArrayExpr:
    case NodeTag::kRowExpr:
    case NodeTag::kCoalesceExpr:
    case NodeTag::kMinMaxExpr:
    case NodeTag::kXmlExpr:
    case NodeTag::kNullIfExpr:
    case NodeTag::kAggref:
    case NodeTag::kGroupingFunc:
    case NodeTag::kWindowFunc:
    case NodeTag::kCaseExpr: return true;
    default: return false;
  }
}

bool BoolNeedsNoParens(BoolExprType inner, BoolExprType outer) {
  if (inner == BoolExprType::kOr) return outer == BoolExprType::kOr;
  return outer == BoolExprType::kAnd || outer == BoolExprType::kOr;
}

}  // namespace

// ---- parentheses ------------------------------------------------------------------------------------------

// '+', '*' ... for a binary operator of one character, else 0.
char Deparser::SimpleOperator(const Node* node) const {
  const auto* op = TryAs<OpExpr>(node);
  if (op == nullptr || op->args.size() != 2) return 0;
  std::string name = names_.OperatorName(op->opno, ExprType(op->args[0]), ExprType(op->args[1]));
  return name.size() == 1 ? name[0] : '\0';
}

// May `node` stand below `parent` without parentheses?
bool Deparser::IsSimple(const Node* node, const Node* parent) const {
  switch (node->tag) {
    case NodeTag::kVar:
    case NodeTag::kConst:
    case NodeTag::kParam:
    case NodeTag::kCoerceToDomainValue:
    case NodeTag::kSetToDefault:
    case NodeTag::kCurrentOfExpr:
    case NodeTag::kSubscriptingRef:
    case NodeTag::kArrayExpr:
    case NodeTag::kRowExpr:
    case NodeTag::kCoalesceExpr:
    case NodeTag::kMinMaxExpr:
    case NodeTag::kSqlValueFunction:
    case NodeTag::kXmlExpr:
    case NodeTag::kNextValueExpr:
    case NodeTag::kNullIfExpr:
    case NodeTag::kAggref:
    case NodeTag::kGroupingFunc:
    case NodeTag::kWindowFunc:
    case NodeTag::kFuncExpr:
    case NodeTag::kCaseExpr: return true;
    case NodeTag::kFieldSelect: return !Is<FieldSelect>(parent);
    case NodeTag::kFieldStore: return !Is<FieldStore>(parent);
    case NodeTag::kCoerceToDomain: return IsSimple(As<CoerceToDomain>(node)->arg, node);
    case NodeTag::kRelabelType: return IsSimple(As<RelabelType>(node)->arg, node);
    case NodeTag::kCoerceViaIo: return IsSimple(As<CoerceViaIo>(node)->arg, node);
    case NodeTag::kArrayCoerceExpr: return IsSimple(As<ArrayCoerceExpr>(node)->arg, node);
    case NodeTag::kConvertRowtypeExpr: return IsSimple(As<ConvertRowtypeExpr>(node)->arg, node);
    case NodeTag::kOpExpr:
      if (const auto* outer = TryAs<OpExpr>(parent)) {
        auto priority = [](char op) {
          return op == '+' || op == '-' ? 1 : op == '*' || op == '/' || op == '%' ? 2 : 0;
        };
        int inner_priority = priority(SimpleOperator(node)),
            outer_priority = priority(SimpleOperator(parent));
        if (inner_priority == 0 || outer_priority == 0) return false;
        if (inner_priority != outer_priority) return inner_priority > outer_priority;
        return node == outer->args[0];  // (a - b) - c, but not a - (b - c)
      }
      return ParentEncloses(parent) || Is<BoolExpr>(parent);
    case NodeTag::kSubLink:
    case NodeTag::kNullTest:
    case NodeTag::kBooleanTest:
    case NodeTag::kDistinctExpr: return ParentEncloses(parent) || Is<BoolExpr>(parent);
    case NodeTag::kBoolExpr:
      if (const auto* outer = TryAs<BoolExpr>(parent)) {
        return BoolNeedsNoParens(As<BoolExpr>(node)->boolop, outer->boolop);
      }
      return ParentEncloses(parent);
    default: return false;
  }
}

void Deparser::PutExprInParens(const Node* node, bool show_implicit, const Node* parent) {
  bool parens = pretty() && !IsSimple(node, parent);
  if (parens) Put("(");
  PutExpr(node, show_implicit);
  if (parens) Put(")");
}

// A whole-row Var gets a cast where "t.*" would be expanded.
void Deparser::PutExprTopLevel(const Node* node, bool show_implicit) {
  if (const auto* var = TryAs<Var>(node)) {
    PutVar(*var, 0, /*top_level=*/true);
  } else {
    PutExpr(node, show_implicit);
  }
}

// A function in FROM: what is not one in syntax must be dressed as one.
void Deparser::PutFunctionItem(const Node* node) {
  if (LooksLikeFunction(node)) {
    PutExpr(node, true);
    return;
  }
  Put("CAST(");
  PutExpr(node, false);
  Put(" AS " + names_.TypeName(ExprType(node), ExprTypmod(node)) + ")");
}

void Deparser::PutExprList(const ExprList& list, bool show_implicit) {
  for (uint32_t i = 0; i < list.size(); ++i) {
    if (i > 0) Put(", ");
    PutExpr(list[i], show_implicit);
  }
}

// ---- dispatch ---------------------------------------------------------------------------------------------

void Deparser::PutExpr(const Node* node, bool show_implicit) {
  if (node == nullptr) return;
  CheckStackDepth();
  if (PutPrimary(node, show_implicit) || PutCast(node, show_implicit) || PutTest(node, show_implicit)) return;
  throw NotSupported(std::string("showing an expression of kind ") + std::string(NodeTagName(node->tag)));
}

void Deparser::PutParam(const Param& param) {
  const Node* source = nullptr;
  if (param.paramkind == ParamKind::kExec && parameter_resolver_ != nullptr)
    source = (*parameter_resolver_)(param);
  if (source == nullptr) {
    Put("$" + std::to_string(param.paramid));
    return;
  }
  // It belongs to another node of the plan, whose columns are named with their relation.
  bool saved_prefix = std::exchange(var_prefix_, true);
  bool atomic = Is<Var>(source) || Is<Aggref>(source) || Is<GroupingFunc>(source) || Is<Param>(source);
  if (!atomic) Put("(");
  PutExpr(source, false);
  if (!atomic) Put(")");
  var_prefix_ = saved_prefix;
}

bool Deparser::PutPrimary(const Node* node, bool show_implicit) {
  switch (node->tag) {
    case NodeTag::kVar: PutVar(*As<Var>(node), 0, false); return true;
    case NodeTag::kConst: PutConst(*As<Const>(node), 0); return true;
    case NodeTag::kParam: PutParam(*As<Param>(node)); return true;
    case NodeTag::kAggref: PutAggregate(*As<Aggref>(node)); return true;
    case NodeTag::kGroupingFunc:
      Put("GROUPING(");
      PutExprList(As<GroupingFunc>(node)->args, true);
      Put(")");
      return true;
    case NodeTag::kWindowFunc: PutWindowFunc(*As<WindowFunc>(node)); return true;
    case NodeTag::kSubscriptingRef: PutSubscripting(*As<SubscriptingRef>(node), show_implicit); return true;
    case NodeTag::kFuncExpr: PutFunction(*As<FuncExpr>(node), show_implicit); return true;
    case NodeTag::kNamedArgExpr:
      Put(QuoteIdentifier(As<NamedArgExpr>(node)->name) + " => ");
      PutExpr(As<NamedArgExpr>(node)->arg, show_implicit);
      return true;
    case NodeTag::kSubLink: PutSubLink(*As<SubLink>(node)); return true;
    case NodeTag::kSubPlan: Put("(" + std::string(As<SubPlan>(node)->plan_name) + ")"); return true;
    case NodeTag::kFieldSelect: PutFieldSelect(*As<FieldSelect>(node)); return true;
    case NodeTag::kCaseExpr: PutCase(*As<CaseExpr>(node)); return true;
    case NodeTag::kCaseTestExpr: Put("CASE_TEST_EXPR"); return true;
    case NodeTag::kArrayExpr:
      Put("ARRAY[");
      PutExprList(As<ArrayExpr>(node)->elements, true);
      Put("]");
      if (As<ArrayExpr>(node)->elements.empty())
        Put("::" + names_.TypeName(As<ArrayExpr>(node)->array_typeid, -1));
      return true;
    case NodeTag::kRowExpr: PutRow(*As<RowExpr>(node)); return true;
    case NodeTag::kCoalesceExpr:
      Put("COALESCE(");
      PutExprList(As<CoalesceExpr>(node)->args, true);
      Put(")");
      return true;
    case NodeTag::kMinMaxExpr:
      Put(As<MinMaxExpr>(node)->op == MinMaxOp::kGreatest ? "GREATEST(" : "LEAST(");
      PutExprList(As<MinMaxExpr>(node)->args, true);
      Put(")");
      return true;
    case NodeTag::kNullIfExpr:
      Put("NULLIF(");
      PutExprList(As<NullIfExpr>(node)->args, true);
      Put(")");
      return true;
    case NodeTag::kSqlValueFunction: PutValueFunction(*As<SqlValueFunction>(node)); return true;
    case NodeTag::kXmlExpr: PutXml(*As<XmlExpr>(node)); return true;
    case NodeTag::kCoerceToDomainValue: Put("VALUE"); return true;
    case NodeTag::kSetToDefault: Put("DEFAULT"); return true;
    case NodeTag::kCurrentOfExpr:
      Put("CURRENT OF " + QuoteIdentifier(As<CurrentOfExpr>(node)->cursor_name));
      return true;
    case NodeTag::kNextValueExpr:
      Put("nextval(" + PlainLiteral(RelationName(As<NextValueExpr>(node)->seqid)) + "::regclass)");
      return true;
    case NodeTag::kInferenceElem: PutInferenceElem(*As<InferenceElem>(node), show_implicit); return true;
    case NodeTag::kPlaceHolderVar: PutExpr(As<PlaceHolderVar>(node)->phexpr, show_implicit); return true;
    case NodeTag::kTargetEntry: PutExpr(As<TargetEntry>(node)->expr, show_implicit); return true;
    default: return false;
  }
}

bool Deparser::PutCast(const Node* node, bool show_implicit) {
  const Expr* arg = nullptr;
  Oid type{};
  int32_t typmod = -1;
  CoercionForm form{};
  switch (node->tag) {
    case NodeTag::kRelabelType: {
      const auto* cast = As<RelabelType>(node);
      arg = cast->arg, type = cast->resulttype, typmod = cast->resulttypmod, form = cast->relabelformat;
      break;
    }
    case NodeTag::kCoerceViaIo: {
      const auto* cast = As<CoerceViaIo>(node);
      arg = cast->arg, type = cast->resulttype, form = cast->coerceformat;
      break;
    }
    case NodeTag::kArrayCoerceExpr: {
      const auto* cast = As<ArrayCoerceExpr>(node);
      arg = cast->arg, type = cast->resulttype, typmod = cast->resulttypmod, form = cast->coerceformat;
      break;
    }
    case NodeTag::kConvertRowtypeExpr: {
      const auto* cast = As<ConvertRowtypeExpr>(node);
      arg = cast->arg, type = cast->resulttype, form = cast->convertformat;
      break;
    }
    case NodeTag::kCoerceToDomain: {
      const auto* cast = As<CoerceToDomain>(node);
      arg = cast->arg, type = cast->resulttype, typmod = cast->resulttypmod, form = cast->coercionformat;
      break;
    }
    default: return false;
  }
  if (form == CoercionForm::kImplicitCast && !show_implicit) {
    PutExprInParens(arg, false, node);
  } else {
    PutCoercion(arg, type, typmod, node);
  }
  return true;
}

bool Deparser::PutTest(const Node* node, bool show_implicit) {
  switch (node->tag) {
    case NodeTag::kOpExpr: PutOperator(*As<OpExpr>(node)); return true;
    case NodeTag::kDistinctExpr:
      PutOpenParen();
      PutExprInParens(As<DistinctExpr>(node)->args[0], true, node);
      Put(" IS DISTINCT FROM ");
      PutExprInParens(As<DistinctExpr>(node)->args[1], true, node);
      PutCloseParen();
      return true;
    case NodeTag::kScalarArrayOpExpr: PutArrayOperator(*As<ScalarArrayOpExpr>(node)); return true;
    case NodeTag::kBoolExpr: PutBool(*As<BoolExpr>(node)); return true;
    case NodeTag::kCollateExpr:
      PutOpenParen();
      PutExprInParens(As<CollateExpr>(node)->arg, show_implicit, node);
      Put(" COLLATE " + names_.CollationName(As<CollateExpr>(node)->coll_oid));
      PutCloseParen();
      return true;
    case NodeTag::kRowCompareExpr: PutRowCompare(*As<RowCompareExpr>(node)); return true;
    case NodeTag::kNullTest: PutNullTest(*As<NullTest>(node)); return true;
    case NodeTag::kBooleanTest: PutBooleanTest(*As<BooleanTest>(node)); return true;
    default: return false;
  }
}

// ---- columns and constants --------------------------------------------------------------------------------

const DeparseScope& Deparser::ScopeAt(uint32_t levels_up) const {
  const DeparseScope* scope = scope_;
  while (levels_up > 0 && scope != nullptr) {
    scope = scope->parent();
    --levels_up;
  }
  if (scope == nullptr)
    throw SqlError(ErrorCode::kInternalError, "bogus varlevelsup in an expression to be shown");
  return *scope;
}

std::string Deparser::PutVar(const Var& var, uint32_t levels_up, bool top_level) {
  if (var.varno < 0 && resolver_ != nullptr) {
    const Node* source = (*resolver_)(var);
    if (const auto* plain = TryAs<Var>(source)) return PutVar(*plain, levels_up, top_level);
    Put("(");
    PutExpr(source, true);
    Put(")");
    return "";
  }
  const DeparseScope& scope = ScopeAt(var.varlevelsup + levels_up);
  // As it was written, if that is known: the name of a join's column rather than of what it stands for.
  bool as_written = var.varnosyn > 0 && resolver_ == nullptr;
  int varno = as_written ? static_cast<int>(var.varnosyn) : var.varno;
  AttrNumber attno = as_written ? var.varattnosyn : var.varattno;
  if (varno < 1 || varno > scope.size()) throw SqlError(ErrorCode::kInternalError, "bogus varno: {}", varno);
  const RangeTblEntry& rte = scope.rte(varno);
  if (rte.rtekind == RteKind::kJoin && rte.alias == nullptr && attno > 0) {
    const Expr* source = rte.joinaliasvars[static_cast<uint32_t>(attno - 1)];
    if (const auto* plain = TryAs<Var>(source)) return PutVar(*plain, var.varlevelsup + levels_up, top_level);
  }
  const ColumnScope& columns = scope.Columns(varno);
  std::string name;
  if (attno > 0) {
    if (static_cast<size_t>(attno) > columns.names.size()) {
      throw SqlError(ErrorCode::kInternalError, "invalid attnum {} for relation \"{}\"", attno,
                     scope.RefName(varno));
    }
    name = columns.names[static_cast<size_t>(attno - 1)].value_or("?dropped?column?");
  } else if (attno < 0) {
    static constexpr std::string_view kSystemColumns[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};
    name = kSystemColumns[static_cast<size_t>(-attno - 1)];
  }
  const std::string& ref_name = scope.RefName(varno);
  if (!ref_name.empty() && (var_prefix_ || name.empty())) Put(QuoteIdentifier(ref_name) + ".");
  if (!name.empty()) {
    Put(QuoteIdentifier(name));
  } else {
    Put("*");
    if (top_level) Put("::" + names_.TypeName(var.vartype, var.vartypmod));
  }
  return name;
}

// show_type: 0 where the text alone would not be read back as the type, 1 always, -1 never.
void Deparser::PutConst(const Const& constant, int show_type) {
  Oid type = constant.consttype;
  if (constant.IsNull()) {
    Put("NULL");
    if (show_type < 0) return;
    Put("::" + names_.TypeName(type, constant.consttypmod));
    PutConstCollation(constant);
    return;
  }
  std::string text = names_.ValueText(constant);
  bool needs_label = true;
  bool digit_first = !text.empty() && text[0] >= '0' && text[0] <= '9';
  if (type == kInt4Oid && text[0] != '-') {
    Put(text);
    needs_label = false;
  } else if (type == kNumericOid && digit_first && text.find_first_of("eE.") != std::string::npos) {
    Put(text);
    needs_label = constant.consttypmod >= 0;
  } else if (type == kBoolOid) {
    Put(text == "t" || text == "true" ? "true" : "false");
    needs_label = false;
  } else {
    Put(PlainLiteral(text));
    needs_label = type != kUnknownOid;
  }
  if (show_type < 0) return;
  if (needs_label || show_type > 0) Put("::" + names_.TypeName(type, constant.consttypmod));
  PutConstCollation(constant);
}

void Deparser::PutConstCollation(const Const& constant) {
  if (!IsValid(constant.constcollid) || constant.constcollid == names_.TypeCollation(constant.consttype))
    return;
  Put(" COLLATE " + names_.CollationName(constant.constcollid));
}

// ---- operators --------------------------------------------------------------------------------------------

void Deparser::PutOperator(const OpExpr& op) {
  PutOpenParen();
  if (op.args.size() == 2) {
    PutExprInParens(op.args[0], true, &op);
    Put(" " + names_.OperatorName(op.opno, ExprType(op.args[0]), ExprType(op.args[1])) + " ");
    PutExprInParens(op.args[1], true, &op);
  } else {
    Put(names_.OperatorName(op.opno, Oid::kInvalid, ExprType(op.args[0])) + " ");
    PutExprInParens(op.args[0], true, &op);
  }
  PutCloseParen();
}

void Deparser::PutArrayOperator(const ScalarArrayOpExpr& op) {
  const Expr* array = op.args[1];
  PutOpenParen();
  PutExprInParens(op.args[0], true, &op);
  Put(" " + names_.OperatorName(op.opno, ExprType(op.args[0]), names_.ElementType(ExprType(array))));
  Put(op.use_or ? " ANY (" : " ALL (");
  PutExprInParens(array, true, &op);
  // A bare subquery would be read as one that yields the elements.
  const auto* link = TryAs<SubLink>(array);
  if (link != nullptr && link->sub_link_type == SubLinkType::kExpr) {
    Put("::" + names_.TypeName(ExprType(array), ExprTypmod(array)));
  }
  Put(")");
  PutCloseParen();
}

void Deparser::PutBool(const BoolExpr& expr) {
  PutOpenParen();
  if (expr.boolop == BoolExprType::kNot) {
    Put("NOT ");
    PutExprInParens(expr.args[0], false, &expr);
  } else {
    for (uint32_t i = 0; i < expr.args.size(); ++i) {
      if (i > 0) Put(expr.boolop == BoolExprType::kAnd ? " AND " : " OR ");
      PutExprInParens(expr.args[i], false, &expr);
    }
  }
  PutCloseParen();
}

void Deparser::PutNullTest(const NullTest& test) {
  PutOpenParen();
  PutExprInParens(test.arg, true, &test);
  bool is_null = test.nulltesttype == NullTestType::kIsNull;
  if (test.argisrow || !names_.IsRowType(ExprType(test.arg))) {
    Put(is_null ? " IS NULL" : " IS NOT NULL");
  } else {
    // A scalar test of a row: IS NULL would look at its fields.
    Put(is_null ? " IS NOT DISTINCT FROM NULL" : " IS DISTINCT FROM NULL");
  }
  PutCloseParen();
}

void Deparser::PutBooleanTest(const BooleanTest& test) {
  static constexpr std::string_view kTests[] = {" IS TRUE",      " IS NOT TRUE", " IS FALSE",
                                                " IS NOT FALSE", " IS UNKNOWN",  " IS NOT UNKNOWN"};
  PutOpenParen();
  PutExprInParens(test.arg, false, &test);
  Put(kTests[static_cast<size_t>(test.booltesttype)]);
  PutCloseParen();
}

void Deparser::PutRowCompare(const RowCompareExpr& compare) {
  Put("(ROW(");
  PutExprList(compare.largs, true);
  // The first column's operator stands for all, as in the syntax.
  Put(") " + names_.OperatorName(compare.opnos[0], ExprType(compare.largs[0]), ExprType(compare.rargs[0])) +
      " ROW(");
  PutExprList(compare.rargs, true);
  Put("))");
}

void Deparser::PutInferenceElem(const InferenceElem& elem, bool show_implicit) {
  // An index expression needs parentheses unless it is a column or a call.
  const auto* func = TryAs<FuncExpr>(elem.expr);
  bool parens = !Is<Var>(elem.expr) && !(func != nullptr && func->funcformat == CoercionForm::kExplicitCall);
  if (parens) Put("(");
  bool outer_prefix = var_prefix_;
  var_prefix_ = false;
  PutExpr(elem.expr, show_implicit);
  var_prefix_ = outer_prefix;
  if (parens) Put(")");
  if (IsValid(elem.infercollid)) Put(" COLLATE " + names_.CollationName(elem.infercollid));
  if (IsValid(elem.inferopclass)) Put(" " + names_.OpclassName(elem.inferopclass));
}

// ---- casts and calls --------------------------------------------------------------------------------------

void Deparser::PutCoercion(const Node* arg, Oid type, int32_t typmod, const Node* parent) {
  // A length applied to a constant of the type is one cast in the source.
  const auto* constant = TryAs<Const>(arg);
  if (constant != nullptr && constant->consttype == type && constant->consttypmod == -1) {
    PutConst(*constant, -1);
  } else {
    PutOpenParen();
    PutExprInParens(arg, false, parent);
    PutCloseParen();
  }
  Put("::" + names_.TypeName(type, typmod));
}

void Deparser::PutFunction(const FuncExpr& func, bool show_implicit) {
  if (func.funcformat == CoercionForm::kImplicitCast && !show_implicit) {
    PutExprInParens(func.args[0], false, &func);
    return;
  }
  if (func.funcformat == CoercionForm::kExplicitCast || func.funcformat == CoercionForm::kImplicitCast) {
    PutCoercion(func.args[0], func.funcresulttype, ExprTypmod(&func), &func);
    return;
  }
  if (func.funcformat == CoercionForm::kSqlSyntax && PutSqlSyntax(func)) return;
  Put(FunctionName(func.funcid, func.args, func.funcvariadic) + "(");
  for (uint32_t i = 0; i < func.args.size(); ++i) {
    if (i > 0) Put(", ");
    if (func.funcvariadic && i + 1 == func.args.size()) Put("VARIADIC ");
    PutExpr(func.args[i], true);
  }
  Put(")");
}

// ---- CASE, rows, fields, subscripts -----------------------------------------------------------------------

void Deparser::PutCase(const CaseExpr& expr) {
  auto begin_part = [this](std::string_view keyword) {
    if (!indenting()) Put(" ");
    PutKeyword(keyword, 0, 0, 0);
  };
  PutKeyword("CASE", 0, 4, 0);
  if (expr.arg != nullptr) {
    Put(" ");
    PutExpr(expr.arg, true);
  }
  for (const CaseWhen* when : expr.args) {
    const Node* condition = when->expr;
    if (expr.arg != nullptr) {
      // "placeholder = value" was made from the value alone.
      const auto* op = TryAs<OpExpr>(condition);
      if (op != nullptr && op->args.size() == 2 && Is<CaseTestExpr>(StripImplicitCoercions(op->args[0]))) {
        condition = op->args[1];
      }
    }
    begin_part("WHEN ");
    PutExpr(condition, false);
    Put(" THEN ");
    PutExpr(when->result, true);
  }
  begin_part("ELSE ");
  PutExpr(expr.defresult, true);
  if (!indenting()) Put(" ");
  PutKeyword("END", -4, 0, 0);
}

void Deparser::PutRow(const RowExpr& row) {
  Put("ROW(");
  for (uint32_t i = 0; i < row.args.size(); ++i) {
    if (i > 0) Put(", ");
    PutExprTopLevel(row.args[i], true);
  }
  Put(")");
  if (row.row_format == CoercionForm::kExplicitCast) Put("::" + names_.TypeName(row.row_typeid, -1));
}

void Deparser::PutSubscripting(const SubscriptingRef& ref, bool show_implicit) {
  if (ref.refassgnexpr != nullptr) throw NotSupported("showing an array assignment");
  bool parens = !Is<Var>(ref.refexpr) && !Is<FieldSelect>(ref.refexpr);
  if (parens) Put("(");
  PutExpr(ref.refexpr, show_implicit);
  if (parens) Put(")");
  for (uint32_t i = 0; i < ref.refupperindexpr.size(); ++i) {
    Put("[");
    if (!ref.reflowerindexpr.empty()) {
      PutExpr(ref.reflowerindexpr[i], false);
      Put(":");
    }
    PutExpr(ref.refupperindexpr[i], false);
    Put("]");
  }
}

void Deparser::PutFieldSelect(const FieldSelect& select) {
  bool parens = !Is<SubscriptingRef>(select.arg) && !Is<FieldSelect>(select.arg);
  if (parens) Put("(");
  PutExpr(select.arg, true);
  if (parens) Put(")");
  Put("." + QuoteIdentifier(FieldNameOf(select.arg, select.fieldnum, 0)));
}

// The name of field n of a row expression, following anonymous records to where they were made.
std::string Deparser::FieldNameOf(const Node* row, AttrNumber field, uint32_t levels_up) {
  if (const auto* made = TryAs<RowExpr>(row)) {
    if (static_cast<uint32_t>(field) <= made->colnames.size()) {
      return std::string(made->colnames[static_cast<uint32_t>(field - 1)]);
    }
  }
  Oid type = ExprType(row);
  if (type != kRecordOid) return names_.FieldName(type, field);
  // EXPLAIN: what the position in a plan's row stands for.
  if (const auto* var = TryAs<Var>(row); var != nullptr && var->varno < 0) {
    const Node* source = resolver_ == nullptr ? nullptr : (*resolver_)(*var);
    bool known = source != nullptr && source != row;
    return known ? FieldNameOf(source, field, levels_up) : "f" + std::to_string(field);
  }
  if (const auto* var = TryAs<Var>(row)) return FieldNameOfVar(*var, field, levels_up);
  return "f" + std::to_string(field);
}

std::string Deparser::FieldNameOfVar(const Var& var, AttrNumber field, uint32_t levels_up) {
  const DeparseScope& scope = ScopeAt(var.varlevelsup + levels_up);
  const RangeTblEntry& rte = scope.rte(var.varno);
  if (var.varattno == 0) {  // the whole row of a subquery, function ...
    const List<std::string_view>& columns = rte.eref->colnames;
    if (static_cast<uint32_t>(field) > columns.size()) return "f" + std::to_string(field);
    return std::string(columns[static_cast<uint32_t>(field - 1)]);
  }
  // (A subquery that was planned has gone.)
  if (rte.rtekind == RteKind::kSubquery && rte.subquery != nullptr) {
    if (const TargetEntry* target = FindTarget(rte.subquery->target_list, var.varattno)) {
      if (const auto* inner = TryAs<RowExpr>(target->expr)) return FieldNameOf(inner, field, 0);
      if (ExprType(target->expr) != kRecordOid) return names_.FieldName(ExprType(target->expr), field);
    }
  }
  return "f" + std::to_string(field);
}

// ---- functions with a syntax of their own -----------------------------------------------------------------

void Deparser::PutValueFunction(const SqlValueFunction& func) {
  auto with_precision = [&](std::string_view name) {
    Put(std::string(name) + "(" + std::to_string(func.typmod) + ")");
  };
  switch (func.op) {
    case SqlValueFunctionOp::kCurrentDate: return Put("CURRENT_DATE");
    case SqlValueFunctionOp::kCurrentTime: return Put("CURRENT_TIME");
    case SqlValueFunctionOp::kCurrentTimeN: return with_precision("CURRENT_TIME");
    case SqlValueFunctionOp::kCurrentTimestamp: return Put("CURRENT_TIMESTAMP");
    case SqlValueFunctionOp::kCurrentTimestampN: return with_precision("CURRENT_TIMESTAMP");
    case SqlValueFunctionOp::kLocalTime: return Put("LOCALTIME");
    case SqlValueFunctionOp::kLocalTimeN: return with_precision("LOCALTIME");
    case SqlValueFunctionOp::kLocalTimestamp: return Put("LOCALTIMESTAMP");
    case SqlValueFunctionOp::kLocalTimestampN: return with_precision("LOCALTIMESTAMP");
    case SqlValueFunctionOp::kCurrentRole: return Put("CURRENT_ROLE");
    case SqlValueFunctionOp::kCurrentUser: return Put("CURRENT_USER");
    case SqlValueFunctionOp::kUser: return Put("USER");
    case SqlValueFunctionOp::kSessionUser: return Put("SESSION_USER");
    case SqlValueFunctionOp::kCurrentCatalog: return Put("CURRENT_CATALOG");
    case SqlValueFunctionOp::kCurrentSchema: return Put("CURRENT_SCHEMA");
  }
}

void Deparser::PutXml(const XmlExpr&) { throw NotSupported("showing an XML expression"); }

}  // namespace walden
