// COPY: rows between a table (or query) and the client or a server file.
#include <algorithm>

#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/catalog/syscache.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/session/copy_binary.h"
#include "node/session/copy_format.h"
#include "node/session/session_state.h"
#include "node/shm/interrupts.h"
#include "node/sql/executor/batched_insert.h"
#include "node/sql/executor/deferred_checks.h"
#include "node/sql/executor/referential.h"
#include "node/sql/executor/table_writer.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/query/query_text.h"
#include "node/sql/query/tree_walk.h"
#include "node/stats/progress.h"
#include "node/types/client_text.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

// What pg_stat_progress_copy's view knows commands and types by.
constexpr int64_t kProgressCopyFrom = 1, kProgressCopyTo = 2, kProgressFile = 1, kProgressPipe = 3;

CatalogName NameOf(const ast::RangeVar& relation) {
  CatalogName name;
  if (!IsAbsent(relation.catalogname)) name.database = relation.catalogname;
  if (!IsAbsent(relation.schemaname)) name.schema = relation.schemaname;
  name.name = relation.relname;
  return name;
}

AttrNumber ColumnNamed(const Relation& relation, std::string_view name) {
  AttrNumber attno = relation.FindColumn(name);
  if (attno > 0) return attno;
  throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", name,
                 relation.name());
}

std::vector<AttrNumber> ColumnsOf(const Relation& relation, const ast::NodeList& names) {
  std::vector<AttrNumber> columns;
  if (names.empty()) {
    for (const PgAttributeRow& column : relation.columns) {
      if (!column.attisdropped && column.attgenerated == '\0') columns.push_back(column.attnum);
    }
    return columns;
  }
  for (const ast::Node* node : names) {
    std::string_view name = ast::StringOf(node);
    AttrNumber attno = ColumnNamed(relation, name);
    if (std::find(columns.begin(), columns.end(), attno) != columns.end()) {
      throw SqlError(ErrorCode::kDuplicateColumn, "column \"{}\" specified more than once", name);
    }
    if (relation.columns[attno - 1].attgenerated != '\0') {
      throw SqlError(ErrorCode::kInvalidColumnReference, "column \"{}\" is a generated column", name)
          .WithDetail("Generated columns cannot be used in COPY.");
    }
    columns.push_back(attno);
  }
  return columns;
}

// Between the data's encoding and UTF-8; null where bytes pass as they are. Texts within binary data are the types'.
std::unique_ptr<EncodingConverter> DataConverter(const CopyOptions& options) {
  if (options.binary) return nullptr;
  return MakeConverter(options.encoding != nullptr ? *options.encoding : ClientEncoding());
}

// Where incoming bytes come from: the client, or a file of the server.
class CopySource {
 public:
  CopySource(ResultSink& sink, std::string_view file, const CopyOptions& options)
      : sink_(sink), converter_(DataConverter(options)) {
    if (!IsAbsent(file)) file_ = File::Open(std::string(file), O_RDONLY | O_CLOEXEC);
  }
  bool Read(std::string_view* bytes) {
    bool more = ReadAsIs(bytes);
    if (converter_ != nullptr) {
      converted_ = converter_->Stream(more ? *bytes : std::string_view{}, !more);
      *bytes = converted_;
    }
    return more;
  }
  bool is_client() const { return !file_.is_open(); }
  uint64_t file_size() const { return file_.is_open() ? file_.Size() : 0; }

 private:
  bool ReadAsIs(std::string_view* bytes) {
    if (!file_.is_open()) return sink_.CopyInRead(bytes);
    buffer_.resize(65536);
    size_t got = file_.ReadAt(buffer_.data(), buffer_.size(), offset_);
    offset_ += got;
    *bytes = std::string_view(buffer_).substr(0, got);
    return got > 0;
  }

  ResultSink& sink_;
  std::unique_ptr<EncodingConverter> converter_;
  std::string converted_;
  File file_;
  uint64_t offset_ = 0;
  std::string buffer_;
};

// Must each row be stored before the next is read? If a default or WHERE could look at the table meanwhile; taking the
// next value of a sequence does not.
bool MustStoreAtOnce(const Node* expression) {
  constexpr Oid kNextval{1574};
  if (VolatilityOf(expression) != 'v' || Is<NextValueExpr>(expression)) return false;
  if (const FuncExpr* call = TryAs<FuncExpr>(expression); call != nullptr && call->funcid == kNextval)
    return false;
  bool by_child = false;
  bool must = AnyChild(expression, [&](const Node* child) {
    by_child = by_child || VolatilityOf(child) == 'v';
    return MustStoreAtOnce(child);
  });
  return must || !by_child;
}

