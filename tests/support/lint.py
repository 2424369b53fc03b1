#!/usr/bin/env python3
"""clang-format and clang-tidy over what changed since a base: by default the lines that differ from the last commit on main
(or, on main itself, from the commit before). With --all over the whole tree. Exits 1 when something would change or is
warned about, 77 when there is nothing to lint with or to compare with.

usage: lint.py [--all] [--fix] [--format-only | --tidy-only] [--build FOLDER] [--limit N] [--seconds N] [BASE]
  --fix          applies clang-format's changes
  --format-only  no clang-tidy, which takes about ten seconds a file
  --tidy-only    no clang-format
  --build        whose compile_commands.json clang-tidy reads (build/dev)
  --limit        so many files at most go to clang-tidy, those with the most lines that changed; the others are counted
  --seconds      so are those that clang-tidy has not begun with after this time
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("node", "replication", "metrics", "tests")
SOURCES = (".h", ".cpp")
SKIPPED = 77


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def skip(reason: str):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def git(*arguments) -> str:
    done = run("git", *arguments)
    if done.returncode != 0:
        skip(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def tool(name: str) -> str:
    for candidate in (f"{name}-19", name):
        if shutil.which(candidate):
            return candidate
    skip(f"{name} is not installed")


def default_base() -> str:
    for main in ("main", "origin/main"):
        found = run("git", "merge-base", main, "HEAD")
        if found.returncode == 0 and found.stdout != git("rev-parse", "HEAD"):
            return found.stdout.strip()
    return "HEAD~1"


def changed_lines(base: str) -> dict:
    """file -> [(first, last)] of the lines that are new since `base`, uncommitted ones too."""
    changes, name = {}, None
    for line in git("diff", "--unified=0", "--no-color", "--diff-filter=d", base, "--", *FOLDERS).splitlines():
        if line.startswith("+++ "):
            name = line[6:] if line.endswith(SOURCES) else None
        hunk = re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line)
        if hunk and name:
            first, count = int(hunk[1]), int(hunk[2] or 1)
            if count > 0:
                changes.setdefault(name, []).append((first, first + count - 1))
    for name in git("ls-files", "--others", "--exclude-standard", "--", *FOLDERS).split():
        if name.endswith(SOURCES):
            changes[name] = None  # all of it
    return changes


def whole_tree() -> dict:
    return {name: None for name in git("ls-files", "--", *FOLDERS).split() if name.endswith(SOURCES)}


def format_file(name: str, lines, fix: bool) -> list:
    ranges = [f"--lines={first}:{last}" for first, last in lines or []]
    mode = ["-i"] if fix else ["--dry-run", "--Werror"]
    done = run(tool("clang-format"), *mode, *ranges, name)
    return sorted({f"{match}: not formatted" for match in re.findall(rf"^({re.escape(name)}:\d+)", done.stderr, re.M)})


def tidy_file(name: str, lines, build: str) -> list:
    where = {"name": name, **({"lines": lines} if lines else {})}
    done = run(tool("clang-tidy"), "-p", build, "--quiet", f"--line-filter={json.dumps([where])}", name)
    findings = re.findall(r"^(?:" + re.escape(str(ROOT)) + r"/)?(\S+:\d+:\d+: (?:warning|error): .*)$", done.stdout, re.M)
    return sorted(set(findings))


def to_tidy(files: dict, limit) -> list:
    """Those that go to clang-tidy."""
    def changed(name: str) -> float:
        return float("inf") if files[name] is None else sum(last - first + 1 for first, last in files[name])
    names = sorted((name for name in files if name.endswith(".cpp")), key=changed, reverse=True)
    if limit is not None and len(names) > limit:
        print(f"lint: {len(names) - limit} of {len(names)} files with changes are left out")
    return names[:limit]


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    for option in ("--all", "--fix", "--format-only", "--tidy-only"):
        parser.add_argument(option, action="store_true")
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("base", nargs="?")
    options = parser.parse_args()
    # Where this branch left the base: what others did there since is not this branch's.
    base = git("merge-base", options.base, "HEAD").strip() if options.base else default_base()
    files = whole_tree() if options.all else changed_lines(base)
    tidied = [] if options.format_only else to_tidy(files, options.limit)
    findings, late, deadline = [], [], time.monotonic() + options.seconds

    def tidy_in_time(name: str) -> list:
        if time.monotonic() > deadline:
            late.append(name)
            return []
        return tidy_file(name, files[name], options.build)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [] if options.tidy_only else [pool.submit(format_file, name, lines, options.fix) for name, lines in files.items()]
        jobs += [pool.submit(tidy_in_time, name) for name in tidied]
        for job in concurrent.futures.as_completed(jobs):
            for finding in job.result():
                print(finding, flush=True)
                findings.append(finding)
    print(f"lint: {len(files)} files differ from {'nothing' if options.all else base[:10]}, {len(tidied) - len(late)} read by clang-tidy, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
