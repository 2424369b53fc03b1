#include "node/types/jsonb.h"

#include <algorithm>

#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/types/client_text.h"
#include "node/types/element.h"
#include "node/types/hash.h"
#include "node/types/numeric.h"
#include "node/types/wire.h"

namespace walden {

namespace {

int CompareKeys(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  int order = a.compare(b);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

}  // namespace

NumericRef JsonbView::number() const {
  const char* at = at_ + 1;
  return ReadElement(PhysicalType::kNumeric, &at).numeric;
}
std::string_view JsonbView::string() const { return {at_ + 5, Load<uint32_t>(at_ + 1)}; }
uint32_t JsonbView::count() const { return Load<uint32_t>(at_ + 1); }

JsonbView JsonbView::Element(uint32_t i) const {
  const char* ends = at_ + 5;
  const char* data = ends + 4 * count();
  uint32_t start = i == 0 ? 0 : Load<uint32_t>(ends + 4 * (i - 1)), end = Load<uint32_t>(ends + 4 * i);
  return JsonbView({data + start, end - start});
}
std::string_view JsonbView::Key(uint32_t i) const {
  const char* ends = at_ + 5;
  const char* keys = ends + 8 * count();
  uint32_t start = i == 0 ? 0 : Load<uint32_t>(ends + 8 * (i - 1)), end = Load<uint32_t>(ends + 8 * i);
  return {keys + start, end - start};
}
JsonbView JsonbView::MemberValue(uint32_t i) const {
  const char* ends = at_ + 5;
  uint32_t n = count();
  const char* values = ends + 8 * n + Load<uint32_t>(ends + 8 * (n - 1));
  uint32_t start = i == 0 ? 0 : Load<uint32_t>(ends + 8 * (i - 1) + 4),
           end = Load<uint32_t>(ends + 8 * i + 4);
  return JsonbView({values + start, end - start});
}
std::optional<JsonbView> JsonbView::Find(std::string_view key) const {
  uint32_t low = 0, high = count();
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    int order = CompareKeys(Key(middle), key);
    if (order == 0) return MemberValue(middle);
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return std::nullopt;
}

JsonbNode::JsonbNode() = default;
JsonbNode::JsonbNode(const JsonbNode&) = default;
JsonbNode::JsonbNode(JsonbNode&&) noexcept = default;
JsonbNode& JsonbNode::operator=(const JsonbNode&) = default;
JsonbNode& JsonbNode::operator=(JsonbNode&&) noexcept = default;
JsonbNode::~JsonbNode() = default;

JsonbNode JsonbNode::String(std::string_view text) {
  JsonbNode node;
  node.kind = JsonKind::kString;
  node.string = text;
  return node;
}
JsonbNode JsonbNode::Number(const NumericRef& number) {
  JsonbNode node;
  node.kind = JsonKind::kNumber;
  node.number = number;
  return node;
}
JsonbNode JsonbNode::Bool(bool value) {
  JsonbNode node;
  node.kind = JsonKind::kBool;
  node.boolean = value;
  return node;
}

JsonbNode JsonbNode::FromView(const JsonbView& view) {
  JsonbNode node;
  node.kind = view.kind();
  switch (node.kind) {
    case JsonKind::kNull: break;
    case JsonKind::kBool: node.boolean = view.boolean(); break;
    case JsonKind::kNumber: node.number = view.number(); break;
    case JsonKind::kString: node.string = view.string(); break;
    case JsonKind::kArray:
      for (uint32_t i = 0; i < view.count(); ++i) node.elements.push_back(FromView(view.Element(i)));
      break;
    case JsonKind::kObject:
      for (uint32_t i = 0; i < view.count(); ++i)
        node.members.emplace_back(view.Key(i), FromView(view.MemberValue(i)));
      break;
  }
  return node;
}

JsonbNode* JsonbNode::Find(std::string_view key) {
  for (auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

namespace {

class NodeBuilder : public JsonHandler {
 public:
  explicit NodeBuilder(Arena& arena) : arena_(arena) { stack_.push_back(&root_); }
  void Null() override { Add(JsonbNode()); }
  void Bool(bool v) override { Add(JsonbNode::Bool(v)); }
  void Number(std::string_view text) override { Add(JsonbNode::Number(ParseNumeric(text, arena_))); }
  void String(std::string_view text) override { Add(JsonbNode::String(text)); }
  void StartArray() override { Open(JsonKind::kArray); }
  void EndArray() override { stack_.pop_back(); }
  void StartObject() override { Open(JsonKind::kObject); }
  void Key(std::string_view key) override {
    stack_.back()->members.emplace_back(std::string(key), JsonbNode());
  }
  void EndObject() override { stack_.pop_back(); }
  JsonbNode root_;

 private:
  JsonbNode* Add(JsonbNode node) {
    JsonbNode* parent = stack_.back();
    if (stack_.size() == 1) {
      root_ = std::move(node);
      return &root_;
    }
    if (parent->kind == JsonKind::kArray) {
      parent->elements.push_back(std::move(node));
      return &parent->elements.back();
    }
    parent->members.back().second = std::move(node);
    return &parent->members.back().second;
  }
  // Parents do not grow while a child is open, so the pointers stay good.
  void Open(JsonKind kind) {
    JsonbNode node;
    node.kind = kind;
    stack_.push_back(Add(std::move(node)));
  }
  Arena& arena_;
  std::vector<JsonbNode*> stack_;
};

void SortMembers(JsonbNode* node) {
  auto& members = node->members;
  std::stable_sort(members.begin(), members.end(),
                   [](const auto& a, const auto& b) { return CompareKeys(a.first, b.first) < 0; });
  // Of equal keys the last one stays.
  size_t kept = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    if (kept > 0 && members[kept - 1].first == members[i].first)
      members[kept - 1].second = std::move(members[i].second);
    else if (kept++ != i)
      members[kept - 1] = std::move(members[i]);
  }
  members.resize(kept);
}

void EncodeTo(JsonbNode* node, std::string* to) {
  auto raw32 = [to](size_t v) {
    auto value = static_cast<uint32_t>(v);
    to->append(reinterpret_cast<const char*>(&value), 4);
  };
  to->push_back(static_cast<char>(node->kind));
  switch (node->kind) {
    case JsonKind::kNull: break;
    case JsonKind::kBool: to->push_back(node->boolean ? 1 : 0); break;
    case JsonKind::kNumber: AppendElement(PhysicalType::kNumeric, Datum{.numeric = node->number}, to); break;
    case JsonKind::kString:
      raw32(node->string.size());
      *to += node->string;
      break;
    case JsonKind::kArray: {
      raw32(node->elements.size());
      size_t ends = to->size();
      to->append(4 * node->elements.size(), '\0');
      size_t data = to->size();
      for (size_t i = 0; i < node->elements.size(); ++i) {
        EncodeTo(&node->elements[i], to);
        Store<uint32_t>(to->data() + ends + 4 * i, static_cast<uint32_t>(to->size() - data));
      }
      break;
    }
    case JsonKind::kObject: {
      SortMembers(node);
      raw32(node->members.size());
      size_t ends = to->size();
      to->append(8 * node->members.size(), '\0');
      size_t keys = to->size();
      for (size_t i = 0; i < node->members.size(); ++i) {
        *to += node->members[i].first;
        Store<uint32_t>(to->data() + ends + 8 * i, static_cast<uint32_t>(to->size() - keys));
      }
      size_t values = to->size();
      for (size_t i = 0; i < node->members.size(); ++i) {
        EncodeTo(&node->members[i].second, to);
        Store<uint32_t>(to->data() + ends + 8 * i + 4, static_cast<uint32_t>(to->size() - values));
      }
      break;
    }
  }
}

}  // namespace

JsonbNode JsonbNode::Parse(std::string_view json, Arena& arena) {
  NodeBuilder builder(arena);
  ParseJson(json, &builder);
  return std::move(builder.root_);
}

std::string_view JsonbNode::Encode(Arena& arena) {
  std::string bytes;
  EncodeTo(this, &bytes);
  if (bytes.size() > 0x0FFFFFFF) {
    throw SqlError(ErrorCode::kProgramLimitExceeded,
                   "total size of jsonb elements exceeds the maximum of {} bytes", 0x0FFFFFFF);
  }
  return arena.Copy(bytes);
}

void AppendJsonb(std::string* to, const JsonbView& view) {
  switch (view.kind()) {
    case JsonKind::kNull: to->append("null"); break;
    case JsonKind::kBool: to->append(view.boolean() ? "true" : "false"); break;
    case JsonKind::kNumber: AppendNumeric(to, view.number()); break;
    case JsonKind::kString: AppendJsonString(to, view.string()); break;
    case JsonKind::kArray:
      to->push_back('[');
      for (uint32_t i = 0; i < view.count(); ++i) {
        if (i != 0) to->append(", ");
        AppendJsonb(to, view.Element(i));
      }
      to->push_back(']');
      break;
    case JsonKind::kObject:
      to->push_back('{');
      for (uint32_t i = 0; i < view.count(); ++i) {
        if (i != 0) to->append(", ");
        AppendJsonString(to, view.Key(i));
        to->append(": ");
        AppendJsonb(to, view.MemberValue(i));
      }
      to->push_back('}');
      break;
  }
}

void AppendJsonbPretty(std::string* to, const JsonbView& view, int indent) {
  if (!view.is_container()) {
    AppendJsonb(to, view);
    return;
  }
  bool array = view.kind() == JsonKind::kArray;
  auto pad = [&](int levels) { to->append(static_cast<size_t>(levels) * 4, ' '); };
  to->push_back(array ? '[' : '{');
  for (uint32_t i = 0; i < view.count(); ++i) {
    to->append(i == 0 ? "\n" : ",\n");
    pad(indent + 1);
    if (!array) {
      AppendJsonString(to, view.Key(i));
      to->append(": ");
    }
    AppendJsonbPretty(to, array ? view.Element(i) : view.MemberValue(i), indent + 1);
  }
  to->push_back('\n');
  pad(indent);
  to->push_back(array ? ']' : '}');
}

void AppendJsonbText(std::string* to, const JsonbView& view) {
  if (view.kind() == JsonKind::kString)
    to->append(view.string());
  else
    AppendJsonb(to, view);
}

namespace {

int Order(auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; }

// Object > Array > Boolean > Number > String > Null.
int KindRank(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull: return 0;
    case JsonKind::kString: return 1;
    case JsonKind::kNumber: return 2;
    case JsonKind::kBool: return 3;
    case JsonKind::kArray: return 4;
    case JsonKind::kObject: return 5;
  }
  return 0;
}

int CompareValues(const JsonbView& a, const JsonbView& b) {
  if (a.kind() != b.kind()) return Order(KindRank(a.kind()), KindRank(b.kind()));
  switch (a.kind()) {
    case JsonKind::kNull: return 0;
    case JsonKind::kBool: return Order(a.boolean(), b.boolean());
    case JsonKind::kNumber: return CompareNumeric(a.number(), b.number());
    case JsonKind::kString: return Order(a.string().compare(b.string()), 0);
    case JsonKind::kArray:
      if (int by = Order(a.count(), b.count())) return by;
      for (uint32_t i = 0; i < a.count(); ++i) {
        if (int by = CompareValues(a.Element(i), b.Element(i))) return by;
      }
      return 0;
    case JsonKind::kObject:
      if (int by = Order(a.count(), b.count())) return by;
      for (uint32_t i = 0; i < a.count(); ++i) {
        if (int by = Order(a.Key(i).compare(b.Key(i)), 0)) return by;
        if (int by = CompareValues(a.MemberValue(i), b.MemberValue(i))) return by;
      }
      return 0;
  }
  return 0;
}

bool IsEmptyArray(const JsonbView& v) { return v.kind() == JsonKind::kArray && v.count() == 0; }

}  // namespace

int CompareJsonb(const JsonbView& a, const JsonbView& b) {
  // At the top PostgreSQL sorts the empty array before everything, scalars before it.
  if (IsEmptyArray(a) != IsEmptyArray(b)) return IsEmptyArray(a) ? -1 : 1;
  return CompareValues(a, b);
}

uint64_t HashJsonb(const JsonbView& v) {
  uint64_t seed = HashInteger(static_cast<uint64_t>(v.kind()));
  switch (v.kind()) {
    case JsonKind::kNull: return seed;
    case JsonKind::kBool: return HashCombine(seed, v.boolean());
    case JsonKind::kNumber: return HashCombine(seed, HashNumeric(v.number()));
    case JsonKind::kString: return HashCombine(seed, HashBytes(v.string()));
    case JsonKind::kArray:
      for (uint32_t i = 0; i < v.count(); ++i) seed = HashCombine(seed, HashJsonb(v.Element(i)));
      return seed;
    case JsonKind::kObject:
      for (uint32_t i = 0; i < v.count(); ++i) {
        seed = HashCombine(HashCombine(seed, HashBytes(v.Key(i))), HashJsonb(v.MemberValue(i)));
      }
      return seed;
  }
  return seed;
}

namespace {

// Containment below the top: kinds must agree.
bool Contains(const JsonbView& outer, const JsonbView& inner) {
  if (outer.kind() != inner.kind()) return false;
  if (inner.kind() == JsonKind::kObject) {
    for (uint32_t i = 0; i < inner.count(); ++i) {
      std::optional<JsonbView> found = outer.Find(inner.Key(i));
      if (!found || !Contains(*found, inner.MemberValue(i))) return false;
    }
    return true;
  }
  if (inner.kind() == JsonKind::kArray) {
    for (uint32_t i = 0; i < inner.count(); ++i) {
      bool found = false;
      for (uint32_t j = 0; j < outer.count() && !found; ++j)
        found = Contains(outer.Element(j), inner.Element(i));
      if (!found) return false;
    }
    return true;
  }
  return CompareValues(outer, inner) == 0;
}

}  // namespace

bool JsonbContains(const JsonbView& outer, const JsonbView& inner) {
  // An array contains a bare scalar.
  if (outer.kind() == JsonKind::kArray && !inner.is_container()) {
    for (uint32_t i = 0; i < outer.count(); ++i) {
      if (Contains(outer.Element(i), inner)) return true;
    }
    return false;
  }
  return Contains(outer, inner);
}

// --- Descriptors -----------------------------------------------------------------------------------------------

namespace {

void Put(Datum* to, std::string_view bytes) { to->string = {bytes.data(), bytes.size()}; }

void JsonIn(std::string_view text, TypeIo& io, Datum* to) {
  ValidateJson(text);
  Put(to, io.arena.Copy(text));
}
void JsonOut(const Datum& v, TypeIo&, std::string* to) { to->append(v.string.view()); }
void JsonReceive(std::string_view bytes, TypeIo& io, Datum* to) {
  std::string_view text = FromClient(bytes, io.arena);
  ValidateJson(text);
  Put(to, text);
}
void JsonSend(const Datum& v, TypeIo&, std::string* to) { AppendToClient(v.string.view(), to); }
void JsonbIn(std::string_view text, TypeIo& io, Datum* to) {
  Put(to, JsonbNode::Parse(text, io.arena).Encode(io.arena));
}
void JsonbOut(const Datum& v, TypeIo&, std::string* to) { AppendJsonb(to, JsonbView(v.string.view())); }
void JsonbReceive(std::string_view bytes, TypeIo& io, Datum* to) {
  WireReader reader(bytes);
  uint8_t version = reader.Take<uint8_t>();
  if (version != 1) throw SqlError(ErrorCode::kInternalError, "unsupported jsonb version number {}", version);
  JsonbIn(FromClient(reader.TakeRest(), io.arena), io, to);
}
void JsonbSend(const Datum& v, TypeIo& io, std::string* to) {
  to->push_back(1);
  if (!ClientConverts()) return JsonbOut(v, io, to);
  std::string text;
  JsonbOut(v, io, &text);
  AppendToClient(text, to);
}
int JsonbOrder(const Datum& a, const Datum& b, const void*) {
  return CompareJsonb(JsonbView(a.string.view()), JsonbView(b.string.view()));
}
uint64_t JsonbHash(const Datum& v) { return HashJsonb(JsonbView(v.string.view())); }

constexpr TypeDescriptor kTypes[] = {
    {Oid{114}, "json", PhysicalType::kString, -1, 'i', 'b', ',', Oid{0}, Oid{199}, JsonIn, JsonOut,
     JsonReceive, JsonSend, nullptr, nullptr, nullptr, nullptr},
    {Oid{3802}, "jsonb", PhysicalType::kString, -1, 'i', 'b', ',', Oid{0}, Oid{3807}, JsonbIn, JsonbOut,
     JsonbReceive, JsonbSend, nullptr, nullptr, JsonbOrder, JsonbHash},
};

}  // namespace

std::span<const TypeDescriptor> JsonTypes() { return kTypes; }

}  // namespace walden