class CopyIn {
 public:
  CopyIn(SessionState& state, RelationRef relation, const std::vector<AttrNumber>& columns,
         const CopyOptions& options)
      : state_(state),
        relation_(std::move(relation)),
        options_(options),
        writer_(relation_),
        referential_(relation_),
        bulk_(/*use_ring=*/true),
        values_(relation_->desc->size()) {
    for (AttrNumber attno : columns) columns_.push_back(DescribeColumn(attno));
    PrepareDefaults();
  }

  // WHERE: rows for which it is not true are passed over.
  void FilterBy(const Expr* condition) {
    ExprList conditions;
    Expr* stored = ReadStoredExpression(WriteNode(condition), arena_);
    at_once_ = at_once_ || MustStoreAtOnce(stored);
    conditions.Append(arena_, stored);
    filter_.emplace(conditions);
  }

  uint64_t Run(CopySource& source) {
    progress_.Set(progress::kCopyCommand, kProgressCopyFrom);
    progress_.Set(progress::kCopyType, source.is_client() ? kProgressPipe : kProgressFile);
    progress_.Set(progress::kCopyBytesTotal, static_cast<int64_t>(source.file_size()));
    cid_ = CurrentCommandId(/*used=*/true);
    InsertOptions insert = BulkInsertOptions(*relation_);
    insert.frozen = options_.freeze;
    batch_.emplace(writer_, cid_, insert, &bulk_);
    options_.binary ? RunBinary(source) : RunText(source);
    batch_->Finish();
    referential_queue_.Run(state_.session.format(), &state_.functions);
    RunDueUniqueChecks();
    return count_;
  }

 private:
  struct Column {
    const PgAttributeRow* row;
    const TypeDescriptor* type;
    size_t index;  // in values_
    bool force_null;
    bool force_not_null;
  };

  Column DescribeColumn(AttrNumber attno) const {
    const PgAttributeRow& row = relation_->columns[attno - 1];
    return {&row, &TypeOf(row.atttypid), static_cast<size_t>(attno - 1),
            Contains(options_.force_null, row.attname), Contains(options_.force_not_null, row.attname)};
  }

  void RunBinary(CopySource& source) {
    CopyBinaryReader reader(static_cast<int>(columns_.size()));
    std::vector<std::optional<std::string_view>> fields;
    bool more = true;
    try {
      while (more) {
        std::string_view bytes;
        more = source.Read(&bytes);
        if (more) progress_.Add(progress::kCopyBytes, static_cast<int64_t>(bytes.size()));
        reader.Feed(more ? bytes : std::string_view{}, !more);
        while (reader.NextRow(&fields)) {
          CheckInterrupts();
          StoreBinaryRow(fields, reader.row_number());
        }
      }
      Flush();
    } catch (SqlError& error) {
      if (reader.row_number() == 0) throw;  // the header
      uint64_t line = is_flushing_ ? batch_->label() : reader.row_number();
      error.WithContext(
          current_column_ != nullptr
              ? fmt::format("COPY {}, line {}, column {}", relation_->name(), line, current_column_->attname)
              : fmt::format("COPY {}, line {}", relation_->name(), line));
      throw;
    }
  }

