// PostgreSQL's rules about types alone: names, categories, which casts exist, common types, polymorphic
// signatures. No expression trees here (coercion.h builds those).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/sql/binder/catalog_reader.h"
#include "node/sql/parser/node_enums.h"
#include "node/sql/parser/tree.h"
#include "node/types/type_table.h"

namespace walden {

namespace type_oid {
inline constexpr Oid kAnyRange{3831}, kAnyMultirange{4537}, kAnyCompatible{5077}, kAnyCompatibleArray{5078},
    kAnyCompatibleNonArray{5079}, kAnyCompatibleRange{5080}, kAnyCompatibleMultirange{4538}, kJsonPath{4072};
}  // namespace type_oid

enum class CoercionPath : uint8_t { kNone, kFunction, kRelabel, kArray, kViaIo };

// The statement's text; turns byte offsets of parse nodes into the character positions that errors carry.
class SourceText {
 public:
  SourceText() = default;
  explicit SourceText(std::string_view text) : text_(text) {}
  // 1-based, in characters; 0 when the location is unknown (negative) or there is no text.
  int Position(int location) const {
    return text_.empty() ? 0 : CharacterPosition(text_, Location(location));
  }
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// An argument as the rules see it.
struct TypedAt {
  Oid type{};
  int location = -1;
};

class TypeRules {
 public:
  TypeRules(CatalogReader& catalog, const SourceText& source) : catalog_(catalog), source_(source) {}

  const TypeInfo& Get(Oid type) const;  // XX000 "cache lookup failed for type n"
  // As format_type(): "integer", "character varying(10)", "public.t" when not visible.
  std::string Format(Oid type) const { return FormatWithTypmod(type, -1); }
  std::string FormatWithTypmod(Oid type, int32_t typmod) const;
  // Domain -> base type at the bottom. `typmod`, when given, becomes the domain's.
  Oid BaseType(Oid type, int32_t* typmod = nullptr) const;
  // Element type of a true array (domains over arrays included); invalid otherwise.
  Oid ArrayElement(Oid type) const;
  Oid ArrayOf(Oid element) const { return Get(element).array; }
  // pg_class OID of a composite type (domains over one included); invalid otherwise.
  Oid RowRelation(Oid type) const;
  Oid CollationOf(Oid type) const { return Get(type).collation; }
  char Category(Oid type) const;
  bool IsPreferred(char category, Oid type) const;
  bool IsVisible(const TypeInfo& type) const;
  static bool IsPolymorphic(Oid type) { return IsPolymorphic1(type) || IsPolymorphic2(type); }
  static bool IsPolymorphic1(Oid type);  // anyelement family
  static bool IsPolymorphic2(Oid type);  // anycompatible family

  bool IsBinaryCoercible(Oid source, Oid target) const;
  CoercionPath FindPath(Oid target, Oid source, CoercionContext context, Oid* function) const;
  // The function that applies a length or precision, from the cast of a type to itself.
  CoercionPath FindTypmodCoercion(Oid type, Oid* function) const;
  bool CanCoerce(std::span<const Oid> sources, std::span<const Oid> targets, CoercionContext context) const;

  // The type all branches of `construct` ("CASE", "UNION", "VALUES", ...) agree on. With `construct` null
  // returns kInvalid instead of raising 42804. `chosen`, when given, is the index of the deciding argument.
  Oid CommonType(std::span<const TypedAt> arguments, const char* construct, size_t* chosen = nullptr) const;
  // Whether all arguments could be coerced to `common`.
  bool AllCoercible(Oid common, std::span<const TypedAt> arguments) const;

  // Could a polymorphic signature accept these argument types?
  bool PolymorphicMatches(std::span<const Oid> actual, std::span<const Oid> declared) const;
  // Resolves a polymorphic signature: replaces polymorphic entries of `declared` and returns the result type.
  // `allow_poly`: leave what cannot be resolved polymorphic (for declaring functions over polymorphic types).
  Oid ResolvePolymorphic(std::span<const Oid> actual, std::span<Oid> declared, Oid result,
                         bool allow_poly) const;

  CatalogReader& catalog() const { return catalog_; }
  const SourceText& source() const { return source_; }

 private:
  struct Poly;
  Oid CommonCompatibleType(std::span<const Oid> types) const;
  void CollectPoly(std::span<const Oid> actual, std::span<Oid> declared, bool allow_poly, Poly* poly) const;
  void ResolveFamily1(Poly* poly, bool allow_poly) const;
  void ResolveFamily2(Poly* poly, bool allow_poly) const;
  bool IsComplexArray(Oid type) const;

  CatalogReader& catalog_;
  const SourceText& source_;
};

}  // namespace walden
