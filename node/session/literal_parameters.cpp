#include "node/session/literal_parameters.h"

#include <algorithm>
#include <charconv>

#include "node/sql/executor/row_container.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/tree_walk.h"

namespace walden {

class LiteralExtractor {
 public:
  LiteralExtractor(std::span<const StatementLiteral> literals, Arena& arena)
      : literals_(literals), arena_(arena), found_(literals.size(), false) {}

  bool Run(Query* query) {
    VisitQuery(query);
    for (bool found : found_) fit_ &= found;
    return fit_;
  }
  LiteralParameters TakeParameters() { return std::move(parameters_); }

 private:
  Node* Visit(Node* node) {
    if (!fit_) return node;
    if (Is<Const>(node) || Is<FuncExpr>(node) || Is<OpExpr>(node)) {
      if (IsComputable(node) && ContainsLiteral(node)) return Replace(static_cast<Expr*>(node));
    }
    if (Is<Query>(node)) {
      VisitQuery(As<Query>(node));
    } else if (Is<OnConflictExpr>(node)) {
      VisitConflict(As<OnConflictExpr>(node));
    } else {
      ReplaceChildren(node, [this](Node* child) { return Visit(child); });
    }
    return node;
  }

  // Grouping, DISTINCT and ORDER BY find equal expressions in the target list while they are analysed: there a literal's value
  // has decided something.
  void VisitQuery(Query* query) {
    bool grouped =
        !query->group_clause.empty() || !query->grouping_sets.empty() || !query->window_clause.empty();
    for (TargetEntry* entry : query->target_list) VisitKept(entry, grouped || entry->ressortgroupref != 0);
    VisitKept(query->having_qual, grouped);
    ReplaceChildren(query, [this](Node* child) { return Visit(child); });
  }

  // Which index arbitrates follows from these expressions.
  void VisitConflict(OnConflictExpr* conflict) {
    for (InferenceElem* element : conflict->arbiter_elems) VisitKept(element, true);
    VisitKept(conflict->arbiter_where, true);
    ReplaceChildren(conflict, [this](Node* child) { return Visit(child); });
  }

  // A literal in a `kept` part makes the statement unfit.
  void VisitKept(const Node* node, bool kept) {
    if (kept && node != nullptr && ContainsLiteral(node)) fit_ = false;
  }
  bool ContainsLiteral(const Node* node) const {
    bool negated;
    if (Is<Const>(node)) return Find(*As<Const>(node), &negated) >= 0;
    return AnyChild(node, [this](const Node* child) { return ContainsLiteral(child); });
  }

  int Find(const Const& constant, bool* negated) const {
    if (!constant.location.IsKnown()) return -1;
    for (size_t i = 0; i < literals_.size(); ++i) {
      const StatementLiteral& literal = literals_[i];
      *negated = literal.sign_offset >= 0 && constant.location == literal.sign_offset;
      if (*negated || constant.location == literal.offset) return static_cast<int>(i);
    }
    return -1;
  }

  // Constants, and immutable calls of what is computable.
  static bool IsComputable(const Node* node) {
    if (Is<Const>(node)) return true;
    bool is_call = Is<OpExpr>(node) || (Is<FuncExpr>(node) && !As<FuncExpr>(node)->funcretset);
    return is_call && VolatilityOf(node) == 'i' &&
           !AnyChild(node, [](const Node* child) { return !IsComputable(child); });
  }

  // A literal cast to one type and then to another of the same bytes is a constant of the second; these accept what the first
  // would have refused or read differently.
  static bool HasInputOfItsOwn(Oid type) {
    return type != type_oid::kUnknown && type != type_oid::kOid && type != Oid{869 /* inet */} &&
           type != type_oid::kVarbit;
  }

  static bool HasTypeOf(const Const& constant, LiteralKind kind) {
    switch (kind) {
      case LiteralKind::kInt4: return constant.consttype == type_oid::kInt4;
      case LiteralKind::kInt8: return constant.consttype == type_oid::kInt8;
      case LiteralKind::kNumeric: return constant.consttype == type_oid::kNumeric;
      case LiteralKind::kString: return HasInputOfItsOwn(constant.consttype);
    }
    return false;
  }

  Node* Replace(Expr* expr) {
    LiteralParameters::Parameter parameter;
    parameter.type = ExprType(expr);
    Param* param = NewParam(expr, static_cast<int32_t>(parameters_.parameters_.size()) + 1);
    Node* over_sources = ReplaceSources(expr, &parameter.sources);
    if (!fit_) return expr;
    if (!Is<Param>(over_sources)) parameter.expression = CompileExpression(static_cast<Expr*>(over_sources));
    parameters_.parameters_.push_back(std::move(parameter));
    return param;
  }

