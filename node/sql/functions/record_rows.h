// Rows as functions with OUT parameters return them: one (a record), or a set of rows held ready.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "node/base/clock.h"
#include "node/sql/functions/registry.h"
#include "node/types/value.h"

namespace walden {

// Values in the order of the OUT parameters. Texts are copied to the arena.
class RowValues {
 public:
  explicit RowValues(Arena& arena) : arena_(arena) {}
  RowValues& Null() { return Put(Value{}); }
  RowValues& Bool(bool v) { return Put({Datum{.b = v}, false}); }
  RowValues& Int4(int64_t v) { return Put({Datum{.i32 = static_cast<int32_t>(v)}, false}); }
  RowValues& Int8(int64_t v) { return Put({Datum{.i64 = v}, false}); }
  RowValues& Float8(double v) { return Put({Datum{.f64 = v}, false}); }
  RowValues& Numeric(NumericRef v) { return Put({Datum{.numeric = v}, false}); }  // small ones
  RowValues& ObjectId(Oid v) { return Int4(static_cast<int32_t>(OidNumber(v))); }
  RowValues& Transaction(Xid v) { return Int4(static_cast<int32_t>(v.Low32())); }
  RowValues& Position(Lsn v) { return Int8(static_cast<int64_t>(v.value)); }
  RowValues& Text(std::string_view v);
  RowValues& Decimal(std::string_view digits);  // numeric
  RowValues& Time(TimestampUs v) { return Int8(v); }
  RowValues& Span(IntervalValue v) { return Put({Datum{.interval = v}, false}); }
  // The same, null when `v` says "none".
  RowValues& PositionOrNull(Lsn v) { return v.IsValid() ? Position(v) : Null(); }
  RowValues& TransactionOrNull(Xid v) { return v.IsValid() ? Transaction(v) : Null(); }
  RowValues& TextOrNull(std::string_view v) { return v.empty() ? Null() : Text(v); }
  RowValues& TimeOrNull(TimestampUs v) { return v != 0 ? Time(v) : Null(); }

  const std::vector<Value>& values() const { return values_; }

 private:
  RowValues& Put(const Value& value) {
    values_.push_back(value);
    return *this;
  }
  Arena& arena_;
  std::vector<Value> values_;
};

// As the record that the function at this call site declares.
std::string_view MakeRecord(CallContext& context, const RowValues& row);

// A set of rows made at the start of the call.
class RowSet : public TableFunction {
 public:
  RowValues NewRow() { return RowValues(arena_); }
  void Add(const RowValues& row) { rows_.push_back(row.values()); }
  uint32_t Next(CallContext& context, std::span<Vector* const> columns, uint32_t max_rows) override;

 private:
  Arena arena_;
  std::vector<std::vector<Value>> rows_;
  size_t next_ = 0;
};

}  // namespace walden
