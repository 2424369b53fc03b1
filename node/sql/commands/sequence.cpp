// CREATE and ALTER SEQUENCE.
#include "node/sql/commands/sequence.h"

#include <limits>

#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/type_name.h"
#include "node/sql/commands/command_parts.h"
#include "node/sql/commands/sequence_storage.h"

namespace walden {
namespace {

struct TypeRange {
  int64_t low, high;
};
TypeRange RangeOf(Oid type) {
  if (type == type_oid::kInt2) return {INT16_MIN, INT16_MAX};
  if (type == type_oid::kInt4) return {INT32_MIN, INT32_MAX};
  return {INT64_MIN, INT64_MAX};
}

// Reads the options into a definition and a state, in the order in which they depend on each other.
class SequenceOptions {
 public:
  SequenceOptions(PgSequenceRow* row, SequenceState* state, bool is_new, bool for_identity,
                  CommandContext& context)
      : row_(row), state_(state), is_new_(is_new), for_identity_(for_identity), context_(context) {}

  void Apply(const ast::NodeList& options) {
    Collect(options);
    ApplyType();
    if (is_new_ || increment_ != nullptr || increment_changes_limits_) ApplyIncrement();
    if (cycle_ != nullptr) row_->seqcycle = OptionBoolean(*cycle_);
    ApplyLimits();
    ApplyStart();
    ApplyRestart();
    CheckLast();
    ApplyCache();
  }
  const ast::DefElem* owned_by() const { return owned_by_; }
  bool needs_new_file() const { return needs_new_file_; }

 private:
  void Collect(const ast::NodeList& options);
  void Once(const ast::DefElem** slot, const ast::DefElem& option) {
    if (*slot != nullptr) {
      throw SqlError(ErrorCode::kSyntaxError, "conflicting or redundant options")
          .WithPosition(context_.Position(option.location));
    }
    *slot = &option;
  }
  void ApplyType();
  void ApplyIncrement();
  void ApplyLimits();
  void ApplyStart();
  void ApplyRestart();
  void CheckLast();
  void ApplyCache();
  [[noreturn]] static void Refuse(std::string message) {
    throw SqlError(ErrorCode::kInvalidParameterValue, std::move(message));
  }

