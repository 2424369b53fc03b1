// Algorithms over whole trees, derived from the nodes' FIELDS. "Children" are all nodes that a node's fields
// point to directly, subqueries, range table entries and clauses included; a walker that counts query levels
// does so where it meets a Query. Deep trees throw 54001.
#pragma once

#include <type_traits>
#include <utility>

#include "node/sql/query/query.h"

namespace walden {

// A non-owning reference to a callable, valid during the call it is passed to.
template <class Signature>
class CallableRef;
template <class R, class... Args>
class CallableRef<R(Args...)> {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, CallableRef>)
  CallableRef(F&& callable)  // NOLINT: converts silently by design
      : object_(const_cast<void*>(static_cast<const void*>(&callable))),
        call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
        }) {}
  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

// Calls visit(child) for each non-null child in field order; stops and returns true at the first true.
bool AnyChild(const Node* node, CallableRef<bool(const Node*)> visit);

// The same with a changeable tree: replaces each non-null child by replace(child) in place. The replacement
// must be of the type that the field holds (null is allowed).
void ReplaceChildren(Node* node, CallableRef<Node*(Node*)> replace);

// A copy of the node itself, whose lists are its own but whose children are shared.
Node* CopyShallow(const Node* node, Arena& arena);
// A deep copy: nodes, lists, strings and constants all live in `arena`.
Node* CopyNode(const Node* node, Arena& arena);
template <class T>
T* Copy(const T* node, Arena& arena) {
  return static_cast<T*>(CopyNode(node, arena));
}
template <class T>
List<T*> CopyList(const List<T*>& list, Arena& arena) {
  List<T*> copy;
  copy.Reserve(arena, list.size());
  for (T* item : list) copy.Append(arena, Copy(item, arena));
  return copy;
}

// Equality as PostgreSQL's equal(): locations, display forms of casts and calls, and Var's syntactic position
// do not count. Two nulls are equal.
bool EqualNodes(const Node* a, const Node* b);

// A hash that agrees with EqualNodes.
uint64_t HashNode(const Node* node);

// A hash that is the same for queries which differ in their constants and in names that they give only (aliases, output columns).
uint64_t FingerprintNode(const Node* node);

// A new tree: rebuilds every node for which some child changed, shares the rest. `mutate` gets each child and
// returns what stands in its place (the child itself for no change); for its own recursion it calls
// MutateChildren.
Node* MutateChildren(Node* node, Arena& arena, CallableRef<Node*(Node*)> mutate);

}  // namespace walden
