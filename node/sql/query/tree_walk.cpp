#include "node/sql/query/tree_walk.h"

#include "node/base/stack_depth.h"
#include "node/sql/query/visit_node.h"

namespace walden {

std::string_view NodeTagName(NodeTag tag) {
  static constexpr std::string_view kNames[] = {
#define X(name) #name,
#include "node/sql/query/query_tags.def"
#undef X
  };
  return kNames[static_cast<size_t>(tag)];
}

namespace {

bool AnyInField(const auto&, CallableRef<bool(const Node*)>&) { return false; }
template <NodePointerField T>
bool AnyInField(const T& field, CallableRef<bool(const Node*)>& visit) {
  return field != nullptr && visit(field);
}
template <NodeListField T>
bool AnyInField(const T& field, CallableRef<bool(const Node*)>& visit) {
  for (const Node* item : field) {
    if (item != nullptr && visit(item)) return true;
  }
  return false;
}

void ReplaceInField(auto&, CallableRef<Node*(Node*)>&) {}
template <NodePointerField T>
void ReplaceInField(T& field, CallableRef<Node*(Node*)>& replace) {
  if (field != nullptr) field = static_cast<T>(replace(field));
}
template <NodeListField T>
void ReplaceInField(T& field, CallableRef<Node*(Node*)>& replace) {
  for (auto& item : field) {
    if (item != nullptr) item = static_cast<std::remove_reference_t<decltype(item)>>(replace(item));
  }
}

// Makes a copied node's lists its own.
void OwnList(auto&, Arena&) {}
template <class T>
void OwnList(List<T>& field, Arena& arena) {
  field = field.Clone(arena);
}

class DeepCopier {
 public:
  explicit DeepCopier(Arena& arena) : arena_(arena) {}

  Node* CopyOf(const Node* node) {
    if (node == nullptr) return nullptr;
    CheckStackDepth();
    return VisitNode(node, [this](const auto& typed) -> Node* {
      using T = std::remove_cvref_t<decltype(typed)>;
      T* copy = arena_.New<T>(typed);
      T::VisitFields(*copy, [this](const char*, auto& field) { Own(field); });
      return copy;
    });
  }

 private:
  void Own(auto&) {}
  void Own(std::string_view& field) {
    if (!IsAbsent(field)) field = arena_.Copy(field);
  }
  void Own(ConstValue& field) {
    if (field.is_null) return;
    if (field.physical == PhysicalType::kString) {
      field.datum = StringDatum(arena_.Copy(field.datum.string.view()));
    } else if (field.physical == PhysicalType::kNumeric && field.datum.numeric.kind == NumericKind::kBig) {
      NumericRef& numeric = field.datum.numeric;
      numeric.digits = arena_.Copy({numeric.digits, numeric.digits_size}).data();
    }
  }
  template <NodePointerField T>
  void Own(T& field) {
    field = static_cast<T>(CopyOf(field));
  }
  template <class T>
  void Own(List<T>& field) {
    field = field.Clone(arena_);
    for (T& item : field) Own(item);
  }

  Arena& arena_;
};

// ---- comparison and hashing ------------------------------------------------------------------------------

bool EqualField(const Location&, const Location&) { return true; }
bool EqualField(const CoercionForm&, const CoercionForm&) { return true; }
bool EqualField(const std::string_view& a, const std::string_view& b) {
  return IsAbsent(a) == IsAbsent(b) && a == b;
}
bool EqualField(const ConstValue& a, const ConstValue& b) {
  if (a.is_null || b.is_null) return a.is_null == b.is_null;
  if (a.physical != b.physical) return false;
  if (a.physical == PhysicalType::kString) return a.datum.string.view() == b.datum.string.view();
  if (a.physical == PhysicalType::kNumeric && a.datum.numeric.kind == NumericKind::kBig) {
    const NumericRef &x = a.datum.numeric, &y = b.datum.numeric;
    return y.kind == NumericKind::kBig && x.scale == y.scale &&
           std::string_view(x.digits, x.digits_size) == std::string_view(y.digits, y.digits_size);
  }
  return std::memcmp(&a.datum, &b.datum, PhysicalWidth(a.physical)) == 0;
}
template <NodePointerField T>
bool EqualField(const T& a, const T& b) {
  return EqualNodes(a, b);
}
template <class T>
bool EqualField(const T& a, const T& b) {
  if constexpr (NodeListField<T> || ValueListField<T>) {
    if (a.size() != b.size()) return false;
    for (uint32_t i = 0; i < a.size(); ++i) {
      if (!EqualField(a[i], b[i])) return false;
    }
    return true;
  } else {
    return a == b;
  }
}

// Fields that say how a node came to be rather than what it means.
template <class T>
bool IsIncidental(std::string_view field) {
  if constexpr (std::is_same_v<T, Var>) return field == "varnosyn" || field == "varattnosyn";
  if constexpr (std::is_same_v<T, Query>) return field == "query_id" || field == "stmt_len";
  if constexpr (std::is_base_of_v<OpExprFields, T>) return field == "opfuncid";  // follows from opno
  if constexpr (std::is_same_v<T, ScalarArrayOpExpr>) {
    return field == "opfuncid" || field == "hashfuncid" || field == "negfuncid";
  }
  return false;
}

// Fields of what differs among queries that are counted as the same.
template <class T>
bool IsLeftOfFingerprint(std::string_view field) {
  if constexpr (std::is_same_v<T, Const>) return field == "value" || field == "consttypmod";
  if constexpr (std::is_same_v<T, TargetEntry>) return field == "resname";
  if constexpr (std::is_same_v<T, RangeTblEntry>)
    return field == "alias" || field == "eref" || field == "join_using_alias";
  return false;
}

class Hasher {
 public:
  explicit Hasher(bool fingerprint) : fingerprint_(fingerprint) {}
  uint64_t Of(const Node* node) {
    CheckStackDepth();
    Mix(static_cast<uint64_t>(node->tag));
    VisitNode(node, [this](const auto& typed) {
      using T = std::remove_cvref_t<decltype(typed)>;
      T::VisitFields(typed, [this](const char* name, const auto& field) {
        if (!IsIncidental<T>(name) && !(fingerprint_ && IsLeftOfFingerprint<T>(name))) Add(field);
      });
    });
    return state_;
  }

