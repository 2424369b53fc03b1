// What is known while one query level is being analysed. Internal to sql/binder.
//
// A BindState lives on the stack of the function that binds its query level; subqueries link to it through
// `parent`. Nodes it makes live in the statement's arena.
#pragma once

#include <string_view>
#include <vector>

#include "node/base/error.h"
#include "node/sql/binder/binder.h"
#include "node/sql/binder/overloads.h"
#include "node/sql/binder/type_rules.h"
#include "node/sql/parser/ast.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/query.h"
#include "node/sql/query/tree_walk.h"

namespace walden {

enum class ExprKind : uint8_t {
#define X(kind, name, plural, singular) kind,
#include "node/sql/binder/expr_kinds.def"
#undef X
};
// "WHERE", "ORDER BY", ...
const char* ExprKindName(ExprKind kind);
// As in "aggregate functions are not allowed in <phrase>".
const char* ExprKindPhrase(ExprKind kind);
// As in "cannot use subquery in <phrase>"; empty when subqueries are allowed.
const char* ExprKindSubqueryPhrase(ExprKind kind);

// How a visible column becomes a Var: what a join column refers to below the join.
struct NamespaceColumn {
  int32_t varno = 0;  // 0: dropped column
  AttrNumber varattno = 0;
  Oid type{};
  int32_t typmod = -1;
  Oid collation{};
  uint32_t varnosyn = 0;
  AttrNumber varattnosyn = 0;
  bool hidden = false;  // not part of "*"
};

// A range table entry (or join alias) that names may refer to.
struct NamespaceItem {
  Alias* names = nullptr;  // table and column names
  RangeTblEntry* rte = nullptr;
  int32_t rtindex = 0;
  List<NamespaceColumn> columns;  // one per name in names->colnames
  bool rel_visible = true;        // by "name.column"
  bool columns_visible = true;    // by "column"
  bool lateral_only = false;      // visible only to LATERAL
  bool lateral_ok = true;         // and whether that is allowed (not from the wrong side of an outer join)
};

// Shared by all levels of one statement.
struct BindContext {
  explicit BindContext(const BindOptions& bind_options)
      : options(bind_options),
        arena(bind_options.arena),
        catalog(bind_options.catalog),
        source(bind_options.source),
        types(bind_options.catalog, source),
        overloads(types) {}
  BindContext(const BindContext&) = delete;

  const BindOptions& options;
  Arena& arena;
  CatalogReader& catalog;
  SourceText source;
  TypeRules types;
  Overloads overloads;
  // Scalar subqueries bound so far: their output names are column names.
  std::vector<std::pair<const ast::Node*, const Query*>> scalar_subqueries;
};

struct BindState {
  explicit BindState(BindContext& bind_context, BindState* outer = nullptr)
      : context(bind_context), parent(outer) {}
  BindState(const BindState&) = delete;

  BindContext& context;
  BindState* parent;

  List<RangeTblEntry*> rtable;
  List<JoinExpr*> join_exprs;  // by rtindex - 1; null for entries that are not joins
  List<Node*> join_list;       // FROM items so far
  std::vector<NamespaceItem*> names;
  bool lateral_active = false;

  std::vector<CommonTableExpr*> ctes;                    // visible ones
  std::vector<const ast::CommonTableExpr*> future_ctes;  // of a non-recursive WITH, for the hint
  CommonTableExpr* parent_cte = nullptr;                 // the CTE whose query this is

  NamespaceItem* target = nullptr;  // INSERT, UPDATE, DELETE
  bool is_insert = false;
  const ast::NodeList* window_defs = nullptr;
  std::vector<const ast::WindowDef*> windows;  // those of WINDOW and those of OVER (...)
  ExprKind expr_kind = ExprKind::kNone;
  AttrNumber next_resno = 1;
  std::vector<TargetEntry*> multi_assigns;  // junk entries of UPDATE ... SET (a, b) = ...
  const ast::NodeList* locking_clause = nullptr;
  bool locked_from_parent = false;
  bool resolve_unknowns = true;

  bool has_aggs = false;
  bool has_window_funcs = false;
  bool has_target_srfs = false;
  bool has_sub_links = false;
  bool has_modifying_cte = false;
  Node* last_srf = nullptr;  // newest set-returning call

  // VALUE in a domain constraint; null elsewhere.
  CoerceToDomainValue* domain_value = nullptr;

  Arena& arena() const { return context.arena; }
  CatalogReader& catalog() const { return context.catalog; }
  const TypeRules& types() const { return context.types; }
  int Position(Location location) const { return context.source.Position(location); }
  RangeTblEntry* Rte(int32_t rtindex) const { return rtable[static_cast<uint32_t>(rtindex - 1)]; }
  template <class T>
  T* New() const {
    return context.arena.New<T>();
  }
};

// Sets the expression kind for a scope.
class ExprKindScope {
 public:
  ExprKindScope(BindState& state, ExprKind kind) : state_(state), saved_(state.expr_kind) {
    state.expr_kind = kind;
  }
  ~ExprKindScope() { state_.expr_kind = saved_; }
  ExprKindScope(const ExprKindScope&) = delete;

 private:
  BindState& state_;
  ExprKind saved_;
};

}  // namespace walden
