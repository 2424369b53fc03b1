// Pages that replay looked for in vain. Normal while replay is behind what the files already saw (a drop or
// truncate is still to come); a sign of corruption if nothing explains them in the end.
#include <set>

#include "node/base/check.h"
#include "node/base/log.h"
#include "node/buffer/redo.h"

namespace walden {
namespace {

thread_local std::set<PageKey> missing;

}  // namespace

void NoteMissingPage(const PageKey& key) { missing.insert(key); }

void ForgetMissingPages(const RelFileLocator& rel, Fork fork, BlockNumber from) {
  std::erase_if(missing,
                [&](const PageKey& key) { return key.rel == rel && key.fork == fork && key.block >= from; });
}
void ForgetMissingPagesOfDatabase(Oid database) {
  std::erase_if(missing, [&](const PageKey& key) { return key.rel.database == database; });
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
