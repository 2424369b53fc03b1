#!/usr/bin/env python3
"""Writes query_deparse_golden.inc: stored trees of a real PostgreSQL 15 in our text form, and what it shows for them.

usage: query_deparse_golden.py PSQL_ARGUMENTS... > query_deparse_golden.inc
(for example: query_deparse_golden.py -h /tmp -U postgres -d scratch; the database is filled with the objects below)
"""
import pathlib
import re
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

SETUP = """
set client_min_messages = warning;
drop schema if exists public, s cascade;
create schema public;
create schema s;
create type color as enum ('red', 'green');
create type pair as (x int, y text);
create domain posint as int check (value > 0);
create table t (a int, b text, c numeric(10,2), d date, e int[], f boolean, "G h" text collate "C", p pair);
create table u (a int, b text, z bigint);
create table s.w (a int, "select" int);
create table dropped (a int, gone int, b int);
create function g(x int, y text default 'q') returns int language sql as 'select 1';
create function v(variadic x int[]) returns int language sql as 'select 1';
create function r(int) returns setof record language sql as 'select 1, 2';
create function s.h(int) returns int language sql as 'select 1';
"""

VIEWS = """
select 1
select a, b from t
select t.a as x, t.b "select", "G h" from t where a > 1 and b = 'x' or not f
select a + 1, a * (c - 2) / 3, -a, a || b, b || 'x' from t
select a from t order by a desc, b nulls first, c using > limit 10 offset 5
select distinct on (a) a, b from t order by a, b
select distinct a from t
select count(*), count(distinct a), sum(a order by b desc) filter (where a > 1), string_agg(b, ',' order by a) from t
select a, sum(c) from t group by a having sum(c) > 10
select a, b, count(*) from t group by rollup (a, b), cube (a, (b, c)), grouping sets ((a), ())
select grouping(a), lower(b) from t group by a, lower(b) order by lower(b)
select a, rank() over (partition by b order by c desc), sum(a) over w from t window w as (order by d rows between 1 preceding and current row)
select first_value(a) over (order by c range between unbounded preceding and unbounded following exclude ties) from t
select x.a, y.b from t x join u y on x.a = y.a left join s.w on w.a = x.a
select * from t join u using (a)
select * from t left join u using (a, b)
select * from t full join u using (a)
select j.* from (t join u using (a)) j
select j.q from (t join u using (a)) as j (q)
select a from t natural join u
select t.a from t cross join u
select t.a, u.b from t, u where t.a = u.a
select x.a from t x, t y, u
select a from (select a, b from t where a = 1) q where b is not null
select q.n from (select a as n from t) q (n)
select (select max(a) from u where u.a = t.a), exists (select 1 from u), a in (select a from u) from t
select a from t where a = any (select a from u) and a <> all (select z from u) and (a, b) in (select a, b from u)
select a from t where a in (1, 2, 3) and b not in ('x', 'y') and a = any (e)
select array(select a from u), array[1, 2], array[]::int[], e[1], e[1:2] from t
select a from t union select a from u
select a from t union all select z from u order by 1
select a from t union select a from u except select z from u
select a from t except (select a from u union all select z from u)
(select a from t order by a limit 1) union (select 2)
with q as (select a from t), r (m) as materialized (select 1) select * from q, r
with recursive q (n) as (select 1 union all select n + 1 from q where n < 5) select n from q
with t as (select 1 as one) select t.one, x.a from t, public.t x
values (1, 'a'), (2, 'b')
select * from (values (1, 'a'), (2, 'b')) v (n, s)
select case when a > 1 then 'x' else 'y' end, case a when 1 then b end, coalesce(a, 0), nullif(a, 1), greatest(a, 2), least(a, 3) from t
select a::text, b::varchar(10), c::numeric(5,1), 'x'::char(3), a::bigint, '5'::int, cast(a as float8), b::text from t
select date '2020-01-02', interval '1 day', timestamp '2020-01-01 10:00', true, null, null::int, -5, -5.5, 1.5, 5000000000, 'it''s', e'back\\\\slash' from t
select current_date, current_timestamp, current_timestamp(3), localtime, current_user, session_user, current_schema
select extract(year from d), d at time zone 'UTC', position('x' in b), substring(b from 1 for 2), trim(b), trim(leading 'x' from b), overlay(b placing 'x' from 1), (d, d) overlaps (d, d) from t
select b like 'x%', b not like 'y', b ilike 'z', b ~ 'q', b similar to 'a', a between 1 and 2, a is null, b is not null, f is true, f is not false, f is unknown, a is distinct from 1 from t
select g(1), g(1, 'b'), g(y => 'c', x => 2), s.h(a), v(1, 2), v(variadic e), upper(b), t.*, t from t
select (p).x, (p).y, row(a, b)::pair, p is null, (row(a, b)::pair).x from t
select n, o from generate_series(1, 3) with ordinality as gs (n, o)
select x.y from unnest(array[1, 2]) x (y), lateral (select x.y + 1) l
select * from r(1) as (a int, b text)
select * from rows from (generate_series(1, 2), r(2) as (a int, b text)) as k
select * from unnest(array[1], array['a']) as k (a, b)
select * from upper('x')
select a from t for update of t nowait
select a from only t for share skip locked
select b collate "C", b collate "C" < 'x' from t
select (a, b) < (1, 'x'), (a, b) = (1, 'x') from t
select a % 2, a & 1, @ a, ~ a, a # 2, a << 1 from t
select x.a as a1, x.a as a2 from t x order by x.a + 1, a1
select a, (select count(*) from t where t.a = o.a) from t o
select 'red'::color, color 'green', 5::posint, 1::posint + 1, '{1,2}'::int[]
select percentile_cont(0.5) within group (order by a) from t
select a from t where f and (a > 1 or a < 0) and not (f or a = 5)
select a from t group by a, 1 + 2 order by 1 fetch first 2 rows with ties
select dropped.b from dropped join t using (a)
select "select" from s.w
select a from t where exists (select from u where u.a = t.a and u.b = (select max(b) from t))
select json_build_object('a', a), concat(a, b), format('%s', a) from t
select sum(a) over (), count(*) over (partition by f), row_number() over () from t
select t1.a from t t1 join (u u1 join s.w on u1.a = w.a) on t1.a = u1.a
select k, l from t x (k, l) join u on k = z
""".strip().splitlines()

