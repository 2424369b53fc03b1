#include "node/base/log.h"
#include "node/catalog/invalidation.h"
#include "node/config/settings.h"
#include "node/session/session_state.h"
#include "node/txn/snapshot.h"
#include "node/txn/txn_state.h"

namespace walden {
namespace {

const ast::DefElem* Option(const ast::Node* node) { return ast::As<ast::DefElem>(node); }

// The value of a transaction mode, as its setting takes it.
std::string OptionValue(const ast::DefElem& option) {
  const ast::Node* arg = option.arg;
  if (arg == nullptr) return "on";
  if (const ast::TypeCast* cast = ast::TryAs<ast::TypeCast>(arg)) arg = cast->arg;
  if (const ast::AConst* constant = ast::TryAs<ast::AConst>(arg)) arg = constant->val;
  if (const ast::Integer* number = ast::TryAs<ast::Integer>(arg)) return number->ival != 0 ? "on" : "off";
  if (const ast::Boolean* truth = ast::TryAs<ast::Boolean>(arg)) return truth->boolval ? "on" : "off";
  return std::string(ast::As<ast::String>(arg)->sval);
}

const char* IsolationName(IsolationLevel level) {
  static constexpr const char* kNames[] = {"read uncommitted", "read committed", "repeatable read",
                                           "serializable"};
  return kNames[static_cast<int>(level)];
}

// For the transaction in progress only; the settings' hooks say when that may be.
void SetForTransaction(Setting setting, std::string_view value) {
  SetRequest request;
  request.action = SetAction::kLocal;
  SetSetting(SettingName(setting), value, request);
}

const char* OnOff(bool value) { return value ? "on" : "off"; }

void CheckIsolationAllowed() {
  if (TransactionSnapshotTaken()) {
    throw SqlError(ErrorCode::kActiveSqlTransaction,
                   "SET TRANSACTION ISOLATION LEVEL must be called before any query");
  }
  if (NestLevel() > 1) {
    throw SqlError(ErrorCode::kActiveSqlTransaction,
                   "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
  }
}

void CheckDeferrableAllowed() {
  if (NestLevel() > 1) {
    throw SqlError(ErrorCode::kActiveSqlTransaction,
                   "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction");
  }
  if (TransactionSnapshotTaken()) {
    throw SqlError(ErrorCode::kActiveSqlTransaction,
                   "SET TRANSACTION [NOT] DEFERRABLE must be called before any query");
  }
}

// A read-only transaction that is to write: 25001 after its first query, 0A000 on a standby.
void CheckReadWriteAllowed() {
  if (!TransactionReadOnly()) return;
  if (TransactionSnapshotTaken()) {
    throw SqlError(ErrorCode::kActiveSqlTransaction,
                   "transaction read-write mode must be set before any query");
  }
  if (InRecovery()) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot set transaction read-write mode during recovery");
  }
}

}  // namespace

// SHOW and SET of transaction_isolation and transaction_read_only speak of the transaction in progress.
void InstallTransactionSettingHooks() {
  InstallSettingHooks(Setting::kTransactionIsolation,
                      {.check =
                           [](ProposedValue& proposed) {
                             auto level = static_cast<IsolationLevel>(proposed.number.integer);
                             bool is_asked = proposed.source != SettingSource::kDefault && InTransaction();
                             if (is_asked && level != CurrentIsolation()) CheckIsolationAllowed();
                           },
                       .assign =
                           [] {
                             if (InTransaction())
                               SetIsolation(GetEnum<IsolationLevel>(Setting::kTransactionIsolation));
                           },
                       .show = [] { return std::string(IsolationName(CurrentIsolation())); }});
  InstallSettingHooks(Setting::kTransactionReadOnly,
                      {.check =
                           [](ProposedValue& proposed) {
                             bool is_asked = proposed.source != SettingSource::kDefault && InTransaction();
                             if (is_asked && proposed.number.integer == 0) CheckReadWriteAllowed();
                           },
                       .assign =
                           [] {
                             if (InTransaction())
                               SetTransactionReadOnly(GetBool(Setting::kTransactionReadOnly));
                           },
                       .show = [] { return std::string(OnOff(TransactionReadOnly())); }});
  InstallSettingHooks(Setting::kTransactionDeferrable, {.check = [](ProposedValue& proposed) {
                        bool is_asked = proposed.source != SettingSource::kDefault && InTransaction();
                        bool changes =
                            (proposed.number.integer != 0) != GetBool(Setting::kTransactionDeferrable);
                        if (is_asked && changes) CheckDeferrableAllowed();
                      }});
}

TransactionStatus TransactionBlock::status() const {
  if (!in_block_) return TransactionStatus::kIdle;
  return failed_ ? TransactionStatus::kFailed : TransactionStatus::kInBlock;
}

void TransactionBlock::Warn(ErrorCode code, std::string message) {
  ErrorFields fields;
  fields.severity = Severity::kWarning;
  fields.code = code;
  fields.message = std::move(message);
  session_.functions.Report(fields);
}

void TransactionBlock::StartStatement(bool takes_time) {
  SetStatementStartTime(sent_at_ != 0 ? sent_at_ : WallClockUs());
  if (takes_time) sent_at_ = 0;
  if (InTransaction() || failed_) return;
  BeginTransaction();
  setting_level_ = OpenSettingLevel();
  UseCharacteristics({GetEnum<IsolationLevel>(Setting::kDefaultTransactionIsolation),
                      GetBool(Setting::kDefaultTransactionReadOnly),
                      GetBool(Setting::kDefaultTransactionDeferrable)});
}

void TransactionBlock::FinishStatement(bool ends_implicit) {
  if (!InTransaction()) return;
  if (!in_block_ && ends_implicit) {
    EndTransaction(/*commit=*/true);
  } else {
    CommandCounterIncrement();
  }
}

// The transaction's work is undone at once, also inside a block: locks and snapshots go, only the block stays.
void TransactionBlock::AbortStatement() {
  if (failed_) return;
  if (!in_block_) {
    EndTransaction(/*commit=*/false);
    return;
  }
  failed_ = true;
  if (!savepoints_.empty()) {
    session_.DropPortalsOfSavepoint(savepoints_.size());
    AbortSubtransaction();
  } else {
    EndTransaction(/*commit=*/false);
  }
}

void TransactionBlock::EndTransaction(bool commit) {
  session_.DropPortals(commit);
  if (commit && !savepoints_.empty()) ReleaseFrom(0);
  if (InTransaction())
    last_ = {CurrentIsolation(), TransactionReadOnly(), GetBool(Setting::kTransactionDeferrable)};
  if (commit) {
    CommitTransaction();
  } else if (InTransaction()) {
    AbortTransaction();
  }
  savepoints_.clear();
  if (setting_level_ != 0) CloseSettingLevel(std::exchange(setting_level_, 0), commit);
}

void TransactionBlock::AbortAll() {
  if (InTransaction()) EndTransaction(/*commit=*/false);
  in_block_ = false;
  failed_ = false;
}

// A new transaction's. The settings hold them too where they differ, so that the end of a savepoint finds them there.
void TransactionBlock::UseCharacteristics(const Characteristics& wanted) {
  SetIsolation(wanted.isolation);
  SetTransactionReadOnly(wanted.read_only);
  if (GetEnum<IsolationLevel>(Setting::kTransactionIsolation) != wanted.isolation) {
    SetForTransaction(Setting::kTransactionIsolation, IsolationName(wanted.isolation));
  }
  if (GetBool(Setting::kTransactionReadOnly) != wanted.read_only) {
    SetForTransaction(Setting::kTransactionReadOnly, OnOff(wanted.read_only));
  }
  if (GetBool(Setting::kTransactionDeferrable) != wanted.deferrable) {
    SetForTransaction(Setting::kTransactionDeferrable, OnOff(wanted.deferrable));
  }
}

void TransactionBlock::ApplyOptions(const ast::NodeList& options) {
  for (const ast::Node* node : options) {
    const ast::DefElem& option = *Option(node);
    SetForTransaction(*FindSetting(option.defname), OptionValue(option));
  }
}

void TransactionBlock::SetDefaults(const ast::NodeList& options, const SetRequest& request) {
  for (const ast::Node* node : options) {
    const ast::DefElem& option = *Option(node);
    SetSetting(fmt::format("default_{}", option.defname), OptionValue(option), request);
  }
}

void TransactionBlock::Begin(const ast::TransactionStmt& statement) {
  if (in_block_) {
    Warn(ErrorCode::kActiveSqlTransaction, "there is already a transaction in progress");
  } else {
    in_block_ = true;
  }
  ApplyOptions(statement.options);
}

void TransactionBlock::StartChained(bool chain) {
  if (!chain) return;
  Characteristics same = last_;
  StartStatement();
  UseCharacteristics(same);
  in_block_ = true;
}

std::string TransactionBlock::Commit(const ast::TransactionStmt& statement) {
  if (!in_block_) {
    if (statement.chain) {
      throw SqlError(ErrorCode::kNoActiveSqlTransaction,
                     "COMMIT AND CHAIN can only be used in transaction blocks");
    }
    Warn(ErrorCode::kNoActiveSqlTransaction, "there is no transaction in progress");
    return "COMMIT";
  }
  bool rolled_back = failed_;
  in_block_ = false;
  failed_ = false;
  try {
    EndTransaction(!rolled_back);
  } catch (...) {
    // What kept it from committing (a deferred constraint, a full disk) has rolled it back.
    EndTransaction(/*commit=*/false);
    throw;
  }
  StartChained(statement.chain);
  return rolled_back ? "ROLLBACK" : "COMMIT";
}

std::string TransactionBlock::Rollback(const ast::TransactionStmt& statement) {
  if (!in_block_) {
    if (statement.chain) {
      throw SqlError(ErrorCode::kNoActiveSqlTransaction,
                     "ROLLBACK AND CHAIN can only be used in transaction blocks");
    }
    Warn(ErrorCode::kNoActiveSqlTransaction, "there is no transaction in progress");
    return "ROLLBACK";
  }
  in_block_ = false;
  failed_ = false;
  EndTransaction(/*commit=*/false);
  StartChained(statement.chain);
  return "ROLLBACK";
}

size_t TransactionBlock::FindSavepoint(std::string_view name, std::string_view what) const {
  if (!in_block_) {
    throw SqlError(ErrorCode::kNoActiveSqlTransaction, "{} can only be used in transaction blocks", what);
  }
  for (size_t i = savepoints_.size(); i-- > 0;) {
    if (savepoints_[i].name == name) return i;
  }
  throw SqlError(ErrorCode::kSEInvalidSpecification, "savepoint \"{}\" does not exist", name);
}

void TransactionBlock::Define(std::string_view name) {
  if (!in_block_)
    throw SqlError(ErrorCode::kNoActiveSqlTransaction, "SAVEPOINT can only be used in transaction blocks");
  savepoints_.push_back({std::string(name), BeginSubtransaction()});
  OpenSettingLevel();
}

void TransactionBlock::Release(std::string_view name) {
  ReleaseFrom(FindSavepoint(name, "RELEASE SAVEPOINT"));
}

void TransactionBlock::ReleaseFrom(size_t at) {
  while (savepoints_.size() > at) {
    CloseSettingLevel(CurrentSettingLevel(), /*commit=*/true);
    CommitSubtransaction();
    session_.KeepPortalsOfSavepoint(savepoints_.size());
    savepoints_.pop_back();
  }
}

// Undoes everything since the savepoint, which stays defined.
void TransactionBlock::RollbackTo(std::string_view name) {
  size_t at = FindSavepoint(name, "ROLLBACK TO SAVEPOINT");
  bool innermost_is_undone = failed_;
  while (savepoints_.size() > at) {
    session_.DropPortalsOfSavepoint(savepoints_.size());
    if (!innermost_is_undone) AbortSubtransaction();
    innermost_is_undone = false;
    // (The setting may still say what a released savepoint asked for.)
    bool read_only = TransactionReadOnly();
    CloseSettingLevel(CurrentSettingLevel(), /*commit=*/false);
    SetTransactionReadOnly(read_only);
    savepoints_.pop_back();
  }
  failed_ = false;
  Define(name);
}

std::string TransactionBlock::Run(const ast::TransactionStmt& statement) {
  switch (statement.kind) {
    case TransactionStmtKind::kBegin: Begin(statement); return "BEGIN";
    case TransactionStmtKind::kStart: Begin(statement); return "START TRANSACTION";
    case TransactionStmtKind::kCommit: return Commit(statement);
    case TransactionStmtKind::kRollback: return Rollback(statement);
    case TransactionStmtKind::kSavepoint: Define(statement.savepoint_name); return "SAVEPOINT";
    case TransactionStmtKind::kRelease: Release(statement.savepoint_name); return "RELEASE";
    case TransactionStmtKind::kRollbackTo: RollbackTo(statement.savepoint_name); return "ROLLBACK";
    case TransactionStmtKind::kPrepare: PrepareTransaction(statement.gid); return "PREPARE TRANSACTION";
    case TransactionStmtKind::kCommitPrepared: throw NotSupported("COMMIT PREPARED");
    case TransactionStmtKind::kRollbackPrepared: throw NotSupported("ROLLBACK PREPARED");
  }
  return "";
}

}  // namespace walden
