#!/usr/bin/env python3
"""Every source file is as clang-format leaves it; skipped, with a message, where clang-format 19 is not installed (`./dev lint` does that).

usage: format.py SOURCE_FOLDER
"""
import pathlib
import shutil
import subprocess
import sys

SKIPPED = 77
FOLDERS = ("node", "replication", "metrics", "tests")


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    if shutil.which("clang-format-19") is None:
        print("SKIPPED: clang-format-19 is not installed")
        return SKIPPED
    files = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*")) if path.suffix in (".h", ".cpp")]
    assert len(files) > 500, f"only {len(files)} source files"
    checked = subprocess.run(["clang-format-19", "--dry-run", "-Werror", *files], capture_output=True, text=True)
    wrong = sorted({line.split(":")[0] for line in checked.stderr.splitlines() if "clang-formatted" in line})
    for path in wrong:
        print(f"{path}: not as clang-format leaves it (./dev lint --fix)")
    return 1 if wrong or checked.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
