#include "node/sql/executor/executor.h"

#include <algorithm>

#include "node/sql/executor/deferred_checks.h"
#include "node/sql/executor/hashed_subplan.h"
#include "node/sql/executor/referential.h"
#include "node/sql/executor/row_container.h"
#include "node/sql/query/expr_facts.h"
#include "node/types/array.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

std::vector<const Executor*>& RunningExecutors() {
  static thread_local std::vector<const Executor*> running;
  return running;
}

bool ReadsIndex(const BitmapNode& node, Oid index) {
  return node.index == index ||
         std::any_of(node.children.begin(), node.children.end(),
                     [&](const BitmapNode* child) { return ReadsIndex(*child, index); });
}

bool ReadsIndex(const Operator* root, Oid index) {
  if (root == nullptr) return false;
  const Plan* plan = &root->plan();
  if (Is<IndexScanPlan>(plan) && As<IndexScanPlan>(plan)->index == index) return true;
  if (Is<BitmapScanPlan>(plan) && ReadsIndex(*As<BitmapScanPlan>(plan)->bitmap, index)) return true;
  return ReadsIndex(root->left(), index) || ReadsIndex(root->right(), index) ||
         std::any_of(root->children().begin(), root->children().end(),
                     [&](const std::unique_ptr<Operator>& child) { return ReadsIndex(child.get(), index); });
}

}  // namespace

bool IsBeingExecuted(Oid relation) {
  for (const Executor* executor : RunningExecutors()) {
    const PlannedStatement& plan = executor->plan();
    if (std::find(plan.relations.begin(), plan.relations.end(), relation) != plan.relations.end())
      return true;
    if (ReadsIndex(&executor->root(), relation)) return true;
    for (uint32_t id = 1; id <= plan.subplans.size(); ++id) {
      if (ReadsIndex(executor->subplan(static_cast<int32_t>(id)), relation)) return true;
    }
  }
  return false;
}

Executor::Executor(const PlannedStatement& plan, MemoryAccount* parent)
    : plan_(plan), account_("ExecutorState", parent), arena_(&account_, 512) {
  params_.exec.resize(plan.exec_param_count);
  for (uint32_t i = 0; i < plan.subplans.size(); ++i) {
    const Subplan& subplan = *plan.subplans[i];
    if (!subplan.is_init_plan) continue;
    for (int32_t input : subplan.plan->params) {
      for (int32_t output : subplan.output_params)
        params_.exec[input].dependents.push_back({output, static_cast<int32_t>(i) + 1});
    }
  }
  shared_states_.resize(plan.subplans.size() + 1);
  for (const Subplan* subplan : plan.subplans) subplans_.push_back(MakeOperator(*this, *subplan->plan));
  subplan_open_.resize(subplans_.size());
  root_ = MakeOperator(*this, *plan.plan);
}

Executor::~Executor() { Finish(); }

EvalContext Executor::MakeEvalContext(Arena& arena) {
  EvalContext context(arena, settings_.format != nullptr ? *settings_.format : DefaultTextFormat(),
                      settings_.session);
  context.params = &params_;
  context.subplans = this;
  return context;
}

void Executor::RefreshEvalContext(EvalContext* context) {
  context->format = settings_.format != nullptr ? settings_.format : &DefaultTextFormat();
  context->session = settings_.session;
}

void Executor::Start(const ExecutionSettings& settings) {
  CHECK(!running_);
  settings_ = settings;
  rows_affected_ = 0;
  params_.external.assign(settings.parameters.begin(), settings.parameters.end());
  params_.external_oids.assign(settings.parameter_types.begin(), settings.parameter_types.end());
  MarkInitPlansPending();
  running_ = true;
  RunningExecutors().push_back(this);
  root_->Open();
}

void Executor::MarkInitPlansPending() {
  for (size_t i = 0; i < plan_.subplans.size(); ++i) {
    const Subplan& subplan = *plan_.subplans[i];
    if (!subplan.is_init_plan) continue;
    for (int32_t id : subplan.output_params) {
      params_.exec[id].pending_init_plan = static_cast<int32_t>(i) + 1;
      ++params_.exec[id].version;
    }
  }
}

bool Executor::Next(Batch* batch, uint32_t max_rows) { return root_->Next(batch, max_rows); }

