#!/usr/bin/env python3
"""clang-format and clang-tidy over what changed since a base: by default the lines that differ from the last commit on main
(or, on main itself, from the commit before). With --all over the whole tree. Exits 1 when something would change or is
warned about.

usage: lint.py [--all] [--fix] [--format-only] [BASE]
  --fix          applies clang-format's changes
  --format-only  no clang-tidy, which takes about ten seconds a file
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("node", "replication", "metrics", "tests")
SOURCES = (".h", ".cpp")


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def git(*arguments) -> str:
    done = run("git", *arguments)
    if done.returncode != 0:
        sys.exit(f"lint: git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def tool(name: str) -> str:
    for candidate in (f"{name}-19", name):
        if shutil.which(candidate):
            return candidate
    sys.exit(f"lint: {name} is not installed")


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


def tidy_file(name: str, lines) -> list:
    where = {"name": name, **({"lines": lines} if lines else {})}
    done = run(tool("clang-tidy"), "-p", "build/dev", "--quiet", f"--line-filter={json.dumps([where])}", name)
    findings = re.findall(r"^(?:" + re.escape(str(ROOT)) + r"/)?(\S+:\d+:\d+: (?:warning|error): .*)$", done.stdout, re.M)
    return sorted(set(findings))


def main() -> int:
    options = {word for word in sys.argv[1:] if word.startswith("--")}
    bases = [word for word in sys.argv[1:] if not word.startswith("--")]
    if options - {"--all", "--fix", "--format-only"}:
        sys.exit(__doc__)
    # Where this branch left the base: what others did there since is not this branch's.
    base = git("merge-base", bases[0], "HEAD").strip() if bases else default_base()
    files = whole_tree() if "--all" in options else changed_lines(base)
    findings = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(format_file, name, lines, "--fix" in options) for name, lines in files.items()]
        if "--format-only" not in options:
            jobs += [pool.submit(tidy_file, name, lines) for name, lines in files.items() if name.endswith(".cpp")]
        for job in concurrent.futures.as_completed(jobs):
            for finding in job.result():
                print(finding, flush=True)
                findings.append(finding)
    print(f"lint: {len(files)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
