// A node's first line: its name, what it reads, costs, rows and times.
#include "node/catalog/namespace.h"
#include "node/catalog/relation.h"
#include "node/catalog/syscache.h"
#include "node/sql/explain/explain_plan.h"
#include "node/sql/query/expr_facts.h"
#include "node/types/quote.h"

namespace walden {
namespace {

std::string_view OperationName(CmdType command) {
  switch (command) {
    case CmdType::kInsert: return "Insert";
    case CmdType::kUpdate: return "Update";
    case CmdType::kDelete: return "Delete";
    default: return "Merge";
  }
}

std::string_view JoinTypeName(JoinType type) {
  switch (type) {
    case JoinType::kLeft: return "Left";
    case JoinType::kFull: return "Full";
    case JoinType::kRight: return "Right";
    case JoinType::kSemi: return "Semi";
    case JoinType::kAnti: return "Anti";
    default: return "Inner";
  }
}

std::string_view StrategyName(AggStrategy strategy) {
  switch (strategy) {
    case AggStrategy::kPlain: return "Plain";
    case AggStrategy::kSorted: return "Sorted";
    case AggStrategy::kHashed: return "Hashed";
    case AggStrategy::kMixed: return "Mixed";
  }
  return "Plain";
}

std::string TextName(const Plan& plan) {
  switch (plan.kind) {
    case PlanKind::kIndexScan: return As<IndexScanPlan>(&plan)->index_only ? "Index Only Scan" : "Index Scan";
    case PlanKind::kHashJoin: return "Hash";
    case PlanKind::kMergeJoin: return "Merge";
    case PlanKind::kSort: return As<SortPlan>(&plan)->presorted > 0 ? "Incremental Sort" : "Sort";
    case PlanKind::kSetOp: return "HashSetOp";
    case PlanKind::kModifyTable: return std::string(OperationName(As<ModifyTablePlan>(&plan)->command));
    case PlanKind::kAgg:
      switch (As<AggPlan>(&plan)->strategy) {
        case AggStrategy::kPlain: return "Aggregate";
        case AggStrategy::kSorted: return "GroupAggregate";
        case AggStrategy::kHashed: return "HashAggregate";
        case AggStrategy::kMixed: return "MixedAggregate";
      }
      return "Aggregate";
    default: return std::string(PlanKindName(plan.kind));
  }
}

std::string NodeType(const Plan& plan) {
  switch (plan.kind) {
    case PlanKind::kHashJoin: return "Hash Join";
    case PlanKind::kMergeJoin: return "Merge Join";
    case PlanKind::kAgg: return "Aggregate";
    case PlanKind::kSetOp: return "SetOp";
    case PlanKind::kModifyTable: return "ModifyTable";
    default: return TextName(plan);
  }
}

bool IsJoin(const Plan& plan) {
  return plan.kind == PlanKind::kNestLoop || plan.kind == PlanKind::kHashJoin ||
         plan.kind == PlanKind::kMergeJoin;
}

std::string SetOpCommand(const SetOpPlan& plan) {
  std::string name = plan.op == SetOperation::kIntersect ? "Intersect" : "Except";
  return plan.all ? name + " All" : name;
}

}  // namespace

void PlanExplainer::Headline(const Plan& plan, std::string_view relationship, std::string_view title) {
  if (out_.is_text()) {
    if (!title.empty()) {
      out_.Indent();
      out_.text += title;
      out_.text += '\n';
      ++out_.indent;
    }
    if (out_.indent > 0) {
      out_.Indent();
      out_.text += "->  ";
      out_.indent += 2;
    }
    out_.text += TextName(plan);
    ++out_.indent;
  } else {
    NodeName(plan, relationship, title);
  }
  ScanTarget(plan);
  if (IsJoin(plan)) {
    JoinType type = static_cast<const JoinPlan&>(plan).join_type;
    if (!out_.is_text()) {
      out_.Text("Join Type", JoinTypeName(type));
    } else if (type != JoinType::kInner) {
      out_.text += fmt::format(" {} Join", JoinTypeName(type));
    } else if (plan.kind != PlanKind::kNestLoop) {
      out_.text += " Join";
    }
  }
  if (plan.kind == PlanKind::kSetOp) {
    if (out_.is_text()) {
      out_.text += " " + SetOpCommand(*As<SetOpPlan>(&plan));
    } else {
      out_.Text("Command", SetOpCommand(*As<SetOpPlan>(&plan)));
    }
  }
}

void PlanExplainer::NodeName(const Plan& plan, std::string_view relationship, std::string_view title) {
  out_.Text("Node Type", NodeType(plan));
  if (plan.kind == PlanKind::kAgg) out_.Text("Strategy", StrategyName(As<AggPlan>(&plan)->strategy));
  if (plan.kind == PlanKind::kSetOp) out_.Text("Strategy", "Hashed");
  if (plan.kind == PlanKind::kAgg) out_.Text("Partial Mode", "Simple");
  if (plan.kind == PlanKind::kModifyTable)
    out_.Text("Operation", OperationName(As<ModifyTablePlan>(&plan)->command));
  if (!relationship.empty()) out_.Text("Parent Relationship", relationship);
  if (!title.empty()) out_.Text("Subplan Name", title);
  out_.Bool("Parallel Aware", false);
  out_.Bool("Async Capable", false);
}

void PlanExplainer::IndexName(const IndexScanPlan& scan) {
  std::string index = names_.RelationBareName(scan.index);
  bool backward = scan.direction == ScanDirection::kBackward;
  if (out_.is_text()) {
    if (backward) out_.text += " Backward";
    out_.text += " using " + QuoteIdentifier(index);
  } else {
    out_.Text("Scan Direction", backward ? "Backward" : "Forward");
    out_.Text("Index Name", index);
  }
}

void PlanExplainer::RelationTarget(Oid relation, int32_t rtindex) {
  std::string name = names_.RelationBareName(relation);
  std::string schema = options_.verbose
                           ? SchemaName(OpenRelation(relation, LockMode::kNone)->row.relnamespace)
                           : std::string();
  const std::string& alias = text_.RefName(rtindex);
  if (out_.is_text()) {
    out_.text += " on ";
    if (!schema.empty()) out_.text += QuoteIdentifier(schema) + ".";
    out_.text += QuoteIdentifier(name);
    if (alias != name) out_.text += " " + QuoteIdentifier(alias);
    return;
  }
  out_.Text("Relation Name", name);
  if (!schema.empty()) out_.Text("Schema", schema);
  out_.Text("Alias", alias);
}

void PlanExplainer::ScanTarget(const Plan& plan) {
  auto named = [&](std::string_view label, std::string_view object, int32_t rtindex) {
    if (rtindex == 0) return;
    const std::string& alias = text_.RefName(rtindex);
    if (out_.is_text()) {
      out_.text += " on";
      if (!object.empty()) out_.text += " " + QuoteIdentifier(object);
      if (object.empty() || alias != object) out_.text += " " + QuoteIdentifier(alias);
      return;
    }
    if (!object.empty()) out_.Text(label, object);
    out_.Text("Alias", alias);
  };
  switch (plan.kind) {
    case PlanKind::kIndexScan: IndexName(*As<IndexScanPlan>(&plan)); [[fallthrough]];
    case PlanKind::kSeqScan:
    case PlanKind::kBitmapScan:
    case PlanKind::kTidScan: {
      const ScanPlan& scan = static_cast<const ScanPlan&>(plan);
      RelationTarget(scan.relation, scan.rtindex);
      return;
    }
    case PlanKind::kFunctionScan: {
      const FunctionScanPlan& scan = *As<FunctionScanPlan>(&plan);
      const FuncExpr* call = scan.functions.size() == 1
                                 ? TryAs<FuncExpr>(static_cast<const Node*>(scan.functions[0]->funcexpr))
                                 : nullptr;
      if (call == nullptr) return named("Function Name", {}, scan.rtindex);
      std::string name = FunctionRow(call->funcid)->proname;
      if (options_.verbose && out_.is_text()) {
        out_.text += " on " + QuoteIdentifier(SchemaName(FunctionRow(call->funcid)->pronamespace)) + "." +
                     QuoteIdentifier(name);
        if (text_.RefName(scan.rtindex) != name)
          out_.text += " " + QuoteIdentifier(text_.RefName(scan.rtindex));
        return;
      }
      if (!out_.is_text()) {
        out_.Text("Function Name", name);
        if (options_.verbose) out_.Text("Schema", SchemaName(FunctionRow(call->funcid)->pronamespace));
        out_.Text("Alias", text_.RefName(scan.rtindex));
        return;
      }
      return named("Function Name", name, scan.rtindex);
    }
    case PlanKind::kValuesScan:
    case PlanKind::kSubqueryScan: return named({}, {}, static_cast<const ScanPlan&>(plan).rtindex);
    case PlanKind::kCteScan:
    case PlanKind::kWorkTableScan: {
      int32_t rtindex = static_cast<const ScanPlan&>(plan).rtindex;
      return named("CTE Name", rtindex == 0 ? std::string_view() : text_.Entry(rtindex).ctename, rtindex);
    }
    case PlanKind::kModifyTable: {
      const ModifyTablePlan& modify = *As<ModifyTablePlan>(&plan);
      RelationTarget(modify.relation, modify.rtindex);
      return;
    }
    default: return;
  }
}

void PlanExplainer::CostsAndTimes(const Plan& plan, const OperatorStats* stats, double startup_cost) {
  if (options_.costs) {
    if (out_.is_text()) {
      out_.text += fmt::format("  (cost={:.2f}..{:.2f} rows={:.0f} width={})", startup_cost, plan.total_cost,
                               plan.rows, plan.width);
    } else {
      out_.Float("Startup Cost", startup_cost, 2);
      out_.Float("Total Cost", plan.total_cost, 2);
      out_.Float("Plan Rows", plan.rows, 0);
      out_.Integer("Plan Width", plan.width);
    }
  }
  bool ran = stats != nullptr && stats->loops > 0;
  double loops = ran ? static_cast<double>(stats->loops) : 1;
  double rows = ran ? static_cast<double>(stats->rows) / loops : 0;
  double first_ms = ran ? static_cast<double>(stats->first_row_ns) / loops / 1e6 : 0;
  double total_ms = ran ? static_cast<double>(stats->total_ns) / loops / 1e6 : 0;
  if (options_.analyze && out_.is_text()) {
    if (!ran) {
      out_.text += " (never executed)";
    } else if (options_.timing) {
      out_.text += fmt::format(" (actual time={:.3f}..{:.3f} rows={:.0f} loops={:.0f})", first_ms, total_ms,
                               rows, loops);
    } else {
      out_.text += fmt::format(" (actual rows={:.0f} loops={:.0f})", rows, loops);
    }
  } else if (options_.analyze) {
    if (options_.timing) {
      out_.Float("Actual Startup Time", first_ms, 3);
      out_.Float("Actual Total Time", total_ms, 3);
    }
    out_.Float("Actual Rows", rows, 0);
    out_.Float("Actual Loops", ran ? loops : 0, 0);
  }
  if (out_.is_text()) out_.text += '\n';
}

}  // namespace walden
