// EXPLAIN: plans a statement, runs it if asked, and describes both (sql/explain).
#include "node/session/explain.h"

#include "node/base/clock.h"
#include "node/buffer/buffer_pool.h"
#include "node/config/settings.h"
#include "node/session/query_id.h"
#include "node/session/session_state.h"
#include "node/sql/commands/command_names.h"
#include "node/sql/commands/commands.h"
#include "node/sql/executor/referential.h"
#include "node/sql/explain/explain_plan.h"
#include "node/sql/query/catalog_deparse_names.h"

namespace walden {
namespace {

ExplainFormat FormatOf(const ast::DefElem& option, std::string_view source) {
  std::string text = OptionString(option);
  if (text == "text") return ExplainFormat::kText;
  if (text == "json") return ExplainFormat::kJson;
  if (text == "yaml") return ExplainFormat::kYaml;
  if (text == "xml") return ExplainFormat::kXml;
  throw SqlError(ErrorCode::kInvalidParameterValue, "unrecognized value for EXPLAIN option \"{}\": \"{}\"",
                 option.defname, text)
      .WithPosition(CharacterPosition(source, option.location));
}

ExplainOptions ReadOptions(const ast::ExplainStmt& statement, std::string_view source) {
  ExplainOptions options;
  bool timing_set = false, summary_set = false;
  for (const ast::Node* node : statement.options) {
    const ast::DefElem& option = *ast::As<ast::DefElem>(node);
    std::string_view name = option.defname;
    if (name == "analyze")
      options.analyze = OptionBoolean(option);
    else if (name == "verbose")
      options.verbose = OptionBoolean(option);
    else if (name == "costs")
      options.costs = OptionBoolean(option);
    else if (name == "buffers")
      options.buffers = OptionBoolean(option);
    else if (name == "wal")
      options.wal = OptionBoolean(option);
    else if (name == "settings")
      options.settings = OptionBoolean(option);
    else if (name == "format")
      options.format = FormatOf(option, source);
    else if (name == "timing") {
      timing_set = true;
      options.timing = OptionBoolean(option);
    } else if (name == "summary") {
      summary_set = true;
      options.summary = OptionBoolean(option);
    } else {
      throw SqlError(ErrorCode::kSyntaxError, "unrecognized EXPLAIN option \"{}\"", name)
          .WithPosition(CharacterPosition(source, option.location));
    }
  }
  if (options.wal && !options.analyze)
    throw SqlError(ErrorCode::kInvalidParameterValue, "EXPLAIN option WAL requires ANALYZE");
  if (!timing_set) options.timing = options.analyze;
  if (options.timing && !options.analyze) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "EXPLAIN option TIMING requires ANALYZE");
  }
  if (!summary_set) options.summary = options.analyze;
  return options;
}

BufferStatistics Difference(const BufferStatistics& now, const BufferStatistics& before) {
  BufferStatistics used = now;
  used.shared_hits -= before.shared_hits;
  used.shared_reads -= before.shared_reads;
  used.shared_dirtied -= before.shared_dirtied;
  used.shared_written -= before.shared_written;
  used.local_hits -= before.local_hits;
  used.local_reads -= before.local_reads;
  used.local_dirtied -= before.local_dirtied;
  used.local_written -= before.local_written;
  return used;
}

// Explains (and runs) one query; also stands in for the session where a command runs a query inside itself.
class QueryExplainer : public QueryRunner {
 public:
  QueryExplainer(SessionState& state, const ExplainOptions& options, ExplainWriter* out)
      : state_(state), options_(options), out_(*out) {}

  uint64_t RunQuery(Query* query, const std::function<void(std::span<const Value> row)>& row) override {
    return Explain(query, {}, {}, row);
  }
  uint64_t RunSql(std::string_view sql, const std::function<void(std::span<const Value> row)>& row) override {
    return state_.session.RunSql(sql, row);
  }

  uint64_t Explain(Query* query, std::span<const Value> parameters, std::span<const Oid> parameter_types,
                   const std::function<void(std::span<const Value> row)>& row, bool generic = false) {
    PlannedQuery planned;
    BindOptions bind = state_.MakeBindOptions(planned.statement->arena, {}, nullptr);
    BufferStatistics buffers_before = buffer_statistics;
    int64_t start = MonotonicUs();
    RewriteAndPlan(query, bind, &state_.functions, generic ? std::span<const Value>{} : parameters, &planned,
                   tuple_fraction_);
    planning_us_ += MonotonicUs() - start;
    planning_buffers_ = Difference(buffer_statistics, buffers_before);
    LockRelations(*planned.statement);
    if (!options_.analyze) {
      Write(planned, nullptr);
      return 0;
    }
    CheckPermissions(&planned);
    CheckReadOnly(*planned.statement);
    return Run(planned, parameters, parameter_types, row);
  }
  void AddPlanningTime(int64_t us) { planning_us_ += us; }
  // Of a cursor's rows that part will be fetched; 0: all.
  void ReadsPart(double tuple_fraction) { tuple_fraction_ = tuple_fraction; }