  void StoreBinaryRow(const std::vector<std::optional<std::string_view>>& fields, uint64_t line) {
    row_arena_.Reset();
    std::fill(values_.begin(), values_.end(), Value{});
    size_t bytes = 0;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!fields[i]) continue;
      bytes += fields[i]->size();
      const Column& column = columns_[i];
      current_column_ = column.row;
      if (column.type->receive == nullptr) {
        throw SqlError(ErrorCode::kUndefinedFunction, "no binary input function available for type {}",
                       column.type->name);
      }
      TypeIo io{row_arena_, state_.session.format(), &state_.functions, column.type, column.row->atttypmod};
      Value& value = values_[column.index];
      column.type->receive(*fields[i], io, &value.datum);
      value.is_null = false;
    }
    current_column_ = nullptr;
    StoreValues(line, bytes);
  }

  void RunText(CopySource& source) {
    CopyReader reader(options_);
    std::vector<CopyField> fields;
    bool more = true;
    bool header_pending = options_.header;
    try {
      while (more) {
        std::string_view bytes;
        more = source.Read(&bytes);
        if (more) progress_.Add(progress::kCopyBytes, static_cast<int64_t>(bytes.size()));
        reader.Feed(more ? bytes : std::string_view{}, !more);
        while (reader.NextRow(&fields)) {
          CheckInterrupts();
          if (std::exchange(header_pending, false)) {
            if (options_.match_header) CheckHeader(fields);
            continue;
          }
          StoreRow(fields, reader);
        }
      }
      Flush();
    } catch (SqlError& error) {
      error.WithContext(Context(reader));
      throw;
    }
  }

  // Columns that the data does not give get their defaults.
  void PrepareDefaults() {
    for (const ColumnDefault& column_default : relation_->defaults) {
      auto given = [&](const Column& column) { return column.row->attnum == column_default.attno; };
      if (std::any_of(columns_.begin(), columns_.end(), given)) continue;
      if (relation_->columns[column_default.attno - 1].attgenerated != '\0')
        continue;  // computed from the row
      Expr* expr = ReadStoredExpression(column_default.expression, arena_);
      at_once_ = at_once_ || MustStoreAtOnce(expr);
      defaults_.emplace_back(column_default.attno, CompileExpression(expr));
    }
  }

  void CheckHeader(const std::vector<CopyField>& fields) {
    if (fields.size() != columns_.size()) {
      throw SqlError(ErrorCode::kBadCopyFileFormat,
                     "wrong number of fields in header line: got {}, expected {}", fields.size(),
                     columns_.size());
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      const std::string& expected = columns_[i].row->attname;
      if (fields[i].text != expected) {
        throw SqlError(ErrorCode::kBadCopyFileFormat,
                       "column name mismatch in header line field {}: got \"{}\", expected \"{}\"", i + 1,
                       fields[i].text, expected);
      }
    }
  }

  void StoreRow(const std::vector<CopyField>& fields, const CopyReader& reader) {
    row_arena_.Reset();
    current_column_ = nullptr;
    std::fill(values_.begin(), values_.end(), Value{});
    if (fields.size() > columns_.size())
      throw SqlError(ErrorCode::kBadCopyFileFormat, "extra data after last expected column");
    for (size_t i = 0; i < columns_.size(); ++i) {
      const Column& column = columns_[i];
      if (i >= fields.size()) {
        throw SqlError(ErrorCode::kBadCopyFileFormat, "missing data for column \"{}\"", column.row->attname);
      }
      const CopyField& field = fields[i];
      bool is_null = field.is_null && !column.force_not_null;
      if (column.force_null && !is_null && field.was_quoted && field.text == options_.null) is_null = true;
      if (is_null) continue;
      current_column_ = column.row;
      current_field_ = field.text;
      TypeIo io{row_arena_, state_.session.format(), &state_.functions, column.type, column.row->atttypmod};
      Value& value = values_[column.index];
      column.type->input(field.text, io, &value.datum);
      value.is_null = false;
      current_column_ = nullptr;
    }
    StoreValues(reader.line_number(), reader.line()->size());
  }

  // The row in values_: what was not given gets its default.
  void StoreValues(uint64_t line, size_t bytes) {
    EvalContext context(row_arena_, state_.session.format(), &state_.functions);
    for (auto& [attno, expr] : defaults_)
      values_[attno - 1] = expr->Eval(context, {}, Selection{nullptr, 1}).Get(0);
    if (filter_ && !filter_->Matches(context, writer_.RowVectors(values_), 0)) {
      progress_.Add(progress::kCopyExcluded, 1);
      return;
    }
    writer_.ComputeGenerated(context, values_);
    writer_.CheckConstraints(context, values_);
    referential_.Inserted(referential_queue_, values_);
    progress_.Set(progress::kCopyRows, static_cast<int64_t>(++count_));
    if (at_once_) {
      writer_.Insert(context, values_, cid_, &bulk_);
      return;
    }
    batch_->Add(values_, line, bytes);
    if (batch_->full()) Flush();
  }

  void Flush() {
    is_flushing_ = true;
    Arena arena;
    EvalContext context(arena, state_.session.format(), &state_.functions);
    batch_->Flush(context);
    is_flushing_ = false;
  }

  static bool Contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  std::string Context(const CopyReader& reader) const {
    constexpr size_t kMaxShown = 100;
    auto shown = [](std::string_view text) {
      return text.size() <= kMaxShown ? std::string(text) : std::string(Utf8Clip(text, kMaxShown)) + "...";
    };
    if (is_flushing_) return fmt::format("COPY {}, line {}", relation_->name(), batch_->label());
    if (current_column_ != nullptr) {
      return fmt::format("COPY {}, line {}, column {}: \"{}\"", relation_->name(), reader.line_number(),
                         current_column_->attname, shown(current_field_));
    }
    if (!reader.line()) return fmt::format("COPY {}, line {}", relation_->name(), reader.line_number());
    return fmt::format("COPY {}, line {}: \"{}\"", relation_->name(), reader.line_number(),
                       shown(*reader.line()));
  }

  SessionState& state_;
  RelationRef relation_;
  ProgressReport progress_{ProgressCommand::kCopy, relation_->oid};
  std::vector<Column> columns_;
  const CopyOptions& options_;
  TableWriter writer_;
  ReferentialChecks referential_;
  ReferentialQueue referential_queue_;
  BulkInsertState bulk_;
  std::optional<BatchedInsert> batch_;
  std::vector<Value> values_;
  Arena arena_;
  Arena row_arena_;
  std::vector<std::pair<AttrNumber, ExprStatePtr>> defaults_;
  std::optional<Filter> filter_;
  bool at_once_ = false;  // rows are not gathered
  bool is_flushing_ = false;
  CommandId cid_ = 0;
  uint64_t count_ = 0;
  const PgAttributeRow* current_column_ = nullptr;
  std::string_view current_field_;
};

