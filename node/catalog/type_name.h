// Types as users write them: "integer", "character varying(10)", "timestamp(3) with time zone", "public.mytype[]".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "node/base/ids.h"

namespace walden {

// format_type(). A type that is not visible under its bare name is qualified; typmod -1: without modifier. "???" when
// there is no such type, "-" for 0.
std::string FormatType(Oid type, int32_t typmod = -1);
// Of a column or a value whose typmod is known, perhaps to be none: the names that would then mean length one are not used.
std::string FormatTypeWithTypmod(Oid type, int32_t typmod);
// Always qualified but for the SQL names: for pg_dump-like output.
std::string FormatTypeQualified(Oid type);
// "f(integer,text)" with argument types, the name qualified when not visible: regprocedure.
std::string FormatFunctionSignature(Oid function);
// "+(integer,integer)": regoperator.
std::string FormatOperatorSignature(Oid op);

}  // namespace walden
