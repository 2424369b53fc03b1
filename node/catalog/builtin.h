// The built-in functions, operators, types, casts, aggregates and operator classes as compiled-in tables, so that
// name resolution and execution of built-ins read no catalog row. The catalog tables hold the same rows (bootstrap.h);
// owner and privileges are always read from there.
//
// A declaration counts as *present* only if its implementation does: InstallBuiltins is called once per node start
// (the postmaster, before the first fork; `walden init`; unit tests) with a predicate over functions, and every look-up
// here hides what is not present. Everything is immutable afterwards.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "node/base/ids.h"

namespace walden {

enum class FunctionAcl : uint8_t { kPublic, kOwner, kMonitor, kReadAllStats };

struct BuiltinFunction {
  Oid oid;
  std::string_view name;
  std::string_view source;     // prosrc; empty for functions that PostgreSQL writes in SQL
  std::string_view defaults;   // default arguments as SQL text, comma separated
  std::string_view arg_modes;  // proargmodes, one character each; empty: all IN
  Oid language;
  float cost;
  float rows;
  Oid variadic;  // element type of the variadic argument, or 0
  Oid return_type;
  char kind;        // f, a, w, p
  char volatility;  // i, s, v
  char parallel;    // s, r, u
  bool leakproof;
  bool strict;
  bool returns_set;
  uint8_t arg_count;
  uint8_t default_count;
  uint8_t all_arg_count;
  uint8_t arg_name_count;
  FunctionAcl acl;  // initial privileges
  uint16_t args_at, all_args_at, arg_names_at;

