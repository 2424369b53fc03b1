#include "node/wal/record_handler.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "node/base/check.h"

namespace walden {
namespace {

// By the kind's row.
std::vector<std::optional<RecordHandler>>& Handlers() {
  static auto* handlers = new std::vector<std::optional<RecordHandler>>(RecordKinds().size());
  return *handlers;
}
size_t RowOf(const RecordKindInfo* info) { return static_cast<size_t>(info - RecordKinds().data()); }

void DescribePage(const PageRef& page, std::string* out) {
  const RelFileLocator& rel = page.key.rel;
  *out += fmt::format(", blkref #{}: rel {}/{}/{} ", page.id, OidNumber(rel.tablespace),
                      OidNumber(rel.database), rel.number);
  if (page.key.fork != Fork::kMain) *out += fmt::format("fork {} ", ForkName(page.key.fork));
  *out += fmt::format("blk {}", page.key.block);
  if (page.HasImage()) *out += page.ImageRestores() ? " FPW" : " FPW for WAL verification";
}

}  // namespace

void BindRecordHandlers(std::span<const RecordHandler> handlers) {
  for (const RecordHandler& handler : handlers) {
    const RecordKindInfo* info = FindRecordKind(handler.kind);
    CHECK(info != nullptr);
    Handlers()[RowOf(info)] = handler;
  }
}

const RecordHandler* FindRecordHandler(RecordKind kind) {
  const RecordKindInfo* info = FindRecordKind(kind);
  if (info == nullptr) return nullptr;
  const std::optional<RecordHandler>& handler = Handlers()[RowOf(info)];
  return handler ? &*handler : nullptr;
}

void CheckRecordHandlersComplete() {
  for (const RecordKindInfo& info : RecordKinds()) {
    const RecordHandler* handler = FindRecordHandler(info.kind);
    bool complete = handler != nullptr && handler->describe != nullptr &&
                    (handler->redo != nullptr || info.scope == RedoScope::kNothing);
    if (!complete) Panic("WAL record kind {}/{} has no handler", info.family, info.name);
  }
}

std::string DescribeRecord(const DecodedRecord& record) {
  const RecordKindInfo* info = FindRecordKind(record.kind);
  if (info == nullptr) return fmt::format("unknown kind {:#06x}", static_cast<unsigned>(record.kind));
  std::string text = fmt::format("{}/{}", info->family, info->name);
  const RecordHandler* handler = FindRecordHandler(record.kind);
  std::string details;
  if (handler != nullptr && handler->describe != nullptr) handler->describe(record, &details);
  if (!details.empty()) text += ": " + details;
  for (const PageRef& page : record.pages) DescribePage(page, &text);
  return text;
}

}  // namespace walden
