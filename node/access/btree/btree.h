// The btree index method (Lehman and Yao). See README.md for the structure, lock order and crash argument.
#pragma once

#include <functional>

#include "node/access/index.h"

namespace walden {

const IndexMethod& BtreeMethod();

// Checks every structural rule: order within and between pages, high keys, sibling and child links, levels.
// Throws XX002 (index_corrupted) with what is wrong. Needs ShareLock on the index (no writers). `each_entry`
// (optional) sees every leaf entry.
void VerifyBtree(const IndexDesc& index, const std::function<void(TupleId)>& each_entry = {});

}  // namespace walden