  std::span<const Oid> arg_types() const;
  std::span<const Oid> all_arg_types() const;  // proallargtypes
  std::span<const std::string_view> arg_names() const;
};

struct BuiltinType {
  Oid oid;
  std::string_view name;
  int16_t length;
  bool by_value;
  char kind;  // typtype
  char category;
  bool preferred;
  char delimiter;
  Oid relation;  // of row types
  Oid element;
  Oid array;
  Oid input, output, receive, send, typmod_in, typmod_out;
  char align;
  char storage;
  Oid collation;
  Oid subscript;
};

struct BuiltinOperator {
  Oid oid;
  std::string_view name;
  char kind;  // b binary, l prefix
  bool can_merge, can_hash;
  Oid left, right, result;
  Oid commutator, negator;
  Oid function;
  Oid restriction, join;  // selectivity estimators
};

struct BuiltinCast {
  Oid oid;
  Oid source, target;
  Oid function;
  char context;  // i, a, e
  char method;   // f, i, b
};

struct BuiltinAggregate {
  Oid function;
  char kind;  // n, o, h
  int16_t direct_args;
  Oid transition, final, combine, serialize, deserialize, moving_transition, moving_inverse, moving_final;
  Oid sort_operator;
  Oid transition_type;
  std::string_view initial_value;  // empty: null
};

struct BuiltinAccessMethod {
  Oid oid;
  std::string_view name;
  Oid handler;
  char kind;
};
struct BuiltinOpfamily {
  Oid oid;
  Oid method;
  std::string_view name;
};
struct BuiltinOpclass {
  Oid oid;
  Oid method;
  std::string_view name;
  Oid family;
  Oid input_type;
  bool is_default;
  Oid key_type;
};
struct BuiltinAmop {
  Oid oid;
  Oid family;
  Oid left, right;
  int16_t strategy;
  char purpose;
  Oid operator_oid;
  Oid method;
  Oid sort_family;
};
struct BuiltinAmproc {
  Oid oid;
  Oid family;
  Oid left, right;
  int16_t number;
  Oid function;
};
struct BuiltinCollation {
  Oid oid;
  std::string_view name;
  char provider;
  bool deterministic;
  int32_t encoding;
  std::string_view collate, ctype;
};
struct BuiltinLanguage {
  Oid oid;
  std::string_view name;
  bool is_procedural, trusted;
};
struct BuiltinRole {
  Oid oid;
  std::string_view name;
};

// Says whether a declared function can run. Types' input and output functions are asked about too.
using HasImplementation = bool (*)(const BuiltinFunction& function);
// Decides once which declarations are present. May be called again by tests.
void InstallBuiltins(HasImplementation has_implementation);

// Null when there is none (or it is not present).
const BuiltinFunction* FindBuiltinFunction(Oid oid);
const BuiltinType* FindBuiltinType(Oid oid);
const BuiltinType* FindBuiltinType(std::string_view name);
const BuiltinOperator* FindBuiltinOperator(Oid oid);
const BuiltinCast* FindBuiltinCast(Oid source, Oid target);
const BuiltinAggregate* FindBuiltinAggregate(Oid function);
const BuiltinOpclass* FindBuiltinOpclass(Oid oid);
const BuiltinOpfamily* FindBuiltinOpfamily(Oid oid);
const BuiltinAccessMethod* FindBuiltinAccessMethod(Oid oid);
const BuiltinAmop* FindBuiltinAmop(Oid family, Oid left, Oid right, int strategy);
// The comparison function's row has number 1.
const BuiltinAmproc* FindBuiltinAmproc(Oid family, Oid left, Oid right, int number);
const BuiltinCollation* FindBuiltinCollation(Oid oid);

// Calls visit(const BuiltinFunction&) for each function / operator of that name, in OID order.
template <class Visit>
void ForEachBuiltinFunction(std::string_view name, Visit visit);
template <class Visit>
void ForEachBuiltinOperator(std::string_view name, Visit visit);
// The families' operators that use `operator_oid` (purpose 's').
std::vector<const BuiltinAmop*> BuiltinAmopsOf(Oid operator_oid);

// Whole tables, in OID order where they have OIDs; ask IsPresent.
std::span<const BuiltinFunction> BuiltinFunctions();
std::span<const BuiltinType> BuiltinTypeRows();
std::span<const BuiltinOperator> BuiltinOperators();
std::span<const BuiltinCast> BuiltinCasts();
std::span<const BuiltinAggregate> BuiltinAggregateRows();
std::span<const BuiltinAccessMethod> BuiltinAccessMethods();
std::span<const BuiltinOpfamily> BuiltinOpfamilies();
std::span<const BuiltinOpclass> BuiltinOpclasses();
std::span<const BuiltinAmop> BuiltinAmops();
std::span<const BuiltinAmproc> BuiltinAmprocs();
std::span<const BuiltinCollation> BuiltinCollations();
std::span<const BuiltinLanguage> BuiltinLanguages();
std::span<const BuiltinRole> BuiltinRoles();

bool IsPresent(const BuiltinFunction& row);
bool IsPresent(const BuiltinType& row);
bool IsPresent(const BuiltinOperator& row);
bool IsPresent(const BuiltinCast& row);
bool IsPresent(const BuiltinAggregate& row);
bool IsPresent(const BuiltinAccessMethod& row);
bool IsPresent(const BuiltinOpfamily& row);
bool IsPresent(const BuiltinOpclass& row);
bool IsPresent(const BuiltinAmop& row);
bool IsPresent(const BuiltinAmproc& row);
bool IsPresent(const BuiltinLanguage& row);

namespace builtin {
// Positions in BuiltinFunctions() / BuiltinOperators() of all rows with that name.
std::span<const uint16_t> FunctionPositions(std::string_view name);
std::span<const uint16_t> OperatorPositions(std::string_view name);
}  // namespace builtin

template <class Visit>
void ForEachBuiltinFunction(std::string_view name, Visit visit) {
  for (uint16_t at : builtin::FunctionPositions(name)) {
    const BuiltinFunction& row = BuiltinFunctions()[at];
    if (IsPresent(row)) visit(row);
  }
}
template <class Visit>
void ForEachBuiltinOperator(std::string_view name, Visit visit) {
  for (uint16_t at : builtin::OperatorPositions(name)) {
    const BuiltinOperator& row = BuiltinOperators()[at];
    if (IsPresent(row)) visit(row);
  }
}

}  // namespace walden
