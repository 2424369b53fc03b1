// The built-in functions by their internal names (pg_proc.prosrc): scalar kernels, aggregates, set-returning
// functions. Signatures, volatility and strictness for the planner are facts of pg_proc; here is only how to run them.
//
// Everything here is immutable after start-up and may be read by any process without locking. Kernels run on the
// main thread of a backend. Results that are by reference live in the CallContext's arena or in the arguments.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "node/base/arena.h"
#include "node/base/error.h"
#include "node/base/ids.h"
#include "node/types/type_table.h"
#include "node/types/value.h"
#include "node/vector/vector.h"

namespace walden {

// What functions ask of the session around them. The session installs its own; tests make small ones.
class SessionHooks : public ObjectNames {
 public:
  virtual int64_t StatementStartUs() = 0;
  virtual int64_t TransactionStartUs() = 0;
  virtual Oid CurrentUser() = 0;
  virtual Oid SessionUser() = 0;
  virtual std::string_view CurrentDatabase() = 0;
  virtual std::string_view ServerVersion() = 0;  // the whole of version()
  virtual int32_t BackendPid() = 0;
  // Settings by name: current_setting and set_config. Missing: false unless throw_missing (42704).
  virtual bool GetSetting(std::string_view name, bool throw_missing, std::string* value) = 0;
  virtual std::string SetSetting(std::string_view name, std::string_view value, bool is_local) = 0;
  // The row of `relation` that an open cursor stands on (WHERE CURRENT OF). Throws 34000, 24000.
  virtual TupleId CurrentCursorRow(std::string_view cursor, Oid relation);
  // NOTICE and WARNING for the client.
  virtual void Report(const ErrorFields& fields) = 0;
};

// What stays the same for all calls from one place of one expression. Built by the expression engine, kept as long as
// the expression's state. `cache` belongs to the function: compiled patterns, looked-up types.
struct CallSite {
  Oid function = Oid::kInvalid;
  Oid result_type = Oid::kInvalid;  // polymorphic types resolved
  int32_t result_typmod = -1;
  Oid collation = Oid::kInvalid;
  std::span<const Oid> arg_types;  // as passed, polymorphic and "any" arguments resolved
  bool is_variadic_array = false;  // called with the VARIADIC keyword
  std::shared_ptr<void> cache;
};

struct CallContext {
  Arena& arena;  // results and scratch of this batch
  const TextFormat& format;
  SessionHooks* session;  // null while bootstrapping and in unit tests
  CallSite& site;

  TypeIo Io(Oid type, int32_t typmod = -1) const {
    return TypeIo{arena, format, session, FindType(type), typmod};
  }
};

// Computes the selected rows. `args` may be constant vectors. The caller has made `result` a flat vector of the
// result's physical type with room for every selected row; the kernel sets values and nulls of the selected rows and
// whether the result is constant. A batch whose arguments are all constant is computed once (not for volatile ones).
using Kernel = void (*)(CallContext& context, std::span<const Vector* const> args, const Selection& selection,
                        Vector* result);
// One row. For strict functions no argument is null.
using RowFunction = void (*)(CallContext& context, std::span<const Value> args, Value* result);

struct ScalarFunction {
  std::string_view name;  // prosrc
  Kernel kernel;
  RowFunction row;
  bool is_strict;  // a null argument gives null without a call
};

// Null when there is none.
const ScalarFunction* FindScalar(std::string_view prosrc);
// For one row, with the strictness rule.
Value CallScalar(const ScalarFunction& function, CallContext& context, std::span<const Value> args);

// --- Aggregates ----------------------------------------------------------------------------------------------
// An aggregate's state is `state_bytes` of memory that the executor zero-fills, calls init on (if any), moves with
// memcpy if it likes, and never destroys: whatever grows lives in context.arena, which must outlive the state and
// whose growth is the memory the operator accounts for.
struct AggregateFunction {
  Oid oid;                                  // pg_proc.oid of the aggregate
  std::string_view signature;               // "sum(integer)"
  uint32_t state_bytes;                     // aligned 16
  void (*init)(CallContext&, void* state);  // may be null
  // Adds each selected row to the state groups[row] points at.
  void (*update)(CallContext&, std::span<const Vector* const> args, const Selection&, void* const* groups);
  // Adds all selected rows to one state.
  void (*update_single)(CallContext&, std::span<const Vector* const> args, const Selection&, void* state);
  // Adds `from` to `into`; null when the aggregate cannot be split (ordered-set, order-sensitive ones can).
  void (*combine)(CallContext&, void* into, const void* from);
  void (*finalize)(CallContext&, const void* state, Value* result);
  // To and from bytes, for spilling and for parallel workers.
  void (*serialize)(CallContext&, const void* state, std::string* to);
  void (*deserialize)(CallContext&, std::string_view from, void* state);
  // Inverse of update_single, for moving window frames; null when there is none.
  void (*remove)(CallContext&, std::span<const Vector* const> args, const Selection&, void* state);
};
const AggregateFunction* FindAggregate(Oid aggregate);
std::span<const AggregateFunction* const> BuiltinAggregates();

// --- Set-returning functions -----------------------------------------------------------------------------------
// One call in progress. By-reference results live in the context's arena given to Next, or in the call itself.
class TableFunction {
 public:
  virtual ~TableFunction() = default;
  // Writes up to max_rows (<= kBatchRows) rows from array position 0; returns how many; 0 = no more.
  // The caller has made each column a flat vector of its type, all valid.
  virtual uint32_t Next(CallContext& context, std::span<Vector* const> columns, uint32_t max_rows) = 0;
};
struct SetFunction {
  std::string_view name;  // prosrc
  bool is_strict;         // a null argument gives no rows without a call
  std::unique_ptr<TableFunction> (*start)(CallContext& context, std::span<const Value> args);
};
const SetFunction* FindSetFunction(std::string_view prosrc);

// Is there an implementation in C++ for this prosrc (scalar or set-returning)? Bootstrap takes the catalog row only
// then. Aggregates and window functions are asked by OID.
bool HasFunction(std::string_view prosrc);

// Folders above this one add functions that need what they own (catalog, transactions, storage). Called by
// the composition root before anything is looked up; tables are static.
void AddScalarFunctions(std::span<const ScalarFunction> functions);
void AddSetFunctions(std::span<const SetFunction> functions);

}  // namespace walden
