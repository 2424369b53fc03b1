// Compares our AST with libpg_query's own JSON output for the same text: every field, location and
// enumerator.
#include <gtest/gtest.h>
#include <pg_query.h>

#include <cctype>
#include <map>
#include <memory>
#include <set>
#include <typeindex>

#include "node/sql/parser/ast.h"
#include "node/sql/parser/parser.h"
#include "tests/unit/parser_corpus.h"

namespace walden {
namespace {

// ---- just enough JSON ----
struct JsonMember;
struct Json {
  enum Kind { kNull, kBool, kNumber, kString, kArray, kObject } kind = kNull;
  std::string text;  // scalars
  std::vector<Json> items;
  std::vector<JsonMember> members;
};
struct JsonMember {
  std::string first;
  Json second;
};

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : rest_(text) {}
  Json Read() {
    Json json;
    switch (rest_.front()) {
      case '{': ReadMembers(&json); break;
      case '[': ReadItems(&json); break;
      case '"':
        json.kind = Json::kString;
        json.text = ReadString();
        break;
      default:
        while (!rest_.empty() && rest_.find_first_of(",]}") != 0) json.text += Take();
        json.kind = json.text == "true" || json.text == "false" ? Json::kBool : Json::kNumber;
        if (json.text == "null") json.kind = Json::kNull;
    }
    return json;
  }

 private:
  char Take() {
    char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void ReadMembers(Json* json) {
    json->kind = Json::kObject;
    while (Take() != '}') {
      if (rest_.front() == '}') continue;
      std::string name = ReadString();
      Take();  // ':'
      json->members.push_back({std::move(name), Read()});
    }
  }
  void ReadItems(Json* json) {
    json->kind = Json::kArray;
    while (Take() != ']') {
      if (rest_.front() != ']') json->items.push_back(Read());
    }
  }
  std::string ReadString() {
    std::string out;
    Take();
    for (char c; (c = Take()) != '"';) {
      if (c == '\\') {
        c = Take();
        if (c == 'n') c = '\n';
        if (c == 't') c = '\t';
        if (c == 'r') c = '\r';
        if (c == 'u') {
          c = static_cast<char>(std::stoi(std::string(rest_.substr(0, 4)), nullptr, 16));
          rest_.remove_prefix(4);
        }
      }
      out += c;
    }
    return out;
  }
  std::string_view rest_;
};

std::string Snake(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    if (i > 0 && isupper(name[i]) && !isupper(name[i - 1]) && name[i - 1] != '_') out += '_';
    out += static_cast<char>(tolower(name[i]));
  }
  return out;
}

std::string Folded(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c != '_') out += static_cast<char>(tolower(c));
  }
  return out;
}

// Fields of the library's nodes that only analysis fills, or that our node leaves out.
const std::set<std::string>& IgnoredFields() {
  static const std::set<std::string> kNames = {"relation_oid", "initially_valid_"};
  return kNames;
}

// Enumerator names seen for each value of each of our enumerations; must be one to one.
std::map<std::pair<std::type_index, int>, std::string>& Enumerators() {
  static std::map<std::pair<std::type_index, int>, std::string> map;
  return map;
}

class Comparer {
 public:
  void CompareNode(const Json& json, const ast::Node* node, const std::string& path) {
    if (json.kind == Json::kNull || (json.kind == Json::kObject && json.members.empty())) {
      EXPECT_EQ(node, nullptr) << path;
      return;
    }
    ASSERT_NE(node, nullptr) << path;
    const auto& [name, body] = json.members[0];
    if (name == "List") return CompareNodes(body, ast::As<ast::ListNode>(node)->items, path);
    EXPECT_EQ(Folded(name), Folded(ast::TagName(node->tag))) << path;
    CompareBody(body, node, path);
  }

  void CompareBody(const Json& body, const ast::Node* node, const std::string& path) {
    ast::VisitNode(node, [&](const auto& typed) {
      CompareFields(body, typed, path + "/" + std::string(TagName(node->tag)));
    });
  }

 private:
  template <class T>
  void CompareFields(const Json& body, const T& node, const std::string& path) {
    std::set<std::string> left;
    for (const auto& member : body.members) left.insert(Snake(member.first));
    if constexpr (std::is_same_v<T, ast::AConst>) {
      CompareConst(body, node, path);
      return;
    }
    T::VisitFields(node, [&](const char* name, const auto& field) {
      const Json* json = nullptr;
      for (const auto& member : body.members) {
        if (Snake(member.first) == name) json = &member.second;
      }
      left.erase(name);
      CompareField(json, field, path + "." + name);
    });
    for (const std::string& name : left)
      EXPECT_TRUE(IgnoredFields().contains(name)) << path << " lacks " << name;
  }

  void CompareConst(const Json& body, const ast::AConst& node, const std::string& path) {
    for (const auto& [name, json] : body.members) {
      if (name == "isnull") CompareField(&json, node.isnull, path);
      if (name == "location") CompareField(&json, node.location, path);
      if (name == "ival") CompareBody(json, ast::As<ast::Integer>(node.val), path);
      if (name == "fval") CompareBody(json, ast::As<ast::Float>(node.val), path);
      if (name == "sval") CompareBody(json, ast::As<ast::String>(node.val), path);
      if (name == "bsval") CompareBody(json, ast::As<ast::BitString>(node.val), path);
      if (name == "boolval") CompareBody(json, ast::As<ast::Boolean>(node.val), path);
    }
  }