  PgSequenceRow* row_;
  SequenceState* state_;
  bool is_new_, for_identity_;
  CommandContext& context_;
  bool reset_max_ = false, reset_min_ = false, needs_new_file_ = false, increment_changes_limits_ = false;
  const ast::DefElem *type_ = nullptr, *start_ = nullptr, *restart_ = nullptr, *increment_ = nullptr,
                     *max_ = nullptr, *min_ = nullptr, *cache_ = nullptr, *cycle_ = nullptr,
                     *owned_by_ = nullptr;
};

void SequenceOptions::Collect(const ast::NodeList& options) {
  for (const ast::Node* node : options) {
    const auto& option = *ast::As<ast::DefElem>(node);
    if (option.defname == "as")
      Once(&type_, option);
    else if (option.defname == "increment")
      Once(&increment_, option);
    else if (option.defname == "start")
      Once(&start_, option);
    else if (option.defname == "restart")
      Once(&restart_, option);
    else if (option.defname == "maxvalue")
      Once(&max_, option);
    else if (option.defname == "minvalue")
      Once(&min_, option);
    else if (option.defname == "cache")
      Once(&cache_, option);
    else if (option.defname == "cycle")
      Once(&cycle_, option);
    else if (option.defname == "owned_by")
      Once(&owned_by_, option);
    else if (option.defname != "sequence_name")
      throw SqlError(ErrorCode::kInternalError, "option \"{}\" not recognized", option.defname);
  }
}

void SequenceOptions::ApplyType() {
  if (type_ != nullptr) {
    Oid type = BindTypeName(*ast::As<ast::TypeName>(type_->arg), context_.Bind()).type;
    if (type != type_oid::kInt2 && type != type_oid::kInt4 && type != type_oid::kInt8) {
      Refuse(for_identity_ ? "identity column type must be smallint, integer, or bigint"
                           : "sequence type must be smallint, integer, or bigint");
    }
    if (!is_new_) {
      // Limits that were the old type's become the new one's.
      TypeRange old = RangeOf(row_->seqtypid);
      reset_max_ = row_->seqmax == old.high;
      reset_min_ = row_->seqmin == old.low;
    }
    row_->seqtypid = type;
  }
}

void SequenceOptions::ApplyIncrement() {
  if (increment_ != nullptr)
    row_->seqincrement = OptionInteger(*increment_);
  else if (is_new_)
    row_->seqincrement = 1;
  if (row_->seqincrement == 0) Refuse("INCREMENT must not be zero");
  state_->log_count = 0;
}

void SequenceOptions::ApplyLimits() {
  TypeRange range = RangeOf(row_->seqtypid);
  bool up = row_->seqincrement > 0;
  if (max_ != nullptr && max_->arg != nullptr)
    row_->seqmax = OptionInteger(*max_);
  else if (is_new_ || max_ != nullptr || reset_max_)
    row_->seqmax = up ? range.high : -1;
  if (row_->seqmax > range.high || row_->seqmax < range.low) {
    Refuse(fmt::format("MAXVALUE ({}) is out of range for sequence data type {}", row_->seqmax,
                       FormatType(row_->seqtypid)));
  }
  if (min_ != nullptr && min_->arg != nullptr)
    row_->seqmin = OptionInteger(*min_);
  else if (is_new_ || min_ != nullptr || reset_min_)
    row_->seqmin = up ? 1 : range.low;
  if (row_->seqmin > range.high || row_->seqmin < range.low) {
    Refuse(fmt::format("MINVALUE ({}) is out of range for sequence data type {}", row_->seqmin,
                       FormatType(row_->seqtypid)));
  }
  if (row_->seqmin >= row_->seqmax) {
    Refuse(fmt::format("MINVALUE ({}) must be less than MAXVALUE ({})", row_->seqmin, row_->seqmax));
  }
}

void SequenceOptions::ApplyStart() {
  if (start_ != nullptr)
    row_->seqstart = OptionInteger(*start_);
  else if (is_new_)
    row_->seqstart = row_->seqincrement > 0 ? row_->seqmin : row_->seqmax;
  if (row_->seqstart < row_->seqmin) {
    Refuse(fmt::format("START value ({}) cannot be less than MINVALUE ({})", row_->seqstart, row_->seqmin));
  }
  if (row_->seqstart > row_->seqmax) {
    Refuse(
        fmt::format("START value ({}) cannot be greater than MAXVALUE ({})", row_->seqstart, row_->seqmax));
  }
}

void SequenceOptions::ApplyRestart() {
  if (is_new_ || restart_ != nullptr) {
    bool given = restart_ != nullptr && restart_->arg != nullptr;
    state_->last_value = given ? OptionInteger(*restart_) : row_->seqstart;
    state_->is_called = false;
    state_->log_count = 0;
    needs_new_file_ = true;
  }
}

void SequenceOptions::CheckLast() {
  if (state_->last_value < row_->seqmin) {
    Refuse(fmt::format("RESTART value ({}) cannot be less than MINVALUE ({})", state_->last_value,
                       row_->seqmin));
  }
  if (state_->last_value > row_->seqmax) {
    Refuse(fmt::format("RESTART value ({}) cannot be greater than MAXVALUE ({})", state_->last_value,
                       row_->seqmax));
  }
}

void SequenceOptions::ApplyCache() {
  if (cache_ != nullptr) {
    row_->seqcache = OptionInteger(*cache_);
    if (row_->seqcache <= 0) Refuse(fmt::format("CACHE ({}) must be greater than zero", row_->seqcache));
    state_->log_count = 0;
  } else if (is_new_) {
    row_->seqcache = 1;
  }
}

// OWNED BY table.column or NONE.
void ApplyOwnedBy(Oid sequence, const ast::DefElem& option, bool for_identity) {
  std::vector<std::string> names = StringsOf(ast::As<ast::ListNode>(option.arg)->items);
  ObjectAddress self = RelationAddress(sequence);
  if (names.size() == 1) {
    if (names[0] != "none") {
      throw SqlError(ErrorCode::kSyntaxError, "invalid OWNED BY option")
          .WithHint("Specify OWNED BY table.column or OWNED BY NONE.");
    }
    DeleteDependenciesOf(self, static_cast<char>(DependencyKind::kAuto));
    return;
  }
  std::string column = names.back();
  names.pop_back();
  RelationRef table = OpenRelationByName(ToCatalogName(names), LockMode::kAccessShare);
  RowRef<PgClassRow> row = ClassRow(sequence);
  if (table->row.relowner != row->relowner) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "sequence must have same owner as table it is linked to");
  }
  if (table->row.relnamespace != row->relnamespace) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "sequence must be in same schema as table it is linked to");
  }
  AttrNumber attno = table->FindColumn(column);
  if (attno <= 0) {
    throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", column,
                   table->name());
  }
  DependencyKind kind = for_identity ? DependencyKind::kInternal : DependencyKind::kAuto;
  DeleteDependenciesOf(self, static_cast<char>(kind));
  RecordDependency(self, RelationAddress(table->oid, attno), kind);
}

