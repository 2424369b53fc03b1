// oid and the reg* types, xid, cid, tid, xid8, pg_lsn, uuid, oidvector, int2vector, aclitem, and the pseudo-types.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "node/base/ids.h"
#include "node/types/type_table.h"

namespace walden {

// tid as it is in memory: block << 16 | offset.
inline int64_t PackTid(TupleId tid) { return static_cast<int64_t>((uint64_t{tid.block} << 16) | tid.offset); }
inline TupleId UnpackTid(int64_t packed) {
  return {static_cast<BlockNumber>(static_cast<uint64_t>(packed) >> 16),
          static_cast<OffsetNumber>(packed & 0xFFFF)};
}
int64_t ParseTid(std::string_view text);
uint64_t ParseLsn(std::string_view text);
void AppendLsn(std::string* to, uint64_t lsn);
UuidValue ParseUuid(std::string_view text);
void AppendUuid(std::string* to, const UuidValue& uuid);
int CompareUuid(const UuidValue& a, const UuidValue& b);

// Memory form of aclitem (kString): 12 bytes, little-endian: u32 grantee (0 = PUBLIC), u32 grantor, u32 rights: the low
// 16 bits are privileges, the high 16 the same with grant option.
struct AclItem {
  Oid grantee;
  Oid grantor;
  uint32_t rights;
};
inline constexpr size_t kAclItemBytes = 12;
AclItem LoadAclItem(std::string_view bytes);
std::string_view StoreAclItem(const AclItem& item, Arena& arena);
// Letters of the privilege bits in order: a=insert, r, w, d, D, x, t, X, U, C, T, c, s, A.
inline constexpr std::string_view kAclLetters = "arwdDxtXUCTcsA";

std::span<const TypeDescriptor> IdentifierTypes();
std::span<const TypeDescriptor> RegTypes();
std::span<const TypeDescriptor> PseudoTypes();

}  // namespace walden