  void CompareNodes(const Json& json, const ast::NodeList& list, const std::string& path) {
    const Json* array = &json;
    if (json.kind == Json::kObject) array = json.members.empty() ? nullptr : &json.members[0].second;
    ASSERT_EQ(array == nullptr ? 0 : array->items.size(), list.size()) << path;
    for (uint32_t i = 0; i < list.size(); ++i) {
      CompareNode(array->items[i], list[i], path + "[" + std::to_string(i) + "]");
    }
  }

  void CompareField(const Json* json, const ast::NodeList& field, const std::string& path) {
    if (json == nullptr) {
      EXPECT_TRUE(field.empty()) << path;
    } else {
      CompareNodes(*json, field, path);
    }
  }
  void CompareField(const Json* json, const std::string_view& field, const std::string& path) {
    EXPECT_EQ(json == nullptr ? "" : json->text, field) << path;
  }
  void CompareField(const Json* json, const Location& field, const std::string& path) {
    EXPECT_EQ(json == nullptr ? 0 : std::stoi(json->text), field) << path;
  }
  void CompareField(const Json* json, bool field, const std::string& path) {
    EXPECT_EQ(json != nullptr && json->text == "true", field) << path;
  }
  void CompareField(const Json* json, char field, const std::string& path) {
    EXPECT_EQ(json == nullptr ? '\0' : json->text[0], field) << path;
  }
  template <class T>
  void CompareField(const Json* json, const T& field, const std::string& path) {
    if constexpr (std::is_pointer_v<T>) {
      if (json == nullptr) {
        EXPECT_EQ(field, nullptr) << path;
      } else if constexpr (std::is_same_v<T, ast::Node*>) {
        CompareNode(*json, field, path);
      } else {
        ASSERT_NE(field, nullptr) << path;
        CompareBody(*json, field, path);
      }
    } else if constexpr (std::is_enum_v<T>) {
      ASSERT_NE(json, nullptr) << path;
      auto [known, inserted] =
          Enumerators().try_emplace({std::type_index(typeid(T)), static_cast<int>(field)}, json->text);
      EXPECT_EQ(known->second, json->text) << path;
    } else if (json == nullptr && path.ends_with("Integer.ival")) {
      EXPECT_LE(field, 0) << path;  // the library leaves negative ones out
    } else {
      EXPECT_EQ(json == nullptr ? 0 : std::stoll(json->text), static_cast<long long>(field)) << path;
    }
  }
};

void CompareWithLibrary(std::string_view sql) {
  SCOPED_TRACE(std::string(sql.substr(0, 300)));
  std::unique_ptr<PgQueryParseResult, void (*)(PgQueryParseResult*)> result(
      new PgQueryParseResult(pg_query_parse(std::string(sql).c_str())), [](PgQueryParseResult* r) {
        pg_query_free_parse_result(*r);
        delete r;
      });
  if (result->error != nullptr) {
    try {
      Parse(sql);
      ADD_FAILURE() << "expected " << result->error->message;
    } catch (const SqlError& error) {
      EXPECT_EQ(error.fields().position, result->error->cursorpos);
    }
    return;
  }
  ParseResult parsed = Parse(sql);
  Json json = JsonReader(result->parse_tree).Read();
  for (const auto& [name, value] : json.members) {
    if (name != "stmts") continue;
    ASSERT_EQ(value.items.size(), parsed->statements.size());
    for (uint32_t i = 0; i < parsed->statements.size(); ++i) {
      Comparer().CompareBody(value.items[i], parsed->statements[i], "");
    }
  }
}

TEST(ParserRawTree, EqualsTheLibrarysJson) {
  for (std::string_view sql : kParserCorpus) CompareWithLibrary(sql);
  std::set<std::pair<std::type_index, std::string>> names;
  for (const auto& [key, name] : Enumerators()) EXPECT_TRUE(names.insert({key.first, name}).second) << name;
}

TEST(ParserRawTree, CorpusCoversEveryStatement) {
  std::set<ast::Tag> seen;
  for (std::string_view sql : kParserCorpus) {
    ParseResult parsed = Parse(sql);
    for (const ast::RawStmt* statement : parsed->statements) seen.insert(statement->stmt->tag);
  }
  const std::set<std::string> elsewhere = {"RawStmt", "ReturnStmt", "PlAssignStmt", "ReplicaIdentityStmt"};
  for (size_t i = 0; i <= static_cast<size_t>(ast::Tag::kLoadStmt); ++i) {
    std::string name(ast::TagName(static_cast<ast::Tag>(i)));
    if (!name.ends_with("Stmt") || elsewhere.contains(name)) continue;
    EXPECT_TRUE(seen.contains(static_cast<ast::Tag>(i))) << name;
  }
}

TEST(ParserRawTree, CopiesAreEqual) {
  for (std::string_view sql : kParserCorpus) {
    ParseResult parsed = Parse(sql);
    Arena arena;
    for (const ast::RawStmt* statement : parsed->statements) {
      EXPECT_TRUE(ast::EqualNodes(statement, ast::Copy(statement, arena))) << sql;
    }
  }
}

}  // namespace
}  // namespace walden
