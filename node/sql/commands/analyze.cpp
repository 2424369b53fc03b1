// ANALYZE: a sample of rows becomes pg_statistic.
#include <algorithm>
#include <cmath>

#include "node/access/deform.h"
#include "node/access/heap/vacuum.h"
#include "node/base/check.h"
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/catalog/builtin.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/rows/pg_statistic.h"
#include "node/config/settings.h"
#include "node/sql/commands/command_parts.h"
#include "node/stats/progress.h"
#include "node/storage/relation_file.h"
#include "node/types/array.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

constexpr int16_t kKindMcv = 1, kKindHistogram = 2, kKindCorrelation = 3;
// Of pg_stat_progress_analyze.
constexpr int64_t kPhaseSampling = 1, kPhaseComputing = 3, kPhaseFinalizing = 5;
constexpr size_t kWidestStored = 1024;  // longer values are counted but not kept

struct Sampled {
  Datum datum;
  uint32_t row;  // position in table order
};

struct Group {
  const Sampled* value;
  uint32_t count;
};

// Operators that pg_statistic names: "=" and "<" of the type's default btree class.
struct StatisticOperators {
  Oid equal, less;
};
StatisticOperators OperatorsFor(Oid type) {
  Oid opclass = DefaultOpclass(type, Oid{403});
  const BuiltinOpclass* row = FindBuiltinOpclass(opclass);
  if (row == nullptr) return {};
  const BuiltinAmop* less = FindBuiltinAmop(row->family, row->input_type, row->input_type, 1);
  const BuiltinAmop* equal = FindBuiltinAmop(row->family, row->input_type, row->input_type, 3);
  return {equal != nullptr ? equal->operator_oid : Oid::kInvalid,
          less != nullptr ? less->operator_oid : Oid::kInvalid};
}

class ColumnStatistics {
 public:
  ColumnStatistics(const Relation& table, AttrNumber attno, double total_rows, int target)
      : column_(table.columns[attno - 1]),
        type_(TypeOf(column_.atttypid)),
        total_rows_(total_rows),
        target_(target) {
    row_.starelid = table.oid;
    row_.staattnum = attno;
  }

  void Add(const Value& value) {
    ++rows_;
    if (value.is_null) {
      ++nulls_;
      return;
    }
    size_t width =
        type_.physical == PhysicalType::kString ? value.datum.string.size + 1 : PhysicalWidth(type_.physical);
    total_width_ += static_cast<double>(width);
    if (width > kWidestStored) {
      ++too_wide_;
      return;
    }
    values_.push_back({value.datum, static_cast<uint32_t>(rows_)});
  }

  PgStatisticRow Finish() {
    row_.stanullfrac =
        rows_ == 0 ? 0 : static_cast<float>(static_cast<double>(nulls_) / static_cast<double>(rows_));
    double present = static_cast<double>(rows_ - nulls_);
    row_.stawidth = present > 0 ? static_cast<int32_t>(total_width_ / present) : 0;
    if (values_.empty() || type_.compare == nullptr) {
      row_.stadistinct = values_.empty() ? 0 : -1;
      return row_;
    }
    operators_ = OperatorsFor(column_.atttypid);
    std::stable_sort(values_.begin(), values_.end(), [&](const Sampled& a, const Sampled& b) {
      return type_.compare(a.datum, b.datum, nullptr) < 0;
    });
    CollectGroups();
    EstimateDistinct();
    StoreCommonValues();
    StoreHistogram();
    StoreCorrelation();
    return row_;
  }

 private:
  void CollectGroups() {
    for (const Sampled& value : values_) {
      if (!groups_.empty() && type_.compare(groups_.back().value->datum, value.datum, nullptr) == 0) {
        ++groups_.back().count;
      } else {
        groups_.push_back({&value, 1});
      }
    }
    for (const Group& group : groups_) repeated_ += group.count > 1;
  }

