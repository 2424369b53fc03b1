// The table of WAL record kinds against what the families supply: nothing can be logged that could not be shown, replayed,
// compared or routed.
#include <gtest/gtest.h>

#include <set>

#include "node/recovery/redo_dispatcher.h"
#include "node/server/composition.h"
#include "node/wal/record_handler.h"

namespace walden {
namespace {

bool ChangesPages(RedoScope scope) {
  return scope == RedoScope::kPages || scope == RedoScope::kVisibility || scope == RedoScope::kIndexStructural;
}

TEST(RecordKinds, EveryKindIsDescribedReplayedAndMasked) {
  ComposeNode();
  // Pages that a replica must have byte for byte: whole images, one row that the record carries; and a record without pages.
  const std::set<std::string> kUnmasked = {"XLOG/FPI", "XLOG/FPI_FOR_HINT", "Sequence/LOG", "Btree/REUSE_PAGE"};
  for (const RecordKindInfo& info : RecordKinds()) {
    std::string kind = RecordKindText(info.kind);
    const RecordHandler* handler = FindRecordHandler(info.kind);
    ASSERT_NE(handler, nullptr) << kind;
    EXPECT_NE(handler->describe, nullptr) << kind;
    EXPECT_EQ(handler->redo == nullptr, info.scope == RedoScope::kNothing) << kind;
    if (ChangesPages(info.scope)) {
      EXPECT_EQ(handler->mask == nullptr, kUnmasked.contains(kind)) << kind;
    }
  }
}

TEST(RecordKinds, WhatMayRunBesideOthersIsDeclared) {
  DecodedRecord record;
  for (const RecordKindInfo& info : RecordKinds()) {
    if (info.scope == RedoScope::kTransactionEnd) continue;  // its bytes decide
    record.kind = info.kind;
    for (bool queries : {false, true}) {
      RouteKind route = RouteRecord(record, queries);
      EXPECT_EQ(route == RouteKind::kNothing, info.scope == RedoScope::kNothing) << RecordKindText(info.kind);
      if (route == RouteKind::kPages) {
        EXPECT_TRUE(ChangesPages(info.scope)) << RecordKindText(info.kind);
      }
      // Queries must not see half a split, nor a visibility bit before what it says.
      bool alone = info.scope == RedoScope::kIndexStructural || info.scope == RedoScope::kVisibility;
      if (alone) {
        EXPECT_EQ(route == RouteKind::kBarrier, queries) << RecordKindText(info.kind);
      }
    }
  }
}

}  // namespace
}  // namespace walden
