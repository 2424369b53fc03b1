// What the binder asks of the catalogs, as a small interface: the binder's rules are then testable without a
// database. sql/binder/catalog_reader_real.cpp answers from node/catalog; unit tests answer from the facts
// tables.
//
// Lifetime: every pointer returned stays valid until the reader is destroyed or Refresh() is called (the
// binder never holds one beyond a statement). Nothing here is thread-safe.
// Errors: look-ups return null (or empty) for "does not exist"; the binder words the message.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/ids.h"

namespace walden {

// The heavyweight lock a look-up takes on a relation before its description is read.
enum class RelationLockNeed : uint8_t { kNone, kAccessShare, kRowShare, kRowExclusive };

struct TypeInfo {
  Oid oid{};
  Oid schema{};
  std::string name;
  int16_t length = -1;
  bool by_value = false;
  bool not_null = false;  // domains
  bool preferred = false;
  bool defined = true;
  char kind = 'b';      // typtype: b base, c composite, d domain, e enum, p pseudo, r range, m multirange
  char category = 'U';  // typcategory
  char delimiter = ',';
  Oid relation{};   // composite types
  Oid element{};    // typelem
  Oid array{};      // typarray
  Oid base_type{};  // domains
  int32_t base_typmod = -1;
  Oid collation{};
  Oid range_subtype{};                // ranges
  Oid range_of{};                     // multirange -> its range
  Oid multirange{};                   // range -> its multirange
  bool is_true_array = false;         // subscripted by array_subscript_handler (a "real" varlena array)
  bool is_raw_subscriptable = false;  // fixed-length arrays: name, point, oidvector, ...
  bool is_jsonb_subscriptable = false;
  Oid typmod_out{};  // typmodout function, invalid if none
  Oid typmod_in{};
};

struct ColumnInfo {
  std::string name;
  Oid type{};
  int32_t typmod = -1;
  Oid collation{};
  bool not_null = false;
  bool dropped = false;
  bool has_default = false;  // a default or a generation expression
  char identity = 0;         // 'a' always, 'd' by default
  char generated = 0;        // 's' stored
};

struct RelationInfo {
  Oid oid{};
  Oid schema{};
  std::string name;
  char kind = 'r';         // relkind
  char persistence = 'p';  // relpersistence
  Oid owner{};
  Oid row_type{};
  bool is_partition = false;
  bool has_rules = false;
  bool row_security = false;
  bool has_instead_triggers = false;
  bool has_children = false;
  std::vector<ColumnInfo> columns;  // attribute number = index + 1; dropped ones are kept
};

// A primary key, unique or exclusion constraint, or a bare unique index.
struct UniqueInfo {
  Oid index{};
  Oid constraint{};             // invalid for a bare index
  std::string constraint_name;  // empty for a bare index
  bool primary = false;
  bool unique = true;
  bool immediate = true;  // not deferrable
  bool valid = true;
  std::vector<AttrNumber> keys;  // 0 = expression
  std::vector<Oid> opclasses;    // one per key
  std::vector<Oid> collations;   // one per key
  std::string expressions;       // serialised list (node/sql/query), empty if none
  std::string predicate;         // serialised expression, empty if none
};

struct FunctionInfo {
  Oid oid{};
  Oid schema{};
  std::string name;
  char kind = 'f';  // f function, a aggregate, w window, p procedure
  bool strict = false;
  bool returns_set = false;
  char volatility = 'v';
  Oid variadic{};  // element type of the VARIADIC parameter
  Oid result{};
  std::vector<Oid> arguments;      // input arguments
  std::vector<Oid> all_arguments;  // with OUT and TABLE ones; empty when all are IN
  std::string modes;               // one of i o b v t each, parallel to all_arguments; empty when all are IN
  std::vector<std::string> argument_names;  // parallel to all_arguments (or arguments); empty when none
  int default_count = 0;
  // Defaults of the last default_count input arguments: a serialised expression list, or (built-ins) SQL text.
  std::string defaults;
  bool defaults_are_sql = false;
};

struct AggregateInfo {
  char kind = 'n';  // n normal, o ordered-set, h hypothetical-set
  int direct_arguments = 0;
  Oid transition_type{};
  Oid sort_operator{};
};

struct OperatorInfo {
  Oid oid{};
  Oid schema{};
  std::string name;
  Oid left{};  // invalid for prefix operators
  Oid right{};
  Oid result{};
  Oid function{};
  Oid commutator{};
  Oid negator{};
  bool can_hash = false;
  bool can_merge = false;
};

struct CastInfo {
  Oid function{};      // invalid unless method 'f'
  char context = 'e';  // i implicit, a assignment, e explicit
  char method = 'f';   // f function, b binary, i in/out
};

// The default B-tree and hash support of a type, after domains are stripped and binary-coercible operator
// classes considered: what ORDER BY, GROUP BY, DISTINCT and set operations use.
struct TypeOperators {
  Oid equal{};
  Oid less{};
  Oid greater{};
  bool hashable = false;
};

// One interpretation of a comparison operator by a B-tree operator family (row comparison).
struct BtreeInterpretation {
  Oid family{};
  int strategy = 0;  // 1 < 2 <= 3 = 4 >= 5 >, 6 <> (negator of =)
  Oid left{};
  Oid right{};
};

// RANGE with an offset: the in_range function for one type of offset.
struct InRangeSupport {
  Oid offset_type{};
  Oid function{};
};

class CatalogReader {
 public:
  virtual ~CatalogReader() = default;

