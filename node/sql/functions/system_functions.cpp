// Functions over what lies below SQL: transactions, locks, WAL, files, processes, settings.
#include <cmath>
#include <csignal>
#include <memory>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation.h"
#include "node/catalog/rows/pg_depend.h"
#include "node/catalog/syscache.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/shm/latch.h"
#include "node/shm/process.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/storage/relation_file.h"
#include "node/txn/durability.h"
#include "node/txn/id_counters.h"
#include "node/txn/lock_manager.h"
#include "node/txn/transaction.h"
#include "node/txn/txn_state.h"
#include "node/types/array.h"
#include "node/types/floating.h"
#include "node/types/integer.h"
#include "node/types/numeric.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

using View = std::string_view;
using Maybe = std::optional<View>;

// --- Sleeping --------------------------------------------------------------------------------------------------

View SleepUntil(int64_t deadline_us) {
  while (true) {
    int64_t left_us = deadline_us - MonotonicUs();
    if (left_us <= 0) return {};
    CheckInterrupts();
    WaitLatch(left_us / 1000 + 1, WaitEvent::kPgSleep);
    self().latch.Reset();
    CheckInterrupts();
  }
}
View Sleep(double seconds) {
  if (!(seconds > 0)) return {};
  return SleepUntil(MonotonicUs() + static_cast<int64_t>(std::min(seconds, 1e9) * 1e6));
}
View SleepFor(IntervalValue span) {
  return Sleep((static_cast<double>(span.months) * 30 + span.days) * 86400 +
               static_cast<double>(span.microseconds) / 1e6);
}
View SleepToTime(int64_t until) { return Sleep(static_cast<double>(until - WallClockUs()) / 1e6); }

// --- Transactions ----------------------------------------------------------------------------------------------

// The client learns the id: it may leave only when a crash cannot make us give it out again.
uint64_t CurrentXactId() {
  if (InRecovery()) {
    throw SqlError(ErrorCode::kReadOnlySqlTransaction, "cannot execute pg_current_xact_id() during recovery");
  }
  Xid xid = TopXid();
  RaiseSeenLsn(XidReservationLsn());
  return xid.value;
}
std::optional<uint64_t> CurrentXactIdIfAny() {
  Xid xid = TopXidIfAny();
  if (xid.IsValid()) RaiseSeenLsn(XidReservationLsn());
  return xid.IsValid() ? std::optional<uint64_t>(xid.value) : std::nullopt;
}
bool IsInRecovery() { return InRecovery(); }

// --- Advisory locks --------------------------------------------------------------------------------------------

LockTag AdvisoryTag(std::span<const Value> keys) {
  Oid database = session_identity().database;
  if (keys.size() == 2) {
    return LockTag::Advisory(database, static_cast<uint32_t>(keys[0].datum.i32),
                             static_cast<uint32_t>(keys[1].datum.i32), 2);
  }
  auto key = static_cast<uint64_t>(keys[0].datum.i64);
  return LockTag::Advisory(database, static_cast<uint32_t>(key >> 32), static_cast<uint32_t>(key), 1);
}
template <bool kShared, bool kSession, bool kTry>
void AdvisoryLock(CallContext&, std::span<const Value> args, Value* result) {
  LockMode mode = kShared ? LockMode::kShare : LockMode::kExclusive;
  LockResult outcome = AcquireLock(AdvisoryTag(args), mode, {kSession, kTry});
  if (kTry)
    *result = Value{Datum{.b = outcome != LockResult::kNotAvailable}, false};
  else
    *result = Value{StringDatum(""), false};
}
template <bool kShared>
void AdvisoryUnlock(CallContext& c, std::span<const Value> args, Value* result) {
  LockMode mode = kShared ? LockMode::kShare : LockMode::kExclusive;
  bool released = ReleaseLock(AdvisoryTag(args), mode, true);
  if (!released && c.session != nullptr) {
    ErrorFields warning;
    warning.severity = Severity::kWarning;
    warning.code = ErrorCode::kWarning;
    warning.message = fmt::format("you don't own a lock of type {}", LockModeName(mode));
    c.session->Report(warning);
  }
  *result = Value{Datum{.b = released}, false};
}
View UnlockAll() {
  ReleaseSessionLocks(LockKind::kAdvisory);
  return {};
}

