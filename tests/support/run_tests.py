#!/usr/bin/env python3
"""Runs every test of a build folder through ctest and ends with one line: 'N passed, N failed[, N skipped]'.

usage: run_tests.py BUILD_FOLDER [--long] [ctest arguments...]
--long: with the tests labelled "long", which take an hour.
"""
import os
import re
import subprocess
import sys


def main() -> int:
    build, arguments = sys.argv[1], [argument for argument in sys.argv[2:] if argument != "--long"]
    if "--long" not in sys.argv:
        arguments += ["-LE", "long"]
    command = ["ctest", "--test-dir", build, "--output-on-failure", "-j", str(os.cpu_count() or 2)] + arguments
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace")
    counts = {"Passed": 0, "Failed": 0, "Skipped": 0}
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        result = re.match(r"\s*\d+/\d+ Test\s+#\d+: .*?(Passed|\*\*\*\w+)", line)
        if result:
            word = result.group(1)
            counts["Passed" if word == "Passed" else "Skipped" if word == "***Skipped" else "Failed"] += 1
    code = process.wait()
    if code == 0 and counts["Passed"] == 0:
        print("no test was run", file=sys.stderr)
        code = 1
    print(f"{counts['Passed']} passed, {counts['Failed']} failed, {counts['Skipped']} skipped")
    return code


if __name__ == "__main__":
    sys.exit(main())
