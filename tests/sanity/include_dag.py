#!/usr/bin/env python3
"""Fails when a folder of node/ includes one that stands below it in node/CMakeLists.txt, or a library header leaves its folder.

usage: include_dag.py REPOSITORY_ROOT
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)
# Headers that only one place may include: prefix of the header -> folders (prefixes) that may.
CONFINED = {
    "grpc": ["replication/"],
    "prometheus/": ["metrics/"],
    "boost/": ["node/shm/"],
    "pg_query": ["node/sql/parser/"],
}
# Headers of a higher folder that lower ones may include because they depend on nothing and hold no code to link.
HEADER_ONLY = {"node/types/value.h"}


def module_order(root: pathlib.Path) -> list:
    text = (root / "node/CMakeLists.txt").read_text()
    return re.findall(r"^walden_module\((\S+)", text, re.M)


def folder_of(path: str, modules: list):
    """The longest module that is a prefix of node/<path>."""
    best = None
    for module in modules:
        if path.startswith(f"node/{module}/") and (best is None or len(module) > len(best)):
            best = module
    return best


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    modules = module_order(root)
    rank = {module: i for i, module in enumerate(modules)}
    problems = []
    for folder in ("node", "replication", "metrics"):
        for source in sorted((root / folder).rglob("*")):
            if source.suffix not in (".h", ".cpp", ".def"):
                continue
            name = str(source.relative_to(root))
            own = folder_of(name, modules)
            if folder == "node" and own is None:
                problems.append(f"{name}: its folder is not declared in node/CMakeLists.txt")
                continue
            for header in INCLUDE.findall(source.read_text(errors="replace")):
                for prefix, allowed in CONFINED.items():
                    if header.startswith(prefix) and not any(name.startswith(a) for a in allowed):
                        problems.append(f"{name}: includes {header}, which only {', '.join(allowed)} may")
                if not header.startswith("node/") or header in HEADER_ONLY:
                    if folder == "node" and own not in ("server", "cli") and header.startswith(("replication/", "metrics/")):
                        problems.append(f"{name}: includes {header}: only node/server and node/cli may look there")
                    continue
                target = folder_of(header, modules)
                if target is None:
                    problems.append(f"{name}: includes {header}, which is in no declared folder")
                elif folder == "node" and rank[target] > rank[own]:
                    problems.append(f"{name}: includes {header}: {target} stands below {own}")
                elif folder == "metrics" and rank[target] > rank["stats"]:
                    problems.append(f"{name}: includes {header}: metrics/ may use node/ up to stats")
                elif folder == "replication" and rank[target] > rank["recovery"]:
                    problems.append(f"{name}: includes {header}: replication/ may use node/ up to recovery")
    print("\n".join(problems) or f"{len(modules)} folders, no include points downward")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