// --- WAL -------------------------------------------------------------------------------------------------------

void RequireNotInRecovery() {
  if (!InRecovery()) return;
  throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "recovery is in progress")
      .WithHint("WAL control functions cannot be executed during recovery.");
}
uint64_t WalInsertLsn() { return RequireNotInRecovery(), InsertPosition().value; }
uint64_t WalWriteLsn() { return RequireNotInRecovery(), WrittenLsn().value; }
uint64_t WalFlushLsn() { return RequireNotInRecovery(), FlushedLsn().value; }
NumericRef LsnDifference(CallContext& c, uint64_t a, uint64_t b) {
  return NumericFromInt128(static_cast<__int128>(a) - static_cast<__int128>(b), 0, c.arena);
}
uint64_t LsnPlus(CallContext& c, uint64_t a, NumericRef bytes) {
  if (IsNumericNaN(bytes)) throw SqlError(ErrorCode::kFeatureNotSupported, "cannot add NaN to pg_lsn");
  NumericRef sum = NumericRound(
      NumericAdd(NumericFromInt128(static_cast<__int128>(a), 0, c.arena), bytes, c.arena), 0, c.arena);
  NumericRef most = NumericFromInt128(static_cast<__int128>(UINT64_MAX), 0, c.arena);
  if (NumericSign(sum) < 0 || CompareNumeric(sum, most) > 0) {
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "pg_lsn out of range");
  }
  std::string text;
  AppendNumeric(&text, sum);
  return ParseUint64(text, "pg_lsn");
}
uint64_t LsnMinus(CallContext& c, uint64_t a, NumericRef bytes) {
  if (IsNumericNaN(bytes)) throw SqlError(ErrorCode::kFeatureNotSupported, "cannot subtract NaN from pg_lsn");
  return LsnPlus(c, a, NumericNegate(bytes, c.arena));
}
uint64_t LsnOfNumeric(CallContext& c, NumericRef value) { return LsnPlus(c, 0, value); }
uint64_t NumericPlusLsn(CallContext& c, NumericRef bytes, uint64_t a) { return LsnPlus(c, a, bytes); }

// --- Sizes -----------------------------------------------------------------------------------------------------

int64_t ForkBytes(const PgClassRow& row, Fork fork) {
  RelFileLocator locator = LocatorOf(row);
  return fork == Fork::kMain || RelationFileExists(locator, fork)
             ? int64_t{RelationBlocks(locator, fork, true)} * static_cast<int64_t>(kPageSize)
             : 0;
}
bool HasFiles(const PgClassRow& row) {
  return IsValid(row.relfilenode) || row.relkind == relkind::kTable || row.relkind == relkind::kIndex ||
         row.relkind == relkind::kSequence || row.relkind == relkind::kToast;
}
int64_t AllForkBytes(Oid oid) {
  auto row = ClassRow(oid);
  if (row == nullptr || !HasFiles(*row)) return 0;
  int64_t bytes = 0;
  for (Fork fork : {Fork::kMain, Fork::kFsm, Fork::kVm, Fork::kInit}) bytes += ForkBytes(*row, fork);
  return bytes;
}
// pg_relation_size(relation [, fork])
void RelationSize(CallContext&, std::span<const Value> args, Value* result) {
  auto row = ClassRow(Oid{static_cast<uint32_t>(args[0].datum.i32)});
  if (row == nullptr) return;
  View name = args.size() > 1 ? args[1].datum.string.view() : "main";
  Fork fork = Fork::kMain;
  if (name == "fsm")
    fork = Fork::kFsm;
  else if (name == "vm")
    fork = Fork::kVm;
  else if (name == "init")
    fork = Fork::kInit;
  else if (name != "main") {
    throw SqlError(ErrorCode::kInvalidParameterValue, "invalid fork name")
        .WithHint("Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\".");
  }
  *result = Value{Datum{.i64 = HasFiles(*row) ? ForkBytes(*row, fork) : 0}, false};
}
int64_t IndexBytes(const Relation& relation) {
  int64_t bytes = 0;
  for (const RelationRef& index : relation.indexes) bytes += AllForkBytes(index->oid);
  return bytes;
}
int64_t TableBytes(const Relation& relation) {
  int64_t bytes = AllForkBytes(relation.oid);
  if (relation.toast_relation != nullptr)
    bytes += AllForkBytes(relation.toast_relation->oid) + IndexBytes(*relation.toast_relation);
  return bytes;
}
template <bool kTable, bool kIndexes>
std::optional<int64_t> Size(Oid oid) {
  RelationRef relation = TryOpenRelation(oid, LockMode::kAccessShare);
  if (relation == nullptr) return std::nullopt;
  return (kTable ? TableBytes(*relation) : 0) + (kIndexes ? IndexBytes(*relation) : 0);
}
std::optional<Oid> FileNode(Oid oid) {
  auto row = ClassRow(oid);
  if (row == nullptr || !HasFiles(*row)) return std::nullopt;
  return Oid{LocatorOf(*row).number};
}
Maybe FilePath(CallContext& c, Oid oid) {
  auto row = ClassRow(oid);
  if (row == nullptr || !HasFiles(*row)) return std::nullopt;
  RelFileLocator locator = LocatorOf(*row);
  if (!IsValid(locator.database)) return Keep(c, fmt::format("global/{}", locator.number));
  return Keep(c, fmt::format("base/{}/{}", OidNumber(locator.database), locator.number));
}