// Rows as lines: to the client, or to a file of the server.
class CopyTarget {
 public:
  CopyTarget(ResultSink& sink, std::string_view file, const CopyOptions& options, int columns, Oid relation)
      : sink_(sink), converter_(DataConverter(options)), progress_(ProgressCommand::kCopy, relation) {
    progress_.Set(progress::kCopyCommand, kProgressCopyTo);
    progress_.Set(progress::kCopyType, IsAbsent(file) ? kProgressPipe : kProgressFile);
    if (IsAbsent(file)) {
      sink_.CopyOutBegin(options.binary, columns);
    } else {
      file_ = File::Open(std::string(file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    }
  }
  void Row(std::string_view line) {
    Line(line);
    progress_.Set(progress::kCopyRows, ++rows_);
  }
  void Line(std::string_view line) {
    std::string converted;
    if (converter_ != nullptr) line = converted = converter_->FromUtf8(line);
    progress_.Add(progress::kCopyBytes, static_cast<int64_t>(line.size()));
    if (!file_.is_open()) {
      sink_.CopyOutData(line);
      return;
    }
    buffer_ += line;
    if (buffer_.size() >= 65536) FlushFile();
  }
  void Finish() {
    if (file_.is_open()) {
      FlushFile();
    } else {
      sink_.CopyOutEnd();
    }
  }

 private:
  void FlushFile() {
    AwaitSeenDurable();
    file_.WriteAt(buffer_.data(), buffer_.size(), offset_);
    offset_ += buffer_.size();
    buffer_.clear();
  }
  ResultSink& sink_;
  std::unique_ptr<EncodingConverter> converter_;
  ProgressReport progress_;
  int64_t rows_ = 0;
  File file_;
  uint64_t offset_ = 0;
  std::string buffer_;
};

// FREEZE shows its rows to everybody at once: only where nobody can have looked before.
void CheckFreeze(const SessionState& state, const Relation& relation) {
  for (const auto& [name, portal] : state.portals) {
    if (portal->is_cursor && !portal->is_held) {
      throw SqlError(ErrorCode::kInvalidTransactionState,
                     "cannot perform COPY FREEZE because of prior transaction activity");
    }
  }
  if (RelationFileIsNew(relation)) return;
  throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                 "cannot perform COPY FREEZE because the table was not created or truncated in the current "
                 "subtransaction");
}

void CheckFileRights(const ast::CopyStmt& statement) {
  if (statement.is_program) throw NotSupported("COPY with PROGRAM");
  if (IsAbsent(statement.filename)) return;
  Oid role = session_identity().current_role;
  Oid needed{statement.is_from ? 4569u : 4570u};  // pg_read_server_files, pg_write_server_files
  if (!HasRightsOf(role, needed)) {
    throw SqlError(ErrorCode::kInsufficientPrivilege,
                   "must be superuser or have privileges of the {} role to COPY {} a file",
                   statement.is_from ? "pg_read_server_files" : "pg_write_server_files",
                   statement.is_from ? "from" : "to")
        .WithHint("Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.");
  }
  if (!statement.is_from && !statement.filename.starts_with('/')) {
    throw SqlError(ErrorCode::kInvalidName, "relative path not allowed for COPY to file");
  }
}

// Columns of FORCE_...: those of the table, and among the copied ones.
void CheckForcedColumns(const Relation& relation, const std::vector<AttrNumber>& copied,
                        const std::vector<std::string>& forced, std::string_view option) {
  for (const std::string& name : forced) {
    AttrNumber attno = ColumnNamed(relation, name);
    if (std::find(copied.begin(), copied.end(), attno) == copied.end()) {
      throw SqlError(ErrorCode::kInvalidColumnReference, "{} column \"{}\" not referenced by COPY", option,
                     name);
    }
  }
}

// FORCE_QUOTE over a query's result.
void CheckForcedColumns(std::span<const ResultColumn> columns, const std::vector<std::string>& forced) {
  for (const std::string& name : forced) {
    if (std::any_of(columns.begin(), columns.end(), [&](const ResultColumn& c) { return c.name == name; }))
      continue;
    throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" does not exist", name);
  }
}

