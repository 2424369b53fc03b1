// Input, output, receive and send functions as SQL sees them: all of them work from the type table.
#include "node/base/error.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"

namespace walden {
namespace {

// typein(cstring [, oid, int4])
void Input(CallContext& context, std::span<const Value> args, Value* result) {
  TypeIo io = context.Io(context.site.result_type, args.size() > 2 ? args[2].datum.i32 : -1);
  if (io.type == nullptr) TypeOf(context.site.result_type);
  io.type->input(args[0].datum.string.view(), io, &result->datum);
  result->is_null = false;
}
void Output(CallContext& context, std::span<const Value> args, Value* result) {
  const TypeDescriptor& type = TypeOf(context.site.arg_types[0]);
  result->datum = StringDatum(FormatText(type, args[0].datum, context.Io(type.oid)));
  result->is_null = false;
}
void Receive(CallContext&, std::span<const Value>, Value*) {
  throw NotSupported("a call of a binary input function from SQL");
}
void Send(CallContext& context, std::span<const Value> args, Value* result) {
  const TypeDescriptor& type = TypeOf(context.site.arg_types[0]);
  if (type.send == nullptr) {
    throw SqlError(ErrorCode::kUndefinedFunction, "no binary output function available for type {}",
                   type.name);
  }
  TypeIo io = context.Io(type.oid);
  std::string bytes;
  type.send(args[0].datum, io, &bytes);
  result->datum = StringDatum(context.arena.Copy(bytes));
  result->is_null = false;
}

constexpr ScalarFunction In(std::string_view name) { return RowForm<&Input, true>(name); }
constexpr ScalarFunction Out(std::string_view name) { return RowForm<&Output, true>(name); }
constexpr ScalarFunction Recv(std::string_view name) { return RowForm<&Receive, true>(name); }
constexpr ScalarFunction Snd(std::string_view name) { return RowForm<&Send, true>(name); }

#define IO(name) In(name "in"), Out(name "out"), Recv(name "recv"), Snd(name "send")
#define IO_(name) In(name "_in"), Out(name "_out"), Recv(name "_recv"), Snd(name "_send")

constexpr ScalarFunction kTable[] = {
    IO("bool"),
    IO("bytea"),
    IO("char"),
    IO("name"),
    IO("int2"),
    IO("int4"),
    IO("int8"),
    IO("int2vector"),
    IO("oidvector"),
    IO("text"),
    IO("oid"),
    IO("tid"),
    IO("xid"),
    IO("xid8"),
    IO("cid"),
    IO("float4"),
    IO("float8"),
    IO("bpchar"),
    IO("varchar"),
    IO("unknown"),
    IO("regproc"),
    IO("regprocedure"),
    IO("regoper"),
    IO("regoperator"),
    IO("regclass"),
    IO("regtype"),
    IO("regrole"),
    IO("regnamespace"),
    IO("regcollation"),
    IO("regconfig"),
    IO("regdictionary"),
    IO_("uuid"),
    IO_("inet"),
    IO_("cidr"),
    IO_("pg_lsn"),
    IO_("array"),
    IO_("json"),
    IO_("jsonb"),
    IO_("numeric"),
    IO_("date"),
    IO_("time"),
    IO_("timetz"),
    IO_("timestamp"),
    IO_("timestamptz"),
    IO_("interval"),
    IO_("record"),
    IO_("cstring"),
    IO_("void"),
    IO_("pg_node_tree"),
    IO_("pg_ndistinct"),
    IO_("pg_dependencies"),
    IO_("pg_mcv_list"),
    IO_("bit"),
    IO_("varbit"),
    IO_("cash"),
    IO_("enum"),
    IO_("txid_snapshot"),
    IO_("pg_snapshot"),
    In("aclitemin"),
    Out("aclitemout"),
    In("domain_in"),
    Recv("domain_recv"),
    In("any_in"),
    Out("any_out"),
    In("anyarray_in"),
    Out("anyarray_out"),
    Recv("anyarray_recv"),
    Snd("anyarray_send"),
    In("anyelement_in"),
    Out("anyelement_out"),
    In("anynonarray_in"),
    Out("anynonarray_out"),
    In("anyenum_in"),
    Out("anyenum_out"),
    In("anyrange_in"),
    Out("anyrange_out"),
    In("anymultirange_in"),
    Out("anymultirange_out"),
    In("anycompatible_in"),
    Out("anycompatible_out"),
    In("anycompatiblearray_in"),
    Out("anycompatiblearray_out"),
    Recv("anycompatiblearray_recv"),
    Snd("anycompatiblearray_send"),
    In("anycompatiblenonarray_in"),
    Out("anycompatiblenonarray_out"),
    In("anycompatiblerange_in"),
    Out("anycompatiblerange_out"),
    In("anycompatiblemultirange_in"),
    Out("anycompatiblemultirange_out"),
    In("internal_in"),
    Out("internal_out"),
    In("trigger_in"),
    Out("trigger_out"),
    In("event_trigger_in"),
    Out("event_trigger_out"),
    In("language_handler_in"),
    Out("language_handler_out"),
    In("fdw_handler_in"),
    Out("fdw_handler_out"),
    In("index_am_handler_in"),
    Out("index_am_handler_out"),
    In("table_am_handler_in"),
    Out("table_am_handler_out"),
    In("tsm_handler_in"),
    Out("tsm_handler_out"),
    In("pg_ddl_command_in"),
    Out("pg_ddl_command_out"),
    Recv("pg_ddl_command_recv"),
    Snd("pg_ddl_command_send"),
    In("shell_in"),
    Out("shell_out"),
};

}  // namespace

std::span<const ScalarFunction> IoFunctions() { return kTable; }

}  // namespace walden
