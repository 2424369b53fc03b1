// LISTEN, NOTIFY and UNLISTEN: what this process's transaction has asked for, and the channels that it hears.
//
// They take effect when the transaction commits, those of a savepoint that is rolled back never. What others send is told between
// transactions only: before the session is ready for the next command, or while it waits for one (Interrupt::kNotify). The
// queue is node/txn/notify_queue.h.
#pragma once

#include <span>
#include <string_view>

#include "node/session/result_sink.h"
#include "node/sql/functions/registry.h"

namespace walden {

// Errors: 22023 (empty or too long channel, too long payload).
void Notify(std::string_view channel, std::string_view payload);
void Listen(std::string_view channel);
void Unlisten(std::string_view channel);
void UnlistenAll();

// Tells what has come. Requires: no transaction in progress.
void DeliverNotifications(ResultSink& sink);
// The session ends.
void ForgetNotifications();

// Registered by the composition root.
void InstallNotificationHooks();
std::span<const ScalarFunction> NotificationFunctions();
std::span<const SetFunction> NotificationSetFunctions();

}  // namespace walden