  // Haas and Stokes: n*d / (n - f1 + f1*n/N).
  void EstimateDistinct() {
    double n = static_cast<double>(values_.size()), d = static_cast<double>(groups_.size());
    double f1 = d - static_cast<double>(repeated_);
    double not_null = total_rows_ * (1.0 - row_.stanullfrac);
    if (repeated_ == 0) {
      row_.stadistinct = static_cast<float>(-1.0 * (1.0 - row_.stanullfrac));
      return;
    }
    double distinct = d;
    if (f1 > 0 && not_null > 0) {
      distinct = n * d / ((n - f1) + f1 * n / not_null);
      distinct = std::clamp(distinct, d, std::max(d, not_null));
    }
    distinct = std::floor(distinct + 0.5);
    row_.stadistinct =
        static_cast<float>(distinct > 0.1 * total_rows_ ? -(distinct / total_rows_) : distinct);
  }

  void StoreCommonValues() {
    std::vector<Group> common = groups_;
    std::stable_sort(common.begin(), common.end(),
                     [](const Group& a, const Group& b) { return a.count > b.count; });
    bool complete = too_wide_ == 0 && groups_.size() == repeated_ && row_.stadistinct > 0 &&
                    groups_.size() <= static_cast<size_t>(target_);
    size_t keep = 0;
    double average =
        static_cast<double>(values_.size()) /
        std::max(1.0, std::fabs(row_.stadistinct) < 1 && row_.stadistinct < 0
                          ? -row_.stadistinct * total_rows_
                          : static_cast<double>(row_.stadistinct < 0 ? groups_.size() : row_.stadistinct));
    while (keep < common.size() && keep < static_cast<size_t>(target_)) {
      bool worth = complete || (common[keep].count >= 2 && common[keep].count > average * 1.25);
      if (!worth) break;
      ++keep;
    }
    common.resize(keep);
    if (common.empty()) return;
    std::vector<float> frequencies;
    ArrayBuilder builder(column_.atttypid, type_.physical);
    for (const Group& group : common) {
      frequencies.push_back(
          static_cast<float>(static_cast<double>(group.count) / static_cast<double>(rows_)));
      builder.Add({group.value->datum, false});
      taken_.push_back(group.value);
    }
    Slot(kKindMcv, operators_.equal, std::move(frequencies), &builder);
  }

  void StoreHistogram() {
    std::vector<const Sampled*> rest;
    for (const Group& group : groups_) {
      if (std::find(taken_.begin(), taken_.end(), group.value) != taken_.end()) continue;
      for (uint32_t i = 0; i < group.count; ++i) rest.push_back(group.value);
    }
    size_t distinct_rest = groups_.size() - taken_.size();
    if (distinct_rest < 2) return;
    size_t bounds = std::min<size_t>(static_cast<size_t>(target_) + 1, distinct_rest);
    ArrayBuilder builder(column_.atttypid, type_.physical);
    for (size_t i = 0; i < bounds; ++i)
      builder.Add({rest[i * (rest.size() - 1) / (bounds - 1)]->datum, false});
    Slot(kKindHistogram, operators_.less, std::nullopt, &builder);
  }

  void StoreCorrelation() {
    double n = static_cast<double>(values_.size());
    if (n < 2) return;
    // Ranks against physical positions, both 0..n-1.
    std::vector<uint32_t> order(values_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<uint32_t>(i);
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return values_[a].row < values_[b].row; });
    double xy = 0;
    for (size_t position = 0; position < order.size(); ++position)
      xy += static_cast<double>(position) * order[position];
    double sum = (n - 1) * n / 2, squares = (n - 1) * n * (2 * n - 1) / 6;
    double correlation = (n * xy - sum * sum) / (n * squares - sum * sum);
    Slot(kKindCorrelation, operators_.less, std::vector<float>{static_cast<float>(correlation)}, nullptr);
  }

  void Slot(int16_t kind, Oid op, const std::optional<std::vector<float>>& numbers,
            const ArrayBuilder* values) {
    std::optional<std::string> bytes;
    if (values != nullptr) {
      Arena arena;
      bytes = std::string(values->Finish(arena));
    }
    Oid collation = column_.attcollation;
    switch (next_slot_++) {
      case 0:
        row_.stakind1 = kind;
        row_.staop1 = op;
        row_.stacoll1 = collation;
        row_.stanumbers1 = numbers;
        row_.stavalues1 = bytes;
        break;
      case 1:
        row_.stakind2 = kind;
        row_.staop2 = op;
        row_.stacoll2 = collation;
        row_.stanumbers2 = numbers;
        row_.stavalues2 = bytes;
        break;
      case 2:
        row_.stakind3 = kind;
        row_.staop3 = op;
        row_.stacoll3 = collation;
        row_.stanumbers3 = numbers;
        row_.stavalues3 = bytes;
        break;
      default: CHECK(false);
    }
  }

  const PgAttributeRow& column_;
  const TypeDescriptor& type_;
  double total_rows_;
  int target_;
  PgStatisticRow row_;
  StatisticOperators operators_;
  std::vector<Sampled> values_;
  std::vector<Group> groups_;
  std::vector<const Sampled*> taken_;
  size_t rows_ = 0, nulls_ = 0, too_wide_ = 0, repeated_ = 0;
  double total_width_ = 0;
  int next_slot_ = 0;
};

