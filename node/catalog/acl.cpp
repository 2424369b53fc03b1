// Arithmetic on access control lists.
#include "node/catalog/acl.h"

#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/rows/pg_default_acl.h"
#include "node/catalog/syscache.h"

namespace walden {
namespace {

constexpr AclMode kRightsMask = 0xFFFF;
AclMode Rights(const AclItem& item) { return item.rights & kRightsMask; }
AclMode Options(const AclItem& item) { return item.rights >> 16; }

AclItem* FindItem(Acl* list, Oid grantee, Oid grantor) {
  for (AclItem& item : *list) {
    if (item.grantee == grantee && item.grantor == grantor) return &item;
  }
  return nullptr;
}

// Takes away rights that `grantee` passed on without still having the grant option for them.
void RevokeDependents(Acl* list, Oid grantee, AclMode lost, Oid owner, bool cascade) {
  if (grantee == owner) return;
  AclMode still = AclMask(*list, grantee, owner, acl::Grantable(lost), false) >> 16;
  AclMode gone = lost & ~still;
  if (gone == 0) return;
  for (bool again = true; again;) {
    again = false;
    for (const AclItem& item : *list) {
      if (item.grantor != grantee || (Rights(item) & gone) == 0) continue;
      if (!cascade) {
        throw SqlError(ErrorCode::kDependentObjectsStillExist, "dependent privileges exist")
            .WithHint("Use CASCADE to revoke them too.");
      }
      Oid holder = item.grantee;
      *list = AclRevoke(*list, std::span(&holder, 1), gone, false, true, grantee, owner);
      again = true;
      break;
    }
  }
}

// A grant option that comes back to its own grantor would keep itself alive.
void CheckCircularity(const Acl& list, Oid grantee, AclMode options, Oid grantor, Oid owner) {
  if (grantor == owner) return;
  Acl rest = list;
  for (bool again = true; again;) {
    again = false;
    for (const AclItem& item : rest) {
      if (item.grantee != grantee || (Options(item) & options) == 0) continue;
      rest = AclRevoke(rest, std::span(&grantee, 1), options, true, true, item.grantor, owner);
      again = true;
      break;
    }
  }
  AclMode held = AclMask(rest, grantor, owner, acl::Grantable(options), false) >> 16;
  if ((options & ~held) != 0) {
    throw SqlError(ErrorCode::kInvalidGrantOperation,
                   "grant options cannot be granted back to your own grantor");
  }
}

AclMode AllRightsOf(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kSequence: return acl::kAllSequence;
    case ObjectKind::kDatabase: return acl::kAllDatabase;
    case ObjectKind::kFunction:
    case ObjectKind::kProcedure:
    case ObjectKind::kAggregate: return acl::kAllFunction;
    case ObjectKind::kLanguage: return acl::kAllLanguage;
    case ObjectKind::kSchema: return acl::kAllSchema;
    case ObjectKind::kTablespace: return acl::kAllTablespace;
    case ObjectKind::kType:
    case ObjectKind::kDomain: return acl::kAllType;
    case ObjectKind::kColumn: return 0;
    default: return acl::kAllTable;
  }
}

AclMode PublicRightsOf(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kDatabase: return acl::kCreateTemp | acl::kConnect;
    case ObjectKind::kFunction:
    case ObjectKind::kProcedure:
    case ObjectKind::kAggregate: return acl::kExecute;
    case ObjectKind::kLanguage:
    case ObjectKind::kType:
    case ObjectKind::kDomain: return acl::kUsage;
    default: return 0;
  }
}

char DefaultAclObjectType(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kSequence: return 'S';
    case ObjectKind::kFunction:
    case ObjectKind::kProcedure:
    case ObjectKind::kAggregate: return 'f';
    case ObjectKind::kType:
    case ObjectKind::kDomain: return 'T';
    case ObjectKind::kSchema: return 'n';
    case ObjectKind::kTable:
    case ObjectKind::kView:
    case ObjectKind::kMaterializedView:
    case ObjectKind::kForeignTable: return 'r';
    default: return '\0';
  }
}

void Merge(Acl* to, const Acl& from) {
  for (const AclItem& item : from) {
    if (AclItem* existing = FindItem(to, item.grantee, item.grantor)) {
      existing->rights |= item.rights;
    } else {
      to->push_back(item);
    }
  }
}

bool SameItems(Acl a, Acl b) {
  auto less = [](const AclItem& x, const AclItem& y) {
    return std::tuple(x.grantee, x.grantor, x.rights) < std::tuple(y.grantee, y.grantor, y.rights);
  };
  auto equal = [](const AclItem& x, const AclItem& y) {
    return x.grantee == y.grantee && x.grantor == y.grantor && x.rights == y.rights;
  };
  std::sort(a.begin(), a.end(), less);
  std::sort(b.begin(), b.end(), less);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), equal);
}

std::optional<Acl> StoredDefault(Oid owner, Oid schema, char type) {
  auto row = FindRow<PgDefaultAclRow>(catalog_index::kPgDefaultAclRoleNspObjIndex, {owner, schema, type});
  if (!row) return std::nullopt;
  return row->defaclacl;
}

}  // namespace

Acl DefaultAcl(ObjectKind kind, Oid owner) {
  Acl list;
  AclMode everybody = PublicRightsOf(kind), own = AllRightsOf(kind);
  if (everybody != 0) list.push_back({Oid::kInvalid, owner, everybody});
  if (own != 0) list.push_back({owner, owner, own});
  return list;
}

