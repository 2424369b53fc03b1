// What a cursor may be declared for.
#pragma once

#include <cstdint>

#include "node/sql/query/query.h"

namespace walden {

// Throws if a cursor with these options of DECLARE (cursor_option) cannot go over the query's rows.
void CheckCursorQuery(const Query& query, int32_t options);

}  // namespace walden
