// Column definitions of CREATE TABLE and ALTER TABLE ADD COLUMN.
#include "node/base/error.h"
#include "node/catalog/identity.h"
#include "node/catalog/syscache.h"
#include "node/catalog/type_name.h"
#include "node/sql/commands/command_parts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/query_text.h"

namespace walden {
namespace {

struct SerialType {
  std::string_view name;
  Oid type;
};
constexpr SerialType kSerialTypes[] = {
    {"serial", type_oid::kInt4},  {"serial4", type_oid::kInt4},     {"bigserial", type_oid::kInt8},
    {"serial8", type_oid::kInt8}, {"smallserial", type_oid::kInt2}, {"serial2", type_oid::kInt2},
};

Oid SerialTypeOf(const ast::TypeName& type) {
  if (type.names.size() != 1 || type.pct_type) return Oid::kInvalid;
  for (const SerialType& serial : kSerialTypes) {
    if (serial.name != ast::StringOf(type.names[0])) continue;
    if (!type.array_bounds.empty()) {
      throw SqlError(ErrorCode::kFeatureNotSupported, "array of serial is not implemented");
    }
    return serial.type;
  }
  return Oid::kInvalid;
}

void ResolveColumnType(const ast::ColumnDef& definition, PlannedColumn* column, CommandContext& context) {
  Oid serial = SerialTypeOf(*definition.type_name);
  if (IsValid(serial)) {
    column->row.atttypid = serial;
    column->row.atttypmod = -1;
    column->row.attnotnull = column->from_serial = true;
    return;
  }
  ResolvedType type = BindTypeName(*definition.type_name, context.Bind());
  column->row.atttypid = type.type;
  column->row.atttypmod = type.typmod;
  column->row.attndims = static_cast<int32_t>(definition.type_name->array_bounds.size());
  RowRef<PgTypeRow> row = TypeRow(type.type);
  if (row && row->typtype == 'p') {
    throw SqlError(ErrorCode::kInvalidTableDefinition, "column \"{}\" has pseudo-type {}",
                   column->row.attname, FormatType(type.type));
  }
  ThrowUnlessOk(CheckType(type.type, CurrentRole()), ObjectKind::kType, FormatType(type.type));
}

void ResolveCollation(const ast::ColumnDef& definition, PlannedColumn* column, CommandContext& context) {
  RowRef<PgTypeRow> type = TypeRow(column->row.atttypid);
  column->row.attcollation = type ? type->typcollation : Oid::kInvalid;
  if (definition.coll_clause == nullptr) return;
  if (!IsValid(column->row.attcollation)) {
    throw SqlError(ErrorCode::kDatatypeMismatch, "collations are not supported by type {}",
                   FormatType(column->row.atttypid))
        .WithPosition(context.Position(definition.coll_clause->location));
  }
  column->row.attcollation = FindCollation(NameOf(definition.coll_clause->collname));
}

SqlError ColumnError(const PlannedTable& table, const PlannedColumn& column, std::string_view format) {
  return SqlError(ErrorCode::kSyntaxError, fmt::format(fmt::runtime(format), column.row.attname, table.name));
}

void CheckIdentityType(const PlannedColumn& column) {
  Oid type = column.row.atttypid;
  if (type == type_oid::kInt2 || type == type_oid::kInt4 || type == type_oid::kInt8) return;
  throw SqlError(ErrorCode::kInvalidParameterValue,
                 "identity column type must be smallint, integer, or bigint");
}

// The constraints of one column; what they say of the column goes into it, the others to the table.
class ColumnConstraints {
 public:
  ColumnConstraints(PlannedTable* table, PlannedColumn* column, CommandContext& context)
      : table_(table), column_(column), context_(context) {}

  void Apply(const ast::NodeList& constraints) {
    for (const ast::Node* node : constraints) ApplyOne(*ast::As<ast::Constraint>(node));
  }

 private:
  void ApplyOne(const ast::Constraint& constraint);
  void Nullability(bool not_null, const ast::Constraint& constraint) {
    if (saw_nullable_ && column_->row.attnotnull != not_null) {
      throw ColumnError(*table_, *column_,
                        "conflicting NULL/NOT NULL declarations for column \"{}\" of table \"{}\"")
          .WithPosition(context_.Position(constraint.location));
    }
    column_->row.attnotnull = not_null;
    saw_nullable_ = true;
  }
  // After each of them: a value comes from one.
  void RefuseTwoSources(const ast::Constraint& constraint) {
    bool identity = column_->row.attidentity != '\0', generated = column_->row.attgenerated != '\0';
    const char* message = nullptr;
    if (saw_default_ && identity)
      message = "both default and identity specified for column \"{}\" of table \"{}\"";
    else if (saw_default_ && generated)
      message = "both default and generation expression specified for column \"{}\" of table \"{}\"";
    else if (identity && generated)
      message = "both identity and generation expression specified for column \"{}\" of table \"{}\"";
    if (message != nullptr)
      throw ColumnError(*table_, *column_, message).WithPosition(context_.Position(constraint.location));
  }
  ast::Constraint* LastCopy(const ast::Constraint& attribute, std::string_view name) {
    if (last_ == nullptr) {
      throw SqlError(ErrorCode::kSyntaxError, "misplaced {} clause", name)
          .WithPosition(context_.Position(attribute.location));
    }
    return last_;
  }

