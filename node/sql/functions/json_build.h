// SQL values as JSON: to_json, the builders and the aggregates share it. Private to this folder.
#pragma once

#include <string>

#include "node/sql/functions/registry.h"
#include "node/types/jsonb.h"

namespace walden {

// Appends the JSON form of a value of `type`.
void AppendAsJson(CallContext& context, Oid type, const Value& value, std::string* to);
// As an object key: text, which must not be null or a container.
void AppendAsJsonKey(CallContext& context, Oid type, const Value& value, std::string* to);
// The same as a jsonb node.
JsonbNode AsJsonbNode(CallContext& context, Oid type, const Value& value);

}  // namespace walden
