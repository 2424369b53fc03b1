#include "node/session/portal.h"

#include "node/sql/binder/binder.h"

namespace walden {

std::shared_ptr<PreparedStatement> PreparedStatement::Inner(ast::Node* statement) const {
  ast::RawStmt* raw = tree_->arena.New<ast::RawStmt>(*raw_);
  raw->stmt = statement;
  return std::make_shared<PreparedStatement>(tree_, raw);
}

bool PreparedStatement::is_query() const {
  if (raw_ == nullptr) return false;
  switch (raw_->stmt->tag) {
    case ast::Tag::kSelectStmt: return FindInto(*raw_->stmt) == nullptr;
    case ast::Tag::kInsertStmt:
    case ast::Tag::kUpdateStmt:
    case ast::Tag::kDeleteStmt:
    case ast::Tag::kMergeStmt: return true;
    default: return false;
  }
}

Portal::~Portal() { FinishExecution(); }

void Portal::Clear() {
  constexpr size_t kMostKeptValues = 64;
  FinishExecution();
  static_cast<PortalState&>(*this) = PortalState();
  parameters.clear();
  if (parameters.capacity() > kMostKeptValues) parameters.shrink_to_fit();
  result_formats.clear();
  arena.Reset();
  statement_.reset();
}

void Portal::FinishExecution() {
  if (executor == nullptr) return;
  executor->Finish();
  if (plan != nullptr && plan->idle == nullptr) plan->idle = std::move(executor);
  executor.reset();
  snapshot.Reset();
}

}  // namespace walden
