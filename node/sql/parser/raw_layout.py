#!/usr/bin/env python3
"""Writes raw_layout.def: where each AST field lies in the library's raw parse nodes.

usage: raw_layout.py INCLUDE_DIR > raw_layout.def

INCLUDE_DIR is PostgreSQL's server include directory (Debian: postgresql-server-dev-15, unpacked with dpkg -x; it is
needed for this alone, not for building). The field lists come from FIELDS in ast_*.h; names are matched after
turning PostgreSQL's into snake_case. Run it again when a node or a field is added.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
# Our name -> PostgreSQL's, where the rule (CamelCase as it is) does not hold.
STRUCTS = {'AExpr': 'A_Expr', 'AConst': 'A_Const', 'AStar': 'A_Star', 'AIndices': 'A_Indices',
           'AIndirection': 'A_Indirection', 'AArrayExpr': 'A_ArrayExpr', 'SqlValueFunction': 'SQLValueFunction',
           'CteSearchClause': 'CTESearchClause', 'CteCycleClause': 'CTECycleClause', 'PlAssignStmt': 'PLAssignStmt',
           'AlterTsDictionaryStmt': 'AlterTSDictionaryStmt', 'AlterTsConfigurationStmt': 'AlterTSConfigurationStmt',
           'CreatePlangStmt': 'CreatePLangStmt'}


def snake(name):
    return re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name).lower()


def ast_nodes():
    """[(name, [field])] in the order of ast_tags.def."""
    text = ''.join(path.read_text() for path in sorted(HERE.glob('ast_*.h')))
    fields = {}
    for match in re.finditer(r'struct (\w+) : NodeOf<Tag::k\w+> \{(.*?)\n\};', text, re.S):
        declared = re.search(r'^\s*FIELDS\((.*?)\)', match.group(2), re.S | re.M)
        fields[match.group(1)] = [f.strip() for f in declared.group(1).split(',')] if declared else []
    tags = re.findall(r'^X\((\w+)\)', (HERE / 'ast_tags.def').read_text(), re.M)
    return [(tag, fields[tag]) for tag in tags if tag != 'ListNode']


def c_fields(include_dir):
    """PostgreSQL's struct name -> {snake_case name: name}."""
    text = ''.join((include_dir / 'nodes' / header).read_text()
                   for header in ('parsenodes.h', 'primnodes.h', 'value.h'))
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
    text = re.sub(r'union ValUnion\s*\{.*?\}', 'Node *', text, flags=re.S)
    structs = {}
    for match in re.finditer(r'struct (\w+)\s*\{(.*?)\n\}', text, re.S):
        names = re.findall(r'(\w+);', match.group(2))
        structs[match.group(1)] = {snake(name): name for name in names}
    return structs


def main():
    include_dir = pathlib.Path(sys.argv[1])
    structs = c_fields(include_dir)
    lines = ['#include "postgres.h"', '#include "nodes/parsenodes.h"', '#include "nodes/value.h"',
             '#include <stddef.h>', '#undef printf', 'int printf(const char *, ...);',
             'int main(void) {']
    for name, fields in ast_nodes():
        c_name = STRUCTS.get(name, name)
        lines.append(f'  printf("X({name}, %d", (int) T_{c_name});')
        for field in fields:
            lines.append(f'  printf(", %d", (int) offsetof({c_name}, {structs[c_name][field]}));')
        lines.append('  printf(")\\n");')
    lines += ['  return 0;', '}']
    with tempfile.TemporaryDirectory() as scratch:
        source, program = pathlib.Path(scratch) / 'layout.c', pathlib.Path(scratch) / 'layout'
        source.write_text('\n'.join(lines))
        subprocess.run(['cc', '-w', '-I', include_dir, '-o', program, source], check=True)
        table = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    print('// X(node, tag in the raw tree, byte offset of each field in FIELDS order...): the layout of raw parse nodes in')
    print('// libpg_query 15 on 64-bit machines. Written by raw_layout.py; parser_raw_tree_test checks it.')
    print(table, end='')


main()
