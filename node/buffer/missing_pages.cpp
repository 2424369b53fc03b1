// Pages that replay looked for in vain. Normal while replay is behind what the files already saw (a drop or
// truncate is still to come); a sign of corruption if nothing explains them in the end.
#include <set>

#include "node/base/check.h"
#include "node/base/log.h"
#include "node/buffer/redo.h"

namespace walden {
namespace {

thread_local std::set<PageKey> missing;
void (*forgotten)(const MissingRange&) = nullptr;

}  // namespace

void NoteMissingPage(const PageKey& key) { missing.insert(key); }

void BindForgottenPages(void (*listener)(const MissingRange&)) { forgotten = listener; }

void ForgetMissingRange(const MissingRange& range) {
  std::erase_if(missing, [&](const PageKey& key) {
    if (range.rel.number == 0) return key.rel.database == range.rel.database;
    return key.rel == range.rel && key.fork == range.fork && key.block >= range.from;
  });
}

void ForgetMissingPages(const RelFileLocator& rel, Fork fork, BlockNumber from) {
  MissingRange range{rel, fork, from};
  ForgetMissingRange(range);
  if (forgotten != nullptr) forgotten(range);
}
void ForgetMissingPagesOfDatabase(Oid database) {
  MissingRange range;
  range.rel.database = database;
  ForgetMissingRange(range);
  if (forgotten != nullptr) forgotten(range);
}

void CheckMissingPages() {
  if (missing.empty()) return;
  for (const PageKey& key : missing) {
    Log(Severity::kWarning, "page {} of relation {} does not exist", key.block,
        RelationPath(key.rel, key.fork));
  }
  Panic("WAL contains references to invalid pages");
}

}  // namespace walden