std::string SelectTextFor(const Relation& relation, const std::vector<AttrNumber>& columns) {
  std::string sql = "SELECT ";
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) sql += ", ";
    sql += QuoteIdentifier(relation.columns[columns[i] - 1].attname);
  }
  return sql + fmt::format(" FROM ONLY {}.{}", QuoteIdentifier(SchemaName(relation.row.relnamespace)),
                           QuoteIdentifier(relation.name()));
}

}  // namespace

std::string SessionState::RunCopy(const ast::CopyStmt& statement, Portal* portal) {
  CheckFileRights(statement);
  std::string_view source_text = portal->statement().source();
  CopyOptions options;
  ResultSink& sink = session.sink_;
  SnapshotHold snapshot = TransactionSnapshot();
  ActiveSnapshotScope active(*snapshot);
  if (statement.is_from) {
    RelationRef relation = OpenRelationByName(NameOf(*statement.relation), LockMode::kRowExclusive);
    if (relation->row.relkind != relkind::kTable) {
      throw SqlError(ErrorCode::kWrongObjectType, "cannot copy to {} \"{}\"",
                     ObjectKindName(RelationObjectKind(relation->row.relkind)), relation->name());
    }
    if (TransactionReadOnly() && !relation->is_temporary()) {
      throw SqlError(ErrorCode::kReadOnlySqlTransaction,
                     "cannot execute COPY FROM in a read-only transaction");
    }
    ThrowUnlessOk(CheckRelation(relation->oid, session_identity().current_role, acl::kInsert),
                  ObjectKind::kTable, relation->name());
    options = ParseCopyOptions(statement.options, true, source_text);
    std::vector<AttrNumber> columns = ColumnsOf(*relation, statement.attlist);
    CheckForcedColumns(*relation, columns, options.force_not_null, "FORCE_NOT_NULL");
    CheckForcedColumns(*relation, columns, options.force_null, "FORCE_NULL");
    int width = static_cast<int>(columns.size());
    CopyIn copy(*this, relation, std::move(columns), options);
    if (statement.where_clause != nullptr) {
      BindOptions bind = MakeBindOptions(portal->arena, source_text, nullptr);
      const RelationInfo* info =
          SessionReader::Instance().GetRelation(relation->oid, RelationLockNeed::kNone);
      copy.FilterBy(BindCondition(*statement.where_clause, *info, ConditionKind::kCopyWhere, bind));
    }
    CopySource source(sink, statement.filename, options);
    if (source.is_client()) sink.CopyInBegin(options.binary, width);
    if (options.freeze) CheckFreeze(*this, *relation);
    return fmt::format("COPY {}", copy.Run(source));
  }

  PlannedQuery planned;
  BindOptions bind = MakeBindOptions(planned.statement->arena, source_text, nullptr);
  Query* query;
  ParseResult tree;  // of the SELECT made for a table: the plan's names are in it
  Oid copied = Oid::kInvalid;
  if (statement.query != nullptr) {
    options = ParseCopyOptions(statement.options, false, source_text);
    query = BindStatement(*statement.query, bind);
    if (FindInto(*statement.query) != nullptr) throw NotSupported("COPY (SELECT INTO)");
    if (query->command_type != CmdType::kSelect && query->returning_list.empty())
      throw SqlError(ErrorCode::kFeatureNotSupported, "COPY query must have a RETURNING clause");
  } else {
    RelationRef relation = OpenRelationByName(NameOf(*statement.relation), LockMode::kAccessShare);
    if (relation->row.relkind != relkind::kTable) {
      SqlError error(ErrorCode::kWrongObjectType, "cannot copy from {} \"{}\"",
                     ObjectKindName(RelationObjectKind(relation->row.relkind)), relation->name());
      if (relation->is_view()) error.WithHint("Try the COPY (SELECT ...) TO variant.");
      throw error;
    }
    options = ParseCopyOptions(statement.options, false, source_text);
    copied = relation->oid;
    std::vector<AttrNumber> columns = ColumnsOf(*relation, statement.attlist);
    CheckForcedColumns(*relation, columns, options.force_quote, "FORCE_QUOTE");
    std::string_view sql = bind.arena.Copy(SelectTextFor(*relation, columns));
    bind.source = sql;
    tree = walden::Parse(sql);
    query = walden::Bind(*tree->statements[0], bind);
  }
  RewriteAndPlan(query, bind, &functions, {}, &planned);
  if (statement.query != nullptr) CheckForcedColumns(planned.columns, options.force_quote);
  LockRelations(*planned.statement);
  CheckPermissions(&planned);
  CheckReadOnly(*planned.statement);
  Executor executor(*planned.statement);
  ExecutionSettings settings;
  settings.snapshot = &*snapshot;
  settings.session = &functions;
  settings.format = &session.format_;
  executor.Start(settings);
  CopyTarget target(sink, statement.filename, options, static_cast<int>(planned.columns.size()), copied);
  std::string line, text;
  if (options.header) {
    for (size_t i = 0; i < planned.columns.size(); ++i) {
      if (i > 0) line += options.delimiter;
      WriteCopyField(options, planned.columns[i].name, false, planned.columns.size() == 1, &line);
    }
    target.Line(line += '\n');
  }
  std::vector<const TypeDescriptor*> types;
  std::vector<bool> force_quote;
  for (const ResultColumn& column : planned.columns) {
    types.push_back(&TypeOf(column.type));
    force_quote.push_back(options.force_quote_all ||
                          std::find(options.force_quote.begin(), options.force_quote.end(), column.name) !=
                              options.force_quote.end());
  }
  uint64_t count = 0;
  Arena arena;
  Batch batch;
  if (options.binary) target.Line(CopyBinaryHeader());
  while (executor.Next(&batch)) {
    arena.Reset();
    batch.selection.ForEach([&](uint32_t row) {
      line.clear();
      if (options.binary) {
        AppendCopyBinaryCount(static_cast<int>(types.size()), &line);
        for (size_t i = 0; i < types.size(); ++i) {
          Value value = batch.columns[i]->Get(row);
          text.clear();
          if (!value.is_null) {
            if (types[i]->send == nullptr) {
              throw SqlError(ErrorCode::kUndefinedFunction, "no binary output function available for type {}",
                             types[i]->name);
            }
            TypeIo io{arena, session.format_, &functions, types[i], planned.columns[i].typmod};
            types[i]->send(value.datum, io, &text);
          }
          AppendCopyBinaryField(value.is_null ? std::nullopt : std::optional<std::string_view>(text), &line);
        }
        target.Row(line);
        ++count;
        return;
      }
      for (size_t i = 0; i < types.size(); ++i) {
        if (i > 0) line += options.delimiter;
        Value value = batch.columns[i]->Get(row);
        std::optional<std::string_view> field;
        if (!value.is_null) {
          text.clear();
          TypeIo io{arena, session.format_, &functions, types[i], planned.columns[i].typmod};
          types[i]->output(value.datum, io, &text);
          field = text;
        }
        WriteCopyField(options, field, force_quote[i], types.size() == 1, &line);
      }
      line += '\n';
      target.Row(line);
      ++count;
    });
  }
  executor.Finish();
  if (options.binary) target.Line(CopyBinaryTrailer());
  target.Finish();
  return fmt::format("COPY {}", count);
}

}  // namespace walden
