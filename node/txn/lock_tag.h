// What a heavyweight lock is on. Trivially copyable, compared and hashed as bytes: unused fields are zero.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "node/base/ids.h"

namespace walden {

enum class LockKind : uint8_t {
  kRelation,        // database (0 = shared), relation
  kRelationExtend,  // the right to extend a relation
  kDatabaseFrozenIds,
  kPage,                // relation + block
  kTuple,               // relation + block + offset
  kTransaction,         // 64-bit xid, held by its transaction until it ends
  kVirtualTransaction,  // process slot + local transaction number
  kObject,              // any catalog row: database, class, object, sub-object
  kAdvisory,            // pg_advisory_lock: database, two keys, number of key fields
};

struct LockTag {
  LockKind kind = LockKind::kRelation;
  uint8_t zero = 0;
  uint16_t small = 0;  // offset, sub-object, or number of advisory key fields
  Oid database = Oid::kInvalid;
  uint32_t object = 0;  // relation, class, high advisory key
  uint32_t low = 0;     // block, object of class, low advisory key
  uint64_t wide = 0;    // xid; local transaction number

  bool operator==(const LockTag& other) const { return std::memcmp(this, &other, sizeof(LockTag)) == 0; }

  static LockTag Relation(Oid database, Oid relation) {
    return {LockKind::kRelation, 0, 0, database, OidNumber(relation), 0, 0};
  }
  static LockTag RelationExtend(Oid database, Oid relation) {
    return {LockKind::kRelationExtend, 0, 0, database, OidNumber(relation), 0, 0};
  }
  static LockTag Page(Oid database, Oid relation, BlockNumber block) {
    return {LockKind::kPage, 0, 0, database, OidNumber(relation), block, 0};
  }
  static LockTag Tuple(Oid database, Oid relation, TupleId tid) {
    return {LockKind::kTuple, 0, tid.offset, database, OidNumber(relation), tid.block, 0};
  }
  static LockTag Transaction(Xid xid) {
    return {LockKind::kTransaction, 0, 0, Oid::kInvalid, 0, 0, xid.value};
  }
  static LockTag VirtualTransaction(int slot, uint64_t local) {
    return {LockKind::kVirtualTransaction, 0, 0, Oid::kInvalid, static_cast<uint32_t>(slot), 0, local};
  }
  static LockTag Object(Oid database, Oid catalog, Oid object, uint16_t sub_object = 0) {
    return {LockKind::kObject, 0, sub_object, database, OidNumber(catalog), OidNumber(object), 0};
  }
  // pg_advisory_lock(bigint): fields = 1; pg_advisory_lock(int, int): fields = 2.
  static LockTag Advisory(Oid database, uint32_t high, uint32_t low, uint16_t fields) {
    return {LockKind::kAdvisory, 0, fields, database, high, low, 0};
  }

  uint64_t Hash() const {
    uint64_t words[3];
    std::memcpy(words, this, sizeof(words));
    uint64_t h = words[0] * 0x9E3779B97F4A7C15ull;
    h = (h ^ (h >> 32) ^ words[1]) * 0xD6E8FEB86659FD93ull;
    h = (h ^ (h >> 32) ^ words[2]) * 0xCA5A826395121157ull;
    return h ^ (h >> 29);
  }
};
static_assert(sizeof(LockTag) == 24);

// "relation 16384 of database 5", as PostgreSQL describes it in deadlock details.
std::string DescribeLockTag(const LockTag& tag);
// pg_locks.locktype: "relation", "transactionid", "advisory", ...
std::string_view LockKindName(LockKind kind);

}  // namespace walden
