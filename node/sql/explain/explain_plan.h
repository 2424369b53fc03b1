// EXPLAIN's description of a plan: PostgreSQL 15's node names, properties and formats over this executor's plans.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "node/sql/executor/executor.h"
#include "node/sql/explain/explain_writer.h"
#include "node/sql/explain/plan_text.h"

namespace walden {

struct ExplainOptions {
  bool analyze = false;
  bool verbose = false;
  bool costs = true;
  bool buffers = false;
  bool wal = false;
  bool settings = false;
  bool timing = false;
  bool summary = false;
  ExplainFormat format = ExplainFormat::kText;
};

// Describes one planned statement; with `executor`, which has run it to its end with instrumentation, what it did.
class PlanExplainer {
 public:
  PlanExplainer(const ExplainOptions& options, const PlannedStatement& statement, Executor* executor,
                const DeparseNames& names, ExplainWriter* writer);
  void Describe();

 private:
  void Index(const Operator* op);
  void DescribeNode(const Plan& plan, std::string_view relationship, std::string_view title);
  // explain_node.cpp: what stands in the node's first line
  void Headline(const Plan& plan, std::string_view relationship, std::string_view title);
  void NodeName(const Plan& plan, std::string_view relationship, std::string_view title);
  void ScanTarget(const Plan& plan);
  void IndexName(const IndexScanPlan& scan);
  void RelationTarget(Oid relation, int32_t rtindex);
  void CostsAndTimes(const Plan& plan, const OperatorStats* stats, double startup_cost);
  // explain_details.cpp
  void Details(const Plan& plan, const OperatorStats* stats);
  void Output(const Plan& plan);
  void ScanDetails(const Plan& plan, const OperatorStats* stats);
  void JoinDetails(const Plan& plan, const OperatorStats* stats);
  void AggDetails(const AggPlan& agg, const OperatorStats* stats);
  void SortDetails(const Plan& plan);
  void ModifyDetails(const ModifyTablePlan& modify);
  void Filter(std::string_view label, const Plan& plan, const ExprList& quals, bool prefix);
  void Removed(std::string_view label, uint64_t rows, const OperatorStats* stats);
  void IndexConditions(const Plan& plan, const List<IndexCondition*>& conditions);
  std::vector<std::string> SortKeys(const Plan& plan, const List<OrderKey>& keys);
  void HashNode(const HashJoinPlan& join);
  void BitmapNodes(const BitmapScanPlan& scan, const BitmapNode& node, std::string_view relationship);
  void Usage(const OperatorStats* stats);

  void Children(const Plan& plan);
  std::vector<const SubPlan*> SubPlansOf(const Plan& plan) const;
  const Operator* OperatorOf(const Plan& plan) const;
  bool prefix() const { return options_.verbose || text_.has_many_relations(); }

  const ExplainOptions& options_;
  const PlannedStatement& statement_;
  Executor* executor_;
  const DeparseNames& names_;
  ExplainWriter& out_;
  PlanText text_;
  std::map<const Plan*, const Operator*> operators_;
  std::set<int32_t> shown_subplans_;
};

// "Trigger for constraint ...": what the statement's changes asked of foreign keys.
void WriteTriggers(const ExplainOptions& options, const PlannedStatement& statement,
                   std::span<const TriggerCalls> calls, ExplainWriter* out);

// "Buffers: ..." and its kin.
struct BlockUsage {
  BufferStatistics buffers{};
  uint64_t temp_read = 0, temp_written = 0;  // blocks of temporary files
};
void WriteBuffers(const BlockUsage& used, ExplainWriter* out);
bool AnyBuffers(const BlockUsage& used);

}  // namespace walden
