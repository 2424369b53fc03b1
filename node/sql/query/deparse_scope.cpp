#include "node/sql/query/deparse_scope.h"

#include <algorithm>

#include "node/base/error.h"
#include "node/types/utf8.h"

namespace walden {

namespace {

constexpr size_t kMaxNameBytes = 63;

bool Contains(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// name_N, with the name clipped so that the whole is a valid identifier.
std::string Numbered(std::string_view name, int number) {
  std::string suffix = "_" + std::to_string(number);
  return std::string(Utf8Clip(name, kMaxNameBytes - suffix.size())) + suffix;
}

// Would some merged column have to be shown without a relation name? True when a USING column of an unnamed
// join is not simply a column of one side.
bool HasDangerousUsing(const Query& query, const Node* jtnode) {
  if (const auto* from = TryAs<FromExpr>(jtnode)) {
    return std::any_of(from->fromlist.begin(), from->fromlist.end(),
                       [&](const Node* item) { return HasDangerousUsing(query, item); });
  }
  const auto* join = TryAs<JoinExpr>(jtnode);
  if (join == nullptr) return false;
  if (join->alias == nullptr && !join->using_clause.empty()) {
    const RangeTblEntry* rte = RteAt(query, join->rtindex);
    for (int i = 0; i < rte->joinmergedcols; ++i) {
      if (!Is<Var>(rte->joinaliasvars[static_cast<uint32_t>(i)])) return true;
    }
  }
  return HasDangerousUsing(query, join->larg) || HasDangerousUsing(query, join->rarg);
}

int JoinChildIndex(const Node* child) {
  if (const auto* leaf = TryAs<RangeTblRef>(child)) return leaf->rtindex;
  return As<JoinExpr>(child)->rtindex;
}

std::optional<std::string> AliasColumn(const RangeTblEntry& rte, size_t index) {
  if (rte.alias == nullptr || index >= rte.alias->colnames.size()) return std::nullopt;
  return std::string(rte.alias->colnames[static_cast<uint32_t>(index)]);
}

}  // namespace

DeparseScope::DeparseScope(const Query& query, const DeparseNames& names, const DeparseScope* parent)
    : query_(&query), rtable_(query.rtable), names_(names), parent_(parent), columns_(query.rtable.size()) {
  ChooseRefNames();
  if (query.jointree != nullptr) {
    unique_using_ = HasDangerousUsing(query, query.jointree);
    ChooseUsingNames(query.jointree, {});
  }
  for (int i = 1; i <= size(); ++i) {
    if (rte(i).rtekind == RteKind::kJoin) {
      ChooseJoinColumns(rte(i), &MutableColumns(i));
    } else {
      ChooseRelationColumns(rte(i), &MutableColumns(i));
    }
  }
}

DeparseScope::DeparseScope(const List<RangeTblEntry*>& rtable, const DeparseNames& names)
    : query_(nullptr), rtable_(rtable), names_(names), parent_(nullptr), columns_(rtable.size()) {
  ChooseRefNames();
  for (int i = 1; i <= size(); ++i) {
    if (rte(i).rtekind != RteKind::kJoin) ChooseRelationColumns(rte(i), &MutableColumns(i));
  }
}

bool DeparseScope::HasCte(std::string_view name) const {
  for (const DeparseScope* scope = this; scope != nullptr; scope = scope->parent_) {
    if (scope->query_ == nullptr) continue;
    for (const CommonTableExpr* cte : scope->query_->cte_list) {
      if (cte->ctename == name) return true;
    }
  }
  return false;
}

bool DeparseScope::IsRefNameTaken(const std::string& name) const {
  for (const DeparseScope* scope = this; scope != nullptr; scope = scope->parent_) {
    if (Contains(scope->ref_names_, name)) return true;
  }
  return false;
}

void DeparseScope::ChooseRefNames() {
  for (const RangeTblEntry* rte : rtable_) {
    std::string name;
    if (rte->alias != nullptr) {
      name = rte->alias->aliasname;
    } else if (rte->rtekind == RteKind::kRelation) {
      name = names_.RelationBareName(rte->relid);
    } else if (rte->rtekind != RteKind::kJoin) {
      name = rte->eref->aliasname;
    }
    if (!name.empty() && IsRefNameTaken(name)) {
      int number = 1;
      while (IsRefNameTaken(Numbered(name, number))) ++number;
      name = Numbered(name, number);
    }
    ref_names_.push_back(std::move(name));
  }
}

// ---- names of merged columns, from the top of the join tree down ------------------------------------------

void DeparseScope::ChooseUsingNames(const Node* jtnode, const std::vector<std::string>& parent_using) {
  if (const auto* from = TryAs<FromExpr>(jtnode)) {
    for (const Node* item : from->fromlist) ChooseUsingNames(item, parent_using);
  } else if (const auto* join = TryAs<JoinExpr>(jtnode)) {
    ChooseJoinUsingNames(*join, parent_using);
  }
}

void DeparseScope::ChooseJoinUsingNames(const JoinExpr& join, const std::vector<std::string>& parent_using) {
  const RangeTblEntry& join_rte = rte(join.rtindex);
  ColumnScope& columns = MutableColumns(join.rtindex);
  IdentifyJoinColumns(join, &columns);
  ColumnScope& left = MutableColumns(columns.left_rti);
  ColumnScope& right = MutableColumns(columns.right_rti);
  // An unnamed join cannot rename its columns: what the parent asked for is passed on.
  if (join_rte.alias == nullptr) PushDownNames(columns);

  std::vector<std::string> merged = parent_using;
  columns.Expand(join.using_clause.size());
  for (uint32_t i = 0; i < join.using_clause.size(); ++i) {
    std::string name = UsingName(join_rte, &columns, i, join.using_clause[i]);
    columns.using_names.push_back(name);
    merged.push_back(name);
    auto assign = [&](ColumnScope& child, int attno) {
      if (attno <= 0) return;
      child.Expand(static_cast<size_t>(attno));
      child.names[static_cast<size_t>(attno - 1)] = name;
    };
    assign(left, columns.left_attnos[i]);
    assign(right, columns.right_attnos[i]);
  }
  left.parent_using = merged;
  right.parent_using = merged;
  ChooseUsingNames(join.larg, merged);
  ChooseUsingNames(join.rarg, merged);
}

std::string DeparseScope::UsingName(const RangeTblEntry& rte, ColumnScope* columns, size_t index,
                                    std::string_view name) {
  if (columns->names[index].has_value()) return *columns->names[index];
  std::string chosen = MakeUnique(AliasColumn(rte, index).value_or(std::string(name)), *columns);
  if (unique_using_) using_names_.push_back(chosen);
  columns->names[index] = chosen;
  return chosen;
}

void DeparseScope::PushDownNames(const ColumnScope& columns) {
  for (size_t i = 0; i < columns.names.size(); ++i) {
    if (!columns.names[i].has_value()) continue;
    auto assign = [&](int rtindex, int attno) {
      if (attno <= 0) return;
      ColumnScope& child = MutableColumns(rtindex);
      child.Expand(static_cast<size_t>(attno));
      child.names[static_cast<size_t>(attno - 1)] = columns.names[i];
    };
    assign(columns.left_rti, columns.left_attnos[i]);
    assign(columns.right_rti, columns.right_attnos[i]);
  }
}

void DeparseScope::IdentifyJoinColumns(const JoinExpr& join, ColumnScope* columns) {
  columns->left_rti = JoinChildIndex(join.larg);
  columns->right_rti = JoinChildIndex(join.rarg);
  const RangeTblEntry& rte = this->rte(join.rtindex);
  if (rte.joinleftcols.size() != rte.joinaliasvars.size() ||
      rte.joinrightcols.size() != rte.joinaliasvars.size()) {
    throw SqlError(ErrorCode::kInternalError, "malformed join entry in a query to be shown");
  }
  columns->left_attnos.assign(rte.joinleftcols.begin(), rte.joinleftcols.end());
  columns->right_attnos.assign(rte.joinrightcols.begin(), rte.joinrightcols.end());
}

// ---- column names, from the bottom up ---------------------------------------------------------------------

bool DeparseScope::IsUnique(const std::string& name, const ColumnScope& columns) const {
  auto taken = [&](const std::optional<std::string>& other) { return other.has_value() && *other == name; };
  return std::none_of(columns.names.begin(), columns.names.end(), taken) &&
         !Contains(columns.current_names, name) && !Contains(using_names_, name) &&
         !Contains(columns.parent_using, name);
}

std::string DeparseScope::MakeUnique(std::string name, const ColumnScope& columns) const {
  if (IsUnique(name, columns)) return name;
  int number = 1;
  while (!IsUnique(Numbered(name, number), columns)) ++number;
  return Numbered(name, number);
}

std::vector<std::string> DeparseScope::RealColumns(const RangeTblEntry& rte) const {
  if (rte.rtekind == RteKind::kRelation) return names_.ColumnNames(rte.relid);
  std::vector<std::string> columns;
  for (std::string_view name : rte.eref->colnames) columns.emplace_back(name);
  return columns;
}

void DeparseScope::ChooseRelationColumns(const RangeTblEntry& rte, ColumnScope* columns) {
  std::vector<std::string> real = RealColumns(rte);
  columns->Expand(real.size());
  bool changed = false;
  for (size_t i = 0; i < real.size(); ++i) {
    if (real[i].empty()) {
      columns->names[i] = std::nullopt;
      continue;
    }
    if (!columns->names[i].has_value()) {
      columns->names[i] = MakeUnique(AliasColumn(rte, i).value_or(real[i]), *columns);
    }
    columns->current_names.push_back(*columns->names[i]);
    columns->is_new.push_back(i >= rte.eref->colnames.size());
    changed = changed || *columns->names[i] != real[i];
  }
  if (rte.rtekind == RteKind::kRelation) {
    columns->print_aliases = changed;
  } else if (rte.rtekind == RteKind::kFunction) {
    columns->print_aliases = true;
  } else {
    columns->print_aliases = changed || (rte.alias != nullptr && !rte.alias->colnames.empty());
  }
}

void DeparseScope::ChooseJoinColumns(const RangeTblEntry& rte, ColumnScope* columns) {
  size_t count = rte.eref->colnames.size();
  columns->Expand(count);
  if (columns->left_rti == 0) return;  // not in the join tree
  bool changed = false;
  for (size_t i = columns->using_names.size(); i < count; ++i) {
    int left = columns->left_attnos[i], right = columns->right_attnos[i];
    const ColumnScope& child = Columns(left > 0 ? columns->left_rti : columns->right_rti);
    int attno = left > 0 ? left : right;
    std::optional<std::string> real;
    if (attno > 0 && static_cast<size_t>(attno) <= child.names.size()) {
      real = child.names[static_cast<size_t>(attno - 1)];
    }
    if (!real.has_value() || rte.alias == nullptr) {
      columns->names[i] = real;  // dropped, or an unnamed join, which shows its children's names
      continue;
    }
    if (!columns->names[i].has_value()) {
      columns->names[i] = MakeUnique(AliasColumn(rte, i).value_or(*real), *columns);
    }
    changed = changed || *columns->names[i] != *real;
  }
  ListCurrentJoinColumns(columns);
  columns->print_aliases = rte.alias != nullptr && changed;
}

// Merged columns first, then the left child's and the right child's others, new columns of the children
// included.
void DeparseScope::ListCurrentJoinColumns(ColumnScope* columns) {
  size_t next = 0;  // the join's own column
  for (; next < columns->using_names.size(); ++next) {
    columns->current_names.push_back(*columns->names[next]);
    columns->is_new.push_back(false);
  }
  size_t merged = columns->using_names.size();
  auto add_child = [&](const ColumnScope& child, const std::vector<int>& attnos) {
    size_t attno = 0;
    for (size_t i = 0; i < child.current_names.size(); ++i) {
      if (child.is_new[i]) {
        columns->current_names.push_back(child.current_names[i]);
        columns->is_new.push_back(true);
        continue;
      }
      while (attno < child.names.size() && !child.names[attno].has_value()) ++attno;
      ++attno;
      if (std::find(attnos.begin(), attnos.begin() + static_cast<ptrdiff_t>(std::min(merged, attnos.size())),
                    static_cast<int>(attno)) !=
          attnos.begin() + static_cast<ptrdiff_t>(std::min(merged, attnos.size()))) {
        continue;
      }
      while (next < columns->names.size() && !columns->names[next].has_value()) ++next;
      if (next >= columns->names.size()) return;
      columns->current_names.push_back(*columns->names[next++]);
      columns->is_new.push_back(false);
    }
  };
  add_child(Columns(columns->left_rti), columns->left_attnos);
  add_child(Columns(columns->right_rti), columns->right_attnos);
}

}  // namespace walden
