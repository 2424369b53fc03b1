#!/usr/bin/env python3
"""Makes functions_expected.tsv from functions_cases.txt by asking a PostgreSQL 15 (libpq environment variables).

A case is `prosrc | type:text | type:text ...`; `type:\\N` is NULL. Lines starting with # are comments; `set x = y` lines are
left out of what is asked again. The result: prosrc, OID of the result type, expected text or `!SQLSTATE message`, and for
each argument its type's OID and text.
"""
import pathlib
import subprocess
import sys

here = pathlib.Path(__file__).parent


def psql(text):
    run = subprocess.run(["psql", "-XAtq", "-F", "\t", "-v", "VERBOSITY=verbose"], input=text, capture_output=True, text=True)
    return run.stdout, run.stderr


def quote(text):
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def main():
    types, procs = {}, {}
    for line in psql("select oid, typname from pg_type where typnamespace = 11")[0].splitlines():
        oid, name = line.split("\t")
        types[name] = oid
    query = ("select prosrc, proargtypes, prorettype, proname, provariadic not in (0, 2276) from pg_proc "
             "where pronamespace = 11 and prolang = 12 and prokind = 'f' order by oid")
    for line in psql(query)[0].splitlines():
        source, args, result, name, variadic = line.split("\t")
        procs.setdefault((source, args), (result, name, variadic == "t"))
    out = []
    cases = []
    for line in (here / "functions_cases.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        source, *args = [part.strip() for part in line.split(" | ")]
        typed = [arg.split(":", 1) for arg in args]
        cases.append((line, source, typed))
    names = {oid: name for name, oid in types.items()}
    for line, source, typed in cases:
        oids = " ".join(types[name] for name, _ in typed)
        if (source, oids) in procs:
            result, name, variadic = procs[(source, oids)]
        else:  # polymorphic or implicit: any function of that source and argument count
            found = [(value, key) for key, value in procs.items() if key[0] == source and len(key[1].split()) in (len(typed), 1)]
            if not found:
                sys.exit("no such function: " + line)
            (result, name, variadic), _ = found[0]
        values = [("NULL" if text == "\\N" else quote(text)) + '::pg_catalog."%s"' % type_name for type_name, text in typed]
        if variadic:
            values[-1] = "VARIADIC " + values[-1]
        call = 'pg_catalog."%s"(%s)' % (name, ", ".join(values))
        stdout, stderr = psql("set timezone = 'UTC'; set intervalstyle = 'postgres';"
                              "select pg_typeof(v)::oid, coalesce(replace(replace(v::text, E'\\\\', E'\\\\\\\\'), E'\\n', E'\\\\n'), '\\N') from (select %s as v) x;" % call)
        if stderr:
            first = stderr.splitlines()[0]
            expected = "!" + first.split("ERROR:  ", 1)[-1]
            result_oid = result
        else:
            result_oid, expected = stdout.rstrip("\n").split("\t", 1)
        fields = [source, result_oid, expected]
        for type_name, text in typed:
            fields += [types[type_name], text]
        out.append("\t".join(fields))
    (here / "functions_expected.tsv").write_text("\n".join(out) + "\n")


main()
