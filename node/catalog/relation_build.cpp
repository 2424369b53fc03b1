// Cache entries of ordinary relations, assembled from catalog rows.
#include "node/catalog/relation_build.h"

#include <algorithm>
#include <charconv>

#include "node/access/btree/btree.h"
#include "node/base/error.h"
#include "node/catalog/builtin.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/relation_stats.h"
#include "node/catalog/rows/pg_attrdef.h"
#include "node/catalog/rows/pg_rewrite.h"
#include "node/catalog/rows/pg_trigger.h"
#include "node/txn/id_counters.h"
#include "node/types/array.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

constexpr Oid kBtreeMethodOid{403};

AttributeDesc DescFor(const PgAttributeRow& column) {
  AttributeDesc desc;
  desc.dropped = column.attisdropped;
  desc.physical =
      column.attisdropped ? static_cast<PhysicalType>(column.attcacheoff) : PhysicalTypeOf(column.atttypid);
  desc.storage = static_cast<AttributeStorage>(column.attstorage);
  desc.compression = column.attcompression;
  desc.not_null = column.attnotnull;
  desc.type = column.atttypid;
  if (column.atthasmissing && column.attmissingval) {
    Value value = ArrayView(*column.attmissingval).At(0, desc.physical);
    desc.has_missing = !value.is_null;
    desc.missing = value.datum;
  }
  return desc;
}

void FillColumns(Relation* relation) {
  ReadCatalog(PgAttributeRow::kCatalog, catalog_index::kPgAttributeRelidAttnumIndex, {relation->oid},
              [&](TupleId, const Value* values) {
                if (values[PgAttributeRow::kAttnum - 1].datum.i16 > 0) {
                  CatalogAccess::Decode(*FindCatalog(PgAttributeRow::kCatalog), values,
                                        &relation->columns.emplace_back());
                }
                return true;
              });
  // Missing values point into `columns`, which is complete now.
  std::vector<AttributeDesc> attributes;
  for (const PgAttributeRow& column : relation->columns) attributes.push_back(DescFor(column));
  relation->desc = std::make_unique<TupleDesc>(std::move(attributes));
}

