#!/usr/bin/env python3
"""The manual, the help and the tables agree: options, wait classes, exit statuses."""

import os
import re
import subprocess
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILDDIR = os.environ.get("HANGDUMP_BUILDDIR", os.getcwd())
HANGDUMP = os.path.abspath(os.environ.get("HANGDUMP", os.path.join(BUILDDIR, "hangdump")))


def read(*parts):
    with open(os.path.join(TOP, *parts), encoding="utf-8") as file:
        return file.read()


def plain(roff):
    """Without fonts and escapes; a line with macros' arguments joined as man would."""
    lines = []
    for line in roff.splitlines():
        if re.match(r'[.\']\\"', line):
            continue
        words = re.match(r"\.(B|I|BR|BI|RB|RI|IB|IR|TP|SH|SS)\b ?(.*)", line)
        if words:
            alternating = len(words.group(1)) == 2 and words.group(1) in ("BR", "BI", "RB", "RI",
                                                                          "IB", "IR")
            parts = re.findall(r'"([^"]*)"|(\S+)', words.group(2))
            line = ("" if alternating else " ").join(a or b for a, b in parts)
        line = re.sub(r"\\f[A-Z]", "", line).replace("\\-", "-").replace("\\&", "")
        lines.append(line)
    return "\n".join(lines)


def section(roff, title):
    found = re.search(rf'^\.SH "?{title}"?\n(.*?)(?=^\.SH |\Z)', roff, re.M | re.S)
    return found.group(1) if found else ""


def options_in(text):
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+|-[a-zA-Z?])(?![\w-])", text))


def check_options(roff, complaints):
    ran = subprocess.run([HANGDUMP, "--help"], capture_output=True, text=True, check=True)
    in_help = options_in("\n".join(
        # An option's line begins with it; words of the explanation do not count.
        re.sub(r"^(\s*(?:-[a-zA-Z?], )?(?:--[^\s]+)?).*", r"\1", line)
        for line in ran.stdout.splitlines() if re.match(r"\s+-", line)))
    in_manual = set()
    for part in ("OPTIONS",):
        lines = plain(section(roff, part)).splitlines()
        raw = section(roff, part).splitlines()
        for before, line in zip(raw, lines[1:] if len(lines) > 1 else []):
            if before == ".TP":
                in_manual |= options_in(line)
    for option in sorted(in_help - in_manual):
        complaints.append(f"{option} is in --help and not in the manual's OPTIONS")
    for option in sorted(in_manual - in_help):
        complaints.append(f"{option} is in the manual's OPTIONS and not in --help")
    if len(in_help) < 5 or len(in_manual) < 5:
        complaints.append(f"few options found: {sorted(in_help)}, {sorted(in_manual)}")
    return len(in_help)


def rows_of(table, name):
    """The first string of each row of a C table with designated initialisers."""
    body = re.search(rf"{name}\[[A-Z_]*\] = {{(.*?)\n}};", table, re.S)
    return re.findall(r'\[[A-Z_]+\]\s*=\s*{?\s*"([^"]+)"', body.group(1)) if body else []


def check_classes(roff, complaints):
    classes = rows_of(read("src", "model", "wait.c"), "wait_classes")
    listed = section(roff, "WAIT CLASSES")
    in_manual = [m.strip() for m in re.findall(r"^([a-z_ ]+)\|", plain(listed), re.M)]
    for name in classes:
        if name not in in_manual:
            complaints.append(f"wait class `{name}` of src/model/wait.c is not in the manual")
    for name in in_manual:
        if name not in classes:
            complaints.append(f"wait class `{name}` of the manual is not in src/model/wait.c")
    if len(classes) < 50:
        complaints.append(f"only {len(classes)} wait classes found in src/model/wait.c")
    return len(classes)


def check_statuses(roff, complaints):
    header = read("src", "cli", "exit_code.h")
    statuses = set(re.findall(r"EXIT_[A-Z]+ = (\d+)", header))
    text = plain(section(roff, "EXIT STATUS"))
    for status in sorted(statuses):
        if not re.search(rf"^\s*{status}\b", text, re.M):
            complaints.append(f"exit status {status} of src/cli/exit_code.h is not in the manual")
    if not statuses:
        complaints.append("no exit statuses found in src/cli/exit_code.h")


def main():
    if not os.access(HANGDUMP, os.X_OK):
        print(f"SKIP: there is no {HANGDUMP}")
        sys.exit(77)
    roff = read("man", "hangdump.1")
    complaints = []
    options = check_options(roff, complaints)
    classes = check_classes(roff, complaints)
    check_statuses(roff, complaints)
    for complaint in complaints:
        print(complaint)
    print(f"{options} options, {classes} wait classes, {len(complaints)} complaints")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
