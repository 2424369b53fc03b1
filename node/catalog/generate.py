#!/usr/bin/env python3
"""Turns the declaration tables of node/catalog/data into C++: row structs, catalog descriptors and the compiled-in
tables of built-in objects, with every name resolved to an OID. A name that does not resolve ends the build.

usage: generate.py DATA_DIR OUTPUT_DIR
"""
import csv
import os
import sys
import zlib


def read_table(data_dir, name):
    with open(os.path.join(data_dir, name + ".tsv"), newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


# Names that format_type prints where pg_type has another one.
SQL_NAMES = {
    "smallint": "int2", "integer": "int4", "bigint": "int8", "real": "float4", "double precision": "float8",
    "boolean": "bool", "character": "bpchar", "character varying": "varchar", '"char"': "char", "bit varying": "varbit",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
    "time without time zone": "time", "time with time zone": "timetz", '"any"': "any", "cid": "cid",
    "pg_catalog.bit": "bit",
}

# C++ form of a catalog column: (member type, FieldKind, default).
FIELD_KINDS = {
    "oid": ("Oid", "kOid", "Oid::kInvalid"), "regproc": ("Oid", "kOid", "Oid::kInvalid"),
    "smallint": ("int16_t", "kInt16", "0"), "integer": ("int32_t", "kInt32", "0"), "bigint": ("int64_t", "kInt64", "0"),
    "boolean": ("bool", "kBool", "false"), '"char"': ("char", "kChar", "'\\0'"), "real": ("float", "kFloat32", "0"),
    "xid": ("uint32_t", "kInt32", "0"), "timestamp with time zone": ("int64_t", "kInt64", "0"),
    "pg_lsn": ("int64_t", "kInt64", "0"),
    "name": ("std::string", "kString", None), "text": ("std::string", "kString", None),
    "pg_node_tree": ("std::string", "kString", None), "bytea": ("std::string", "kString", None),
    "pg_ndistinct": ("std::string", "kString", None), "pg_dependencies": ("std::string", "kString", None),
    "pg_mcv_list": ("std::string", "kString", None), "anyarray": ("std::string", "kString", None),
    "pg_statistic[]": ("std::string", "kString", None),
    "int2vector": ("std::vector<int16_t>", "kInt16Vector", None), "oidvector": ("std::vector<Oid>", "kOidVector", None),
    "oid[]": ("std::vector<Oid>", "kOidArray", None), "smallint[]": ("std::vector<int16_t>", "kInt16Array", None),
    "text[]": ("std::vector<std::string>", "kTextArray", None), '"char"[]': ("std::vector<char>", "kCharArray", None),
    "real[]": ("std::vector<float>", "kFloat32Array", None), "aclitem[]": ("std::vector<AclItem>", "kAclArray", None),
    "name[]": ("std::vector<std::string>", "kNameArray", None),
}


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def text(value):
    return '{"%s", %d}' % (value.replace("\\", "\\\\").replace('"', '\\"'), len(value.encode()))


def boolean(value):
    return "true" if value == "t" else "false"


def char(value):
    return "'%s'" % value if value else "'\\0'"


def parse_array(literal):
    """Elements of an array literal such as {a,"b,c"}; quoting inside quotes undone."""
    if not literal:
        return []
    items, item, quoted, escaped = [], "", False, False
    body = literal[1:-1]
    for c in body:
        if escaped:
            item, escaped = item + c, False
        elif c == "\\":
            escaped = True
        elif c == '"':
            quoted = not quoted
        elif c == "," and not quoted:
            items.append(item)
            item = ""
        else:
            item += c
    return items + [item] if body else []


class Facts:
    """The tables, and the maps by which names in them become OIDs."""

    def __init__(self, data_dir):
        for name in ("catalog_tables catalog_columns catalog_indexes pg_type pg_proc pg_proc_extra pg_operator pg_cast "
                     "pg_aggregate pg_range pg_am pg_opfamily pg_opclass pg_amop pg_amproc pg_collation pg_language "
                     "roles").split():
            setattr(self, name, read_table(data_dir, name))
        self.pg_type = [t for t in self.pg_type if t["typnamespace"] == "pg_catalog"]
        self.pg_type += self.row_types()
        self.type_oids = {t["typname"]: int(t["oid"]) for t in self.pg_type}
        self.type_by_oid = {int(t["oid"]): t for t in self.pg_type}
        self.functions_by_name, self.functions_by_signature = {}, {}
        for p in self.pg_proc:
            p["args"] = self.types(p["argtypes"])
            self.functions_by_name.setdefault(p["proname"], []).append(int(p["oid"]))
            self.functions_by_signature[(p["proname"], tuple(p["args"]))] = int(p["oid"])
        self.operators = {(o["oprname"], self.type(o["oprleft"]), self.type(o["oprright"])): int(o["oid"])
                          for o in self.pg_operator}
        self.families = {int(f["oid"]) for f in self.pg_opfamily}

    def row_types(self):
        """The composite types of the catalogs, which pg_type.tsv leaves out."""
        arrays = {t["typelem"]: t["oid"] for t in self.pg_type}
        return [dict(oid=t["rowtype"], typname=t["relname"], typlen="-1", typbyval="f", typtype="c", typcategory="C",
                     typispreferred="f", typdelim=",", typelem="0", typarray=arrays.get(t["rowtype"], "0"),
                     typinput="record_in", typoutput="record_out", typreceive="record_recv", typsend="record_send",
                     typmodin="-", typmodout="-", typalign="d", typstorage="x", typcollation="0")
                for t in self.catalog_tables]

    def type(self, name):
        if name in ("-", "0", ""):
            return 0
        if name.endswith("[]"):
            return int(self.type_by_oid[self.type(name[:-2])]["typarray"])
        return self.type_oids[SQL_NAMES.get(name, name)]

    def types(self, names):
        return [self.type(n) for n in names.split(",")] if names else []

    def function(self, name, args=None):
        """From regproc (a bare name) or regprocedure (name and argument types) text; `args` settles ambiguous names."""
        if name in ("-", "0", ""):
            return 0
        if name.endswith(")"):
            bare, args = name[:-1].split("(", 1)
            return self.functions_by_signature[(bare.strip('"'), tuple(self.types(args)))]
        name = name.removeprefix("pg_catalog.").strip('"')
        found = self.functions_by_name[name]
        if len(found) != 1 and args is not None:
            return self.functions_by_signature[(name, tuple(a for a in args if a))]
        if len(found) != 1:
            raise KeyError("function name %s is ambiguous: %s" % (name, found))
        return found[0]

    def operator(self, name):
        if name in ("-", "0", ""):
            return 0
        symbol, args = name[:-1].split("(", 1)
        left, right = args.split(",")
        left, right = ("0" if a == "NONE" else a for a in (left, right))
        return self.operators[(symbol.removeprefix("pg_catalog."), self.type(left), self.type(right))]


class Output:
    def __init__(self, directory):
        self.directory = directory

    def write(self, name, lines):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        body = "// Generated from node/catalog/data by node/catalog/generate.py.\n" + "\n".join(lines) + "\n"
        if os.path.exists(path) and open(path).read() == body:
            os.utime(path)
            return
        with open(path, "w") as file:
            file.write(body)


class Pool:
    """A constant array shared by many rows: each keeps where its part begins."""

    def __init__(self):
        self.items, self.starts = [], {(): 0}

    def add(self, values):
        key = tuple(values)
        if key not in self.starts:
            self.starts[key] = len(self.items)
            self.items.extend(key)
        return self.starts[key]

    def declare(self, cpp_type, name, form):
        items = self.items or [0]
        return ["extern const %s %s[];" % (cpp_type, name), "const %s %s[] = {" % (cpp_type, name)] + wrap(form(i) for i in items) + ["};"]


def wrap(parts, per_line=12):
    parts = list(parts)
    return ["    " + ", ".join(parts[i:i + per_line]) + "," for i in range(0, len(parts), per_line)]


def columns_of(facts, table):
    columns = [c for c in facts.catalog_columns if c["relname"] == table and c["relkind"] == "r"]
    return sorted(columns, key=lambda c: int(c["attnum"]))


def emit_rows(facts, out):
    headers = []
    for table in facts.catalog_tables:
        name = table["relname"]
        lines = ["#pragma once", "", '#include "node/catalog/row_fields.h"', "", "namespace walden {", "",
                 "struct %sRow {" % camel(name), "  static constexpr Oid kCatalog{%s};" % table["oid"]]
        for c in columns_of(facts, name):
            lines.append("  static constexpr AttrNumber k%s = %s;" % (camel(c["attname"]), c["attnum"]))
        lines.append("")
        for c in columns_of(facts, name):
            cpp, _, default = FIELD_KINDS[c["type"]]
            if c["attnotnull"] == "f":
                lines.append("  std::optional<%s> %s;" % (cpp, c["attname"]))
            else:
                lines.append("  %s %s%s;" % (cpp, c["attname"], "" if default is None else " = " + default))
        lines += ["};", "", "}  // namespace walden"]
        out.write("rows/%s.h" % name, lines)
        headers.append("node/catalog/rows/%s.h" % name)
    return headers


def emit_ids(facts, out):
    lines = ["#pragma once", "", '#include "node/base/ids.h"', "", "namespace walden {", "", "namespace catalog_oid {"]
    lines += ["inline constexpr Oid k%s{%s};" % (camel(t["relname"]), t["oid"]) for t in facts.catalog_tables]
    lines += ["}  // namespace catalog_oid", "", "namespace catalog_index {"]
    lines += ["inline constexpr Oid k%s{%s};" % (camel(i["index"]), i["oid"]) for i in facts.catalog_indexes
              if "." not in i["index"]]
    lines += ["}  // namespace catalog_index", "", "}  // namespace walden"]
    out.write("catalog_ids.h", lines)


def emit_declarations(facts, out, headers):
    lines = ["#include <cstddef>", "", '#include "node/catalog/catalog_info.h"']
    lines += ['#include "%s"' % h for h in headers]
    lines += ["", "namespace walden {", "namespace {", ""]
    tables = []
    for table in facts.catalog_tables:
        name, struct = table["relname"], camel(table["relname"]) + "Row"
        columns = columns_of(facts, name)
        numbers = {c["attname"]: int(c["attnum"]) for c in columns}
        lines.append("constexpr CatalogColumn k%sColumns[] = {" % camel(name))
        for c in columns:
            lines.append("    {%s, Oid{%d}, FieldKind::%s, %s, offsetof(%s, %s)}," % (
                text(c["attname"]), facts.type(c["type"]), FIELD_KINDS[c["type"]][1],
                "true" if c["attnotnull"] == "t" else "false", struct, c["attname"]))
        lines += ["};"]
        indexes = [i for i in facts.catalog_indexes if i["table"] == name]
        if indexes:
            lines.append("constexpr CatalogIndex k%sIndexes[] = {" % camel(name))
            for i in indexes:
                keys = [numbers[k] for k in i["columns"][1:-1].split(",")]
                lines.append("    {Oid{%s}, Oid{%s}, %s, %s, %s, %d, {%s}}," % (
                    i["oid"], table["oid"], text(i["index"]), boolean(i["indisunique"]),
                    "true" if i["oid"] == table["pkey"] else "false", len(keys), ", ".join(map(str, keys))))
            lines += ["};"]
        tables.append("    {Oid{%s}, %s, %s, Oid{%s}, Oid{%s}, Oid{%s}, %s, k%sColumns, %s}," % (
            table["oid"], text(name), boolean(table["shared"]), table["rowtype"], table["toast"], table["toastindex"],
            boolean(table["public_select"]), camel(name), "k%sIndexes" % camel(name) if indexes else "{}"))
    lines += ["", "constexpr CatalogInfo kCatalogs[] = {"] + tables + ["};", "", "}  // namespace", "",
              "std::span<const CatalogInfo> Catalogs() { return kCatalogs; }", "", "}  // namespace walden"]
    out.write("catalog_declarations.cpp", lines)


CPP_HEAD = ['#include "node/catalog/builtin.h"', '#include "node/catalog/builtin_tables.h"', "", "namespace walden::builtin {", ""]
CPP_TAIL = ["", "}  // namespace walden::builtin"]


def array(cpp_type, name, rows):
    return ["const %s %s[] = {" % (cpp_type, name)] + ["    {%s}," % r for r in rows] + ["};",
            "const size_t %sCount = %d;" % (name, len(rows)), ""]


def order_by_name(name, keys):
    order = sorted(range(len(keys)), key=lambda i: (keys[i], i))
    return ["const uint16_t %s[] = {" % name] + wrap(map(str, order), 16) + ["};", ""]


def emit_functions(facts, out):
    extra = {int(e["oid"]): e for e in facts.pg_proc_extra}
    oids, names, rows = Pool(), Pool(), []
    procs = sorted(facts.pg_proc, key=lambda p: int(p["oid"]))
    aggregate_oids = {int(p["oid"]) for p in procs if p["prokind"] == "a"}
    for p in procs:
        more = extra.get(int(p["oid"]), {"defaults": "", "acl": ""})
        args = p["args"]
        all_args = [facts.type(a) for a in parse_array(p["proallargtypes"])]
        modes = "".join(parse_array(p["proargmodes"]))
        arg_names = parse_array(p["proargnames"])
        acl = {"": 0, "postgres=X/postgres": 1, "postgres=X/postgres pg_monitor=X/postgres": 2,
               "postgres=X/postgres pg_read_all_stats=X/postgres": 3}[more["acl"]]
        rows.append(", ".join([
            "Oid{%s}" % p["oid"], text(p["proname"]), text(p["prosrc"]), text(more["defaults"]), text(modes),
            "Oid{%s}" % p["prolang"], "%sf" % float(p["procost"]), "%sf" % float(p["prorows"]),
            "Oid{%d}" % facts.type(p["provariadic"]), "Oid{%d}" % facts.type(p["prorettype"]),
            char(p["prokind"]), char(p["provolatile"]), char(p["proparallel"]), boolean(p["proleakproof"]),
            boolean(p["proisstrict"]), boolean(p["proretset"]), str(len(args)), p["pronargdefaults"], str(len(all_args)),
            str(len(arg_names)), "FunctionAcl{%d}" % acl, str(oids.add(args)), str(oids.add(all_args)),
            str(names.add(arg_names))]))
    lines = CPP_HEAD + oids.declare("Oid", "kOidPool", lambda o: "Oid{%d}" % o)
    lines += names.declare("std::string_view", "kNamePool", text)
    lines += array("BuiltinFunction", "kFunctions", rows)
    lines += order_by_name("kFunctionsByName", [p["proname"] for p in procs])
    out.write("builtin_functions.cpp", lines + CPP_TAIL)
    return aggregate_oids


def subscript_handler(facts, t):
    element = int(t["typelem"])
    if t["typname"] == "jsonb":
        return facts.function("jsonb_subscript_handler")
    if element == 0:
        return 0
    is_array = t["typlen"] == "-1" or t["typname"] in ("oidvector", "int2vector")
    return facts.function("array_subscript_handler" if is_array else "raw_array_subscript_handler")


def emit_types(facts, out):
    rows = []
    relations = {int(t["rowtype"]): int(t["oid"]) for t in facts.catalog_tables}
    types = sorted(facts.pg_type, key=lambda t: int(t["oid"]))
    known = {int(t["oid"]) for t in types}
    kept = [t for t in types if t["typinput"] != "array_in" or int(t["typelem"]) in known]
    for t in kept:
        functions = ["Oid{%d}" % facts.function(t[c]) for c in
                     ("typinput", "typoutput", "typreceive", "typsend", "typmodin", "typmodout")]
        rows.append(", ".join([
            "Oid{%s}" % t["oid"], text(t["typname"]), t["typlen"], boolean(t["typbyval"]), char(t["typtype"]),
            char(t["typcategory"]), boolean(t["typispreferred"]), "'%s'" % t["typdelim"],
            "Oid{%d}" % relations.get(int(t["oid"]), 0), "Oid{%s}" % t["typelem"], "Oid{%s}" % t["typarray"]] + functions + [
            char(t["typalign"]), char(t["typstorage"]), "Oid{%s}" % t["typcollation"],
            "Oid{%d}" % subscript_handler(facts, t)]))
    lines = CPP_HEAD + array("BuiltinType", "kTypes", rows) + order_by_name("kTypesByName", [t["typname"] for t in kept])
    out.write("builtin_types.cpp", lines + CPP_TAIL)


def emit_operators(facts, out):
    rows = []
    operators = sorted(facts.pg_operator, key=lambda o: int(o["oid"]))
    for o in operators:
        rows.append(", ".join([
            "Oid{%s}" % o["oid"], text(o["oprname"]), char(o["oprkind"]), boolean(o["oprcanmerge"]),
            boolean(o["oprcanhash"])] + ["Oid{%d}" % facts.type(o[c]) for c in ("oprleft", "oprright", "oprresult")] +
            ["Oid{%d}" % facts.operator(o[c]) for c in ("oprcom", "oprnegate")] +
            ["Oid{%d}" % facts.function(o[c], [facts.type(o["oprleft"]), facts.type(o["oprright"])])
             for c in ("oprcode", "oprrest", "oprjoin")]))
    lines = CPP_HEAD + array("BuiltinOperator", "kOperators", rows)
    lines += order_by_name("kOperatorsByName", [o["oprname"] for o in operators])

    casts = sorted(facts.pg_cast, key=lambda c: (facts.type(c["castsource"]), facts.type(c["casttarget"])))
    rows = ["Oid{%s}, Oid{%d}, Oid{%d}, Oid{%d}, %s, %s" % (
        c["oid"], facts.type(c["castsource"]), facts.type(c["casttarget"]), facts.function(c["castfunc"]),
        char(c["castcontext"]), char(c["castmethod"])) for c in casts]
    lines += array("BuiltinCast", "kCasts", rows)
    out.write("builtin_operators.cpp", lines + CPP_TAIL)


def emit_aggregates(facts, out, aggregate_oids):

    def aggregate(name):
        bare, args = name[:-1].split("(", 1)
        if " ORDER BY " in args or args.startswith("ORDER BY"):
            direct, ordered = args.split("ORDER BY ")
            args = direct.strip().rstrip(",")
            args = (args + "," if args and ordered else args) + ordered
        args = args.replace("VARIADIC ", "")
        if args == "*":
            args = ""
        return facts.functions_by_signature[(bare.strip('"'), tuple(facts.types(args)))]

    rows = []
    for a in facts.pg_aggregate:
        try:
            oid = aggregate(a["aggfnoid"])
        except KeyError:
            # Hypothetical-set aggregates print their one "any" list twice.
            bare = a["aggfnoid"].split("(", 1)[0]
            oid = [o for o in facts.functions_by_name[bare] if o in aggregate_oids][0]
        transition = facts.type(a["aggtranstype"])
        functions = ["Oid{%d}" % facts.function(a[c]) for c in (
            "aggtransfn", "aggfinalfn", "aggcombinefn", "aggserialfn", "aggdeserialfn", "aggmtransfn", "aggminvtransfn",
            "aggmfinalfn")]
        rows.append((oid, ", ".join(["Oid{%d}" % oid, char(a["aggkind"]), a["aggnumdirectargs"]] + functions + [
            "Oid{%d}" % facts.operator(a["aggsortop"]), "Oid{%d}" % transition, text(a["agginitval"])])))
    rows = [r for _, r in sorted(rows)]
    lines = CPP_HEAD + array("BuiltinAggregate", "kAggregates", rows)
    out.write("builtin_aggregates.cpp", lines + CPP_TAIL)


def support_function(facts, amproc):
    name = amproc["amproc"].removeprefix("pg_catalog.")
    found = facts.functions_by_name[name]
    if name == "in_range":
        left, right = facts.type(amproc["amproclefttype"]), facts.type(amproc["amprocrighttype"])
        return facts.function("in_range", [left, left, right, facts.type("boolean"), facts.type("boolean")])
    # Older signatures of the GIN functions keep higher OIDs.
    return min(found)


def emit_access(facts, out):
    lines = list(CPP_HEAD)
    lines += array("BuiltinAccessMethod", "kAccessMethods", [
        "Oid{%s}, %s, Oid{%d}, %s" % (a["oid"], text(a["amname"]), facts.function(a["amhandler"]), char(a["amtype"]))
        for a in facts.pg_am])
    lines += array("BuiltinOpfamily", "kOpfamilies", [
        "Oid{%s}, Oid{%s}, %s" % (f["oid"], f["opfmethod"], text(f["opfname"])) for f in facts.pg_opfamily])
    lines += array("BuiltinOpclass", "kOpclasses", [
        "Oid{%s}, Oid{%s}, %s, Oid{%s}, Oid{%d}, %s, Oid{%d}" % (
            c["oid"], c["opcmethod"], text(c["opcname"]), c["opcfamily"], facts.type(c["opcintype"]),
            boolean(c["opcdefault"]), facts.type(c["opckeytype"])) for c in facts.pg_opclass])
    amops = sorted(facts.pg_amop, key=lambda a: (int(a["amopfamily"]), facts.type(a["amoplefttype"]),
                                                 facts.type(a["amoprighttype"]), int(a["amopstrategy"])))
    lines += array("BuiltinAmop", "kAmops", [
        "Oid{%s}, Oid{%s}, Oid{%d}, Oid{%d}, %s, %s, Oid{%d}, Oid{%s}, Oid{%s}" % (
            a["oid"], a["amopfamily"], facts.type(a["amoplefttype"]), facts.type(a["amoprighttype"]), a["amopstrategy"],
            char(a["amoppurpose"]), facts.operator(a["amopopr"]), a["amopmethod"], a["amopsortfamily"]) for a in amops])
    operators = [facts.operator(a["amopopr"]) for a in amops]
    lines += order_by_name("kAmopsByOperator", operators)
    procs = sorted(facts.pg_amproc, key=lambda a: (int(a["amprocfamily"]), facts.type(a["amproclefttype"]),
                                                   facts.type(a["amprocrighttype"]), int(a["amprocnum"])))
    lines += array("BuiltinAmproc", "kAmprocs", [
        "Oid{%s}, Oid{%s}, Oid{%d}, Oid{%d}, %s, Oid{%d}" % (
            a["oid"], a["amprocfamily"], facts.type(a["amproclefttype"]), facts.type(a["amprocrighttype"]),
            a["amprocnum"], support_function(facts, a)) for a in procs])
    lines += array("BuiltinCollation", "kCollations", [
        "Oid{%s}, %s, %s, %s, %s, %s, %s" % (c["oid"], text(c["collname"]), char(c["collprovider"]),
                                             boolean(c["collisdeterministic"]), c["collencoding"],
                                             text(c["collcollate"]), text(c["collctype"])) for c in facts.pg_collation])
    lines += array("BuiltinLanguage", "kLanguages", [
        "Oid{%s}, %s, %s, %s" % (l["oid"], text(l["lanname"]), boolean(l["lanispl"]), boolean(l["lanpltrusted"]))
        for l in facts.pg_language])
    lines += array("BuiltinRole", "kRoles", ["Oid{%s}, %s" % (r["oid"], text(r["rolname"])) for r in facts.roles])
    out.write("builtin_access.cpp", lines + CPP_TAIL)


def declarations_digest(data_dir):
    """One number for everything that a new node's catalogs are made from, and for how."""
    digest = 0
    for path in sorted(os.path.join(data_dir, name) for name in os.listdir(data_dir)) + [os.path.abspath(__file__)]:
        with open(path, "rb") as file:
            digest = zlib.crc32(os.path.basename(path).encode() + file.read(), digest)
    return digest


def emit_system_views(data_dir, out):
    lines = ['#include "node/catalog/bootstrap.h"', "", "namespace walden {", "",
             "const uint32_t kDeclarationsDigest = %du;" % declarations_digest(data_dir), "", "namespace {", "",
             "constexpr SetupStatement kStatements[] = {"]
    parts = []
    for name in ("system_views.sql", "information_schema.sql"):
        with open(os.path.join(data_dir, name)) as file:
            parts += file.read().split("--view ")[1:]
    for part in parts:
        name, sql = part.split("\n", 1)
        lines.append('    {"%s", R"SQL(%s)SQL"},' % (name.strip(), sql.strip()))
    lines += ["};", "", "}  // namespace", "",
              "std::span<const SetupStatement> SystemViewStatements() { return kStatements; }", "", "}  // namespace walden"]
    out.write("system_views.cpp", lines)


def main():
    facts, out = Facts(sys.argv[1]), Output(sys.argv[2])
    headers = emit_rows(facts, out)
    emit_ids(facts, out)
    emit_declarations(facts, out, headers)
    aggregate_oids = emit_functions(facts, out)
    emit_types(facts, out)
    emit_operators(facts, out)
    emit_aggregates(facts, out, aggregate_oids)
    emit_access(facts, out)
    emit_system_views(sys.argv[1], out)


if __name__ == "__main__":
    main()