 private:
  uint64_t Run(PlannedQuery& planned, std::span<const Value> parameters, std::span<const Oid> parameter_types,
               const std::function<void(std::span<const Value> row)>& row) {
    int64_t start = MonotonicUs();
    Executor executor(*planned.statement);
    SnapshotHold snapshot = TransactionSnapshot();
    ActiveSnapshotScope active(*snapshot);
    ExecutionSettings settings;
    settings.snapshot = &*snapshot;
    settings.session = &state_.functions;
    settings.format = &state_.session.format();
    settings.parameters = parameters;
    settings.parameter_types = parameter_types;
    settings.instrument = true;
    settings.instrument_timing = options_.timing;
    executor.Start(settings);
    uint64_t count = 0;
    Batch batch;
    std::vector<Value> values(planned.columns.size());
    while (executor.Next(&batch)) {
      count += batch.selection.count;
      if (!row) continue;
      batch.selection.ForEach([&](uint32_t at) {
        for (size_t i = 0; i < values.size(); ++i) values[i] = batch.columns[i]->Get(at);
        row(values);
      });
    }
    executor.RunAfterQueue();
    execution_us_ = MonotonicUs() - start;
    if (planned.statement->command != CmdType::kSelect) count = executor.rows_affected();
    Write(planned, &executor);
    executor.Finish();
    return count;
  }

  void Write(const PlannedQuery& planned, Executor* executor) {
    out_.OpenGroup("Query", {}, true);
    CatalogDeparseNames names(state_.session.format(), &state_.functions);
    PlanExplainer(options_, *planned.statement, executor, names, &out_).Describe();
    if (options_.settings) WriteSettings();
    bool is_shown = GetEnum<ComputeQueryId>(Setting::kComputeQueryId) != ComputeQueryId::kRegress;
    if (options_.verbose && planned.query_id != 0 && is_shown)
      out_.Integer("Query Identifier", planned.query_id);
    if (options_.buffers) WritePlanningBuffers();
    if (options_.summary) out_.Float("Planning Time", static_cast<double>(planning_us_) / 1000, 3, "ms");
    if (options_.analyze) WriteTriggers(options_, *planned.statement, executor->trigger_calls(), &out_);
    if (options_.analyze && options_.summary)
      out_.Float("Execution Time", static_cast<double>(execution_us_) / 1000, 3, "ms");
    out_.CloseGroup("Query", true);
  }

  void WritePlanningBuffers() {
    if (!out_.is_text()) {
      out_.OpenGroup("Planning", "Planning", true);
      WriteBuffers({planning_buffers_}, &out_);
      out_.CloseGroup("Planning", true);
    } else if (AnyBuffers({planning_buffers_})) {
      out_.text += "Planning:\n";
      ++out_.indent;
      WriteBuffers({planning_buffers_}, &out_);
      --out_.indent;
    }
  }

  // Settings of the planner that are not at their defaults.
  void WriteSettings() {
    std::vector<std::pair<std::string, std::string>> changed;
    for (const SettingInfo& info : ListSettings()) {
      if ((info.flags & setting_flag::kExplain) == 0 || info.setting == info.boot_val) continue;
      changed.emplace_back(info.name, ShowSetting(info.name, true));
    }
    if (!out_.is_text()) {
      out_.OpenGroup("Settings", "Settings", true);
      for (const auto& [name, value] : changed) out_.Text(name, value);
      out_.CloseGroup("Settings", true);
      return;
    }
    if (changed.empty()) return;
    std::string text;
    for (const auto& [name, value] : changed)
      text += fmt::format("{}{} = '{}'", text.empty() ? "" : ", ", name, value);
    out_.Text("Settings", text);
  }

  SessionState& state_;
  double tuple_fraction_ = 0;
  const ExplainOptions& options_;
  ExplainWriter& out_;
  int64_t planning_us_ = 0;
  int64_t execution_us_ = 0;
  BufferStatistics planning_buffers_{};
};

