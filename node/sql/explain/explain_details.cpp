// What stands below a node's first line: conditions, keys, and what the execution measured.
#include <algorithm>

#include "node/catalog/syscache.h"
#include "node/sql/explain/explain_plan.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"

namespace walden {
namespace {

bool HasDisk(int64_t kb) { return kb > 0; }

}  // namespace

void PlanExplainer::Output(const Plan& plan) {
  if (plan.target.empty() || plan.kind == PlanKind::kAppend || plan.kind == PlanKind::kMergeAppend ||
      plan.kind == PlanKind::kRecursiveUnion) {
    return;
  }
  std::vector<std::string> items;
  for (const TargetEntry* entry : plan.target)
    items.push_back(text_.Expr(plan, entry->expr, text_.has_many_relations()));
  out_.List("Output", items);
}

void PlanExplainer::Filter(std::string_view label, const Plan& plan, const ExprList& quals, bool prefix) {
  if (!quals.empty()) out_.Text(label, text_.Conditions(plan, quals, prefix));
}

void PlanExplainer::Removed(std::string_view label, uint64_t rows, const OperatorStats* stats) {
  if (!options_.analyze || stats == nullptr) return;
  // In text only where some were removed, as the average of the loops.
  if (rows == 0 && out_.is_text()) return;
  out_.Float(label, stats->loops > 0 ? static_cast<double>(rows) / static_cast<double>(stats->loops) : 0, 0);
}

void PlanExplainer::IndexConditions(const Plan& plan, const List<IndexCondition*>& conditions) {
  if (conditions.empty()) return;
  Arena arena;
  ExprList quals;
  for (const IndexCondition* condition : conditions) quals.Append(arena, condition->original);
  out_.Text("Index Cond", text_.Conditions(plan, quals, options_.verbose));
}

void PlanExplainer::ScanDetails(const Plan& plan, const OperatorStats* stats) {
  bool qualified = options_.verbose || plan.kind == PlanKind::kSubqueryScan;
  if (plan.kind == PlanKind::kIndexScan) {
    IndexConditions(plan, As<IndexScanPlan>(&plan)->conditions);
    if (!As<IndexScanPlan>(&plan)->conditions.empty() && stats != nullptr) {
      Removed("Rows Removed by Index Recheck", stats->rows_removed_by_recheck, stats);
    }
  }
  if (plan.kind == PlanKind::kBitmapScan) {
    Filter("Recheck Cond", plan, As<BitmapScanPlan>(&plan)->recheck, qualified);
    if (stats != nullptr) Removed("Rows Removed by Index Recheck", stats->rows_removed_by_recheck, stats);
  }
  if (plan.kind == PlanKind::kTidScan) {
    const TidScanPlan& scan = *As<TidScanPlan>(&plan);
    if (!scan.shown.empty()) out_.Text("TID Cond", text_.Conditions(plan, scan.shown, qualified));
  }
  if (plan.kind == PlanKind::kFunctionScan && options_.verbose) {
    std::vector<std::string> calls;
    for (const RangeTblFunction* function : As<FunctionScanPlan>(&plan)->functions) {
      calls.push_back(text_.Expr(plan, function->funcexpr, true));
    }
    out_.Text("Function Call", fmt::format("{}", fmt::join(calls, ", ")));
  }
  Filter("Filter", plan, plan.quals, qualified);
  if (!plan.quals.empty() && stats != nullptr)
    Removed("Rows Removed by Filter", stats->rows_removed_by_filter, stats);
  const Operator* op = OperatorOf(plan);
  if (!options_.analyze || op == nullptr) return;
  OperatorDetails details;
  op->Describe(&details);
  if (details.heap_fetches >= 0) out_.Integer("Heap Fetches", details.heap_fetches);
  if (plan.kind != PlanKind::kBitmapScan) return;
  if (!out_.is_text()) {
    out_.Integer("Exact Heap Blocks", details.exact_pages);
    out_.Integer("Lossy Heap Blocks", details.lossy_pages);
  } else if (details.exact_pages > 0 || details.lossy_pages > 0) {
    out_.Indent();
    out_.text += "Heap Blocks:";
    if (details.exact_pages > 0) out_.text += fmt::format(" exact={}", details.exact_pages);
    if (details.lossy_pages > 0) out_.text += fmt::format(" lossy={}", details.lossy_pages);
    out_.text += '\n';
  }
}

void PlanExplainer::JoinDetails(const Plan& plan, const OperatorStats* stats) {
  const JoinPlan& join = static_cast<const JoinPlan&>(plan);
  auto key_conditions = [&](std::string_view label, const ExprList& outer, const ExprList& inner,
                            const List<Oid>& operators) {
    std::vector<std::string> conditions;
    for (uint32_t i = 0; i < outer.size(); ++i) {
      auto op = OperatorRow(operators[i]);
      Arena arena;
      std::string left = text_.OfChild(*plan.left, outer[i], true),
                  right = text_.OfChild(*plan.right, inner[i], true);
      conditions.push_back(fmt::format("({} {} {})", left, op ? op->oprname : "=", right));
    }
    std::string all = fmt::format("{}", fmt::join(conditions, " AND "));
    out_.Text(label, conditions.size() > 1 ? "(" + all + ")" : all);
  };
  if (Is<HashJoinPlan>(&plan)) {
    const HashJoinPlan& hash = *As<HashJoinPlan>(&plan);
    key_conditions("Hash Cond", hash.outer_keys, hash.inner_keys, hash.equal_operators);
  }
  if (Is<MergeJoinPlan>(&plan)) {
    const MergeJoinPlan& merge = *As<MergeJoinPlan>(&plan);
    key_conditions("Merge Cond", merge.outer_keys, merge.inner_keys, merge.equal_operators);
  }
  Filter("Join Filter", plan, join.join_quals, prefix());
  if (!join.join_quals.empty() && stats != nullptr) {
    Removed("Rows Removed by Join Filter", stats->rows_removed_by_join_filter, stats);
  }
  Filter("Filter", plan, plan.quals, prefix());
  if (!plan.quals.empty() && stats != nullptr)
    Removed("Rows Removed by Filter", stats->rows_removed_by_filter, stats);
}

std::vector<std::string> PlanExplainer::SortKeys(const Plan& plan, const List<OrderKey>& keys) {
  std::vector<std::string> items;
  for (const OrderKey& key : keys) {
    std::string item = text_.OutputColumn(plan, key.column, prefix());
    Oid type_collation = names_.TypeCollation(key.type);
    if (IsValid(key.collation) && key.collation != type_collation)
      item += " COLLATE " + names_.CollationName(key.collation);
    if (key.descending) {
      item += " DESC";
      if (!key.nulls_first) item += " NULLS LAST";
    } else if (key.nulls_first) {
      item += " NULLS FIRST";
    }
    items.push_back(item);
  }
  return items;
}

void PlanExplainer::SortDetails(const Plan& plan) {
  const SortPlan& sort = *As<SortPlan>(&plan);
  std::vector<std::string> keys = SortKeys(plan, sort.keys);
  out_.List("Sort Key", keys);
  if (sort.presorted > 0) out_.List("Presorted Key", {keys.begin(), keys.begin() + sort.presorted});
  const Operator* op = OperatorOf(plan);
  if (!options_.analyze || op == nullptr) return;
  OperatorDetails details;
  op->Describe(&details);
  if (details.sort_kb < 0) return;
  if (out_.is_text()) {
    out_.Indent();
    out_.text += fmt::format("Sort Method: {}  {}: {}kB\n", details.sort_method,
                             details.sort_on_disk ? "Disk" : "Memory", details.sort_kb);
    return;
  }
  out_.Text("Sort Method", details.sort_method);
  out_.Integer("Sort Space Used", details.sort_kb, "kB");
  out_.Text("Sort Space Type", details.sort_on_disk ? "Disk" : "Memory");
}

void PlanExplainer::AggDetails(const AggPlan& agg, const OperatorStats* stats) {
  auto key_text = [&](int32_t key) {
    const Expr* expr = agg.group_keys[key];
    // A plain column of the child is shown as the child computes it.
    if (const Var* var = TryAs<Var>(expr); var != nullptr && var->varno == kInputVar) {
      return text_.OutputColumn(*agg.left, var->varattno, prefix());
    }
    return text_.OfChild(*agg.left, expr, prefix());
  };
  if (!agg.grouping_sets.empty()) {
    out_.OpenGroup("Grouping Sets", "Grouping Sets", false);
    for (const List<int32_t>& set : agg.grouping_sets) {
      std::vector<std::string> keys;
      for (int32_t key : set) keys.push_back(key_text(key));
      bool hashed = agg.strategy != AggStrategy::kSorted && !set.empty();
      out_.OpenGroup("Grouping Set", {}, true);
      if (set.empty() && out_.is_text()) {
        out_.Text("Group Key", "()");
      } else {
        out_.OpenGroup(hashed ? "Hash Keys" : "Group Keys", hashed ? "Hash Keys" : "Group Keys", false);
        out_.NestedList(hashed ? "Hash Key" : "Group Key", keys);
        out_.CloseGroup(hashed ? "Hash Keys" : "Group Keys", false);
      }
      out_.CloseGroup("Grouping Set", true);
    }
    out_.CloseGroup("Grouping Sets", false);
  } else if (!agg.group_keys.empty()) {
    std::vector<std::string> keys;
    for (uint32_t i = 0; i < agg.group_keys.size(); ++i) keys.push_back(key_text(static_cast<int32_t>(i)));
    out_.List("Group Key", keys);
  }
  Filter("Filter", agg, agg.quals, prefix());
  const Operator* op = OperatorOf(agg);
  bool hashed = agg.strategy == AggStrategy::kHashed || agg.strategy == AggStrategy::kMixed;
  if (hashed && !out_.is_text() && options_.costs) out_.Integer("Planned Partitions", 0);
  if (hashed && options_.analyze && op != nullptr && stats != nullptr && stats->loops > 0) {
    OperatorDetails details;
    op->Describe(&details);
    if (out_.is_text()) {
      out_.Indent();
      out_.text += fmt::format("Batches: {}  Memory Usage: {}kB", details.batches, details.memory_kb);
      if (HasDisk(details.disk_kb)) out_.text += fmt::format("  Disk Usage: {}kB", details.disk_kb);
      out_.text += '\n';
    } else {
      out_.Integer("HashAgg Batches", details.batches);
      out_.Integer("Peak Memory Usage", details.memory_kb, "kB");
      out_.Integer("Disk Usage", details.disk_kb, "kB");
    }
  }
  if (!agg.quals.empty() && stats != nullptr)
    Removed("Rows Removed by Filter", stats->rows_removed_by_filter, stats);
}

void PlanExplainer::ModifyDetails(const ModifyTablePlan& modify) {
  if (modify.on_conflict == OnConflictAction::kNone) return;
  out_.Text("Conflict Resolution", modify.on_conflict == OnConflictAction::kNothing ? "NOTHING" : "UPDATE");
  std::vector<std::string> arbiters;
  for (Oid index : modify.arbiter_indexes) arbiters.push_back(names_.RelationBareName(index));
  if (!arbiters.empty()) out_.List("Conflict Arbiter Indexes", arbiters);
  if (!modify.conflict_where_shown.empty()) {
    out_.Text("Conflict Filter", text_.Conditions(modify, modify.conflict_where_shown, prefix()));
  }
  const Operator* op = OperatorOf(modify);
  if (!options_.analyze || op == nullptr) return;
  OperatorDetails details;
  op->Describe(&details);
  out_.Float("Tuples Inserted", static_cast<double>(details.tuples_inserted), 0);
  out_.Float("Conflicting Tuples", static_cast<double>(details.conflicting_tuples), 0);
}

void PlanExplainer::Details(const Plan& plan, const OperatorStats* stats) {
  switch (plan.kind) {
    case PlanKind::kNestLoop:
    case PlanKind::kHashJoin:
    case PlanKind::kMergeJoin:
      if (!out_.is_text()) {
        out_.Bool("Inner Unique", static_cast<const JoinPlan&>(plan).inner_unique);
      } else if (options_.verbose && static_cast<const JoinPlan&>(plan).inner_unique) {
        out_.Bool("Inner Unique", true);
      }
      JoinDetails(plan, stats);
      return;
    case PlanKind::kAgg: AggDetails(*As<AggPlan>(&plan), stats); return;
    case PlanKind::kSort: SortDetails(plan); return;
    case PlanKind::kMergeAppend:
      out_.List("Sort Key", SortKeys(plan, As<MergeAppendPlan>(&plan)->keys));
      return;
    case PlanKind::kModifyTable: ModifyDetails(*As<ModifyTablePlan>(&plan)); return;
    case PlanKind::kResult:
      Filter("One-Time Filter", plan, As<ResultPlan>(&plan)->one_time_quals, prefix());
      break;
    case PlanKind::kSeqScan:
    case PlanKind::kIndexScan:
    case PlanKind::kBitmapScan:
    case PlanKind::kTidScan:
    case PlanKind::kFunctionScan:
    case PlanKind::kValuesScan:
    case PlanKind::kSubqueryScan:
    case PlanKind::kCteScan:
    case PlanKind::kWorkTableScan: ScanDetails(plan, stats); return;
    default: break;
  }
  Filter("Filter", plan, plan.quals, prefix());
  if (!plan.quals.empty() && stats != nullptr)
    Removed("Rows Removed by Filter", stats->rows_removed_by_filter, stats);
}

// The inner side of a hash join stands below a node of its own, which builds the table.
void PlanExplainer::HashNode(const HashJoinPlan& join) {
  const Operator* op = OperatorOf(join);
  const Operator* inner = OperatorOf(*join.right);
  int saved_indent = out_.indent;
  out_.OpenGroup("Plan", {}, true);
  if (out_.is_text()) {
    out_.Indent();
    out_.text += "->  Hash";
    out_.indent += 3;
  } else {
    out_.Text("Node Type", "Hash");
    out_.Text("Parent Relationship", "Inner");
    out_.Bool("Parallel Aware", false);
    out_.Bool("Async Capable", false);
  }
  OperatorStats stats;
  if (inner != nullptr) {
    stats = inner->stats();
    stats.first_row_ns = stats.total_ns;
  }
  CostsAndTimes(*join.right, inner == nullptr ? nullptr : &stats, join.right->total_cost);
  if (options_.verbose) Output(*join.right);
  if (options_.analyze && op != nullptr && stats.loops > 0) {
    OperatorDetails details;
    op->Describe(&details);
    if (out_.is_text()) {
      out_.Indent();
      out_.text += fmt::format("Buckets: {}  Batches: {}  Memory Usage: {}kB\n", details.hash_buckets,
                               details.batches, details.memory_kb);
    } else {
      out_.Integer("Hash Buckets", details.hash_buckets);
      out_.Integer("Original Hash Buckets", details.hash_buckets);
      out_.Integer("Hash Batches", details.batches);
      out_.Integer("Original Hash Batches", details.batches);
      out_.Integer("Peak Memory Usage", details.memory_kb, "kB");
    }
  }
  Usage(inner == nullptr ? nullptr : &stats);
  out_.OpenGroup("Plans", "Plans", false);
  DescribeNode(*join.right, "Outer", {});
  out_.CloseGroup("Plans", false);
  out_.indent = out_.is_text() ? saved_indent : out_.indent;
  out_.CloseGroup("Plan", true);
}

void PlanExplainer::BitmapNodes(const BitmapScanPlan& scan, const BitmapNode& node,
                                std::string_view relationship) {
  static constexpr std::string_view kNames[] = {"Bitmap Index Scan", "BitmapAnd", "BitmapOr"};
  std::string_view name = kNames[static_cast<int>(node.kind)];
  int saved_indent = out_.indent;
  out_.OpenGroup("Plan", {}, true);
  if (out_.is_text()) {
    out_.Indent();
    out_.text += fmt::format("->  {}", name);
    out_.indent += 3;
    if (node.kind == BitmapNode::Kind::kIndex) out_.text += " on " + names_.RelationName(node.index, false);
  } else {
    out_.Text("Node Type", name);
    out_.Text("Parent Relationship", relationship);
    out_.Bool("Parallel Aware", false);
    out_.Bool("Async Capable", false);
    if (node.kind == BitmapNode::Kind::kIndex) out_.Text("Index Name", names_.RelationBareName(node.index));
  }
  Plan as_plan(PlanKind::kBitmapScan);
  as_plan.startup_cost = node.startup_cost;
  as_plan.total_cost = node.total_cost;
  as_plan.rows = node.rows;
  OperatorStats stats;
  const Operator* op = OperatorOf(scan);
  bool measured = op != nullptr && options_.analyze;
  if (measured) op->DescribeBitmap(node.node_id, &stats);
  CostsAndTimes(as_plan, measured ? &stats : nullptr, node.startup_cost);
  IndexConditions(scan, node.conditions);
  if (!node.children.empty()) {
    out_.OpenGroup("Plans", "Plans", false);
    for (const BitmapNode* child : node.children) BitmapNodes(scan, *child, "Member");
    out_.CloseGroup("Plans", false);
  }
  out_.indent = out_.is_text() ? saved_indent : out_.indent;
  out_.CloseGroup("Plan", true);
}

void PlanExplainer::Usage(const OperatorStats* stats) {
  if (!options_.analyze || stats == nullptr) return;
  auto blocks = [](uint64_t bytes) { return (bytes + kPageSize - 1) / kPageSize; };
  if (options_.buffers) {
    WriteBuffers({stats->buffers, blocks(stats->temp_bytes_read), blocks(stats->temp_bytes_written)}, &out_);
  }
  if (!options_.wal) return;
  const WalUsage& wal = stats->wal;
  if (!out_.is_text()) {
    out_.Integer("WAL Records", static_cast<int64_t>(wal.records));
    out_.Integer("WAL FPI", static_cast<int64_t>(wal.page_images));
    out_.Integer("WAL Bytes", static_cast<int64_t>(wal.bytes));
  } else if (wal.records > 0 || wal.page_images > 0 || wal.bytes > 0) {
    out_.Indent();
    out_.text += "WAL:";
    if (wal.records > 0) out_.text += fmt::format(" records={}", wal.records);
    if (wal.page_images > 0) out_.text += fmt::format(" fpi={}", wal.page_images);
    if (wal.bytes > 0) out_.text += fmt::format(" bytes={}", wal.bytes);
    out_.text += '\n';
  }
}

bool AnyBuffers(const BlockUsage& usage) {
  const BufferStatistics& used = usage.buffers;
  return used.shared_hits + used.shared_reads + used.shared_dirtied + used.shared_written + used.local_hits +
             used.local_reads + used.local_dirtied + used.local_written + usage.temp_read +
             usage.temp_written >
         0;
}

void WriteBuffers(const BlockUsage& usage, ExplainWriter* out) {
  struct Group {
    const char* key;
    const char* name;
    uint64_t hit, read, dirtied, written;
  };
  const BufferStatistics& used = usage.buffers;
  const Group groups[] = {
      {"Shared", "shared", used.shared_hits, used.shared_reads, used.shared_dirtied, used.shared_written},
      {"Local", "local", used.local_hits, used.local_reads, used.local_dirtied, used.local_written},
      {"Temp", "temp", 0, usage.temp_read, 0, usage.temp_written}};
  if (!out->is_text()) {
    for (const Group& group : groups) {
      bool is_temp = &group == &groups[2];
      if (!is_temp) out->Integer(fmt::format("{} Hit Blocks", group.key), static_cast<int64_t>(group.hit));
      out->Integer(fmt::format("{} Read Blocks", group.key), static_cast<int64_t>(group.read));
      if (!is_temp)
        out->Integer(fmt::format("{} Dirtied Blocks", group.key), static_cast<int64_t>(group.dirtied));
      out->Integer(fmt::format("{} Written Blocks", group.key), static_cast<int64_t>(group.written));
    }
    return;
  }
  if (!AnyBuffers(usage)) return;
  std::string text;
  for (const Group& group : groups) {
    if (group.hit + group.read + group.dirtied + group.written == 0) continue;
    text += fmt::format("{} {}", text.empty() ? "" : ",", group.name);
    if (group.hit > 0) text += fmt::format(" hit={}", group.hit);
    if (group.read > 0) text += fmt::format(" read={}", group.read);
    if (group.dirtied > 0) text += fmt::format(" dirtied={}", group.dirtied);
    if (group.written > 0) text += fmt::format(" written={}", group.written);
  }
  out->Indent();
  out->text += "Buffers:" + text + '\n';
}

}  // namespace walden
