// One transaction's snapshot used by others of the same database (pg_export_snapshot, SET TRANSACTION SNAPSHOT).
//
// An identifier names the exporting process's slot, its transaction and the snapshot's position. Nothing is stored: the exporter
// holds its snapshot until its transaction ends, and an importer finds that out in the exporter's slot.
#pragma once

#include <string>
#include <string_view>

#include "node/base/ids.h"

namespace walden {

// The identifier of the transaction's snapshot. Throws 25001 in a subtransaction.
std::string ExportSnapshot();
// Makes it the snapshot of this transaction, which has none yet. Throws 25001, 0A000, 22023, 55000 as PostgreSQL does.
void ImportSnapshot(std::string_view identifier);

}  // namespace walden