// --- Other processes -------------------------------------------------------------------------------------------

bool Signal(CallContext& c, int32_t pid, int signal, const char* verb) {
  int slot = FindSlotByPid(pid);
  if (slot < 0) {
    ErrorFields warning;
    warning.severity = Severity::kWarning;
    warning.code = ErrorCode::kWarning;
    warning.message = fmt::format("PID {} is not a PostgreSQL server process", pid);
    if (c.session != nullptr) c.session->Report(warning);
    return false;
  }
  Oid target = SlotAt(slot).role.load(), role = session_identity().current_role;
  if (!IsSuperuser(role)) {
    if (!IsValid(target) || IsSuperuser(target)) {
      throw SqlError(ErrorCode::kInsufficientPrivilege, "must be a superuser to {} superuser {}", verb,
                     signal == SIGINT ? "query" : "process");
    }
    if (!HasRightsOf(role, target)) {
      throw SqlError(ErrorCode::kInsufficientPrivilege,
                     "must be a member of the role whose {} is being {} or member of pg_signal_backend",
                     signal == SIGINT ? "query" : "process", signal == SIGINT ? "canceled" : "terminated");
    }
  }
  return kill(pid, signal) == 0;
}
bool CancelBackend(CallContext& c, int32_t pid) { return Signal(c, pid, SIGINT, "cancel"); }
bool TerminateBackend(CallContext& c, int32_t pid, int64_t timeout_ms) {
  if (timeout_ms < 0) throw SqlError(ErrorCode::kNumericValueOutOfRange, "\"timeout\" must not be negative");
  if (!Signal(c, pid, SIGTERM, "terminate")) return false;
  int64_t deadline = MonotonicUs() + timeout_ms * 1000;
  while (timeout_ms > 0 && FindSlotByPid(pid) >= 0) {
    if (MonotonicUs() >= deadline) return false;
    SleepUntil(std::min(deadline, MonotonicUs() + 10000));
  }
  return true;
}
bool ReloadConf() {
  if (!IsSuperuser())
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied for function pg_reload_conf");
  return kill(getppid(), SIGHUP) == 0;
}

// --- Small ones ------------------------------------------------------------------------------------------------

int32_t XidAge(uint32_t xid) {
  return xid < 3 ? INT32_MAX : static_cast<int32_t>(static_cast<uint32_t>(CurrentXactId()) - xid);
}
int32_t TriggerDepth() { return 0; }
bool JitAvailable() { return false; }
Maybe NoVersion(Oid) { return std::nullopt; }
bool RowSecurityActive(Oid) { return false; }
bool RowSecurityActiveByName(View table) {
  return RowSecurityActive(FindRelation(ToCatalogName(ParseIdentifiers(table))));
}

