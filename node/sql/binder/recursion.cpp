#include "node/sql/binder/recursion.h"

#include <algorithm>

#include "node/base/stack_depth.h"
#include "node/sql/binder/ast_walk.h"

namespace walden {
namespace {

const ast::WithClause* WithOf(const ast::Node* node) {
  switch (node->tag) {
    case ast::Tag::kSelectStmt: return ast::As<ast::SelectStmt>(node)->with_clause;
    case ast::Tag::kInsertStmt: return ast::As<ast::InsertStmt>(node)->with_clause;
    case ast::Tag::kUpdateStmt: return ast::As<ast::UpdateStmt>(node)->with_clause;
    case ast::Tag::kDeleteStmt: return ast::As<ast::DeleteStmt>(node)->with_clause;
    default: return nullptr;
  }
}

// Visits every table reference that an inner WITH does not capture. `visit` gets the RangeVar.
class ReferenceWalker {
 public:
  explicit ReferenceWalker(CallableRef<void(const ast::RangeVar&)> visit) : visit_(visit) {}

  void Walk(const ast::Node* node) {
    if (node == nullptr) return;
    CheckStackDepth();
    if (const auto* table = ast::TryAs<ast::RangeVar>(node)) {
      if (table->schemaname.empty() && !IsHidden(table->relname)) visit_(*table);
      return;
    }
    const ast::WithClause* with = WithOf(node);
    size_t outer = hidden_.size();
    if (with != nullptr) WalkWith(*with);
    AnyAstChild(node, [&](const ast::Node* child) {
      if (child != with) Walk(child);
      return false;
    });
    hidden_.resize(outer);
  }

 private:
  void WalkWith(const ast::WithClause& with) {
    if (with.recursive) {
      for (const ast::Node* item : with.ctes) hidden_.push_back(ast::As<ast::CommonTableExpr>(item)->ctename);
    }
    for (const ast::Node* item : with.ctes) {
      const auto& cte = *ast::As<ast::CommonTableExpr>(item);
      Walk(cte.ctequery);
      if (!with.recursive) hidden_.push_back(cte.ctename);
    }
  }
  bool IsHidden(std::string_view name) const { return std::ranges::find(hidden_, name) != hidden_.end(); }

  CallableRef<void(const ast::RangeVar&)> visit_;
  std::vector<std::string_view> hidden_;
};

// Where a self-reference stands, in the order of PostgreSQL's messages.
enum class Place : uint8_t { kAllowed, kNonRecursiveTerm, kSublink, kOuterJoin, kIntersect, kExcept };
constexpr const char* kPlaceMessages[] = {
    "",
    "recursive reference to query \"{}\" must not appear within its non-recursive term",
    "recursive reference to query \"{}\" must not appear within a subquery",
    "recursive reference to query \"{}\" must not appear within an outer join",
    "recursive reference to query \"{}\" must not appear within INTERSECT",
    "recursive reference to query \"{}\" must not appear within EXCEPT",
};

class RecursionChecker {
 public:
  RecursionChecker(BindState& state, const ast::CommonTableExpr& cte) : state_(state), cte_(cte) {}

  void Check();

 private:
  SqlError Malformed(const char* message, Location location, ErrorCode code = ErrorCode::kInvalidRecursion) {
    SqlError error(code, fmt::format(fmt::runtime(message), cte_.ctename));
    error.WithPosition(state_.Position(location));
    return error;
  }
  void RefuseClause(const ast::Node* clause, const char* message, Location location) {
    if (clause != nullptr) throw Malformed(message, location, ErrorCode::kFeatureNotSupported);
  }
  void Walk(const ast::Node* node, Place place);
  void WalkSelect(const ast::SelectStmt& select, Place place);
  void WalkSetTree(const ast::SelectStmt& select, Place place);
  void WalkJoin(const ast::JoinExpr& join, Place place);
  void NoteReference(const ast::RangeVar& table, Place place);

