// The queue of notifications (NOTIFY) that have been sent and not yet been read by every listener: one for all databases, in the order
// of the commits that sent them.
//
// Senders append between kPreCommit and the end of their transaction, one at a time: they hold a heavyweight lock until then, which is
// released once the commit is published. What they append counts when the commit publishes the queue's head; after an abort the next one
// writes over it. So entries need no look-up of their transactions.
// A reader may tell what it read only when the newest of the commits is durable (I5): ReadNotifications raises seen_lsn.
//
// A page log (page_log.h) that lasts as long as shared memory does: a crash ends every listener. Positions are bytes of payload since
// then; an entry does not cross pages.
//   entry: 0 bytes of the entry (4, a multiple of 4)   4 database (4), 0: nothing up to the end of the page   8 process id (4)
//   12 channel, zero, payload, zero
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/error.h"
#include "node/base/ids.h"

namespace walden {

inline constexpr size_t kMostChannelBytes = 63;
inline constexpr size_t kMostNotificationBytes = 7999;  // of payload; entries must fit on a page

struct Notification {
  std::string channel, payload;
  auto operator<=>(const Notification&) const = default;
};

size_t NotifyQueueSize();
void NotifyQueueInit(void* at);
// At the start of recovery: what was there is gone with its listeners. Makes the directory.
void ResetNotifyQueue();

// In the transaction's kPreCommit: appends, after waiting for other senders' ends. Throws 54000 when the queue is full, or I/O errors.
// Takes a transaction id. Returns what the sender's client is to be warned of.
std::optional<ErrorFields> AppendNotifications(const std::vector<Notification>& notifications);
// At its kPublish: what was appended counts. No errors.
void PublishNotifications(Lsn csn);
// Or at its abort.
void ForgetAppended();
// After its end: wakes those who listen in this database, and those elsewhere who are far behind; gives back what nobody needs any more.
void WakeListeners();

// This process hears everything from here on, or nothing more. The position moves by ReadNotifications.
void StartListening();
void StopListening();
bool IsListening();
// Everything that is new, of this process's database, in order. `told` must have been told only after waiting for seen_lsn.
void ReadNotifications(
    const std::function<void(int32_t pid, std::string_view channel, std::string_view payload)>& told);

// Share of the queue that is used, 0 to 1.
double NotifyQueueUsage();

}  // namespace walden