int64_t SizeBytes(CallContext& c, View text) {
  View rest = TrimSpace(text);
  size_t end = rest.find_first_not_of("0123456789+-.eE");
  // An E that starts a unit does not occur; one that starts an exponent has digits behind it.
  View number = TrimSpace(rest.substr(0, end)),
       unit = end == rest.npos ? View() : TrimSpace(rest.substr(end));
  auto invalid = [&] { return SqlError(ErrorCode::kInvalidParameterValue, "invalid size: \"{}\"", text); };
  if (number.empty() || number.find_first_of("0123456789") == number.npos) throw invalid();
  static constexpr std::pair<View, int64_t> kUnits[] = {{"bytes", 1},
                                                        {"b", 1},
                                                        {"kb", 1024},
                                                        {"mb", 1048576},
                                                        {"gb", 1073741824},
                                                        {"tb", 1099511627776},
                                                        {"pb", 1125899906842624}};
  std::string lower;
  for (char ch : unit) lower.push_back(ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch + 32) : ch);
  int64_t factor = lower.empty() ? 1 : 0;
  for (const auto& [name, bytes] : kUnits) {
    if (lower == name) factor = bytes;
  }
  if (factor == 0) {
    throw invalid()
        .WithDetail(fmt::format("Invalid size unit: \"{}\".", unit))
        .WithHint("Valid units are \"bytes\", \"B\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".");
  }
  return NumericToInt64(NumericMultiply(ParseNumeric(number, c.arena), NumericFromInt64(factor), c.arena));
}

bool InRangeFloat(double value, double base, double offset, bool subtract, bool less) {
  if (std::isnan(offset) || offset < 0) {
    throw SqlError(ErrorCode::kInvalidPrecedingOrFollowingSize,
                   "invalid preceding or following size in window function");
  }
  if (std::isnan(value) || std::isnan(base)) return std::isnan(value) ? (std::isnan(base) || !less) : less;
  if (std::isinf(offset) && std::isinf(base) && (subtract ? base > 0 : base < 0)) return true;
  double bound = subtract ? base - offset : base + offset;
  return less ? value <= bound : value >= bound;
}
bool InRangeReal(float value, float base, double offset, bool subtract, bool less) {
  return InRangeFloat(static_cast<double>(value), static_cast<double>(base), offset, subtract, less);
}

// The sequence that belongs to a column: by OWNED BY or as its identity.
Maybe SerialSequence(CallContext& c, View table, View column) {
  Oid relation = FindRelation(ToCatalogName(ParseIdentifiers(table)));
  RelationRef opened = OpenRelation(relation, LockMode::kAccessShare);
  AttrNumber attno = opened->FindColumn(column);
  if (attno == 0) {
    throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", column,
                   opened->name());
  }
  auto rows = FindRows<PgDependRow>(catalog_index::kPgDependReferenceIndex,
                                    {catalog_oid::kPgClass, relation, int32_t{attno}});
  for (const auto& row : *rows) {
    if (row->classid != catalog_oid::kPgClass || (row->deptype != 'a' && row->deptype != 'i')) continue;
    auto sequence = ClassRow(row->objid);
    if (sequence == nullptr || sequence->relkind != relkind::kSequence) continue;
    return Keep(
        c, QuoteIdentifier(SchemaName(sequence->relnamespace)) + "." + QuoteIdentifier(sequence->relname));
  }
  return std::nullopt;
}
bool IsPublishable(Oid relation) {
  auto row = ClassRow(relation);
  return row != nullptr && (row->relkind == relkind::kTable || row->relkind == relkind::kPartitioned) &&
         row->relpersistence == 'p' && OidNumber(relation) >= OidNumber(kFirstNormalOid);
}
// Objects of kinds that do not exist here have no definition.
void NoDefinition(CallContext&, std::span<const Value>, Value*) {}

bool Xid8Eq(uint64_t a, uint64_t b) { return a == b; }
bool Xid8Ne(uint64_t a, uint64_t b) { return a != b; }
bool Xid8Lt(uint64_t a, uint64_t b) { return a < b; }
bool Xid8Le(uint64_t a, uint64_t b) { return a <= b; }
bool Xid8Gt(uint64_t a, uint64_t b) { return a > b; }
bool Xid8Ge(uint64_t a, uint64_t b) { return a >= b; }
uint64_t Xid8Larger(uint64_t a, uint64_t b) { return std::max(a, b); }
uint64_t Xid8Smaller(uint64_t a, uint64_t b) { return std::min(a, b); }

