// nextval, currval, lastval, setval.
//
// A value is logged before it can be seen: the row's WAL record says a value kLogAhead further on, so that most calls log
// nothing; a crash skips those values and never repeats one. The first call after a checkpoint's redo point logs again,
// or replay from there would know nothing. The session may not answer before that record is durable (I5): RaiseSeenLsn.
#include <unordered_map>

#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/catalog/syscache.h"
#include "node/sql/commands/sequence.h"
#include "node/sql/functions/scalar.h"
#include "node/txn/durability.h"
#include "node/txn/transaction.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

constexpr int64_t kLogAhead = 32;

// What this session knows of a sequence.
struct SessionSequence {
  Oid file;  // relfilenode: another one means that it was reset
  bool has_last = false;
  int64_t last = 0;    // given out last
  int64_t cached = 0;  // fetched up to here; equal to last: nothing left
  int64_t increment = 0;
};
struct SessionSequences {
  std::unordered_map<uint32_t, SessionSequence> known;
  Oid last_used = Oid::kInvalid;
};
thread_local SessionSequences sequences;

RelationRef OpenSequence(Oid oid, LockMode mode) {
  RelationRef relation = TryOpenRelation(oid, mode);
  if (!relation)
    throw SqlError(ErrorCode::kUndefinedTable, "could not open relation with OID {}", OidNumber(oid));
  if (relation->row.relkind != relkind::kSequence) {
    throw SqlError(ErrorCode::kWrongObjectType, "\"{}\" is not a sequence", relation->name());
  }
  return relation;
}

SessionSequence& Known(const Relation& relation) {
  SessionSequence& known = sequences.known[OidNumber(relation.oid)];
  if (known.file != relation.row.relfilenode) known = {relation.row.relfilenode};
  return known;
}

void CheckRights(const Relation& relation, AclMode mode) {
  if (CheckRelation(relation.oid, session_identity().current_role, mode) == AclResult::kOk) return;
  throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied for sequence {}", relation.name());
}

void RefuseReadOnly(const Relation& relation, std::string_view function) {
  if (TransactionReadOnly() && !relation.is_temporary()) {
    throw SqlError(ErrorCode::kReadOnlySqlTransaction, "cannot execute {} in a read-only transaction",
                   function);
  }
}

// Steps along a sequence within its limits. False at the end of one that does not cycle.
struct Stepper {
  const PgSequenceRow& definition;
  // The value after `from`.
  bool Next(int64_t from, int64_t* next) const {
    int64_t step = definition.seqincrement;
    bool over;
    int64_t sum;
    if (__builtin_add_overflow(from, step, &sum)) {
      over = true;
    } else {
      over = step > 0 ? sum > definition.seqmax : sum < definition.seqmin;
    }
    if (!over) {
      *next = sum;
      return true;
    }
    if (!definition.seqcycle) return false;
    *next = step > 0 ? definition.seqmin : definition.seqmax;
    return true;
  }
};

[[noreturn]] void ThrowLimit(const Relation& relation, const PgSequenceRow& definition) {
  bool up = definition.seqincrement > 0;
  throw SqlError(ErrorCode::kSequenceGeneratorLimitExceeded,
                 "nextval: reached {} value of sequence \"{}\" ({})", up ? "maximum" : "minimum",
                 relation.name(), up ? definition.seqmax : definition.seqmin);
}

// Takes `cache` values at once from the shared row. Returns the first; *last is the last taken.
int64_t Fetch(const Relation& relation, const PgSequenceRow& definition, int64_t* last_taken) {
  Stepper stepper{definition};
  int64_t wanted = definition.seqcache;
  LockedSequence row(relation);
  // A number that no record of the present epoch covers is on the page that its checkpoint writes: none begins in between.
  DelayCheckpoint delay;
  SequenceState state = row.Read();
  bool log = state.log_count < wanted || !state.is_called || row.lsn() <= RedoLsn();
  int64_t at = state.last_value, first = 0;
  int64_t taken = 0;
  if (!state.is_called) {
    first = at;
    taken = 1;
  }
  for (; taken < wanted; ++taken) {
    int64_t next;
    if (!stepper.Next(at, &next)) {
      if (taken == 0) ThrowLimit(relation, definition);
      break;
    }
    at = next;
    if (taken == 0) first = at;
  }
  *last_taken = at;
  int64_t ahead = at, still_logged = state.log_count - taken;
  if (log) {
    still_logged = 0;
    for (int64_t next; still_logged < kLogAhead && stepper.Next(ahead, &next); ++still_logged) ahead = next;
  }
  SequenceState after{at, still_logged, true};
  SequenceState logged{ahead, 0, true};
  if (!log) MaybeFault(FaultPoint::kNextvalUnlogged);
  row.Write(after, log ? &logged : nullptr);
  if (!relation.is_temporary()) RaiseSeenLsn(row.lsn());
  return first;
}

}  // namespace