// "name=value" among reloptions.
std::optional<std::string_view> FindOption(const PgClassRow& row, std::string_view name) {
  if (!row.reloptions) return std::nullopt;
  for (const std::string& option : *row.reloptions) {
    std::string_view text = option;
    if (text.size() > name.size() && text.substr(0, name.size()) == name && text[name.size()] == '=') {
      return text.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}
int IntegerOption(const PgClassRow& row, std::string_view name, int otherwise) {
  std::optional<std::string_view> text = FindOption(row, name);
  int value = otherwise;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

void FillTable(Relation* relation) {
  TableRef& table = relation->table;
  table.locator = LocatorOf(relation->row);
  table.oid = relation->oid;
  table.name = relation->row.relname.c_str();
  table.desc = relation->desc.get();
  table.fillfactor = static_cast<uint8_t>(IntegerOption(relation->row, "fillfactor", 100));
  table.toast_tuple_target = static_cast<uint16_t>(IntegerOption(relation->row, "toast_tuple_target", 2032));
  table.indexed_columns = &relation->indexed_columns;
  table.key_columns = &relation->key_columns;
  table.stats = StatsOf(*relation);
  if (relation->row.relkind != relkind::kToast) DescribeToStats(*relation);
  if (IsValid(relation->row.reltoastrelid)) FillToast(relation, relation->row.reltoastrelid);
}

void FillIndexes(Relation* relation) {
  std::vector<PgIndexRow> rows = ReadRows<PgIndexRow>(catalog_index::kPgIndexIndrelidIndex, {relation->oid});
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.indexrelid < b.indexrelid; });
  for (const PgIndexRow& row : rows) {
    if (!row.indislive) continue;
    relation->indexes.push_back(OpenRelation(row.indexrelid, LockMode::kNone));
    if (row.indisprimary) relation->primary_key = row.indexrelid;
    if (row.indisreplident) relation->replica_identity = row.indexrelid;
  }
  if (relation->row.relreplident == 'd') relation->replica_identity = relation->primary_key;
  FillIndexedColumns(relation);
}

void FillDefaults(Relation* relation) {
  bool any = std::any_of(relation->columns.begin(), relation->columns.end(),
                         [](const auto& c) { return c.atthasdef; });
  if (!any) return;
  for (PgAttrdefRow& row :
       ReadRows<PgAttrdefRow>(catalog_index::kPgAttrdefAdrelidAdnumIndex, {relation->oid})) {
    relation->defaults.push_back({row.adnum, row.oid, std::move(row.adbin)});
  }
}

void FillConstraints(Relation* relation) {
  if (relation->row.relchecks == 0 && !relation->row.relhastriggers) return;
  for (PgConstraintRow& row :
       ReadRows<PgConstraintRow>(catalog_index::kPgConstraintConrelidContypidConnameIndex, {relation->oid})) {
    if (row.contype == 'c') {
      relation->checks.push_back(
          {row.oid, row.conname, row.conbin.value_or(""), row.convalidated, row.connoinherit});
    } else if (row.contype == 'f') {
      relation->foreign_keys.push_back(std::move(row));
    }
  }
  // A foreign key leaves two internal triggers on the table that it refers to; they lead back to it.
  if (!relation->row.relhastriggers) return;
  for (const PgTriggerRow& trigger :
       ReadRows<PgTriggerRow>(catalog_index::kPgTriggerTgrelidTgnameIndex, {relation->oid})) {
    if (!trigger.tgisinternal || !IsValid(trigger.tgconstraint)) continue;
    RowRef<PgConstraintRow> row = ConstraintRow(trigger.tgconstraint);
    if (!row || row->contype != 'f' || row->confrelid != relation->oid) continue;
    bool known = std::any_of(relation->referenced_by.begin(), relation->referenced_by.end(),
                             [&](const PgConstraintRow& other) { return other.oid == row->oid; });
    // A self-referencing key has all four triggers here; once is enough.
    if (!known) relation->referenced_by.push_back(*row);
  }
}

void FillRules(Relation* relation) {
  if (!relation->row.relhasrules) return;
  for (PgRewriteRow& row :
       ReadRows<PgRewriteRow>(catalog_index::kPgRewriteRelRulenameIndex, {relation->oid})) {
    relation->rules.push_back({row.oid, row.rulename, row.ev_type, row.is_instead, std::move(row.ev_action)});
  }
}

struct OpclassFacts {
  Oid family;
  Oid input_type;
  bool pattern;
};
OpclassFacts FactsOf(Oid opclass) {
  const BuiltinOpclass* row = FindBuiltinOpclass(opclass);
  if (row == nullptr)
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for opclass {}", OidNumber(opclass));
  return {row->family, row->input_type, row->name.find("pattern") != std::string_view::npos};
}

void FillIndex(Relation* relation) {
  relation->index = *IndexRow(relation->oid);
  const PgIndexRow& row = *relation->index;
  IndexDesc& index = relation->index_desc;
  index.locator = LocatorOf(relation->row);
  index.oid = relation->oid;
  index.name = relation->row.relname;
  index.method = relation->row.relam == kBtreeMethodOid ? &BtreeMethod() : nullptr;
  index.desc = relation->desc.get();
  index.unique = row.indisunique;
  index.nulls_not_distinct = row.indnullsnotdistinct;
  index.fillfactor = static_cast<uint8_t>(IntegerOption(relation->row, "fillfactor", 90));
  index.deduplicate = FindOption(relation->row, "deduplicate_items").value_or("on") != "off";
  index.throw_unique_violation = ThrowDuplicateKey;
  index.throw_build_duplicate = ThrowDuplicateInBuild;
  index.stats = StatsOf(*relation);
  index.owner = relation;
  if (RowRef<PgClassRow> table = ClassRow(row.indrelid)) DescribeToStats(*relation, &*table);
  for (int k = 0; k < row.indnkeyatts; ++k) {
    OpclassFacts facts = FactsOf(row.indclass[k]);
    IndexKeyColumn column = KeyColumnFor(facts.input_type, relation->columns[k].atttypid, facts.pattern);
    column.opfamily = facts.family;
    column.descending = (row.indoption[k] & 1) != 0;
    column.nulls_first = (row.indoption[k] & 2) != 0;
    index.keys.push_back(column);
    relation->opclass_types.push_back(facts.input_type);
  }
}

}  // namespace

