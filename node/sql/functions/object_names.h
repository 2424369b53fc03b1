// Object identifiers as text over this process's catalog caches: what regclass and its kin, aclitem and enum values need.
// The session's SessionHooks derive from it.
#pragma once

#include "node/sql/functions/registry.h"

namespace walden {

class CatalogObjectNames : public SessionHooks {
 public:
  Oid Find(Oid type, std::string_view text) override;
  Oid FindOrInvalid(Oid type, std::string_view text) override;
  std::string_view Name(Oid type, Oid object, Arena& arena) override;
  Oid FindRole(std::string_view name) override;
  std::string_view RoleName(Oid role, Arena& arena) override;
  Oid EnumValue(Oid enum_type, std::string_view label) override;
  std::string_view EnumLabel(Oid enum_value, Arena& arena) override;
  int CompareEnum(Oid a, Oid b) override;
};

// A type as SQL spells it: "integer", "character varying(10)", "public.t", "int4[]". Modifiers are checked for form and
// dropped. Throws 42704 "type "x" does not exist" unless missing_ok.
Oid FindTypeBySqlName(std::string_view text, bool missing_ok);

}  // namespace walden
