#!/usr/bin/env python3
"""clang-format over the sources that differ from a base commit (default: the last commit), or over everything with --all;
clang-tidy over the changed .cpp files with --tidy. Exits 1 when something would change or is warned about.

usage: lint.py [--all] [--tidy] [BASE]
"""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("node", "replication", "metrics", "tests")


def tool(name: str) -> str:
    for candidate in (f"{name}-19", name):
        if shutil.which(candidate):
            return candidate
    sys.exit(f"lint: {name} is not installed")


def sources(everything: bool, base: str) -> list:
    command = ["git", "ls-files", *FOLDERS] if everything else ["git", "diff", "--name-only", "--diff-filter=d", base, "--", *FOLDERS]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in names if name.endswith((".h", ".cpp"))]


def main() -> int:
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    files = sources("--all" in sys.argv, arguments[0] if arguments else "HEAD~1")
    if not files:
        print("lint: nothing to look at")
        return 0
    bad = 0
    for name in files:
        done = subprocess.run([tool("clang-format"), "--dry-run", "--Werror", name], cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            bad += 1
            print(f"{name}: not formatted")
    if "--tidy" in sys.argv:
        units = [name for name in files if name.endswith(".cpp")]
        done = subprocess.run([tool("clang-tidy"), "-p", "build/dev", "--quiet", *units], cwd=ROOT)
        bad += done.returncode != 0
    print(f"lint: {len(files)} files, {bad} to mend")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