  Node* ReplaceSources(Node* node, std::vector<LiteralParameters::Source>* sources) {
    if (!Is<Const>(node)) {
      ReplaceChildren(node, [&](Node* child) { return ReplaceSources(child, sources); });
      return node;
    }
    const Const* constant = As<Const>(node);
    bool negated = false;
    int at = Find(*constant, &negated);
    if (at < 0) return node;
    LiteralKind kind = literals_[static_cast<size_t>(at)].kind;
    if (constant->IsNull() || !HasTypeOf(*constant, kind) || (negated && kind == LiteralKind::kString)) {
      fit_ = false;
      return node;
    }
    found_[static_cast<size_t>(at)] = true;
    // Only an interval is read with its modifier; other types have theirs applied to the value.
    int32_t typmod = constant->consttype == type_oid::kInterval ? constant->consttypmod : -1;
    sources->push_back({static_cast<uint32_t>(at), negated, constant->consttype, typmod});
    return NewParam(static_cast<Expr*>(node), static_cast<int32_t>(sources->size()));
  }

  Param* NewParam(const Expr* in_place_of, int32_t id) {
    Param* param = arena_.New<Param>();
    param->paramkind = ParamKind::kExtern;
    param->paramid = id;
    param->paramtype = ExprType(in_place_of);
    param->paramtypmod = ExprTypmod(in_place_of);
    param->paramcollid = ExprCollation(in_place_of);
    param->location = ExprLocation(in_place_of);
    return param;
  }

  std::span<const StatementLiteral> literals_;
  Arena& arena_;
  std::vector<bool> found_;
  LiteralParameters parameters_;
  bool fit_ = true;
};

namespace {

// Types whose text means the same at any time under the same settings.
bool ReadsTheSameForEver(Oid type) {
  using namespace type_oid;
  constexpr Oid kTypes[] = {kBool,   kBytea,   kChar,     kName,  kInt8,   kInt2,   kInt4,
                            kText,   kOid,     kJson,     kJsonb, kFloat4, kFloat8, kNumeric,
                            kBpchar, kVarchar, kInterval, kUuid,  kBit,    kVarbit, kUnknown};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

// The quoted text at `offset` has a letter: a word, or part of one.
bool HasWord(std::string_view source, int32_t offset) {
  size_t at = source.find('\'', static_cast<size_t>(offset));
  if (at == std::string_view::npos) return true;  // dollar-quoted, say
  for (++at; at < source.size() && source[at] != '\''; ++at) {
    char lower = static_cast<char>(source[at] | 0x20);
    if ((lower >= 'a' && lower <= 'z') || static_cast<unsigned char>(source[at]) >= 0x80) return true;
  }
  return false;
}

bool IsPassing(const Node* node, std::string_view source) {
  if (const Const* constant = TryAs<Const>(node)) {
    return constant->location.IsKnown() && !constant->IsNull() && !ReadsTheSameForEver(constant->consttype) &&
           HasWord(source, constant->location);
  }
  return AnyChild(node, [&](const Node* child) { return IsPassing(child, source); });
}

template <class T>
T ReadInteger(std::string_view digits, bool negated) {
  T value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  CHECK(error == std::errc() && end == digits.data() + digits.size());
  return negated ? -value : value;
}

}  // namespace

std::optional<LiteralParameters> LiteralParameters::Extract(Query* query,
                                                            std::span<const StatementLiteral> literals,
                                                            Arena& arena) {
  LiteralExtractor extractor(literals, arena);
  if (!extractor.Run(query)) return std::nullopt;
  return extractor.TakeParameters();
}

std::vector<Oid> LiteralParameters::Types() const {
  std::vector<Oid> types;
  for (const Parameter& parameter : parameters_) types.push_back(parameter.type);
  return types;
}

bool HasPassingLiteral(const Query& query, std::string_view source) { return IsPassing(&query, source); }

void LiteralParameters::Read(std::string_view text, std::span<const StatementLiteral> literals,
                             const TextFormat& format, SessionHooks* session, Arena& arena,
                             std::vector<Value>* values) {
  auto read = [&](const Source& source) {
    const StatementLiteral& literal = literals[source.literal];
    std::string_view token =
        text.substr(static_cast<size_t>(literal.offset), static_cast<size_t>(literal.length));
    Value value;
    value.is_null = false;
    if (literal.kind == LiteralKind::kInt4) {
      value.datum.i32 = ReadInteger<int32_t>(token, source.negated);
      return value;
    }
    if (literal.kind == LiteralKind::kInt8) {
      value.datum.i64 = ReadInteger<int64_t>(token, source.negated);
      return value;
    }
    std::string clean = source.negated ? "-" : "";
    if (literal.kind == LiteralKind::kString) {
      AppendUnquoted(token, &clean);
    } else {
      clean += token;
    }
    const TypeDescriptor& type = TypeOf(source.type);
    TypeIo io{arena, format, session, &type, source.typmod};
    type.input(arena.Copy(clean), io, &value.datum);
    return value;
  };
  for (Parameter& parameter : parameters_) {
    if (parameter.expression == nullptr) {
      values->push_back(read(parameter.sources[0]));
      continue;
    }
    ParamSet sources;
    for (const Source& source : parameter.sources) {
      sources.external.push_back(read(source));
      sources.external_oids.push_back(source.type);
    }
    EvalContext context(arena, format, session);
    context.params = &sources;
    Value value = parameter.expression->Eval(context, {}, Selection{nullptr, 1}).Get(0);
    if (!value.is_null) value.datum = CopyDatum(parameter.expression->type(), value.datum, &arena);
    values->push_back(value);
  }
}

}  // namespace walden
