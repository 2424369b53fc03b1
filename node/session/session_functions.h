// What SQL functions ask of the session around them.
#pragma once

#include "node/sql/functions/object_names.h"

namespace walden {

class Session;

class SessionFunctions : public CatalogObjectNames {
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
  TupleId CurrentCursorRow(std::string_view cursor, Oid relation) override;

 private:
  friend class SessionSets;

  Session& session_;
};

// Functions that show what a session keeps: registered by the composition root (AddSetFunctions).
std::span<const SetFunction> SessionSetFunctions();

}  // namespace walden
