// DeparseNames from this process's catalog caches.
#pragma once

#include "node/sql/functions/registry.h"
#include "node/sql/query/deparse.h"

namespace walden {

// Names visible on the current search path are not qualified. Constants are shown in `format`; `session` may
// be null (reg* constants are then numbers). Both must outlive the object.
class CatalogDeparseNames : public DeparseNames {
 public:
  CatalogDeparseNames(const TextFormat& format, SessionHooks* session) : format_(format), session_(session) {}

  std::string TypeName(Oid type, int32_t typmod) const override;
  std::string FunctionName(Oid function, const List<Oid>& argument_types,
                           const List<std::string_view>& argument_names, bool variadic,
                           bool grouping) const override;
  std::string OperatorName(Oid op, Oid left_type, Oid right_type) const override;
  std::string RelationName(Oid relation, bool qualify) const override;
  std::string RelationBareName(Oid relation) const override;
  std::string CollationName(Oid collation) const override;
  std::string OpclassName(Oid opclass) const override;
  std::vector<std::string> ColumnNames(Oid relation) const override;
  std::string FieldName(Oid type, AttrNumber field) const override;
  std::vector<std::string> FieldNames(Oid type) const override;
  bool IsRowType(Oid type) const override;
  Oid ElementType(Oid type) const override;
  Oid TypeCollation(Oid type) const override;
  Oid DefaultOpclass(Oid type, Oid access_method) const override;
  Oid LessThanOperator(Oid type) const override;
  Oid GreaterThanOperator(Oid type) const override;
  std::string ValueText(const Const& value) const override;

 private:
  const TextFormat& format_;
  SessionHooks* session_;
};

}  // namespace walden