template <RowFunction F>
constexpr ScalarFunction VolatileForm(View name) {
  return {name, &scalar_internal::RowKernel<F, true, true>, F, true};
}
#define ADVISORY(prefix, shared, session, try_lock)                       \
  VolatileForm<&AdvisoryLock<shared, session, try_lock>>(prefix "_int8"), \
      VolatileForm<&AdvisoryLock<shared, session, try_lock>>(prefix "_int4")

constexpr ScalarFunction kTable[] = {
    Volatile<&Sleep>("pg_sleep"),
    Volatile<&SleepFor>("pg_sleep_for"),
    Volatile<&SleepToTime>("pg_sleep_until"),
    Scalar<&CurrentXactId>("pg_current_xact_id"),
    Scalar<&CurrentXactIdIfAny>("pg_current_xact_id_if_assigned"),
    Volatile<&IsInRecovery>("pg_is_in_recovery"),
    Scalar<&XidAge>("xid_age"),
    ADVISORY("pg_advisory_lock", false, true, false),
    ADVISORY("pg_advisory_lock_shared", true, true, false),
    ADVISORY("pg_try_advisory_lock", false, true, true),
    ADVISORY("pg_try_advisory_lock_shared", true, true, true),
    ADVISORY("pg_advisory_xact_lock", false, false, false),
    ADVISORY("pg_advisory_xact_lock_shared", true, false, false),
    ADVISORY("pg_try_advisory_xact_lock", false, false, true),
    ADVISORY("pg_try_advisory_xact_lock_shared", true, false, true),
    VolatileForm<&AdvisoryUnlock<false>>("pg_advisory_unlock_int8"),
    VolatileForm<&AdvisoryUnlock<false>>("pg_advisory_unlock_int4"),
    VolatileForm<&AdvisoryUnlock<true>>("pg_advisory_unlock_shared_int8"),
    VolatileForm<&AdvisoryUnlock<true>>("pg_advisory_unlock_shared_int4"),
    Volatile<&UnlockAll>("pg_advisory_unlock_all"),
    Volatile<&WalInsertLsn>("pg_current_wal_insert_lsn"),
    Volatile<&WalWriteLsn>("pg_current_wal_lsn"),
    Volatile<&WalFlushLsn>("pg_current_wal_flush_lsn"),
    Scalar<&LsnDifference>("pg_lsn_mi"),
    Scalar<&LsnPlus>("pg_lsn_pli"),
    Scalar<&LsnMinus>("pg_lsn_mii"),
    Scalar<&NumericPlusLsn>("numeric_pl_pg_lsn"),
    Scalar<&LsnOfNumeric>("numeric_pg_lsn"),
    VolatileForm<&RelationSize>("pg_relation_size"),
    Volatile<&Size<true, false>>("pg_table_size"),
    Volatile<&Size<false, true>>("pg_indexes_size"),
    Volatile<&Size<true, true>>("pg_total_relation_size"),
    Scalar<&FileNode>("pg_relation_filenode"),
    Scalar<&FilePath>("pg_relation_filepath"),
    Volatile<&CancelBackend>("pg_cancel_backend"),
    Volatile<&TerminateBackend>("pg_terminate_backend"),
    Volatile<&ReloadConf>("pg_reload_conf"),
    Scalar<&TriggerDepth>("pg_trigger_depth"),
    Scalar<&JitAvailable>("pg_jit_available"),
    Scalar<&NoVersion>("pg_collation_actual_version"),
    Scalar<&NoVersion>("pg_database_collation_actual_version"),
    Scalar<&RowSecurityActive>("row_security_active"),
    Scalar<&RowSecurityActiveByName>("row_security_active_name"),
    Scalar<&SizeBytes>("pg_size_bytes"),
    Scalar<&InRangeFloat>("in_range_float8_float8"),
    Scalar<&InRangeReal>("in_range_float4_float8"),
    Scalar<&SerialSequence>("pg_get_serial_sequence"),
    Scalar<&IsPublishable>("pg_relation_is_publishable"),
    RowForm<&NoDefinition, true>("pg_get_ruledef"),
    RowForm<&NoDefinition, true>("pg_get_ruledef_ext"),
    RowForm<&NoDefinition, true>("pg_get_partkeydef"),
    RowForm<&NoDefinition, true>("pg_get_partition_constraintdef"),
    RowForm<&NoDefinition, true>("pg_get_statisticsobjdef"),
    RowForm<&NoDefinition, true>("pg_get_statisticsobjdef_columns"),
    RowForm<&NoDefinition, true>("pg_get_statisticsobjdef_expressions"),
    RowForm<&NoDefinition, true>("pg_get_function_sqlbody"),
    RowForm<&NoDefinition, true>("pg_get_function_arg_default"),
    Scalar<&Xid8Eq>("xid8eq"),
    Scalar<&Xid8Ne>("xid8ne"),
    Scalar<&Xid8Lt>("xid8lt"),
    Scalar<&Xid8Le>("xid8le"),
    Scalar<&Xid8Gt>("xid8gt"),
    Scalar<&Xid8Ge>("xid8ge"),
    Scalar<&Xid8Larger>("xid8_larger"),
    Scalar<&Xid8Smaller>("xid8_smaller"),
};