int64_t NextSequenceValue(Oid oid, bool check_rights) {
  RelationRef relation = OpenSequence(oid, LockMode::kRowExclusive);
  if (check_rights) CheckRights(*relation, acl::kUsage | acl::kUpdate);
  RefuseReadOnly(*relation, "nextval()");
  SessionSequence& known = Known(*relation);
  sequences.last_used = oid;
  if (known.has_last && known.last != known.cached) {
    known.last += known.increment;
    return known.last;
  }
  RowRef<PgSequenceRow> definition = SequenceRow(oid);
  if (!definition)
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for sequence {}", OidNumber(oid));
  int64_t last_taken = 0;
  int64_t value = Fetch(*relation, *definition, &last_taken);
  known.has_last = true;
  known.last = value;
  known.cached = last_taken;
  known.increment = definition->seqincrement;
  // A cycle inside the fetched run cannot be stepped through: use its first value only.
  bool straight = (last_taken - value) % known.increment == 0 && (last_taken - value) / known.increment >= 0;
  if (!straight) known.cached = value;
  return value;
}

void ForgetSequence(Oid sequence) {
  auto found = sequences.known.find(OidNumber(sequence));
  if (found != sequences.known.end()) found->second.cached = found->second.last;
}
void ForgetAllSequences() { sequences = {}; }

namespace {

int64_t NextVal(CallContext&, Oid sequence) { return NextSequenceValue(sequence, true); }

int64_t CurrVal(CallContext&, Oid oid) {
  RelationRef relation = OpenSequence(oid, LockMode::kAccessShare);
  CheckRights(*relation, acl::kSelect | acl::kUsage);
  SessionSequence& known = Known(*relation);
  if (!known.has_last) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "currval of sequence \"{}\" is not yet defined in this session", relation->name());
  }
  return known.last;
}

int64_t LastVal(CallContext&) {
  auto found = sequences.known.find(OidNumber(sequences.last_used));
  if (!IsValid(sequences.last_used) || found == sequences.known.end() || !ClassRow(sequences.last_used)) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "lastval is not yet defined in this session");
  }
  RelationRef relation = OpenSequence(sequences.last_used, LockMode::kAccessShare);
  CheckRights(*relation, acl::kSelect | acl::kUsage);
  return found->second.last;
}

int64_t SetValue(Oid oid, int64_t value, bool is_called) {
  RelationRef relation = OpenSequence(oid, LockMode::kRowExclusive);
  CheckRights(*relation, acl::kUpdate);
  RefuseReadOnly(*relation, "setval()");
  RowRef<PgSequenceRow> definition = SequenceRow(oid);
  if (value < definition->seqmin || value > definition->seqmax) {
    throw SqlError(ErrorCode::kNumericValueOutOfRange,
                   "setval: value {} is out of bounds for sequence \"{}\" ({}..{})", value, relation->name(),
                   definition->seqmin, definition->seqmax);
  }
  SessionSequence& known = Known(*relation);
  if (is_called) {
    known.has_last = true;
    known.last = value;
  }
  known.cached = known.last;
  known.increment = definition->seqincrement;
  LockedSequence row(*relation);
  SequenceState state{value, 0, is_called};
  row.Write(state, &state);
  if (!relation->is_temporary()) RaiseSeenLsn(row.lsn());
  return value;
}
int64_t SetVal(CallContext&, Oid sequence, int64_t value) { return SetValue(sequence, value, true); }
int64_t SetVal3(CallContext&, Oid sequence, int64_t value, bool is_called) {
  return SetValue(sequence, value, is_called);
}

std::optional<int64_t> SequenceLastValue(CallContext&, Oid oid) {
  RelationRef relation = OpenSequence(oid, LockMode::kAccessShare);
  CheckRights(*relation, acl::kSelect | acl::kUsage);
  SequenceState state = LockedSequence(*relation).Read();
  if (!state.is_called) return std::nullopt;
  return state.last_value;
}

constexpr ScalarFunction kFunctions[] = {
    Volatile<&NextVal>("nextval_oid"), Volatile<&CurrVal>("currval_oid"),
    Volatile<&LastVal>("lastval"),     Volatile<&SetVal>("setval_oid"),
    Volatile<&SetVal3>("setval3_oid"), Volatile<&SequenceLastValue>("pg_sequence_last_value"),
};

}  // namespace

std::span<const ScalarFunction> SequenceFunctions() { return kFunctions; }

}  // namespace walden
