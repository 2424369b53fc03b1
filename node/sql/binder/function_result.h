// The columns that a function call or another composite-valued expression delivers.
#pragma once

#include <vector>

#include "node/sql/binder/bind_state.h"

namespace walden {

enum class ResultShape : uint8_t { kScalar, kComposite, kRecord, kOther };

struct ExprResult {
  ResultShape shape = ResultShape::kScalar;
  Oid type{};
  Oid relation{};  // named composite types
  bool from_out_parameters = false;
  std::vector<ColumnInfo> columns;  // composites only
};

ExprResult ResultOf(BindContext& context, const Expr* expr);
// Name of the single OUT parameter, empty if none.
std::string_view SingleOutName(const FunctionInfo& function);

}  // namespace walden