EXPRESSIONS = ["a > 0", "length(b) < 10 and c is not null", "a + 1 > 2 or f", "b = any (array['x'::text, 'y'])",
               "(a * 2 + 1) * 3 > a - (4 - 1)", "b ~ '^x' and not f", "lower(b) = 'x'", "coalesce(a, 0) >= -1",
               "c between 1 and 2.5", "d > '2020-01-01'", "(p).x = 1", "case when f then a else 0 end > 1"]

def psql(sql):
    command = ['psql', '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', *sys.argv[1:], '-c', sql]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        print(sql, result.stderr, file=sys.stderr)
        raise subprocess.CalledProcessError(result.returncode, 'psql', stderr=result.stderr)
    return result.stdout[:-1]


def create_view(name, sql):
    """Columns of equal names get others; everything else keeps what the query gives."""
    try:
        psql(f'create view {name} as {sql}')
    except subprocess.CalledProcessError as error:
        if 'specified more than once' not in error.stderr:
            sys.exit(sql + '\n' + error.stderr)
        columns = subprocess.run(['psql', '-X', '-A', *sys.argv[1:], '-c', f'select * from ({sql}) q limit 0'], check=True,
                                 capture_output=True, text=True).stdout.splitlines()[0].split('|')
        aliases = ', '.join(f'c{i}' for i in range(len(columns)))
        psql(f'create view {name} ({aliases}) as {sql}')


def snake(name):
    return re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name).lower()


def our_nodes():
    """Upper-case tag -> (our name, [(type, field)])."""
    text = ''.join((ROOT / 'node/sql/query' / h).read_text() for h in ('expr.h', 'query.h'))
    nodes = {}
    shared = None
    for match in re.finditer(r'struct (\w+) : (\w+)(?:<[^>]*>)? \{(.*?)\n\};', text, re.S):
        name, base, body = match.groups()
        fields = re.findall(r'^  ([\w:<>*]+(?: [\w:<>*]+)?) (\w+)(?: = [^;]*)?;', body, re.M)
        if name == 'OpExprFields':
            shared = fields
        if base == 'OpExprFields':
            fields = shared
        nodes[name.upper()] = (name, fields)
    return nodes


NODES = our_nodes()
RENAMED = {'COERCEVIAIO': 'COERCEVIAIO', 'RTE': 'RANGETBLENTRY', 'CASE': 'CASEEXPR', 'WHEN': 'CASEWHEN',
           'ARRAY': 'ARRAYEXPR', 'ROW': 'ROWEXPR', 'ROWCOMPARE': 'ROWCOMPAREEXPR', 'COALESCE': 'COALESCEEXPR',
           'MINMAX': 'MINMAXEXPR', 'NULLIFEXPR': 'NULLIFEXPR', 'AGGREF': 'AGGREF'}


