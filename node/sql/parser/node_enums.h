// Enumerations shared by the AST and the bound query tree. Values are in PostgreSQL's order (the raw-tree
// adapter casts them), names are PostgreSQL's without the prefix.
#pragma once

#include <cstdint>

namespace walden {

// clang-format off: lists of names
enum class AExprKind : uint8_t {
  kOp, kOpAny, kOpAll, kDistinct, kNotDistinct, kNullif, kIn, kLike, kIlike, kSimilar, kBetween, kNotBetween,
  kBetweenSym, kNotBetweenSym
};

enum class AlterPublicationAction : uint8_t { kAddObjects, kDropObjects, kSetObjects };

enum class AlterSubscriptionType : uint8_t {
  kOptions, kConnection, kSetPublication, kAddPublication, kDropPublication, kRefresh, kEnabled, kSkip
};

enum class AlterTableType : uint8_t {
  kAddColumn, kAddColumnRecurse, kAddColumnToView, kColumnDefault, kCookedColumnDefault, kDropNotNull,
  kSetNotNull, kDropExpression, kCheckNotNull, kSetStatistics, kSetOptions, kResetOptions, kSetStorage,
  kSetCompression, kDropColumn, kDropColumnRecurse, kAddIndex, kReAddIndex, kAddConstraint,
  kAddConstraintRecurse, kReAddConstraint, kReAddDomainConstraint, kAlterConstraint, kValidateConstraint,
  kValidateConstraintRecurse, kAddIndexConstraint, kDropConstraint, kDropConstraintRecurse, kReAddComment,
  kAlterColumnType, kAlterColumnGenericOptions, kChangeOwner, kClusterOn, kDropCluster, kSetLogged,
  kSetUnLogged, kDropOids, kSetAccessMethod, kSetTableSpace, kSetRelOptions, kResetRelOptions,
  kReplaceRelOptions, kEnableTrig, kEnableAlwaysTrig, kEnableReplicaTrig, kDisableTrig, kEnableTrigAll,
  kDisableTrigAll, kEnableTrigUser, kDisableTrigUser, kEnableRule, kEnableAlwaysRule, kEnableReplicaRule,
  kDisableRule, kAddInherit, kDropInherit, kAddOf, kDropOf, kReplicaIdentity, kEnableRowSecurity,
  kDisableRowSecurity, kForceRowSecurity, kNoForceRowSecurity, kGenericOptions, kAttachPartition,
  kDetachPartition, kDetachPartitionFinalize, kAddIdentity, kSetIdentity, kDropIdentity, kReAddStatistics
};

enum class AlterTsConfigType : uint8_t {
  kAddMapping, kAlterMappingForToken, kReplaceDict, kReplaceDictForToken, kDropMapping
};

enum class BoolExprType : uint8_t { kAnd, kOr, kNot };

enum class BoolTestType : uint8_t { kIsTrue, kIsNotTrue, kIsFalse, kIsNotFalse, kIsUnknown, kIsNotUnknown };

enum class CmdType : uint8_t { kUnknown, kSelect, kUpdate, kInsert, kDelete, kMerge, kUtility, kNothing };

enum class CoercionContext : uint8_t { kImplicit, kAssignment, kPlpgsql, kExplicit };

enum class CoercionForm : uint8_t { kExplicitCall, kExplicitCast, kImplicitCast, kSqlSyntax };

enum class ConstrType : uint8_t {
  kNull, kNotNull, kDefault, kIdentity, kGenerated, kCheck, kPrimary, kUnique, kExclusion, kForeign,
  kAttrDeferrable, kAttrNotDeferrable, kAttrDeferred, kAttrImmediate
};

enum class CteMaterialize : uint8_t { kDefault, kAlways, kNever };

enum class DefElemAction : uint8_t { kUnspec, kSet, kAdd, kDrop };

enum class DiscardMode : uint8_t { kAll, kPlans, kSequences, kTemp };

enum class DropBehavior : uint8_t { kRestrict, kCascade };

enum class FetchDirection : uint8_t { kForward, kBackward, kAbsolute, kRelative };

enum class FunctionParameterMode : char {
  kIn = 'i', kOut = 'o', kInOut = 'b', kVariadic = 'v', kTable = 't', kDefault = 'd'
};

enum class GrantTargetType : uint8_t { kObject, kAllInSchema, kDefaults };

enum class GroupingSetKind : uint8_t { kEmpty, kSimple, kRollup, kCube, kSets };

enum class ImportForeignSchemaType : uint8_t { kAll, kLimitTo, kExcept };

enum class JoinType : uint8_t { kInner, kLeft, kFull, kRight, kSemi, kAnti, kUniqueOuter, kUniqueInner };

enum class LimitOption : uint8_t { kDefault, kCount, kWithTies };

enum class LockClauseStrength : uint8_t { kNone, kForKeyShare, kForShare, kForNoKeyUpdate, kForUpdate };

enum class LockWaitPolicy : uint8_t { kBlock, kSkip, kError };

enum class MinMaxOp : uint8_t { kGreatest, kLeast };

enum class NullTestType : uint8_t { kIsNull, kIsNotNull };

enum class ObjectType : uint8_t {
  kAccessMethod, kAggregate, kAmOp, kAmProc, kAttribute, kCast, kColumn, kCollation, kConversion, kDatabase,
  kDefault, kDefaultAcl, kDomain, kDomainConstraint, kEventTrigger, kExtension, kFdw, kForeignServer,
  kForeignTable, kFunction, kIndex, kLanguage, kLargeObject, kMatView, kOpClass, kOperator, kOpFamily,
  kParameterAcl, kPolicy, kProcedure, kPublication, kPublicationNamespace, kPublicationRel, kRole, kRoutine,
  kRule, kSchema, kSequence, kSubscription, kStatisticExt, kTableConstraint, kTable, kTablespace, kTransform,
  kTrigger, kTsConfiguration, kTsDictionary, kTsParser, kTsTemplate, kType, kUserMapping, kView
};

enum class OnCommitAction : uint8_t { kNoop, kPreserveRows, kDeleteRows, kDrop };

enum class OnConflictAction : uint8_t { kNone, kNothing, kUpdate };

enum class OverridingKind : uint8_t { kNotSet, kUserValue, kSystemValue };

enum class ParamKind : uint8_t { kExtern, kExec, kSubLink, kMultiExpr };

enum class PartitionRangeDatumKind : int8_t { kMinvalue = -1, kValue, kMaxvalue = 1 };

enum class PublicationObjSpecType : uint8_t { kTable, kTablesInSchema, kTablesInCurSchema, kContinuation };

enum class QuerySource : uint8_t { kOriginal, kParser, kInsteadRule, kQualInsteadRule, kNonInsteadRule };

enum class ReindexObjectType : uint8_t { kIndex, kTable, kSchema, kSystem, kDatabase };

enum class RoleSpecType : uint8_t { kCstring, kCurrentRole, kCurrentUser, kSessionUser, kPublic };

enum class RoleStmtType : uint8_t { kRole, kUser, kGroup };

enum class RowCompareType : uint8_t { kLt = 1, kLe = 2, kEq = 3, kGe = 4, kGt = 5, kNe = 6 };

enum class RteKind : uint8_t {
  kRelation, kSubquery, kJoin, kFunction, kTableFunc, kValues, kCte, kNamedTupleStore, kResult
};

enum class SetOperation : uint8_t { kNone, kUnion, kIntersect, kExcept };

enum class SortByDir : uint8_t { kDefault, kAsc, kDesc, kUsing };

enum class SortByNulls : uint8_t { kDefault, kFirst, kLast };

enum class SqlValueFunctionOp : uint8_t {
  kCurrentDate, kCurrentTime, kCurrentTimeN, kCurrentTimestamp, kCurrentTimestampN, kLocalTime, kLocalTimeN,
  kLocalTimestamp, kLocalTimestampN, kCurrentRole, kCurrentUser, kUser, kSessionUser, kCurrentCatalog,
  kCurrentSchema
};

enum class SubLinkType : uint8_t { kExists, kAll, kAny, kRowCompare, kExpr, kMultiExpr, kArray, kCte };

enum class TableLikeOption : int32_t {
  kComments = 1 << 0, kCompression = 1 << 1, kConstraints = 1 << 2, kDefaults = 1 << 3, kGenerated = 1 << 4,
  kIdentity = 1 << 5, kIndexes = 1 << 6, kStatistics = 1 << 7, kStorage = 1 << 8, kAll = INT32_MAX
};

enum class TransactionStmtKind : uint8_t {
  kBegin, kStart, kCommit, kRollback, kSavepoint, kRelease, kRollbackTo, kPrepare, kCommitPrepared,
  kRollbackPrepared
};

enum class VariableSetKind : uint8_t { kSetValue, kSetDefault, kSetCurrent, kSetMulti, kReset, kResetAll };

enum class ViewCheckOption : uint8_t { kNone, kLocal, kCascaded };

enum class WcoKind : uint8_t {
  kViewCheck, kRlsInsertCheck, kRlsUpdateCheck, kRlsConflictCheck, kRlsMergeUpdateCheck, kRlsMergeDeleteCheck,
  kViewConflictCheck
};

enum class XmlExprOp : uint8_t { kConcat, kElement, kForest, kParse, kPi, kRoot, kSerialize, kIsDocument };

enum class XmlOptionType : uint8_t { kDocument, kContent };

// Bits of WindowDef and WindowClause frame_options.
namespace frame_option {
inline constexpr int32_t kNonDefault = 0x1;  // any frame clause was written
inline constexpr int32_t kRange = 0x2;
inline constexpr int32_t kRows = 0x4;
inline constexpr int32_t kGroups = 0x8;
inline constexpr int32_t kBetween = 0x10;
inline constexpr int32_t kStartUnboundedPreceding = 0x20;
inline constexpr int32_t kEndUnboundedPreceding = 0x40;
inline constexpr int32_t kStartUnboundedFollowing = 0x80;
inline constexpr int32_t kEndUnboundedFollowing = 0x100;
inline constexpr int32_t kStartCurrentRow = 0x200;
inline constexpr int32_t kEndCurrentRow = 0x400;
inline constexpr int32_t kStartOffsetPreceding = 0x800;
inline constexpr int32_t kEndOffsetPreceding = 0x1000;
inline constexpr int32_t kStartOffsetFollowing = 0x2000;
inline constexpr int32_t kEndOffsetFollowing = 0x4000;
inline constexpr int32_t kExcludeCurrentRow = 0x8000;
inline constexpr int32_t kExcludeGroup = 0x10000;
inline constexpr int32_t kExcludeTies = 0x20000;
inline constexpr int32_t kDefaults = kRange | kStartUnboundedPreceding | kEndCurrentRow;
}  // namespace frame_option

// Bits of DeclareCursorStmt::options.
namespace cursor_option {
inline constexpr int32_t kBinary = 0x1;
inline constexpr int32_t kScroll = 0x2;
inline constexpr int32_t kNoScroll = 0x4;
inline constexpr int32_t kInsensitive = 0x8;
inline constexpr int32_t kAsensitive = 0x10;
inline constexpr int32_t kHold = 0x20;
}  // namespace cursor_option

// Bits of CreateTrigStmt timing and events, and of pg_trigger.tgtype.
namespace trigger_type {
inline constexpr int16_t kRow = 1;
inline constexpr int16_t kBefore = 2;
inline constexpr int16_t kInsert = 4;
inline constexpr int16_t kDelete = 8;
inline constexpr int16_t kUpdate = 16;
inline constexpr int16_t kTruncate = 32;
inline constexpr int16_t kInstead = 64;
}  // namespace trigger_type

// clang-format on

// FetchStmt::how_many for ALL.
inline constexpr int64_t kFetchAll = INT64_MAX;

}  // namespace walden
