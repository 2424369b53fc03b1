#include "node/sql/binder/binder.h"

#include "node/sql/binder/collations.h"
#include "node/sql/binder/query_binding.h"
#include "node/sql/binder/type_names.h"

namespace walden {

const ast::IntoClause* FindInto(const ast::Node& statement) {
  const auto* select = ast::TryAs<ast::SelectStmt>(&statement);
  while (select != nullptr && select->op != SetOperation::kNone) select = select->larg;
  return select == nullptr ? nullptr : select->into_clause;
}

namespace {

// A copy of the statement whose leftmost SELECT has no INTO.
ast::SelectStmt* WithoutInto(const ast::SelectStmt& select, Arena& arena) {
  auto* copy = arena.New<ast::SelectStmt>(select);
  copy->into_clause = nullptr;
  if (copy->op != SetOperation::kNone) copy->larg = WithoutInto(*select.larg, arena);
  return copy;
}

}  // namespace

const ast::CreateTableAsStmt* CreateTableOf(const ast::SelectStmt& select, Arena& arena) {
  auto* create = arena.New<ast::CreateTableAsStmt>();
  create->query = WithoutInto(select, arena);
  create->into = const_cast<ast::IntoClause*>(FindInto(select));
  create->objtype = ObjectType::kTable;
  create->is_select_into = true;
  return create;
}

namespace {

// Parameters that were typed only after they had been used as unknown.
void SettleParameters(BindContext& context, const Node* node) {
  if (node == nullptr) return;
  if (const auto* param = TryAs<Param>(node); param != nullptr && param->paramkind == ParamKind::kExtern) {
    ParameterTypes& parameters = *context.options.parameters;
    Oid type = parameters.types[static_cast<size_t>(param->paramid - 1)];
    if (param->paramtype != type) {
      throw SqlError(ErrorCode::kAmbiguousParameter, "could not determine data type of parameter ${}",
                     param->paramid)
          .WithPosition(context.source.Position(param->location));
    }
    return;
  }
  AnyChild(node, [&](const Node* child) {
    SettleParameters(context, child);
    return false;
  });
}

Query* Analyse(BindContext& context, const ast::Node& statement) {
  BindState state(context);
  Query* query = BindStatementIn(state, statement);
  const ParameterTypes* parameters = context.options.parameters;
  if (parameters != nullptr && parameters->variable && !parameters->types.empty())
    SettleParameters(context, query);
  return query;
}

Query* UtilityQuery(Arena& arena, const ast::Node& statement) {
  auto* query = arena.New<Query>();
  query->command_type = CmdType::kUtility;
  query->utility_stmt = &statement;
  return query;
}

Query* BindTopStatement(BindContext& context, const ast::Node& statement);

void CheckCursorOptions(int32_t options) {
  namespace option = cursor_option;
  auto conflict = [](const char* message) {
    return SqlError(ErrorCode::kInvalidCursorDefinition, std::string(message));
  };
  if ((options & option::kScroll) != 0 && (options & option::kNoScroll) != 0) {
    throw conflict("cannot specify both SCROLL and NO SCROLL");
  }
  if ((options & option::kAsensitive) != 0 && (options & option::kInsensitive) != 0) {
    throw conflict("cannot specify both ASENSITIVE and INSENSITIVE");
  }
}

void CheckCursorQuery(const Query& query, int32_t options) {
  namespace option = cursor_option;
  if (query.command_type != CmdType::kSelect) {
    throw SqlError(ErrorCode::kInternalError, "unexpected non-SELECT command in DECLARE CURSOR");
  }
  if (query.has_modifying_cte) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "DECLARE CURSOR must not contain data-modifying statements in WITH");
  }
  if (query.row_marks.empty()) return;
  const char* lock = LockStrengthName(query.row_marks[0]->strength);
  auto refuse = [&](const char* what, const char* detail) {
    return SqlError(ErrorCode::kFeatureNotSupported, "DECLARE {} ... {} is not supported", what, lock)
        .WithDetail(detail);
  };
  if ((options & option::kHold) != 0) throw refuse("CURSOR WITH HOLD", "Holdable cursors must be READ ONLY.");
  if ((options & option::kScroll) != 0)
    throw refuse("SCROLL CURSOR", "Scrollable cursors must be READ ONLY.");
  if ((options & option::kInsensitive) != 0) {
    throw SqlError(ErrorCode::kInvalidCursorDefinition, "DECLARE INSENSITIVE CURSOR ... {} is not valid",
                   lock)
        .WithDetail("Insensitive cursors must be READ ONLY.");
  }
}