  // Drops what is cached after catalog changes were announced.
  virtual void Refresh() {}

  // Namespaces.
  virtual Oid FindSchema(std::string_view name) = 0;
  virtual std::string SchemaName(Oid schema) = 0;
  // Effective search path, implicit pg_catalog (and temporary schema) included.
  virtual std::span<const Oid> SearchPath() = 0;
  // The session's temporary schema, or invalid.
  virtual Oid TemporarySchema() = 0;
  virtual std::string DatabaseName() const = 0;

  // Relations. Empty schema: by search path. The row description is read under the lock asked for.
  virtual const RelationInfo* FindRelation(std::string_view schema, std::string_view name,
                                           RelationLockNeed lock) = 0;
  virtual const RelationInfo* GetRelation(Oid relation, RelationLockNeed lock) = 0;
  virtual std::span<const UniqueInfo> UniqueIndexes(Oid relation) = 0;
  // Serialised default or generation expression of a column, empty if none.
  virtual std::string ColumnDefault(Oid relation, AttrNumber column) = 0;
  // The sequence behind an identity column, or invalid.
  virtual Oid IdentitySequence(Oid relation, AttrNumber column) = 0;
  // WITH CHECK OPTION of a view: 'l' local, 'c' cascaded, 0 none.
  virtual char CheckOption(Oid view) = 0;
  // Serialised action of a view's ON SELECT rule: a Query, or a list of one.
  virtual std::string ViewQuery(Oid view) = 0;
  // Inherits from, directly or not (or is the same).
  virtual bool InheritsFrom(Oid child, Oid parent) = 0;
  // Value of pg_class.reloptions of a view.
  virtual bool IsSecurityBarrier(Oid view) = 0;
  virtual bool IsSecurityInvoker(Oid view) = 0;

  // Types.
  virtual const TypeInfo* GetType(Oid type) = 0;
  virtual const TypeInfo* FindType(Oid schema, std::string_view name) = 0;

  // Functions and aggregates: all with that name, in any schema.
  virtual std::span<const FunctionInfo* const> FindFunctions(std::string_view name) = 0;
  virtual const FunctionInfo* GetFunction(Oid function) = 0;
  virtual const AggregateInfo* GetAggregate(Oid function) = 0;

  // Operators: all with that name, in any schema.
  virtual std::span<const OperatorInfo* const> FindOperators(std::string_view name) = 0;
  virtual const OperatorInfo* GetOperator(Oid oper) = 0;
  virtual TypeOperators DefaultOperators(Oid type) = 0;
  virtual std::vector<BtreeInterpretation> BtreeInterpretations(Oid oper) = 0;
  // The member of `family` for (strategy, left, right), or invalid.
  virtual Oid BtreeMember(Oid family, Oid left, Oid right, int strategy) = 0;
  // The in_range support functions of a B-tree family for sort columns of type `left`.
  virtual std::vector<InRangeSupport> InRangeSupports(Oid family, Oid left) = 0;
  // The family of the default B-tree operator class of `type` and its input type; false if none.
  virtual bool DefaultBtreeFamily(Oid type, Oid* family, Oid* input_type) = 0;

  // Casts: exactly this pair, or null.
  virtual const CastInfo* FindCast(Oid source, Oid target) = 0;

  // Collations. `schema` invalid: by search path.
  virtual Oid FindCollation(Oid schema, std::string_view name) = 0;
  virtual std::string CollationName(Oid collation) = 0;
  virtual Oid DefaultOpclassFor(Oid type, std::string_view access_method) = 0;
  virtual Oid FindOpclass(Oid schema, std::string_view name, std::string_view access_method) = 0;

  // The role that permission checks of this statement are made for.
  virtual Oid CurrentRole() = 0;
};

}  // namespace walden
