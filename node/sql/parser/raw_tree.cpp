#include "node/sql/parser/raw_tree.h"

#include <setjmp.h>

#include <cctype>
#include <type_traits>

#include "node/base/bytes.h"
#include "node/base/stack_depth.h"
#include "node/sql/parser/ast.h"
#include "node/types/utf8.h"

// What libpg_query exports, as PostgreSQL's ABI has it. The public functions of the library return JSON or
// protobuf and drop the SQLSTATE and hint of errors; these are what they are made of.
extern "C" {

struct PgErrorData {  // the head of PostgreSQL 15's ErrorData
  int elevel;
  bool output_to_server, output_to_client, hide_stmt, hide_ctx;
  const char* filename;
  int lineno;
  const char* funcname;
  const char* domain;
  const char* context_domain;
  int sqlerrcode;
  char* message;
  char* detail;
  char* detail_log;
  char* hint;
  char* context;
  char* backtrace;
  const char* message_id;
  char *schema_name, *table_name, *column_name, *datatype_name, *constraint_name;
  int cursorpos;
};

extern __thread sigjmp_buf* PG_exception_stack;
extern __thread void* error_context_stack;
extern __thread void* CurrentMemoryContext;
extern __thread void (*emit_log_hook)(PgErrorData*);
extern __thread int log_min_messages;
extern __thread int backslash_quote;
extern __thread bool escape_string_warning;
extern __thread bool standard_conforming_strings;

void* pg_query_enter_memory_context();
void pg_query_exit_memory_context(void* context);
PgErrorData* CopyErrorData();
void FlushErrorState();
void* raw_parser(const char* text, int mode);

}  // extern "C"

namespace walden {

namespace {

constexpr int kPgNotice = 18;
constexpr int kPgWarning = 19;

// PostgreSQL packs the five characters of a SQLSTATE into six bits each.
ErrorCode UnpackSqlState(int packed) {
  char state[5];
  for (int i = 0; i < 5; ++i) state[i] = static_cast<char>(((packed >> (6 * i)) & 0x3f) + '0');
  ErrorCode code = ErrorCode::kInternalError;
  FindErrorCode({state, sizeof(state)}, &code);
  return code;
}

ErrorFields ToErrorFields(const PgErrorData& data) {
  ErrorFields fields;
  fields.severity = data.elevel == kPgWarning  ? Severity::kWarning
                    : data.elevel < kPgWarning ? Severity::kNotice
                                               : Severity::kError;
  fields.code = UnpackSqlState(data.sqlerrcode);
  auto text = [](const char* from) { return from == nullptr ? std::string() : std::string(from); };
  fields.message = text(data.message);
  fields.detail = text(data.detail);
  fields.hint = text(data.hint);
  fields.position = data.cursorpos;
  return fields;
}

// Where the hook below, which has no argument of its own, puts notices and warnings.
thread_local std::vector<ErrorFields>* warning_sink = nullptr;

void KeepWarning(PgErrorData* data) {
  if (warning_sink != nullptr && data->elevel < 21) warning_sink->push_back(ToErrorFields(*data));
}

void ApplyOptions(const ParseOptions& options, std::vector<ErrorFields>* warnings) {
  standard_conforming_strings = options.standard_conforming_strings;
  escape_string_warning = options.escape_string_warning;
  backslash_quote = static_cast<int>(options.backslash_quote);
  log_min_messages = kPgNotice;
  emit_log_hook = KeepWarning;
  warning_sink = warnings;
}

// Runs the grammar with the library's own error recovery around it. The raw list, or null with *error set;
// both live in the current library memory context. No C++ object may live in this frame: errors arrive by
// siglongjmp.
void* CallRawParser(const char* text, int mode, PgErrorData** error) {
  sigjmp_buf* const saved_exception_stack = PG_exception_stack;
  void* const saved_context_stack = error_context_stack;
  void* const memory_context = CurrentMemoryContext;
  sigjmp_buf here;
  void* volatile list = nullptr;
  if (sigsetjmp(here, 0) == 0) {
    PG_exception_stack = &here;
    list = raw_parser(text, mode);
  } else {
    CurrentMemoryContext = memory_context;
    *error = CopyErrorData();
    FlushErrorState();
  }
  PG_exception_stack = saved_exception_stack;
  error_context_stack = saved_context_stack;
  return list;
}

// Later minor releases than the library's show the whole word that follows a number, not its first letter.
void ShowWholeWord(std::string_view source, ErrorFields* fields) {
  constexpr std::string_view kPrefix = "trailing junk after ";
  size_t near = fields->message.find(" at or near \"");
  if (!fields->message.starts_with(kPrefix) || near == std::string::npos || fields->position <= 0) return;
  size_t start = Utf8Offset(source, static_cast<size_t>(fields->position) - 1);
  size_t shown = fields->message.size() - near - std::string_view(" at or near \"\"").size();
  size_t end = start + shown;
  auto continues = [](unsigned char c) { return isalnum(c) || c == '_' || c == '$' || c >= 0x80; };
  while (end < source.size() && continues(static_cast<unsigned char>(source[end]))) ++end;
  fields->message.insert(fields->message.size() - 1, source.substr(start + shown, end - start - shown));
}

// PostgreSQL's List: tag, length, capacity, cells of eight bytes.
struct RawList {
  int32_t tag;
  int32_t length;
  int32_t capacity;
  const char* cells;
};

constexpr int32_t kRawListTag = 231;

template <class T>
struct RawLayout;
#define X(name, raw_tag, ...)                                              \
  template <>                                                              \
  struct RawLayout<ast::name> {                                            \
    static constexpr uint16_t kOffsets[] = {__VA_ARGS__ __VA_OPT__(, ) 0}; \
    static constexpr size_t kCount = std::size(kOffsets) - 1;              \
  };
#include "node/sql/parser/raw_layout.def"
#undef X

class RawTreeReader {
 public:
  explicit RawTreeReader(Arena& arena) : arena_(arena) {}