  BindState& state_;
  const ast::CommonTableExpr& cte_;
  int references_ = 0;
  std::vector<std::string_view> hidden_;
};

void RecursionChecker::NoteReference(const ast::RangeVar& table, Place place) {
  if (!table.schemaname.empty() || table.relname != cte_.ctename) return;
  if (std::ranges::find(hidden_, table.relname) != hidden_.end()) return;
  if (place != Place::kAllowed) throw Malformed(kPlaceMessages[static_cast<size_t>(place)], table.location);
  if (++references_ > 1) {
    throw Malformed("recursive reference to query \"{}\" must not appear more than once", table.location);
  }
}

void RecursionChecker::WalkJoin(const ast::JoinExpr& join, Place place) {
  bool left_nullable = join.jointype == JoinType::kRight || join.jointype == JoinType::kFull;
  bool right_nullable = join.jointype == JoinType::kLeft || join.jointype == JoinType::kFull;
  Place outer = place == Place::kAllowed ? Place::kOuterJoin : place;
  Walk(join.larg, left_nullable ? outer : place);
  Walk(join.rarg, right_nullable ? outer : place);
  Walk(join.quals, place);
}

void RecursionChecker::WalkSetTree(const ast::SelectStmt& select, Place place) {
  Place left = place, right = place;
  if (select.op == SetOperation::kIntersect && select.all) left = right = Place::kIntersect;
  if (select.op == SetOperation::kExcept) {
    if (select.all) left = Place::kExcept;
    right = Place::kExcept;
  }
  WalkSelect(*select.larg, left);
  WalkSelect(*select.rarg, right);
}

void RecursionChecker::WalkSelect(const ast::SelectStmt& select, Place place) {
  size_t outer = hidden_.size();
  if (select.with_clause != nullptr) {
    for (const ast::Node* item : select.with_clause->ctes) {
      const auto& inner = *ast::As<ast::CommonTableExpr>(item);
      if (select.with_clause->recursive) hidden_.push_back(inner.ctename);
      Walk(inner.ctequery, place);
      if (!select.with_clause->recursive) hidden_.push_back(inner.ctename);
    }
  }
  if (select.op != SetOperation::kNone) WalkSetTree(select, place);
  AnyAstChild(&select, [&](const ast::Node* child) {
    if (child != select.with_clause && child != select.larg && child != select.rarg) Walk(child, place);
    return false;
  });
  hidden_.resize(outer);
}

void RecursionChecker::Walk(const ast::Node* node, Place place) {
  if (node == nullptr) return;
  CheckStackDepth();
  if (const auto* table = ast::TryAs<ast::RangeVar>(node)) return NoteReference(*table, place);
  if (const auto* select = ast::TryAs<ast::SelectStmt>(node)) return WalkSelect(*select, place);
  if (const auto* join = ast::TryAs<ast::JoinExpr>(node)) return WalkJoin(*join, place);
  if (const auto* link = ast::TryAs<ast::SubLink>(node)) {
    Walk(link->testexpr, place);
    return Walk(link->subselect, place == Place::kAllowed ? Place::kSublink : place);
  }
  AnyAstChild(node, [&](const ast::Node* child) {
    Walk(child, place);
    return false;
  });
}

void RecursionChecker::Check() {
  const auto* select = ast::TryAs<ast::SelectStmt>(cte_.ctequery);
  if (select == nullptr) {
    throw Malformed("recursive query \"{}\" must not contain data-modifying statements", cte_.location);
  }
  if (select->op != SetOperation::kUnion) {
    throw Malformed(
        "recursive query \"{}\" does not have the form non-recursive-term UNION [ALL] recursive-term",
        cte_.location);
  }
  WalkSelect(*select->larg, Place::kNonRecursiveTerm);
  WalkSelect(*select->rarg, Place::kAllowed);
  auto location_of = [](const ast::Node* node) -> Location {
    if (const auto* constant = ast::TryAs<ast::AConst>(node)) return constant->location;
    if (const auto* column = ast::TryAs<ast::ColumnRef>(node)) return column->location;
    return Location{};
  };
  if (!select->sort_clause.empty()) {
    const ast::Node* first = ast::As<ast::SortBy>(select->sort_clause[0])->node;
    RefuseClause(first, "ORDER BY in a recursive query is not implemented", location_of(first));
  }
  RefuseClause(select->limit_offset, "OFFSET in a recursive query is not implemented",
               location_of(select->limit_offset));
  RefuseClause(select->limit_count, "LIMIT in a recursive query is not implemented",
               location_of(select->limit_count));
  if (!select->locking_clause.empty()) {
    RefuseClause(select->locking_clause[0], "FOR UPDATE/SHARE in a recursive query is not implemented",
                 Location{});
  }
}

}  // namespace

std::vector<RecursiveItem> OrderRecursiveItems(BindState& state, const ast::WithClause& with) {
  struct Item {
    RecursiveItem item;
    std::vector<size_t> needs;
    bool done = false;
  };
  std::vector<Item> items;
  for (const ast::Node* node : with.ctes)
    items.push_back({{ast::As<ast::CommonTableExpr>(node), false}, {}, false});
  for (size_t i = 0; i < items.size(); ++i) {
    auto note = [&](const ast::RangeVar& table) {
      for (size_t j = 0; j < items.size(); ++j) {
        if (items[j].item.cte->ctename != table.relname) continue;
        if (i == j) {
          items[i].item.recursive = true;
        } else {
          items[i].needs.push_back(j);
        }
      }
    };
    ReferenceWalker(note).Walk(items[i].item.cte->ctequery);
  }
  std::vector<RecursiveItem> ordered;
  while (ordered.size() < items.size()) {
    auto ready = std::ranges::find_if(items, [&](const Item& item) {
      return !item.done && std::ranges::all_of(item.needs, [&](size_t need) { return items[need].done; });
    });
    if (ready == items.end()) {
      auto stuck = std::ranges::find_if(items, [](const Item& item) { return !item.done; });
      throw SqlError(ErrorCode::kFeatureNotSupported,
                     "mutual recursion between WITH items is not implemented")
          .WithPosition(state.Position(stuck->item.cte->location));
    }
    ready->done = true;
    ordered.push_back(ready->item);
  }
  for (const RecursiveItem& item : ordered) {
    if (item.recursive) RecursionChecker(state, *item.cte).Check();
  }
  return ordered;
}

}  // namespace walden
