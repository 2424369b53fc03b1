// Finding everything that goes with an object, and dropping it: the walk over pg_depend.
#include <algorithm>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/dependency.h"
#include "node/catalog/drop_handlers.h"
#include "node/catalog/identity.h"
#include "node/txn/lock_manager.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

// Why an object is among those to go.
enum TargetFlag : uint8_t {
  kOriginal = 1,
  kNormalPath = 2,
  kAutoPath = 4,
  kInternalPath = 8,
  kExtensionPath = 16
};

struct Target {
  ObjectAddress object;
  uint8_t flags;
  ObjectAddress because_of;  // what it depends on, for the message
};

// An object whose dependents are being visited.
struct Frame {
  ObjectAddress object;
  uint8_t flags;
  const Frame* below;
};

class DropPlan {
 public:
  DropPlan(std::span<const ObjectAddress> originals, const DropOptions& options)
      : originals_(originals.begin(), originals.end()), options_(options) {}

  void Find() {
    for (const ObjectAddress& object : originals_) {
      Lock(object);
      Visit(object, kOriginal, nullptr, object);
    }
  }
  void Report() const;
  void Delete();

 private:
  static void Lock(const ObjectAddress& object) {
    if (object.catalog == catalog_oid::kPgClass) {
      AcquireLock(RelationLockTag(object.object), LockMode::kAccessExclusive);
    } else {
      Oid database = IsSharedRelation(object.catalog) ? Oid::kInvalid : session_identity().database;
      AcquireLock(LockTag::Object(database, object.catalog, object.object), LockMode::kAccessExclusive);
    }
  }
  // `whole` stands for `part`: the same object, or the object that the part (column) belongs to.
  static bool Covers(const ObjectAddress& whole, const ObjectAddress& part) {
    return whole.catalog == part.catalog && whole.object == part.object &&
           (whole.sub == 0 || whole.sub == part.sub);
  }
  bool OnStack(const ObjectAddress& object, uint8_t flags, Frame* top);
  bool AlreadyTarget(const ObjectAddress& object, uint8_t flags);
  bool IsOriginal(const ObjectAddress& object) const {
    return std::any_of(originals_.begin(), originals_.end(),
                       [&](const auto& o) { return Covers(o, object); });
  }
  void Visit(const ObjectAddress& object, uint8_t flags, Frame* below, const ObjectAddress& because_of);
  bool RedirectToOwner(const ObjectAddress& object, uint8_t flags, Frame* below);
  void VisitDependents(const ObjectAddress& object, uint8_t flags, Frame* below);

  std::vector<ObjectAddress> originals_;
  DropOptions options_;
  std::vector<Target> targets_;  // dependents before what they depend on
};

bool DropPlan::OnStack(const ObjectAddress& object, uint8_t flags, Frame* top) {
  for (Frame* frame = top; frame != nullptr; frame = const_cast<Frame*>(frame->below)) {
    if (!Covers(frame->object, object)) continue;
    if (frame->object.sub == object.sub) frame->flags |= flags;
    return true;
  }
  return false;
}

bool DropPlan::AlreadyTarget(const ObjectAddress& object, uint8_t flags) {
  for (Target& target : targets_) {
    if (!Covers(target.object, object)) continue;
    if (target.object.sub == object.sub) target.flags |= flags;
    return true;
  }
  return false;
}

// A part of another object cannot be dropped alone. True when the owner is dropped instead.
bool DropPlan::RedirectToOwner(const ObjectAddress& object, uint8_t flags, Frame* below) {
  for (const Dependency& owner : DependenciesOf(object)) {
    if (owner.kind != DependencyKind::kInternal && owner.kind != DependencyKind::kExtension) continue;
    if (owner.other.catalog == object.catalog && owner.other.object == object.object) continue;
    if (below == nullptr) {
      // Asked for directly: fine only if the owner was asked for too.
      if (IsOriginal(owner.other)) return true;
      throw SqlError(ErrorCode::kDependentObjectsStillExist, "cannot drop {} because {} requires it",
                     DescribeObject(object), DescribeObject(owner.other))
          .WithHint("You can drop " + DescribeObject(owner.other) + " instead.");
    }
    if (OnStack(owner.other, 0, below)) continue;  // we came from the owner
    if (!AlreadyTarget(owner.other, flags)) {
      Lock(owner.other);
      Visit(owner.other, flags, below, below->object);
    }
    return true;
  }
  return false;
}

