// What deleting one object means, by catalog. Private to this folder.
#pragma once

#include "node/catalog/dependency.h"

namespace walden {

// Deletes the object's own rows, its comment, privileges, and what pg_depend and pg_shdepend say of it.
void DeleteObjectRows(const ObjectAddress& object);

}  // namespace walden