void FillToast(Relation* relation, Oid toast) {
  relation->toast_relation = TryOpenRelation(toast, LockMode::kNone);
  if (!relation->toast_relation) return;  // being dropped: the TOAST table goes first
  relation->toast.table = relation->toast_relation->table;
  if (!IsCatalogRelation(relation->oid)) DescribeToStats(*relation->toast_relation, &relation->row);
  CHECK(!relation->toast_relation->indexes.empty());
  relation->toast.index = relation->toast_relation->indexes.front()->index_desc;
  relation->toast.new_value_id = AllocateOid;
  relation->table.toast = &relation->toast;
}

void FillIndexedColumns(Relation* relation) {
  for (const RelationRef& index : relation->indexes) {
    const PgIndexRow& row = *index->index;
    bool plain = !row.indexprs && !row.indpred;
    for (size_t k = 0; k < row.indkey.size(); ++k) {
      if (row.indkey[k] <= 0) continue;
      relation->indexed_columns.Add(row.indkey[k]);
      bool is_key = static_cast<int>(k) < row.indnkeyatts;
      if (plain && is_key && row.indisunique && row.indimmediate) relation->key_columns.Add(row.indkey[k]);
    }
    // What an expression or predicate reads is not known here: any column may matter.
    for (int attno = 1; !plain && attno <= relation->column_count(); ++attno) {
      relation->indexed_columns.Add(static_cast<AttrNumber>(attno));
    }
  }
}

IndexKeyColumn KeyColumnFor(Oid opclass_type, Oid column_type, bool pattern) {
  const TypeDescriptor* type = &TypeOf(opclass_type);
  if (type->kind == 'p' || type->compare == nullptr) type = &TypeOf(column_type);
  IndexKeyColumn column;
  column.compare = type->compare;
  switch (type->physical) {
    case PhysicalType::kInt16: column.order = KeyOrder::kInt16; break;
    case PhysicalType::kInt32:
      column.order =
          type->oid == type_oid::kInt4 || type->oid == type_oid::kDate ? KeyOrder::kInt32 : KeyOrder::kUint32;
      break;
    case PhysicalType::kInt64:
      column.order =
          type->oid == type_oid::kXid8 || type->oid == type_oid::kPgLsn || type->oid == type_oid::kTid
              ? KeyOrder::kCompare
              : KeyOrder::kInt64;
      break;
    case PhysicalType::kString: {
      bool bytes = type->oid == type_oid::kText || type->oid == type_oid::kName ||
                   type->oid == type_oid::kBytea || type->oid == type_oid::kVarchar || pattern;
      if (bytes) column.order = KeyOrder::kBytes;
      break;
    }
    default: break;
  }
  column.equal_image = column.order != KeyOrder::kCompare || type->physical == PhysicalType::kBool ||
                       type->physical == PhysicalType::kInt8 || type->oid == type_oid::kUuid;
  return column;
}

RelationRef BuildRelation(Oid oid) {
  RowRef<PgClassRow> row = ClassRow(oid);
  if (!row) return nullptr;
  auto relation = std::make_shared<Relation>();
  relation->oid = oid;
  relation->row = *row;
  FillColumns(relation.get());
  if (row->relkind == relkind::kIndex) {
    FillIndex(relation.get());
    return relation;
  }
  if (relation->has_storage()) FillTable(relation.get());
  if (row->relhasindex) FillIndexes(relation.get());
  FillDefaults(relation.get());
  FillConstraints(relation.get());
  FillRules(relation.get());
  return relation;
}

}  // namespace walden