  PlannedTable* table_;
  PlannedColumn* column_;
  CommandContext& context_;
  bool saw_nullable_ = false;
  bool saw_default_ = false;
  ast::Constraint* last_ = nullptr;  // what DEFERRABLE and so on apply to
};

void ColumnConstraints::ApplyOne(const ast::Constraint& constraint) {
  switch (constraint.contype) {
    case ConstrType::kNull: Nullability(false, constraint); break;
    case ConstrType::kNotNull: Nullability(true, constraint); break;
    case ConstrType::kDefault:
      if (saw_default_) {
        throw ColumnError(*table_, *column_,
                          "multiple default values specified for column \"{}\" of table \"{}\"")
            .WithPosition(context_.Position(constraint.location));
      }
      if (column_->from_serial) {
        throw ColumnError(*table_, *column_,
                          "multiple default values specified for column \"{}\" of table \"{}\"")
            .WithPosition(context_.Position(constraint.location));
      }
      column_->default_ast = constraint.raw_expr;
      saw_default_ = true;
      RefuseTwoSources(constraint);
      break;
    case ConstrType::kIdentity:
      if (column_->row.attidentity != '\0') {
        throw ColumnError(*table_, *column_,
                          "multiple identity specifications for column \"{}\" of table \"{}\"")
            .WithPosition(context_.Position(constraint.location));
      }
      CheckIdentityType(*column_);
      column_->row.attidentity = constraint.generated_when;
      RefuseTwoSources(constraint);
      column_->row.attnotnull = true;
      CreateColumnSequence(column_, *table_, column_->row.atttypid, constraint.options, context_);
      break;
    case ConstrType::kGenerated:
      if (column_->row.attgenerated != '\0') {
        throw ColumnError(*table_, *column_,
                          "multiple generation clauses specified for column \"{}\" of table \"{}\"")
            .WithPosition(context_.Position(constraint.location));
      }
      column_->row.attgenerated = 's';
      RefuseTwoSources(constraint);
      column_->default_ast = constraint.raw_expr;
      break;
    case ConstrType::kCheck:
    case ConstrType::kPrimary:
    case ConstrType::kUnique:
    case ConstrType::kForeign:
      last_ = context_.arena.New<ast::Constraint>(constraint);
      if (constraint.contype == ConstrType::kPrimary) column_->row.attnotnull = true;
      table_->constraints.push_back({last_, column_->row.attname});
      break;
    case ConstrType::kExclusion: throw NotSupported("column exclusion constraints");
    case ConstrType::kAttrDeferrable: LastCopy(constraint, "DEFERRABLE")->deferrable = true; break;
    case ConstrType::kAttrNotDeferrable: LastCopy(constraint, "NOT DEFERRABLE")->deferrable = false; break;
    case ConstrType::kAttrDeferred: {
      ast::Constraint* last = LastCopy(constraint, "INITIALLY DEFERRED");
      last->initdeferred = last->deferrable = true;
      break;
    }
    case ConstrType::kAttrImmediate: LastCopy(constraint, "INITIALLY IMMEDIATE")->initdeferred = false; break;
  }
}

}  // namespace

char CompressionLetter(std::string_view method, Oid type) {
  RowRef<PgTypeRow> row = TypeRow(type);
  if (row && row->typstorage == 'p') {
    throw SqlError(ErrorCode::kFeatureNotSupported, "column data type {} does not support compression",
                   FormatType(type));
  }
  if (method == "default") return '\0';
  if (method == "pglz") return 'p';
  if (method == "lz4") return 'l';
  throw SqlError(ErrorCode::kInvalidParameterValue, "invalid compression method \"{}\"", method);
}

void RefuseSystemColumnName(std::string_view name) {
  if (FindSystemColumn(name) == nullptr) return;
  throw SqlError(ErrorCode::kDuplicateColumn, "column name \"{}\" conflicts with a system column name", name);
}

void PlanColumn(const ast::ColumnDef& definition, PlannedTable* table, CommandContext& context) {
  for (const PlannedColumn& other : table->columns) {
    if (other.row.attname != definition.colname) continue;
    throw SqlError(ErrorCode::kDuplicateColumn, "column \"{}\" specified more than once", definition.colname);
  }
  RefuseSystemColumnName(definition.colname);
  PlannedColumn column;
  column.row.attname = definition.colname;
  column.row.atttypmod = -1;
  column.location = definition.location;
  ResolveColumnType(definition, &column, context);
  ResolveCollation(definition, &column, context);
  column.row.attnotnull |= definition.is_not_null;
  if (!definition.compression.empty())
    column.row.attcompression = CompressionLetter(definition.compression, column.row.atttypid);
  if (column.from_serial) CreateColumnSequence(&column, *table, column.row.atttypid, {}, context);
  column.default_ast = definition.raw_default;
  ColumnConstraints(table, &column, context).Apply(definition.constraints);
  table->columns.push_back(std::move(column));
}

void CreateColumnSequence(PlannedColumn* column, const PlannedTable& table, Oid type,
                          const ast::NodeList& options, CommandContext& context) {
  auto* range = context.arena.New<ast::RangeVar>();
  std::string name = ChooseRelationName(table.name, column->row.attname, "seq", table.schema);
  Oid schema = table.schema;
  auto* statement = context.arena.New<ast::CreateSeqStmt>();
  statement->sequence = range;
  if (const ast::DefElem* chosen = FindOption(options, "sequence_name")) {
    const auto* list = ast::As<ast::ListNode>(chosen->arg);
    CatalogName written = NameOf(list->items);
    name = written.name;
    if (!written.schema.empty()) schema = FindNamespace(written.schema);
  }
  range->relname = context.arena.Copy(name);
  range->schemaname = context.arena.Copy(SchemaName(schema));
  range->relpersistence = table.persistence;
  ast::NodeList kept;
  for (ast::Node* option : options) {
    if (ast::As<ast::DefElem>(option)->defname != "sequence_name") kept.Append(context.arena, option);
  }
  statement->options = kept;
  statement->for_identity = column->row.attidentity != '\0';
  column->sequence = CreateSequence(*statement, type, context);
}

void AttachColumnSequence(const PlannedColumn& column, Oid table, AttrNumber attno) {
  if (!IsValid(column.sequence)) return;
  DependencyKind kind = column.row.attidentity != '\0' ? DependencyKind::kInternal : DependencyKind::kAuto;
  RecordDependency(RelationAddress(column.sequence), RelationAddress(table, attno), kind);
}

void StoreColumnDefault(Oid table, AttrNumber attno, const ast::Node& expression, CommandContext& context) {
  const RelationInfo& info = InfoOf(context, table);
  const ColumnInfo& column = info.columns[attno - 1];
  ColumnTarget target{column.name, column.type, column.typmod, column.collation, column.generated};
  Expr* bound = BindColumnDefault(expression, target, &info, context.Bind());
  // DEFAULT NULL is no default.
  if (Is<Const>(bound) && As<Const>(bound)->IsNull() && column.generated == '\0') return;
  std::vector<ObjectAddress> references = ExpressionReferences(bound, table);
  StoreDefault(table, attno, WriteNode(bound), references, column.generated != '\0');
  context.Advance();
}

void StoreSequenceDefault(Oid table, AttrNumber attno, Oid sequence, CommandContext& context) {
  constexpr Oid kNextval{1574};
  Value value;
  value.is_null = false;
  value.datum.i32 = static_cast<int32_t>(OidNumber(sequence));
  Expr* call = MakeFuncExpr(context.arena, kNextval, type_oid::kInt8,
                            ExprList(context.arena, {MakeConst(context.arena, type_oid::kRegClass, -1,
                                                               Oid::kInvalid, PhysicalType::kInt32, value)}),
                            Oid::kInvalid, Oid::kInvalid, CoercionForm::kExplicitCall);
  RelationRef relation = OpenRelation(table, LockMode::kNone);
  Oid type = relation->columns[attno - 1].atttypid;
  constexpr Oid kInt8ToInt4{480}, kInt8ToInt2{714};
  if (type != type_oid::kInt8) {
    call = MakeFuncExpr(context.arena, type == type_oid::kInt4 ? kInt8ToInt4 : kInt8ToInt2, type,
                        ExprList(context.arena, {call}), Oid::kInvalid, Oid::kInvalid,
                        CoercionForm::kImplicitCast);
  }
  StoreDefault(table, attno, WriteNode(call), ExpressionReferences(call, table));
  context.Advance();
}

}  // namespace walden