void DropPlan::VisitDependents(const ObjectAddress& object, uint8_t flags, Frame* below) {
  std::vector<Dependency> dependents = DependentsOf(object);
  // Newest first, as PostgreSQL does: messages then read in order of creation.
  std::sort(dependents.begin(), dependents.end(), [](const Dependency& a, const Dependency& b) {
    if (a.other.object != b.other.object) return a.other.object > b.other.object;
    if (a.other.catalog != b.other.catalog) return a.other.catalog < b.other.catalog;
    return a.other.sub < b.other.sub;
  });
  Frame frame{object, flags, below};
  for (const Dependency& dependent : dependents) {
    // Dependencies among the parts of one object do not count.
    if (dependent.other.catalog == object.catalog && dependent.other.object == object.object) {
      if (object.sub == 0) continue;
    }
    Lock(dependent.other);
    uint8_t path = kNormalPath;
    switch (dependent.kind) {
      case DependencyKind::kNormal: path = kNormalPath; break;
      case DependencyKind::kAuto:
      case DependencyKind::kAutoExtension: path = kAutoPath; break;
      case DependencyKind::kExtension: path = kExtensionPath; break;
      default: path = kInternalPath; break;
    }
    Visit(dependent.other, path, &frame, object);
  }
}

void DropPlan::Visit(const ObjectAddress& object, uint8_t flags, Frame* below,
                     const ObjectAddress& because_of) {
  if (IsPinnedObject(object)) {
    throw SqlError(ErrorCode::kDependentObjectsStillExist,
                   "cannot drop {} because it is required by the database system", DescribeObject(object));
  }
  if (OnStack(object, flags, below) || AlreadyTarget(object, flags)) return;
  if (!(options_.internal && below == nullptr) && RedirectToOwner(object, flags, below)) return;
  VisitDependents(object, flags, below);
  // Reached again while its dependents were visited?
  if (AlreadyTarget(object, flags)) return;
  targets_.push_back({object, flags, because_of});
}

void DropPlan::Report() const {
  constexpr int kMaxLines = 100;
  std::string detail;
  int lines = 0, unreported = 0;
  bool cascade = options_.cascade;
  for (auto target = targets_.rbegin(); target != targets_.rend(); ++target) {
    if (target->flags & (kOriginal | kAutoPath | kInternalPath | kExtensionPath)) continue;
    if (IsOriginal(target->object)) continue;
    if (lines == kMaxLines) {
      ++unreported;
      continue;
    }
    std::string what = DescribeObject(target->object);
    std::string line =
        cascade ? "drop cascades to " + what : what + " depends on " + DescribeObject(target->because_of);
    detail += (detail.empty() ? "" : "\n") + line;
    ++lines;
  }
  if (lines == 0) return;
  if (unreported > 0) {
    detail += "\nand " + std::to_string(unreported) + " other object" + (unreported == 1 ? "" : "s") +
              " (see server log for list)";
  }
  if (!cascade) {
    SqlError error =
        originals_.size() == 1
            ? SqlError(ErrorCode::kDependentObjectsStillExist,
                       "cannot drop {} because other objects depend on it", DescribeObject(originals_[0]))
            : SqlError(ErrorCode::kDependentObjectsStillExist,
                       "cannot drop desired object(s) because other objects depend on them");
    throw error.WithDetail(detail).WithHint("Use DROP ... CASCADE to drop the dependent objects too.");
  }
  ErrorFields notice;
  notice.severity = Severity::kNotice;
  notice.code = ErrorCode::kSuccessfulCompletion;
  int total = lines + unreported;
  if (total == 1) {
    notice.message = detail;
  } else {
    notice.message = "drop cascades to " + std::to_string(total) + " other objects";
    notice.detail = detail;
  }
  ReportToClient(notice);
}

void DropPlan::Delete() {
  for (const Target& target : targets_) {
    if (options_.skip_original && (target.flags & kOriginal) != 0) continue;
    DeleteObjectRows(target.object);
    CommandCounterIncrement();
  }
}

}  // namespace

void DropObjects(std::span<const ObjectAddress> objects, const DropOptions& options) {
  if (objects.empty()) return;
  DropPlan plan(objects, options);
  plan.Find();
  if (!options.internal) plan.Report();
  plan.Delete();
}

void DropObject(const ObjectAddress& object, const DropOptions& options) {
  DropObjects(std::span(&object, 1), options);
}

}  // namespace walden