AclMode AclMask(const Acl& list, Oid role, Oid owner, AclMode mode, bool all_needed) {
  AclMode found = 0;
  auto enough = [&] { return all_needed ? found == mode : found != 0; };
  constexpr AclMode kOptionMask = ~kRightsMask;
  if ((mode & kOptionMask) != 0 && HasRightsOf(role, owner)) {
    found = mode & kOptionMask;
    if (enough()) return found;
  }
  for (const AclItem& item : list) {
    if (!IsValid(item.grantee) || item.grantee == role) found |= item.rights & mode;
  }
  if (enough()) return found;
  for (const AclItem& item : list) {
    if (!IsValid(item.grantee) || item.grantee == role || (item.rights & mode & ~found) == 0) continue;
    if (HasRightsOf(role, item.grantee)) found |= item.rights & mode;
    if (enough()) return found;
  }
  return found;
}

void SelectGrantor(Oid role, AclMode mode, const Acl& list, Oid owner, Oid* grantor, AclMode* options) {
  *grantor = owner;
  *options = mode;
  if (role == owner || HasRightsOf(role, owner)) return;
  // Otherwise whoever, of the roles that we are, holds most of the wanted options.
  *grantor = role;
  *options = 0;
  int most = 0;
  for (const AclItem& item : list) {
    if (!IsValid(item.grantee) || !HasRightsOf(role, item.grantee)) continue;
    AclMode held = AclMask(list, item.grantee, owner, acl::Grantable(mode), false) >> 16;
    int count = __builtin_popcount(held);
    if (count > most || (count == most && count > 0 && item.grantee == role)) {
      *grantor = item.grantee;
      *options = held;
      most = count;
    }
  }
}

Acl AclGrant(const Acl& list, std::span<const Oid> grantees, AclMode rights, bool with_grant_option,
             Oid grantor, Oid owner) {
  Acl result = list;
  for (Oid grantee : grantees) {
    if (with_grant_option && !IsValid(grantee)) {
      throw SqlError(ErrorCode::kInvalidGrantOperation, "grant options can only be granted to roles");
    }
    if (with_grant_option) CheckCircularity(result, grantee, rights, grantor, owner);
    AclItem* item = FindItem(&result, grantee, grantor);
    if (item == nullptr) item = &result.emplace_back(AclItem{grantee, grantor, 0});
    item->rights |= rights | (with_grant_option ? acl::Grantable(rights) : 0);
  }
  return result;
}

Acl AclRevoke(const Acl& list, std::span<const Oid> grantees, AclMode rights, bool grant_option_only,
              bool cascade, Oid grantor, Oid owner) {
  Acl result = list;
  for (Oid grantee : grantees) {
    AclItem* item = FindItem(&result, grantee, grantor);
    if (item == nullptr) continue;
    AclMode lost_options = Options(*item) & rights;
    item->rights &= ~acl::Grantable(rights);
    if (!grant_option_only) item->rights &= ~rights;
    std::erase_if(result, [](const AclItem& i) { return i.rights == 0; });
    if (lost_options != 0) RevokeDependents(&result, grantee, lost_options, owner, cascade);
  }
  return result;
}

Acl AclChangeOwner(const Acl& list, Oid old_owner, Oid new_owner) {
  Acl result;
  for (AclItem item : list) {
    if (item.grantor == old_owner) item.grantor = new_owner;
    if (item.grantee == old_owner) item.grantee = new_owner;
    Merge(&result, {item});
  }
  return result;
}

std::optional<Acl> InitialAcl(ObjectKind kind, Oid owner, Oid schema) {
  char type = DefaultAclObjectType(kind);
  if (type == '\0') return std::nullopt;
  std::optional<Acl> global = StoredDefault(owner, Oid::kInvalid, type);
  std::optional<Acl> local = IsValid(schema) ? StoredDefault(owner, schema, type) : std::nullopt;
  if (!global && !local) return std::nullopt;
  Acl built_in = DefaultAcl(kind, owner);
  Acl result = global.value_or(built_in);
  if (local) Merge(&result, *local);
  if (SameItems(result, built_in)) return std::nullopt;
  return result;
}

std::vector<Oid> AclMembers(const Acl& list) {
  std::vector<Oid> members;
  for (const AclItem& item : list) {
    for (Oid role : {item.grantee, item.grantor}) {
      if (IsValid(role)) members.push_back(role);
    }
  }
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  return members;
}

std::optional<AclMode> ParsePrivilege(std::string_view name) {
  static constexpr std::pair<std::string_view, AclMode> kNames[] = {
      {"insert", acl::kInsert},
      {"select", acl::kSelect},
      {"update", acl::kUpdate},
      {"delete", acl::kDelete},
      {"truncate", acl::kTruncate},
      {"references", acl::kReferences},
      {"trigger", acl::kTrigger},
      {"execute", acl::kExecute},
      {"usage", acl::kUsage},
      {"create", acl::kCreate},
      {"temp", acl::kCreateTemp},
      {"temporary", acl::kCreateTemp},
      {"connect", acl::kConnect},
      {"set", acl::kSet},
      {"alter system", acl::kAlterSystem},
      {"rule", 0},
  };
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const auto& [text, mode] : kNames) {
    if (text == lower) return mode;
  }
  return std::nullopt;
}

}  // namespace walden
