#include "node/sql/binder/ast_walk.h"

#include "node/sql/parser/ast.h"

namespace walden {
namespace {

struct ChildVisitor {
  CallableRef<bool(const ast::Node*)> visit;
  bool stopped = false;

  void Offer(const ast::Node* child) {
    if (!stopped && child != nullptr) stopped = visit(child);
  }
  template <class T>
  void operator()(const char*, const T& field) {
    if constexpr (std::is_pointer_v<T>) {
      if constexpr (std::is_convertible_v<T, const ast::Node*>) Offer(field);
    } else if constexpr (std::is_same_v<T, ast::NodeList>) {
      for (const ast::Node* child : field) Offer(child);
    }
  }
};

}  // namespace

bool AnyAstChild(const ast::Node* node, CallableRef<bool(const ast::Node*)> visit) {
  ChildVisitor visitor{visit};
  ast::VisitNode(
      node, [&](const auto& typed) { std::remove_cvref_t<decltype(typed)>::VisitFields(typed, visitor); });
  return visitor.stopped;
}

}  // namespace walden