 private:
  void Mix(uint64_t value) {
    state_ = (state_ ^ value) * 0x9E3779B97F4A7C15ull;
    state_ ^= state_ >> 29;
  }
  void Add(const Location&) {}
  void Add(const CoercionForm&) {}
  void Add(const ast::Node* const&) {}
  void Add(const std::string_view& field) { Mix(std::hash<std::string_view>{}(field)); }
  void Add(const ConstValue& field) {
    if (field.is_null) return Mix(1);
    if (field.physical == PhysicalType::kString) return Add(field.datum.string.view());
    if (field.physical == PhysicalType::kNumeric && field.datum.numeric.kind == NumericKind::kBig) {
      return Add(std::string_view(field.datum.numeric.digits, field.datum.numeric.digits_size));
    }
    Add(std::string_view(reinterpret_cast<const char*>(&field.datum), PhysicalWidth(field.physical)));
  }
  template <NodePointerField T>
  void Add(const T& field) {
    if (field != nullptr) Of(field);
  }
  template <class T>
  void Add(const List<T>& field) {
    Mix(field.size());
    for (const T& item : field) Add(item);
  }
  void Add(const double& field) { Mix(static_cast<uint64_t>(field)); }
  template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  void Add(const T& field) {
    Mix(static_cast<uint64_t>(field));
  }

  const bool fingerprint_;
  uint64_t state_ = 0x243F6A8885A308D3ull;
};

// ---- mutation --------------------------------------------------------------------------------------------

// Mutates the children of a node of type T; `result_` becomes a shallow copy at the first change.
template <class T>
class Mutator {
 public:
  Mutator(T& node, Arena& arena, CallableRef<Node*(Node*)>& mutate)
      : node_(node), result_(&node), arena_(arena), mutate_(mutate) {}

  Node* Run() {
    T::VisitFields(node_, [this](const char*, auto& field) { Visit(field); });
    return result_;
  }

 private:
  void Visit(auto&) {}
  template <NodePointerField F>
  void Visit(F& field) {
    if (field == nullptr) return;
    Node* changed = mutate_(field);
    if (changed != field) SameField(node_, field, Result()) = static_cast<F>(changed);
  }
  template <NodeListField F>
  void Visit(F& field) {
    for (uint32_t i = 0; i < field.size(); ++i) {
      if (field[i] == nullptr) continue;
      Node* changed = mutate_(field[i]);
      if (changed != field[i])
        SameField(node_, field, Result())[i] = static_cast<typename F::value_type>(changed);
    }
  }
  T& Result() {
    if (result_ == &node_) result_ = static_cast<T*>(CopyShallow(&node_, arena_));
    return *result_;
  }

  T& node_;
  T* result_;
  Arena& arena_;
  CallableRef<Node*(Node*)>& mutate_;
};

}  // namespace

bool AnyChild(const Node* node, CallableRef<bool(const Node*)> visit) {
  CheckStackDepth();
  return VisitNode(node, [&visit](const auto& typed) {
    bool found = false;
    std::remove_cvref_t<decltype(typed)>::VisitFields(
        typed, [&](const char*, const auto& field) { found = found || AnyInField(field, visit); });
    return found;
  });
}

void ReplaceChildren(Node* node, CallableRef<Node*(Node*)> replace) {
  CheckStackDepth();
  VisitNode(node, [&replace](auto& typed) {
    std::remove_cvref_t<decltype(typed)>::VisitFields(
        typed, [&](const char*, auto& field) { ReplaceInField(field, replace); });
  });
}

Node* CopyShallow(const Node* node, Arena& arena) {
  return VisitNode(node, [&arena](const auto& typed) -> Node* {
    using T = std::remove_cvref_t<decltype(typed)>;
    T* copy = arena.New<T>(typed);
    T::VisitFields(*copy, [&arena](const char*, auto& field) { OwnList(field, arena); });
    return copy;
  });
}

Node* CopyNode(const Node* node, Arena& arena) { return DeepCopier(arena).CopyOf(node); }

bool EqualNodes(const Node* a, const Node* b) {
  if (a == b) return true;
  if (a == nullptr || b == nullptr || a->tag != b->tag) return false;
  CheckStackDepth();
  return VisitNode(a, [b](const auto& typed) {
    using T = std::remove_cvref_t<decltype(typed)>;
    const T& other = *static_cast<const T*>(b);
    bool equal = true;
    T::VisitFields(typed, [&](const char* name, const auto& field) {
      equal = equal && (IsIncidental<T>(name) || EqualField(field, SameField(typed, field, other)));
    });
    return equal;
  });
}

uint64_t HashNode(const Node* node) { return node == nullptr ? 0 : Hasher(false).Of(node); }
uint64_t FingerprintNode(const Node* node) { return node == nullptr ? 0 : Hasher(true).Of(node); }

Node* MutateChildren(Node* node, Arena& arena, CallableRef<Node*(Node*)> mutate) {
  CheckStackDepth();
  return VisitNode(node, [&](auto& typed) -> Node* {
    return Mutator<std::remove_cvref_t<decltype(typed)>>(typed, arena, mutate).Run();
  });
}

}  // namespace walden
