// The table of WAL record kinds against what the families supply: nothing can be logged that could not be shown, replayed,
// compared or routed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "node/recovery/redo_dispatcher.h"
#include "node/server/composition.h"
#include "node/wal/record_handler.h"

namespace walden {
namespace {

bool ChangesPages(RedoScope scope) {
  return scope == RedoScope::kPages || scope == RedoScope::kVisibility ||
         scope == RedoScope::kIndexStructural;
}

TEST(RecordKinds, EveryKindIsDescribedReplayedAndMasked) {
  ComposeNode();
  // Pages that a replica must have byte for byte: whole images, one row that the record carries; and a record without pages.
  const std::set<std::string> kUnmasked = {"XLOG/FPI", "XLOG/FPI_FOR_HINT", "Sequence/LOG",
                                           "Btree/REUSE_PAGE"};
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

// Bytes of every kind of record, written by nodes (full page images left out where they may be), and what is read in them. A
// log that an earlier node has written must be understood: a kind whose format changes needs another number, and whoever
// adds one adds its record here (WALDEN_WRITE_GOLDEN=1 writes the lines with "=").
class RecordKindsGolden : public testing::Test {
 protected:
  struct Entry {
    std::string kind, hex, described;
  };
  void SetUp() override {
    ComposeNode();
    std::ifstream file(kPath);
    std::string line;
    while (std::getline(file, line)) {
      if (line.starts_with("  =")) {
        entries_.back().described = line.substr(std::min<size_t>(line.size(), 4));
      } else if (line.starts_with("  ")) {
        entries_.back().hex += line.substr(2);
      } else {
        entries_.push_back({line, {}, {}});
      }
    }
  }
  static std::string Describe(const Entry& entry) {
    DecodedRecord record;
    for (size_t i = 0; i + 1 < entry.hex.size(); i += 2) {
      record.bytes.push_back(static_cast<char>(std::stoi(entry.hex.substr(i, 2), nullptr, 16)));
    }
    std::string error;
    EXPECT_TRUE(DecodeRecord(&record, &error)) << entry.kind << ": " << error;
    EXPECT_EQ(RecordKindText(record.kind), entry.kind);
    std::string described = DescribeRecord(record);
    EXPECT_EQ(described.find('\n'), std::string::npos);
    return described;
  }
  void WriteAnew() const {
    std::ofstream file(kPath);
    for (const Entry& entry : entries_) {
      file << entry.kind << '\n';
      for (size_t at = 0; at < entry.hex.size(); at += 100) file << "  " << entry.hex.substr(at, 100) << '\n';
      file << "  = " << Describe(entry) << '\n';
    }
  }
  static constexpr char kPath[] = WALDEN_SOURCE_DIR "/tests/unit/golden/wal_records_v1.txt";
  std::vector<Entry> entries_;
};

TEST_F(RecordKindsGolden, RecordsOfEarlierNodesAreUnderstood) {
  if (std::getenv("WALDEN_WRITE_GOLDEN") != nullptr) WriteAnew();
  std::set<std::string> kinds, found;
  for (const RecordKindInfo& info : RecordKinds()) kinds.insert(RecordKindText(info.kind));
  for (const Entry& entry : entries_) {
    found.insert(entry.kind);
    if (std::getenv("WALDEN_WRITE_GOLDEN") == nullptr) {
      EXPECT_EQ(Describe(entry), entry.described) << entry.kind;
    }
  }
  EXPECT_EQ(found, kinds) << "every kind has its record";
}

}  // namespace
}  // namespace walden
