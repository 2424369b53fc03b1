// Finding a page with room for a row.
#pragma once

#include "node/access/heap/heap.h"

namespace walden {

// Returns a page with room for a row of `size` bytes, pinned and exclusively locked. If it is all-visible,
// `vm_pin` holds its map page. With `other` (pinned, not locked: the page of the old version of an UPDATE),
// that page is locked too (once, if it is the one returned), and `other_vm_pin` likewise; locks are taken in
// block order. Throws 54000 for a row that fits no page. Requires: no page lock held.
BufferPin PlaceRow(const TableRef& table, size_t size, const InsertOptions& options, BulkInsertState* bulk,
                   BufferPin* vm_pin, BufferPin* other = nullptr, BufferPin* other_vm_pin = nullptr);

// Locks `pin` exclusively; if the page is all-visible, `vm_pin` holds its map page afterwards.
void LockWithVmPin(const TableRef& table, BufferPin& pin, BufferPin* vm_pin);

// Clears the all-visible state of a page about to change; returns whether it was set: then the map page is
// left locked (exclusively), to be referenced by the record and unlocked after it. Requires: critical
// section, pins as above.
bool ClearAllVisible(BufferPin& pin, BufferPin& vm_pin);

}  // namespace walden
