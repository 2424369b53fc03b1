// What SQL functions ask of the session around them.
#pragma once

#include "node/sql/functions/registry.h"

namespace walden {

class Session;

class SessionFunctions : public SessionHooks {
 public:
  explicit SessionFunctions(Session& session) : session_(session) {}

  int64_t StatementStartUs() override;
  int64_t TransactionStartUs() override;
  Oid CurrentUser() override;
  Oid SessionUser() override;
  std::string_view CurrentDatabase() override;
  std::string_view ServerVersion() override;
  int32_t BackendPid() override;
  bool GetSetting(std::string_view name, bool throw_missing, std::string* value) override;
  std::string SetSetting(std::string_view name, std::string_view value, bool is_local) override;
  void Report(const ErrorFields& fields) override;

  // ObjectNames
  Oid Find(Oid type, std::string_view text) override;
  Oid FindOrInvalid(Oid type, std::string_view text) override;
  std::string_view Name(Oid type, Oid object, Arena& arena) override;
  Oid FindRole(std::string_view name) override;
  std::string_view RoleName(Oid role, Arena& arena) override;
  Oid EnumValue(Oid enum_type, std::string_view label) override;
  std::string_view EnumLabel(Oid enum_value, Arena& arena) override;
  int CompareEnum(Oid a, Oid b) override;

 private:
  Session& session_;
};

}  // namespace walden
