#!/usr/bin/env python3
"""Every folder with code has a README.md, and tracked text names no machine path.

usage: folder_readmes.py REPOSITORY_ROOT
"""
import pathlib
import re
import sys

MACHINE_PATH = re.compile(r"/(work|farm)/")


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    problems = []
    for top in ("node", "replication", "metrics", "proto"):
        for folder in sorted({p.parent for p in (root / top).rglob("*") if p.suffix in (".cpp", ".h", ".proto")}):
            if not (folder / "README.md").exists():
                problems.append(f"{folder.relative_to(root)} has code and no README.md")
    for top in ("node", "replication", "metrics", "proto", "tests", "helm"):
        for path in (root / top).rglob("*"):
            if path.suffix in (".cpp", ".h", ".def", ".py", ".md", ".sql", ".txt", ".yaml", ".proto") and path.name != "folder_readmes.py":
                if MACHINE_PATH.search(path.read_text(errors="replace")):
                    problems.append(f"{path.relative_to(root)} names a machine path")
    print("\n".join(problems) or "folders are explained")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