PgAttributeRow StateColumn(std::string_view name, Oid type) {
  PgAttributeRow row;
  row.attname = name;
  row.atttypid = type;
  row.atttypmod = -1;
  row.attnotnull = true;
  return row;
}

}  // namespace

Oid CreateSequence(const ast::CreateSeqStmt& statement, Oid default_type, CommandContext& context) {
  char persistence = statement.sequence->relpersistence == '\0' ? 'p' : statement.sequence->relpersistence;
  Oid schema = CreationSchema(*statement.sequence, &persistence);
  std::string name(statement.sequence->relname);
  if (statement.if_not_exists && ClassRow(name, schema)) {
    Notice("relation \"" + name + "\" already exists, skipping");
    return Oid::kInvalid;
  }
  PgSequenceRow row;
  row.seqtypid = default_type;
  SequenceState state;
  SequenceOptions options(&row, &state, true, statement.for_identity, context);
  options.Apply(statement.options);

  NewRelation relation;
  relation.name = name;
  relation.schema = schema;
  relation.owner = CurrentRole();
  relation.kind = relkind::kSequence;
  relation.persistence = persistence;
  relation.columns = {StateColumn("last_value", type_oid::kInt8), StateColumn("log_cnt", type_oid::kInt8),
                      StateColumn("is_called", type_oid::kBool)};
  row.seqrelid = CreateRelation(relation);
  CatalogTable<PgSequenceRow>().Insert(row);
  context.Advance();
  InitSequenceFile(*OpenRelation(row.seqrelid, LockMode::kAccessExclusive), state);
  if (options.owned_by() != nullptr) ApplyOwnedBy(row.seqrelid, *options.owned_by(), statement.for_identity);
  context.Advance();
  return row.seqrelid;
}

void AlterSequenceOptions(Oid sequence, const ast::NodeList& list, bool for_identity,
                          CommandContext& context) {
  RelationRef relation = OpenRelation(sequence, LockMode::kShareRowExclusive);
  CatalogTable<PgSequenceRow> rows;
  auto stored = rows.Find(catalog_index::kPgSequenceSeqrelidIndex, {sequence});
  SequenceState state = LockedSequence(*relation).Read();
  SequenceOptions options(&stored->row, &state, false, for_identity, context);
  options.Apply(list);
  rows.Update(stored->tid, stored->row);
  // A new file, so that a rollback brings the old state back.
  if (options.needs_new_file()) ReplaceSequenceState(sequence, state, context);
  if (options.owned_by() != nullptr) ApplyOwnedBy(sequence, *options.owned_by(), for_identity);
  ForgetSequence(sequence);
  context.Advance();
}

void AlterSequence(const ast::AlterSeqStmt& statement, CommandContext& context) {
  RelationRef relation =
      OpenRelationByName(NameOf(*statement.sequence), LockMode::kShareRowExclusive, statement.missing_ok);
  if (!relation) {
    Notice(fmt::format("relation \"{}\" does not exist, skipping", statement.sequence->relname));
    return;
  }
  if (relation->row.relkind != relkind::kSequence) {
    throw SqlError(ErrorCode::kWrongObjectType, "\"{}\" is not a sequence", relation->name());
  }
  CheckOwnsRelation(*relation);
  AlterSequenceOptions(relation->oid, statement.options, statement.for_identity, context);
}

void ReplaceSequenceState(Oid sequence, const SequenceState& state, CommandContext& context) {
  SetNewRelationFile(sequence, false);
  context.Advance();
  InitSequenceFile(*OpenRelation(sequence, LockMode::kAccessExclusive), state);
}

void ResetSequence(Oid sequence) {
  RowRef<PgSequenceRow> row = SequenceRow(sequence);
  SetNewRelationFile(sequence, false);
  InitSequenceFile(*OpenRelation(sequence, LockMode::kAccessExclusive), {row->seqstart, 0, false});
  ForgetSequence(sequence);
}

}  // namespace walden