// --- pg_show_all_settings ----------------------------------------------------------------------------------------

class SettingRows : public TableFunction {
 public:
  uint32_t Next(CallContext& c, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t row = 0;
    for (; row < max_rows && at_ < settings_.size(); ++row, ++at_) {
      const SettingInfo& s = settings_[at_];
      auto text = [&](size_t column, const std::string& value) {
        columns[column]->Set(row, Value{StringDatum(value), false});
      };
      auto optional = [&](size_t column, const std::optional<std::string>& value) {
        if (value)
          text(column, *value);
        else
          columns[column]->SetNull(row);
      };
      text(0, s.name);
      text(1, s.setting);
      if (s.unit.empty())
        columns[2]->SetNull(row);
      else
        text(2, s.unit);
      text(3, s.category);
      text(4, s.short_desc);
      columns[5]->SetNull(row);
      text(6, s.context);
      text(7, s.vartype);
      text(8, s.source);
      optional(9, s.min_val);
      optional(10, s.max_val);
      if (s.enumvals.empty()) {
        columns[11]->SetNull(row);
      } else {
        std::vector<View> words(s.enumvals.begin(), s.enumvals.end());
        columns[11]->Set(row, Value{StringDatum(MakeTextArray(words, type_oid::kText, c.arena)), false});
      }
      optional(12, s.boot_val);
      optional(13, s.reset_val);
      optional(14, s.source_file);
      if (s.source_line > 0)
        columns[15]->Set(row, Value{Datum{.i32 = s.source_line}, false});
      else
        columns[15]->SetNull(row);
      columns[16]->Set(row, Value{Datum{.b = s.pending_restart}, false});
    }
    return row;
  }

 private:
  std::vector<SettingInfo> settings_ = ListSettings();
  size_t at_ = 0;
};
std::unique_ptr<TableFunction> StartSettings(CallContext&, std::span<const Value>) {
  return std::make_unique<SettingRows>();
}

std::unique_ptr<TableFunction> StartFileSettings(CallContext&, std::span<const Value>) {
  auto set = std::make_unique<RowSet>();
  int64_t number = 0;
  for (const FileSetting& setting : ListFileSettings()) {
    const ConfEntry& entry = setting.entry;
    RowValues row = set->NewRow();
    row.TextOrNull(entry.file);
    entry.line > 0 ? row.Int4(entry.line) : row.Null();
    row.Int4(++number).TextOrNull(entry.name);
    entry.name.empty() ? row.Null() : row.Text(entry.value);
    set->Add(row.Bool(setting.applied).TextOrNull(setting.error));
  }
  return set;
}

constexpr SetFunction kSets[] = {{"show_all_settings", true, &StartSettings},
                                 {"show_all_file_settings", true, &StartFileSettings}};

}  // namespace

std::span<const ScalarFunction> SystemFunctions() { return kTable; }
std::span<const SetFunction> SystemSetFunctions() { return kSets; }

}  // namespace walden
