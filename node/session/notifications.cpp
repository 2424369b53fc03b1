#include "node/session/notifications.h"

#include <set>
#include <string>
#include <vector>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/catalog/identity.h"
#include "node/shm/interrupts.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/txn/notify_queue.h"
#include "node/txn/transaction.h"
#include "node/txn/transaction_hooks.h"
#include "node/txn/txn_state.h"

namespace walden {
namespace {

// After whatever else may fail or change rows: other senders wait from here on.
constexpr int kHookOrder = 1000;

struct Action {
  enum class Kind : uint8_t { kListen, kUnlisten, kUnlistenAll };
  Kind kind;
  std::string channel;
  int level;
};
struct Pending {
  Notification notification;
  int level;
};

// Of this process; everything but the channels is the transaction's.
struct State {
  std::set<std::string, std::less<>> channels;
  std::vector<Action> actions;
  std::vector<Pending> pending;
  std::set<Notification> known;  // of pending: the same is sent once

  void EndTransaction() {
    actions.clear();
    pending.clear();
    known.clear();
    if (channels.empty()) StopListening();
  }
};
thread_local State state;

void BeforeCommit() {
  for (const Action& action : state.actions) {
    // Heard from here on: who commits later, sends what this session must hear.
    if (action.kind == Action::Kind::kListen) StartListening();
  }
  if (state.pending.empty()) return;
  std::vector<Notification> notifications;
  notifications.reserve(state.pending.size());
  for (Pending& pending : state.pending) notifications.push_back(std::move(pending.notification));
  if (std::optional<ErrorFields> warning = AppendNotifications(notifications)) ReportToClient(*warning);
}

void AfterCommit() {
  for (const Action& action : state.actions) {
    switch (action.kind) {
      case Action::Kind::kListen: state.channels.insert(action.channel); break;
      case Action::Kind::kUnlisten: state.channels.erase(action.channel); break;
      case Action::Kind::kUnlistenAll: state.channels.clear(); break;
    }
  }
  bool sent = !state.pending.empty();
  state.EndTransaction();
  if (!sent) return;
  try {
    WakeListeners();
  } catch (const SqlError& error) {
    Log(Severity::kWarning, "could not shorten the NOTIFY queue: {}", error.what());
  }
}

void EndSavepoint(int level, bool commit) {
  if (commit) {
    for (Action& action : state.actions) action.level = std::min(action.level, level - 1);
    for (Pending& pending : state.pending) pending.level = std::min(pending.level, level - 1);
    return;
  }
  std::erase_if(state.actions, [&](const Action& action) { return action.level >= level; });
  std::erase_if(state.pending, [&](const Pending& pending) {
    if (pending.level < level) return false;
    state.known.erase(pending.notification);
    return true;
  });
}

void OnTxnEvent(TxnEvent event, const TxnEventInfo& info) {
  if (state.actions.empty() && state.pending.empty()) return;
  switch (event) {
    case TxnEvent::kPreCommit: BeforeCommit(); break;
    case TxnEvent::kPublish: PublishNotifications(info.csn); break;
    case TxnEvent::kCommitted: AfterCommit(); break;
    case TxnEvent::kAbort:
      ForgetAppended();
      state.EndTransaction();
      break;
    case TxnEvent::kSubCommit: EndSavepoint(info.nest_level, true); break;
    case TxnEvent::kSubAbort: EndSavepoint(info.nest_level, false); break;
    default: break;
  }
}

// --- Functions -----------------------------------------------------------------------------------------------

std::string_view PgNotify(std::optional<std::string_view> channel, std::optional<std::string_view> payload) {
  if (InRecovery())
    throw SqlError(ErrorCode::kReadOnlySqlTransaction, "cannot execute NOTIFY during recovery");
  Notify(channel.value_or(""), payload.value_or(""));
  return {};
}

std::unique_ptr<TableFunction> StartChannels(CallContext&, std::span<const Value>) {
  auto rows = std::make_unique<RowSet>();
  for (const std::string& channel : state.channels) {
    RowValues row = rows->NewRow();
    rows->Add(row.Text(channel));
  }
  return rows;
}

constexpr ScalarFunction kFunctions[] = {Volatile<&PgNotify>("pg_notify"),
                                         Volatile<&NotifyQueueUsage>("pg_notification_queue_usage")};
constexpr SetFunction kSets[] = {{"pg_listening_channels", true, StartChannels}};

}  // namespace

void Notify(std::string_view channel, std::string_view payload) {
  if (channel.empty()) throw SqlError(ErrorCode::kInvalidParameterValue, "channel name cannot be empty");
  if (channel.size() > kMostChannelBytes)
    throw SqlError(ErrorCode::kInvalidParameterValue, "channel name too long");
  if (payload.size() > kMostNotificationBytes)
    throw SqlError(ErrorCode::kInvalidParameterValue, "payload string too long");
  Notification notification{std::string(channel), std::string(payload)};
  if (!state.known.insert(notification).second) return;
  state.pending.push_back({std::move(notification), NestLevel()});
}

void Listen(std::string_view channel) {
  state.actions.push_back({Action::Kind::kListen, std::string(channel), NestLevel()});
}
void Unlisten(std::string_view channel) {
  state.actions.push_back({Action::Kind::kUnlisten, std::string(channel), NestLevel()});
}
void UnlistenAll() { state.actions.push_back({Action::Kind::kUnlistenAll, {}, NestLevel()}); }

void DeliverNotifications(ResultSink& sink) {
  if (!TakeInterrupt(Interrupt::kNotify) || !IsListening()) return;
  ReadNotifications([&](int32_t pid, std::string_view channel, std::string_view payload) {
    if (state.channels.contains(channel)) sink.Notification(pid, channel, payload);
  });
}

void ForgetNotifications() {
  state.channels.clear();
  state.EndTransaction();
}

void InstallNotificationHooks() {
  RegisterTxnHook(kHookOrder, OnTxnEvent,
                  {TxnEvent::kPreCommit, TxnEvent::kPublish, TxnEvent::kCommitted, TxnEvent::kAbort,
                   TxnEvent::kSubCommit, TxnEvent::kSubAbort});
}

std::span<const ScalarFunction> NotificationFunctions() { return kFunctions; }
std::span<const SetFunction> NotificationSetFunctions() { return kSets; }

}  // namespace walden