class Reader:
    """PostgreSQL's nodeToString format -> python: ('node', TAG, {field: value}), lists, str tokens, None."""

    def __init__(self, text):
        self.tokens = re.findall(r'\(|\)|\{|\}|\[|\]|"(?:[^"\\]|\\.)*"|(?:[^\s(){}\[\]"\\]|\\.)+', text, re.S)
        self.at = 0

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def value(self):
        token = self.take()
        if token == '{':
            return self.node()
        if token == '(':
            items = []
            while self.tokens[self.at] != ')':
                items.append(self.value())
            self.at += 1
            return items
        if token == '<>':
            return None
        if self.tokens[self.at] == '[':  # a datum: length [ bytes ]
            self.at += 1
            data = []
            while self.tokens[self.at] != ']':
                data.append(int(self.take()) & 0xff)
            self.at += 1
            return bytes(data)
        return token

    def node(self):
        tag = self.take()
        fields = {}
        while self.tokens[self.at] != '}':
            name = self.take()
            assert name[0] == ':', name
            if self.tokens[self.at].startswith(':') or self.tokens[self.at] == '}':
                continue
            fields[snake(name[1:])] = self.value()
        self.at += 1
        return ('node', RENAMED.get(tag, tag), fields)


def plain(token):
    if token is None:
        return None
    if token.startswith('"') and token.endswith('"') and len(token) > 1:
        token = token[1:-1]
    return re.sub(r'\\(.)', r'\1', token)


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def numeric_text(data):
    header = struct.unpack('<H', data[:2])[0]
    if header & 0xc000 == 0x8000:
        negative, scale = header & 0x2000, (header >> 7) & 0x3f
        weight = (header & 0x3f) - (0x40 if header & 0x40 else 0)
        digits = data[2:]
    else:
        negative, scale = header & 0x4000, header & 0x3fff
        weight = struct.unpack('<h', data[2:4])[0]
        digits = data[4:]
    values = struct.unpack(f'<{len(digits) // 2}h', digits)
    number = sum(v * 10000 ** (weight - i) if weight >= i else 0 for i, v in enumerate(values))
    text = str(number)
    if scale:
        fraction = ''.join(f'{values[i] if i < len(values) else 0:04d}'
                           for i in range(weight + 1, weight + 2 + scale // 4 + 1) if i >= 0)
        text += '.' + fraction[:scale].ljust(scale, '0')
    return ('-' if negative else '') + text


def const_text(type_oid, data):
    fixed = {16: lambda d: 't' if d[0] else 'f', 21: '<h', 23: '<i', 20: '<q', 26: '<I'}
    if type_oid in fixed:
        decode = fixed[type_oid]
        return decode(data) if callable(decode) else str(struct.unpack_from(decode, data)[0])
    if type_oid in (25, 1043, 1042, 705):
        return data[:-1].decode() if type_oid == 705 else data[4:].decode()
    if type_oid == 1700:
        return numeric_text(data[4:])
    if type_oid == 1082:
        return psql(f"select date '2000-01-01' + {struct.unpack_from('<i', data)[0]}")
    if type_oid == 1114:
        return psql(f"select timestamp '2000-01-01' + interval '1 us' * {struct.unpack_from('<q', data)[0]}")
    if type_oid == 1186:
        us, days, months = struct.unpack('<qii', data)
        return psql(f"select make_interval(months => {months}, days => {days}, secs => {us / 1e6})")
    if type_oid == 701:
        return psql(f"select {struct.unpack('<d', data)[0]!r}::float8")
    if type_oid == 1007:
        count = struct.unpack_from('<i', data, 16)[0]
        return '{' + ','.join(str(v) for v in struct.unpack_from(f'<{count}i', data, 24)) + '}'
    if psql(f'select typtype from pg_type where oid = {type_oid}') == 'e':
        return psql(f"select enumlabel from pg_enum where oid = {struct.unpack_from('<I', data)[0]}")
    raise SystemExit(f'constant of type {type_oid}: {data}')


TYPES, MODIFIED_TYPES, FUNCTIONS, OPERATORS, RELATIONS, COLLATIONS = set(), set(), set(), set(), set(), set()
NOT_TYPES = {'jointype', 'sub_link_type', 'nulltesttype', 'booltesttype', 'command_type', 'rctype'}
TYPE_FIELDS = {'vartypmod': 'vartype', 'consttypmod': 'consttype', 'resulttypmod': 'resulttype', 'type_mod': 'type_id'}


def note(field, value):
    if not isinstance(value, str) or not re.fullmatch(r'-?\d+', value):
        return
    number = int(value)
    if number > 0 and re.search(r'type(s|_?id)?$', field) and field not in NOT_TYPES:
        TYPES.add(number)
    elif field in ('funcid', 'aggfnoid', 'winfnoid'):
        FUNCTIONS.add(number)
    elif field in ('opno', 'sortop', 'eqop'):
        OPERATORS.add(number)
    elif field == 'relid':
        RELATIONS.add(number)
    elif 'coll' in field:
        COLLATIONS.add(number)


def convert(value):
    """To our text form."""
    if value is None:
        return '<>'
    if isinstance(value, list):
        return '(' + ' '.join(convert(item) for item in value) + ')'
    _, tag, fields = value
    name, declared = NODES[tag]
    out = '{' + name
    if name == 'Query' and fields.get('limit_count') is not None:
        fields['limit_option'] = {'0': '1', '1': '2'}[fields['limit_option']]
    elif name == 'Query':
        fields['limit_option'] = '0'
    if name == 'RangeTblEntry' and fields['rtekind'] == '2':  # ours has both lists parallel to the join's columns
        left, right = (fields[side] or ['i'] for side in ('joinleftcols', 'joinrightcols'))
        merged = int(fields['joinmergedcols'])
        fields['joinleftcols'] = left + ['0'] * (len(right) - 1 - merged)
        fields['joinrightcols'] = right[:merged + 1] + ['0'] * (len(left) - 1 - merged) + right[merged + 1:]
    for kind, field in declared:
        source = fields.get(field)
        note(field, source)
        if field in TYPE_FIELDS and source not in (None, '-1'):
            MODIFIED_TYPES.add((int(fields[TYPE_FIELDS[field]]), int(source)))
        if name == 'GroupingSet' and field in ('refs', 'sets'):
            source = fields.get('content') if (fields['kind'] == '1') == (field == 'refs') else None
        if name == 'SubLink' and field == 'array_type' and fields['sub_link_type'] == '6':
            column = fields['subselect'][2]['target_list'][0][2]['expr'][2]
            source = psql(f"select typarray from pg_type where oid = {column.get('vartype') or column['consttype']}")
            TYPES.add(int(source))
        if name == 'FuncExpr' and field == 'args' and fields['funcformat'] in ('1', '2') and len(source or []) > 1:
            MODIFIED_TYPES.add((int(fields['funcresulttype']), struct.unpack_from('<i', source[1][2]['constvalue'])[0]))
        if name == 'Const' and field == 'value':
            text = None if fields['constisnull'] == 'true' else const_text(int(fields['consttype']), fields['constvalue'])
            if text is not None and fields['consttype'] == '23':  # as it is in memory: casts look at it
                out += f' :value [3 {int(text) & 0xffffffff} 0]'
                continue
            out += ' :value [8' + (']' if text is None else ' ' + quoted(text) + ']')
            continue
        if kind == 'Location' or source is None or kind in ('const ast::Node*',):
            continue
        out += f' :{field} '
        if kind == 'std::string_view':
            out += quoted(plain(source))
        elif kind == 'char':
            out += str(ord(plain(source)[0]))
        elif kind == 'List<std::string_view>':
            out += '(' + ' '.join(quoted(plain(item)) for item in source) + ')'
        elif kind in ('List<int32_t>', 'List<Oid>'):
            numbers = source[1:] if source and source[0] in ('i', 'o', 'b') else source
            shift = 7 if source and source[0] == 'b' else 0
            for number in numbers:
                note(field, number)
            out += '(' + ' '.join(str(int(n) - shift) for n in numbers) + ')'
        elif kind == 'List<RowExpr*>' and field == 'values_lists':
            out += '(' + ' '.join('{RowExpr :args ' + convert(row) + '}' for row in source) + ')'
        elif kind == 'BoolExprType':
            out += {'and': '0', 'or': '1', 'not': '2'}[source]
        elif isinstance(source, (list, tuple)):
            out += convert(source)
        else:
            out += source
    return out + '}'


def raw(text):
    # MSVC-sized pieces are not needed, but the delimiter must not occur.
    return 'R"~(' + text + ')~"'


def main():
    psql(SETUP)
    print('// Written by query_deparse_golden.py from PostgreSQL', psql('show server_version') + '.')
    print('const GoldenView kGoldenViews[] = {')
    for number, sql in enumerate(VIEWS):
        create_view(f'v{number}', sql)
    psql('alter table dropped drop column gone; alter table u add column "newer" int; alter table t rename c to cc')
    for number, sql in enumerate(VIEWS):
        action = psql(f"select ev_action from pg_rewrite where ev_class = 'v{number}'::regclass")
        tree = convert(Reader(action).value()[0])
        plain_text, pretty_text = (psql(f"select pg_get_viewdef('v{number}'::regclass, {p})") for p in ('false', 'true'))
        print(f'    {{{raw(tree)},\n     {raw(plain_text)},\n     {raw(pretty_text)}}},')
    print('};\n\nconst GoldenExpr kGoldenExprs[] = {')
    relation = psql("select 't'::regclass::oid")
    for sql in EXPRESSIONS:
        psql(f'alter table t rename cc to c; alter table t add constraint k check ({sql}); alter table t rename c to cc')
        tree = convert(Reader(psql("select conbin from pg_constraint where conname = 'k'")).value())
        plain_text, pretty_text = (psql(f"select pg_get_expr(conbin, conrelid, {p}) from pg_constraint where conname = 'k'")
                                   for p in ('false', 'true'))
        psql('alter table t drop constraint k')
        print(f'    {{{raw(tree)}, {relation},\n     {raw(plain_text)},\n     {raw(pretty_text)}}},')
    print('};\n')
    facts()


def facts():
    def rows(name, sql):
        print(f'const GoldenFact {name}[] = {{')
        for line in psql(sql).splitlines():
            key, _, text = line.partition('|')
            print(f'    {{{key}, {raw(text)}}},')
        print('};')

    ids = lambda numbers: ','.join(str(n) for n in sorted(numbers | {0}))  # noqa: E731
    visible = "case when n.nspname in ('pg_catalog', 'public') then '' else quote_ident(n.nspname) || '.' end"
    for name in ('t', 'u', 's.w', 'dropped', 'pair'):
        RELATIONS.add(int(psql(f"select '{name}'::regclass::oid")))
    TYPES.update(int(x) for x in psql('select oid from pg_type where typnamespace = 11 and typtype = \'b\' and oid < 4000'
                                      ).split())
    print('const GoldenType kGoldenTypes[] = {')
    pairs = ','.join(f'({oid}, {typmod})' for oid, typmod in sorted(MODIFIED_TYPES | {(oid, -1) for oid in TYPES}))
    for line in psql(f'select oid, m, format_type(oid::oid, m) from (values {pairs}) v (oid, m)').splitlines():
        oid, typmod, text = line.split('|')
        print(f'    {{{oid}, {typmod}, {raw(text)}}},')
    print('};')
    rows('kGoldenFunctions', f"""select p.oid, {visible} || quote_ident(proname) from pg_proc p
                                 join pg_namespace n on n.oid = pronamespace where p.oid in ({ids(FUNCTIONS)})""")
    rows('kGoldenOperators', f'select oid, oprname from pg_operator where oid in ({ids(OPERATORS)})')
    rows('kGoldenRelations', f"""select c.oid, {visible} || quote_ident(relname) from pg_class c
                                 join pg_namespace n on n.oid = relnamespace where c.oid in ({ids(RELATIONS)})""")
    rows('kGoldenColumns', f"""select attrelid, case when attisdropped then '' else attname end from pg_attribute
                               where attrelid in ({ids(RELATIONS)}) and attnum > 0 order by attrelid, attnum""")
    rows('kGoldenCollations', f'select oid, quote_ident(collname) from pg_collation where oid in ({ids(COLLATIONS)})')
    rows('kGoldenTypeFacts', f"""select oid, concat_ws(' ', typcollation, typelem, typrelid,
           coalesce((select amopopr from pg_amop join pg_opclass on opcfamily = amopfamily where opcmethod = 403 and opcdefault and
             amopstrategy = 1 and amoplefttype = opcintype and amoprighttype = opcintype and opcintype = case t.oid when 1043
             then 25 else t.oid end), 0),
           coalesce((select amopopr from pg_amop join pg_opclass on opcfamily = amopfamily where opcmethod = 403 and opcdefault and
             amopstrategy = 5 and amoplefttype = opcintype and amoprighttype = opcintype and opcintype = case t.oid when 1043
             then 25 else t.oid end), 0))
           from pg_type t where oid in ({ids(TYPES)})""")


main()