  ast::NodeList ReadList(const void* raw) {
    ast::NodeList list;
    if (raw == nullptr) return list;
    const auto* from = static_cast<const RawList*>(raw);
    if (from->tag != kRawListTag)
      throw SqlError(ErrorCode::kInternalError, "unexpected raw list type {}", from->tag);
    list.Reserve(arena_, static_cast<uint32_t>(from->length));
    for (int32_t i = 0; i < from->length; ++i) {
      list.Append(arena_, ReadNode(Load<const void*>(from->cells + i * sizeof(void*))));
    }
    return list;
  }

  ast::Node* ReadNode(const void* raw) {
    if (raw == nullptr) return nullptr;
    CheckStackDepth();
    switch (Load<int32_t>(raw)) {
      case kRawListTag: return ReadListNode(raw);
#define X(name, raw_tag, ...) \
  case raw_tag: return ReadAs<ast::name>(raw);
#include "node/sql/parser/raw_layout.def"
#undef X
      default:
        throw SqlError(ErrorCode::kInternalError, "unrecognized raw parse node type: {}", Load<int32_t>(raw));
    }
  }

 private:
  ast::Node* ReadListNode(const void* raw) {
    auto* list = arena_.New<ast::ListNode>();
    list->items = ReadList(raw);
    return list;
  }

  template <class T>
  ast::Node* ReadAs(const void* raw) {
    if constexpr (std::is_same_v<T, ast::AConst>) return ReadConst(raw);
    if constexpr (std::is_same_v<T, ast::CreateForeignTableStmt>) return ReadForeignTable(raw);
    T* node = arena_.New<T>();
    const uint16_t* offset = RawLayout<T>::kOffsets;
    const char* base = static_cast<const char*>(raw);
    T::VisitFields(*node, [&](const char*, auto& field) { ReadField(base + *offset++, field); });
    DCHECK(offset == RawLayout<T>::kOffsets + RawLayout<T>::kCount);
    return node;
  }

  // The value of a constant is a node embedded in it, meaningful unless the constant is NULL.
  ast::Node* ReadConst(const void* raw) {
    const char* base = static_cast<const char*>(raw);
    const uint16_t* offset = RawLayout<ast::AConst>::kOffsets;
    auto* node = arena_.New<ast::AConst>();
    ReadField(base + offset[1], node->isnull);
    ReadField(base + offset[2], node->location);
    if (!node->isnull) node->val = ReadNode(base + offset[0]);
    return node;
  }

  // CREATE FOREIGN TABLE embeds the CREATE TABLE that it extends.
  ast::Node* ReadForeignTable(const void* raw) {
    const char* base = static_cast<const char*>(raw);
    const uint16_t* offset = RawLayout<ast::CreateForeignTableStmt>::kOffsets;
    auto* node = arena_.New<ast::CreateForeignTableStmt>();
    node->base = static_cast<ast::CreateStmt*>(ReadAs<ast::CreateStmt>(base + offset[0]));
    ReadField(base + offset[1], node->servername);
    ReadField(base + offset[2], node->options);
    return node;
  }

  void ReadField(const char* from, bool& field) { field = Load<uint8_t>(from) != 0; }
  void ReadField(const char* from, Location& field) { field = Load<int32_t>(from); }
  void ReadField(const char* from, ast::NodeList& field) { field = ReadList(Load<const void*>(from)); }
  void ReadField(const char* from, std::string_view& field) {
    if (const char* text = Load<const char*>(from)) field = arena_.Copy(text);
  }
  template <class T>
    requires std::is_arithmetic_v<T>
  void ReadField(const char* from, T& field) {
    field = Load<T>(from);
  }
  template <class T>
    requires std::is_enum_v<T>  // C enumerations are ints
  void ReadField(const char* from, T& field) {
    field = static_cast<T>(Load<int32_t>(from));
  }
  template <class T>
    requires std::is_base_of_v<ast::Node, T>
  void ReadField(const char* from, T*& field) {
    field = static_cast<T*>(ReadNode(Load<const void*>(from)));
  }

  Arena& arena_;
};

// The library's memory for one call.
class LibraryMemory {
 public:
  LibraryMemory() : context_(pg_query_enter_memory_context()) {}
  ~LibraryMemory() { pg_query_exit_memory_context(context_); }
  LibraryMemory(const LibraryMemory&) = delete;
  LibraryMemory& operator=(const LibraryMemory&) = delete;

 private:
  void* context_;
};

}  // namespace

ast::NodeList RunGrammar(const char* text, const ParseOptions& options, Arena& arena,
                         std::vector<ErrorFields>* warnings) {
  LibraryMemory memory;
  ApplyOptions(options, warnings);
  PgErrorData* error = nullptr;
  void* list = CallRawParser(text, static_cast<int>(options.mode), &error);
  warning_sink = nullptr;
  if (error != nullptr) {
    ErrorFields fields = ToErrorFields(*error);
    ShowWholeWord(text, &fields);
    throw SqlError(std::move(fields));
  }
  return RawTreeReader(arena).ReadList(list);
}

}  // namespace walden
