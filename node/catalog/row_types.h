// Descriptors of types that users made: rows of tables and composite types, arrays of them, domains.
#pragma once

#include "node/types/type_table.h"

namespace walden {

// For SetTypeResolver: the descriptor of a type in pg_type that is not built in, or null. Descriptors live as long as the process.
const TypeDescriptor* ResolveStoredType(Oid oid);

}  // namespace walden
