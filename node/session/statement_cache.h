// The session's cache of statements: what was parsed, analysed and planned once serves later texts that are the same, or that differ
// in their literals alone. Two levels: by exact text, then by the text without its literals (fingerprint.h).
//
// A key has, besides the text, everything that analysis reads but the catalogs: the settings (plan_environment.h), the
// role, declared parameter types. Catalogs and the search path are checked by whoever uses an entry (IsCurrent). Bounded by
// statement_cache_size: the entries that were not used for longest go first. Belongs to one session.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "node/session/literal_parameters.h"
#include "node/session/portal.h"

namespace walden {

enum class StatementKeyKind : uint8_t {
  kText,      // a simple query, byte by byte
  kParse,     // the text of a Parse message, with its parameter types
  kStripped,  // Fingerprint::key
};

struct StatementKey {
  StatementKeyKind kind = StatementKeyKind::kText;
  std::string_view text;
  std::span<const Oid> types;
};

struct CachedStatement {
  // Null: texts with this key cannot share a plan.
  PreparedStatementRef statement;
  // kStripped: what $1, $2, ... of the statement's generic plan stand for. Dies before the plan, whose arena it refers to.
  LiteralParameters literals;
};
using CachedStatementRef = std::shared_ptr<CachedStatement>;

class StatementCache {
 public:
  // Null when there is none. What is found becomes the most recently used.
  CachedStatementRef Find(const StatementKey& key);
  // Replaces one with the same key. An entry that alone exceeds the limit is not kept.
  void Add(const StatementKey& key, CachedStatementRef entry);
  void Remove(const StatementKey& key);
  void Clear();
  // Was this key asked for not long ago? Only a statement that comes again is worth its memory. May err both ways.
  bool IsRepeated(const StatementKey& key);

  static bool IsEnabled();
  size_t size() const { return slots_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Slot {
    uint64_t hash;
    StatementKeyKind kind;
    std::string text;
    std::vector<Oid> types;
    uint64_t environment;
    Oid role;
    size_t bytes;
    CachedStatementRef entry;
  };
  using Slots = std::list<Slot>;
  static uint64_t HashOf(const StatementKey& key);
  Slots::iterator Locate(const StatementKey& key, uint64_t hash);
  void Drop(Slots::iterator at);

  Slots slots_;  // most recently used first
  std::unordered_multimap<uint64_t, Slots::iterator> by_hash_;
  size_t bytes_ = 0;
  // Hashes of keys, by their low bits, newest first. Several of a kind: two statements of one transaction that shared a single place would
  // push each other out for ever, and neither ever be found to come again.
  std::array<std::array<uint64_t, 4>, 64> recent_{};
};

}  // namespace walden