// $n of an EXECUTE.
std::vector<Value> ExecuteParameters(SessionState& state, const PreparedStatement& target,
                                     const ast::ExecuteStmt& statement, std::string_view source,
                                     Arena& arena) {
  if (target.parameter_types.size() != statement.params.size()) {
    throw SqlError(ErrorCode::kSyntaxError, "wrong number of parameters for prepared statement \"{}\"",
                   statement.name)
        .WithDetail(fmt::format("Expected {} parameters but got {}.", target.parameter_types.size(),
                                statement.params.size()));
  }
  BindOptions options = state.MakeBindOptions(arena, source, nullptr);
  EvalContext context(arena, state.session.format(), &state.functions);
  std::vector<Value> values;
  for (uint32_t i = 0; i < statement.params.size(); ++i) {
    Expr* bound = BindValue(*statement.params[i], target.parameter_types[i], -1, Oid::kInvalid,
                            fmt::format("parameter ${}", i + 1), ValueKind::kExecuteParameter, options);
    Value value = EvaluateConstant(bound, context);
    if (!value.is_null)
      value.datum = CopyDatum(TypeOf(target.parameter_types[i]).physical, value.datum, &arena);
    values.push_back(value);
  }
  return values;
}

}  // namespace

Oid ExplainResultType(const ast::ExplainStmt& statement) {
  return ReadOptions(statement, {}).format == ExplainFormat::kJson ? type_oid::kJson : type_oid::kText;
}

std::string SessionState::RunExplain(const ast::ExplainStmt& statement, Portal* portal) {
  std::string_view source = portal->statement().source();
  ExplainOptions options = ReadOptions(statement, source);
  portal->text_rows = std::make_unique<TextRows>();
  portal->text_rows->columns = UtilityColumns(statement, portal->text_rows.get());
  ExplainWriter out(options.format);
  out.Begin();
  {
    SnapshotHold snapshot = TransactionSnapshot();
    ActiveSnapshotScope active(*snapshot);
    Arena arena;
    QueryExplainer explainer(*this, options, &out);
    if (const ast::ExecuteStmt* execute =
            ast::TryAs<ast::ExecuteStmt>(static_cast<const ast::Node*>(statement.query))) {
      auto found = prepared.find(execute->name);
      if (found == prepared.end()) {
        throw SqlError(ErrorCode::kUndefinedPstatement, "prepared statement \"{}\" does not exist",
                       execute->name);
      }
      PreparedStatement& target = *found->second;
      std::vector<Value> values = ExecuteParameters(*this, target, *execute, source, arena);
      ParameterTypes types{target.parameter_types, false};
      int64_t start = MonotonicUs();
      Query* query = walden::Bind(*target.raw(), MakeBindOptions(arena, target.source(), &types));
      query->query_id = static_cast<uint64_t>(QueryIdOf(*query));
      explainer.AddPlanningTime(MonotonicUs() - start);
      bool generic = ShowSetting(Setting::kPlanCacheMode) == "force_generic_plan";
      explainer.Explain(query, values, target.parameter_types, {}, generic);
    } else {
      ParameterTypes types{portal->statement().parameter_types, true};
      BindOptions bind = MakeBindOptions(arena, source, &types);
      Query* query = BindStatement(*statement.query, bind);
      query->query_id = static_cast<uint64_t>(QueryIdOf(*query));
      const ast::DeclareCursorStmt* cursor =
          ast::TryAs<ast::DeclareCursorStmt>(static_cast<const ast::Node*>(statement.query));
      if (cursor != nullptr) explainer.ReadsPart(CursorTupleFraction());
      bool is_create = ast::Is<ast::CreateTableAsStmt>(static_cast<const ast::Node*>(query->utility_stmt));
      if (query->command_type != CmdType::kUtility) {
        explainer.Explain(query, portal->parameters, types.types, {});
      } else if (is_create && options.analyze) {
        CommandContext context = MakeCommandContext(arena, source);
        context.queries = &explainer;
        RunCommand(*query->utility_stmt, context);
      } else if (query->utility_query != nullptr) {
        explainer.Explain(query->utility_query, portal->parameters, types.types, {});
      } else if (out.is_text()) {
        out.text += "Utility statements have no plan structure\n";
      } else {
        out.Dummy("Utility Statement");
      }
    }
  }
  out.End();
  std::string_view text = out.text;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (!out.is_text()) {
    portal->text_rows->rows.push_back({std::string(text)});
    return "EXPLAIN";
  }
  while (true) {
    size_t end = text.find('\n');
    portal->text_rows->rows.push_back({std::string(text.substr(0, end))});
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return "EXPLAIN";
}

}  // namespace walden
