// Internal to the deparser: the names by which a query's relations and columns are written. Relations and
// columns may have been renamed or added since the query was stored, so aliases are chosen to keep every
// reference unique.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/sql/query/deparse.h"

namespace walden {

// One range table entry's columns.
struct ColumnScope {
  // Name of column n at [n - 1]; nullopt for dropped columns.
  std::vector<std::optional<std::string>> names;
  // What the alias list would show: columns that exist now, in order, and whether each is newer than the
  // query.
  std::vector<std::string> current_names;
  std::vector<bool> is_new;
  bool print_aliases = false;
  std::vector<std::string> parent_using;  // merged column names of joins above: not to be used otherwise

  // Joins only
  int left_rti = 0;
  int right_rti = 0;
  std::vector<int> left_attnos;  // for each column: the child column it is, 0 for none
  std::vector<int> right_attnos;
  std::vector<std::string> using_names;

  void Expand(size_t count) {
    if (names.size() < count) names.resize(count);
  }
};

// A query's namespace; `parent` is the enclosing query's.
class DeparseScope {
 public:
  DeparseScope(const Query& query, const DeparseNames& names, const DeparseScope* parent);
  // For a bare range table (EXPLAIN).
  DeparseScope(const List<RangeTblEntry*>& rtable, const DeparseNames& names);

  const Query* query() const { return query_; }
  const DeparseScope* parent() const { return parent_; }
  int size() const { return static_cast<int>(rtable_.size()); }
  const RangeTblEntry& rte(int rtindex) const { return *rtable_[static_cast<uint32_t>(rtindex - 1)]; }
  // Empty for an unnamed join.
  const std::string& RefName(int rtindex) const { return ref_names_[static_cast<size_t>(rtindex - 1)]; }
  const ColumnScope& Columns(int rtindex) const { return columns_[static_cast<size_t>(rtindex - 1)]; }
  // Is there a CTE of this name in scope?
  bool HasCte(std::string_view name) const;

 private:
  void ChooseRefNames();
  bool IsRefNameTaken(const std::string& name) const;
  void ChooseUsingNames(const Node* jtnode, const std::vector<std::string>& parent_using);
  void ChooseJoinUsingNames(const JoinExpr& join, const std::vector<std::string>& parent_using);
  std::string UsingName(const RangeTblEntry& rte, ColumnScope* columns, size_t index, std::string_view name);
  void PushDownNames(const ColumnScope& columns);
  void IdentifyJoinColumns(const JoinExpr& join, ColumnScope* columns);
  void ChooseRelationColumns(const RangeTblEntry& rte, ColumnScope* columns);
  void ChooseJoinColumns(const RangeTblEntry& rte, ColumnScope* columns);
  void ListCurrentJoinColumns(ColumnScope* columns);
  std::string MakeUnique(std::string name, const ColumnScope& columns) const;
  bool IsUnique(const std::string& name, const ColumnScope& columns) const;
  std::vector<std::string> RealColumns(const RangeTblEntry& rte) const;
  ColumnScope& MutableColumns(int rtindex) { return columns_[static_cast<size_t>(rtindex - 1)]; }

  const Query* query_;
  const List<RangeTblEntry*>& rtable_;
  const DeparseNames& names_;
  const DeparseScope* parent_;
  std::vector<std::string> ref_names_;
  std::vector<ColumnScope> columns_;
  bool unique_using_ = false;  // merged columns must be unique in the whole query
  std::vector<std::string> using_names_;
};

}  // namespace walden
