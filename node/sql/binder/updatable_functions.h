// Functions that need the rewriter's knowledge of views: registered by the composition root (AddScalarFunctions).
#pragma once

#include <span>

#include "node/sql/functions/registry.h"

namespace walden {

std::span<const ScalarFunction> UpdatableFunctions();

}  // namespace walden
