// Making, changing and unmaking relations: the catalog rows and files behind DDL. Names, defaults and constraints are
// the commands' business (sql/commands). Every function leaves its changes to be seen after CommandCounterIncrement.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "node/catalog/dependency.h"
#include "node/catalog/relation.h"

namespace walden {

struct NewRelation {
  std::string name;
  Oid schema = Oid::kInvalid;
  Oid owner = Oid::kInvalid;
  char kind = relkind::kTable;
  char persistence = 'p';
  Oid tablespace = Oid::kInvalid;  // 0: the database's
  // attname, atttypid, atttypmod, attcollation, attnotnull, attidentity, attgenerated, attndims, attstorage ('\0': the
  // type's), attcompression are used; the rest is filled in.
  std::vector<PgAttributeRow> columns;
  std::optional<std::vector<std::string>> options;
  std::optional<Acl> acl;  // nullopt: from default privileges
  bool record_dependencies = true;
};
// Creates pg_class, pg_attribute, the row type with its array type, the file, dependencies on schema, owner, types.
// Throws 42P07 "relation \"x\" already exists", 42710 for a type of that name. Returns the OID.
Oid CreateRelation(const NewRelation& relation);
// Creates the TOAST table of a table (or materialized view) if its columns can grow that far. Needs a
// CommandCounterIncrement before.
void CreateToastTableIfNeeded(Oid table);

struct NewIndex {
  std::string name;
  Oid table = Oid::kInvalid;
  Oid schema = Oid::kInvalid;
  Oid access_method{403};
  Oid tablespace = Oid::kInvalid;
  std::vector<PgAttributeRow>
      columns;     // one for each stored column: attname, atttypid, atttypmod, attcollation
  PgIndexRow row;  // all but OIDs, indnatts, indcollation
  std::optional<std::vector<std::string>> options;
  bool internal = false;  // TOAST: no dependencies recorded here
};
// Catalog rows and file; not filled. Depends on its table's columns unless `internal`; expressions' dependencies are the
// caller's. Returns the OID.
Oid CreateIndexRelation(const NewIndex& index);

// Computes the values to store for a row of the table; false: the row is not in the index (partial). The default reads
// plain columns.
class IndexRowMaker {
 public:
  virtual ~IndexRowMaker() = default;
  virtual bool Make(const TupleView& row, Value* values, Arena& arena) = 0;
};
// Fills the index from its table and updates statistics of both. Caller holds ShareLock on the table or stronger.
// pg_stat_progress_create_index shows it as `command`.
enum class IndexCommand : uint8_t { kCreate = 1, kReindex = 3 };
void BuildIndex(const RelationRef& table, const RelationRef& index, IndexRowMaker* maker = nullptr,
                IndexCommand command = IndexCommand::kCreate);
// A new empty file (TRUNCATE, rewrite, REINDEX): the old one goes at commit. The indexes' too when `with_indexes`,
// each then empty. Statistics are reset. Temporary and permanent alike.
void SetNewRelationFile(Oid relation, bool with_indexes, char persistence = '\0');
// Exchanges the files of two relations (table rewrite), with their TOAST tables; both rows change.
void SwapRelationFiles(Oid a, Oid b);

// pg_attribute's rows of the system columns.
std::vector<PgAttributeRow> SystemAttributeRows(Oid relation);
// Fills what follows from atttypid: length, by value, alignment, storage, collation (if 0), number of dimensions.
void FillTypeFacts(PgAttributeRow* column);
// Adds a column to an existing relation (ALTER TABLE ADD COLUMN); returns its number.
AttrNumber AddColumn(Oid relation, PgAttributeRow column);
// pg_attrdef; depends on the column, `references` are what the expression needs.
Oid StoreDefault(Oid relation, AttrNumber attno, const std::string& expression,
                 std::span<const ObjectAddress> references, bool internal = false);
// A composite row type and its array type.
struct RowTypeOids {
  Oid type;
  Oid array;
};

// Changes a row of pg_class / pg_attribute / pg_index in place of reading, changing and writing it.
void UpdateClassRow(Oid relation, const std::function<void(PgClassRow*)>& change);
void UpdateAttributeRow(Oid relation, AttrNumber attno, const std::function<void(PgAttributeRow*)>& change);
void UpdateIndexRow(Oid index, const std::function<void(PgIndexRow*)>& change);

// ---- Deletions; called by DropObject with dependencies already handled.
void DropRelationRows(Oid relation);
void DropColumnRows(Oid relation, AttrNumber attno);

// "t_a_idx", unique in the schema: ChooseRelationName("t", "a", "idx", schema).
std::string ChooseRelationName(std::string_view name1, std::string_view name2, std::string_view label,
                               Oid schema);
// NAMEDATALEN - 1 bytes at most, cut fairly from both parts.
std::string MakeObjectName(std::string_view name1, std::string_view name2, std::string_view label);

}  // namespace walden