// Changes in WITH are made in full, whatever the main query has read of them; the last first, since it may read the others.
void Executor::FinishModifyingCtes() {
  Batch batch;
  for (uint32_t i = plan_.modifying_ctes.size(); i-- > 0;) {
    int32_t id = plan_.modifying_ctes[i];
    if (!subplan_open_[id - 1]) Start(id);
    while (Next(id, &batch)) {
    }
  }
}

void Executor::RunAfterQueue() {
  FinishModifyingCtes();
  // Work may queue more work: run in order until none is left.
  for (size_t i = 0; i < after_.size(); ++i) after_[i]->Run(*this);
  after_.clear();
  RunDueUniqueChecks();
}

void Executor::AddTriggerCalls(std::span<const TriggerCalls> calls) {
  trigger_calls_.insert(trigger_calls_.end(), calls.begin(), calls.end());
}

void Executor::Finish() {
  if (!running_) return;
  running_ = false;
  std::erase(RunningExecutors(), this);
  root_->Close();
  for (size_t i = 0; i < subplans_.size(); ++i) {
    subplans_[i]->Close();
    subplan_open_[i] = false;
  }
  for (auto& state : shared_states_) state.reset();
  hashed_.clear();
  after_.clear();
  arena_.Reset();
}

void Executor::SetParam(int32_t id, PhysicalType type, const Value& value) {
  SetExecParam(&params_, id, type, value);
}

void Executor::Start(int32_t plan_id) {
  Operator& subplan = *subplans_[plan_id - 1];
  if (subplan_open_[plan_id - 1]) {
    subplan.Rescan();
  } else {
    subplan_open_[plan_id - 1] = true;
    subplan.Open();
  }
}

void Executor::MatchHashed(int32_t plan_id, std::span<Vector* const> keys, std::span<const Oid> types,
                           EvalContext& context, const Selection& selection, Vector* result) {
  std::unique_ptr<HashedSubplan>& hashed = hashed_[plan_id];
  if (hashed == nullptr) hashed = std::make_unique<HashedSubplan>(*this, plan_id, types);
  hashed->Match(keys, context, selection, result);
}

bool Executor::Next(int32_t plan_id, Batch* batch) { return subplans_[plan_id - 1]->Next(batch); }

namespace {

Value ArrayOfFirstColumn(Executor& executor, int32_t plan_id, Oid element, Arena* arena) {
  ArrayCollector collector(element);
  Batch batch;
  while (executor.Next(plan_id, &batch)) {
    batch.selection.ForEach([&](uint32_t row) { collector.Add(batch.columns[0]->Get(row)); });
  }
  return Value{StringDatum(collector.Finish(*arena)), false};
}

Value AnyRow(Executor& executor, int32_t plan_id) {
  Value value;
  value.is_null = false;
  Batch batch;
  value.datum.b = executor.Next(plan_id, &batch);
  return value;
}

}  // namespace

void Executor::RunInitPlan(int32_t plan_id) {
  const Subplan& subplan = *plan_.subplans[plan_id - 1];
  Start(plan_id);
  if (subplan.link_type == SubLinkType::kExists) {
    SetParam(subplan.output_params[0], PhysicalType::kBool, AnyRow(*this, plan_id));
  } else if (subplan.link_type == SubLinkType::kArray) {
    Oid element = ExprType(subplan.plan->target[0]->expr);
    SetParam(subplan.output_params[0], PhysicalType::kString,
             ArrayOfFirstColumn(*this, plan_id, element, &arena_));
  } else {
    RunRowInitPlan(subplan, plan_id);
  }
}

void Executor::RunRowInitPlan(const Subplan& subplan, int32_t plan_id) {
  const std::vector<PhysicalType>& types = subplans_[plan_id - 1]->output_types();
  std::vector<Value> values(subplan.output_params.size());
  Batch batch;
  bool found = false;
  while (Next(plan_id, &batch)) {
    if (batch.selection.count == 0) continue;
    if (found || batch.selection.count > 1) {
      throw SqlError(ErrorCode::kCardinalityViolation,
                     "more than one row returned by a subquery used as an expression");
    }
    found = true;
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = batch.columns[i]->Get(batch.selection.Row(0));
      if (!values[i].is_null) values[i].datum = CopyDatum(types[i], values[i].datum, &arena_);
    }
  }
  for (size_t i = 0; i < values.size(); ++i) SetParam(subplan.output_params[i], types[i], values[i]);
}

}  // namespace walden
