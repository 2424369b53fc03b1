// Bulk build: sort, then write the levels bottom up.
#pragma once

#include <memory>

#include "node/access/index.h"

namespace walden::btree {

std::unique_ptr<IndexBuild> BeginBuild(const IndexDesc& index);
// The meta page of an index without root.
void BuildEmpty(const IndexDesc& index, Fork fork);

}  // namespace walden::btree
