// Scans of one btree.
#pragma once

#include <memory>

#include "node/access/index.h"

namespace walden::btree {

std::unique_ptr<IndexScan> BeginScan(const IndexDesc& index, bool want_values);

}  // namespace walden::btree