Query* BindDeclareCursor(BindContext& context, const ast::DeclareCursorStmt& declare) {
  Query* result = UtilityQuery(context.arena, declare);
  CheckCursorOptions(declare.options);
  Query* query = Analyse(context, *declare.query);
  CheckCursorQuery(*query, declare.options);
  result->utility_query = query;
  return result;
}

Query* BindCreateTableAs(BindContext& context, const ast::CreateTableAsStmt& create) {
  Query* result = UtilityQuery(context.arena, create);
  // CREATE TABLE AS EXECUTE runs what was prepared elsewhere.
  if (ast::Is<ast::ExecuteStmt>(create.query)) return result;
  Query* query = Analyse(context, *create.query);
  if (create.objtype == ObjectType::kMatView) {
    if (query->has_modifying_cte) {
      throw SqlError(ErrorCode::kFeatureNotSupported,
                     "materialized views must not use data-modifying statements in WITH");
    }
    if (context.options.parameters != nullptr && !context.options.parameters->types.empty()) {
      throw SqlError(ErrorCode::kFeatureNotSupported,
                     "materialized views may not be defined using bound parameters");
    }
  }
  result->utility_query = query;
  return result;
}

Query* BindTopStatement(BindContext& context, const ast::Node& statement) {
  switch (statement.tag) {
    case ast::Tag::kSelectStmt:
      if (FindInto(statement) != nullptr)
        return BindTopStatement(context,
                                *CreateTableOf(*ast::As<ast::SelectStmt>(&statement), context.arena));
      return Analyse(context, statement);
    case ast::Tag::kInsertStmt:
    case ast::Tag::kUpdateStmt:
    case ast::Tag::kDeleteStmt:
    case ast::Tag::kMergeStmt: return Analyse(context, statement);
    case ast::Tag::kDeclareCursorStmt:
      return BindDeclareCursor(context, *ast::As<ast::DeclareCursorStmt>(&statement));
    case ast::Tag::kCreateTableAsStmt:
      return BindCreateTableAs(context, *ast::As<ast::CreateTableAsStmt>(&statement));
    case ast::Tag::kExplainStmt: {
      Query* result = UtilityQuery(context.arena, statement);
      const ast::Node* inner = ast::As<ast::ExplainStmt>(&statement)->query;
      result->utility_query = BindTopStatement(context, *inner);
      return result;
    }
    case ast::Tag::kCopyStmt: {
      Query* result = UtilityQuery(context.arena, statement);
      const ast::Node* inner = ast::As<ast::CopyStmt>(&statement)->query;
      if (inner != nullptr) result->utility_query = Analyse(context, *inner);
      return result;
    }
    default: return UtilityQuery(context.arena, statement);
  }
}

}  // namespace

Query* Bind(const ast::RawStmt& statement, const BindOptions& options) {
  BindContext context(options);
  Query* query = BindTopStatement(context, *statement.stmt);
  query->stmt_location = statement.stmt_location;
  query->stmt_len = statement.stmt_len;
  return query;
}

Query* BindStatement(const ast::Node& statement, const BindOptions& options) {
  BindContext context(options);
  return BindTopStatement(context, statement);
}

Query* BindInnerQuery(const ast::Node& statement, const BindOptions& options) {
  BindContext context(options);
  return Analyse(context, statement);
}

Query* BindCursorQuery(const ast::Node& statement, int32_t cursor_options, const BindOptions& options) {
  CheckCursorOptions(cursor_options);
  Query* query = BindInnerQuery(statement, options);
  CheckCursorQuery(*query, cursor_options);
  return query;
}

void CheckParameters(const ParameterTypes& parameters) {
  for (size_t i = 0; i < parameters.types.size(); ++i) {
    Oid type = parameters.types[i];
    if (IsValid(type) && type != type_oid::kUnknown) continue;
    throw SqlError(ErrorCode::kIndeterminateDatatype, "could not determine data type of parameter ${}",
                   i + 1);
  }
}

bool NeedsAnalysis(const ast::Node& statement) {
  switch (statement.tag) {
    case ast::Tag::kSelectStmt:
    case ast::Tag::kInsertStmt:
    case ast::Tag::kUpdateStmt:
    case ast::Tag::kDeleteStmt:
    case ast::Tag::kMergeStmt:
    case ast::Tag::kDeclareCursorStmt:
    case ast::Tag::kCreateTableAsStmt:
    case ast::Tag::kExplainStmt: return true;
    default: return false;
  }
}

ResolvedType BindTypeName(const ast::TypeName& name, const BindOptions& options) {
  BindContext context(options);
  return ResolveTypeName(name, context.types);
}

}  // namespace walden
