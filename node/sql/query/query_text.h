// The text form of bound trees, as stored in columns of type pg_node_tree.
// Format: "{Tag :field value ...}", lists "(a b c)", strings quoted with backslash escapes, absent fields
// hold their default. A field may be added with a default; one may not be renamed or change its meaning.
#pragma once

#include <string>
#include <string_view>

#include "node/sql/query/query.h"

namespace walden {

// Null gives "<>".
std::string WriteNode(const Node* node);
template <class T>
std::string WriteNodeList(const List<T*>& list) {
  std::string text = "(";
  for (const T* item : list) {
    if (text.size() > 1) text += ' ';
    text += WriteNode(item);
  }
  return text + ")";
}

// The tree, in `arena`. Throws SqlError XX001 when the text is malformed.
Node* ReadNode(std::string_view text, Arena& arena);
// A list, or one node as a list of one.
List<Node*> ReadNodeList(std::string_view text, Arena& arena);

}  // namespace walden