void StoreStatistics(const PgStatisticRow& row) {
  CatalogTable<PgStatisticRow> statistics;
  auto old = statistics.Find(catalog_index::kPgStatisticRelidAttInhIndex,
                             {row.starelid, row.staattnum, row.stainherit});
  if (old)
    statistics.Update(old->tid, row);
  else
    statistics.Insert(row);
}

}  // namespace

AnalyzeOutcome AnalyzeRelation(const Relation& table, const std::vector<std::string>& names,
                               ProgressReport* progress) {
  std::vector<AttrNumber> wanted;
  for (const std::string& name : names) {
    AttrNumber attno = table.FindColumn(name);
    if (attno <= 0)
      throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", name,
                     table.name());
    wanted.push_back(attno);
  }
  int largest = 0;
  auto target_of = [](const PgAttributeRow& column) {
    return column.attstattarget >= 0 ? column.attstattarget
                                     : static_cast<int>(GetInt(Setting::kDefaultStatisticsTarget));
  };
  if (names.empty()) {
    for (const PgAttributeRow& column : table.columns) {
      if (!column.attisdropped && target_of(column) > 0 && FindType(column.atttypid) != nullptr)
        wanted.push_back(column.attnum);
    }
  }
  for (AttrNumber attno : wanted) largest = std::max(largest, target_of(table.columns[attno - 1]));
  Arena arena, scratch;
  Random random(static_cast<uint64_t>(MonotonicUs()));
  progress->Set(progress::kAnalyzePhase, kPhaseSampling);
  progress->Set(progress::kAnalyzeBlocksTotal, RelationBlocks(table.table.locator));
  RowSample sample =
      SampleRows(table.table, static_cast<uint32_t>(300 * std::max(1, largest)), random, arena);
  progress->Set(progress::kAnalyzeBlocksDone, sample.pages_scanned);
  progress->Set(progress::kAnalyzePhase, kPhaseComputing);
  for (AttrNumber attno : wanted) {
    ColumnStatistics statistics(table, attno, sample.live_rows,
                                std::max(1, target_of(table.columns[attno - 1])));
    for (const TupleView& row : sample.rows) {
      statistics.Add(GetAttribute(*table.desc, row, attno, {.arena = &scratch, .toast = table.table.toast}));
    }
    if (!sample.rows.empty()) StoreStatistics(statistics.Finish());
    scratch.Reset();
  }
  progress->Set(progress::kAnalyzePhase, kPhaseFinalizing);
  RowRef<PgClassRow> row = ClassRow(table.oid);
  UpdateRelationStatistics(
      table.oid, {static_cast<int32_t>(sample.pages), sample.live_rows, row->relallvisible, std::nullopt});
  for (const RelationRef& index : table.indexes) {
    UpdateRelationStatistics(index->oid, {static_cast<int32_t>(RelationBlocks(index->index_desc.locator)),
                                          sample.live_rows, 0, std::nullopt});
  }
  double share = sample.pages == 0 ? 0 : static_cast<double>(sample.pages_scanned) / sample.pages;
  return {sample.pages,      sample.pages_scanned,     sample.live_rows,
          sample.dead_rows,  sample.live_rows * share, sample.dead_rows * share,
          sample.rows.size()};
}

}  // namespace walden
