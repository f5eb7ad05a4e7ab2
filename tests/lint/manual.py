#!/usr/bin/env python3
"""The manuals, the help and the tables agree: commands, options, wait classes, exit statuses."""

import os
import re
import shutil
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


class Page:
    """The manual page of a command, and what its --help says."""

    def __init__(self, command):
        self.command = command
        self.name = "hangdump" if command == "dump" else f"hangdump-{command}"
        path = os.path.join("man", f"{self.name}.1")
        self.roff = read(path) if os.path.exists(os.path.join(TOP, path)) else None
        self.help = said() if command == "dump" else said(command)


def said(*command):
    return subprocess.run([HANGDUMP, *command, "--help"], capture_output=True, text=True,
                          check=True).stdout


def pages():
    """One for each command in src/cli."""
    found = []
    for name in sorted(os.listdir(os.path.join(TOP, "src", "cli"))):
        if re.fullmatch(r"cmd_\w+\.c", name):
            found += re.findall(r'^const struct command \w+ = {"(\w+)"',
                                read("src", "cli", name), re.M)
    return [Page(command) for command in found]


def check_page(page, complaints):
    """It is there, installed, and where hangdump(1) sends its readers."""
    if page.roff is None:
        complaints.append(f"there is no man/{page.name}.1")
        return
    if f"man/{page.name}.1" not in read("man", "local.mk"):
        complaints.append(f"man/{page.name}.1 is not installed: man/local.mk")
    if not re.search(rf"^\.TH {page.name.upper()} 1 ", page.roff, re.M):
        complaints.append(f"man/{page.name}.1 has another title")
    main_page = plain(read("man", "hangdump.1"))
    if page.command != "dump" and (f"\nhangdump {page.command}\n" not in main_page
                                   or f"{page.name}(1)" not in main_page):
        complaints.append(f"man/hangdump.1 does not name {page.name}(1) and its synopsis")
    if page.command != "dump" and not re.search(rf"^  {page.command} ", said(), re.M):
        complaints.append(f"`hangdump --help` does not name the command {page.command}")
    helped = subprocess.run([HANGDUMP, "help", page.command], capture_output=True, text=True,
                            check=False)
    if helped.stdout != page.help:
        complaints.append(f"`hangdump help {page.command}` is not its --help")
    groff = shutil.which("groff")
    if groff:
        ran = subprocess.run([groff, "-t", "-man", "-ww", "-z", "-Tutf8",
                              os.path.join(TOP, "man", f"{page.name}.1")],
                             capture_output=True, text=True, check=False)
        complaints += ran.stderr.splitlines()


def check_options(page, complaints):
    in_help = options_in("\n".join(
        # An option's line begins with it; words of the explanation do not count.
        re.sub(r"^(\s*(?:-[a-zA-Z?], )?(?:--[^\s]+)?).*", r"\1", line)
        for line in page.help.splitlines() if re.match(r"\s+-", line)))
    in_manual = set()
    raw = section(page.roff, "OPTIONS").splitlines()
    lines = plain(section(page.roff, "OPTIONS")).splitlines()
    for before, line in zip(raw, lines[1:]):
        if before == ".TP":
            in_manual |= options_in(line)
    for option in sorted(in_help - in_manual):
        complaints.append(f"{option} is in the help and not in man/{page.name}.1, OPTIONS")
    for option in sorted(in_manual - in_help):
        complaints.append(f"{option} is in man/{page.name}.1, OPTIONS, and not in the help")
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


def check_statuses(page, complaints):
    enums = re.findall(r"enum\b[^{]*{(.*?)}", read("src", "cli", "exit_code.h"), re.S)
    enums = [e for e in enums if ("EXIT_TIMED_OUT" in e) == (page.command == "run")]
    statuses = re.findall(r"EXIT_[A-Z_]+ = (\d+)", "".join(enums))
    text = plain(section(page.roff, "EXIT STATUS"))
    for status in statuses:
        if not re.search(rf"^\s*{status}\b", text, re.M):
            complaints.append(f"exit status {status} of src/cli/exit_code.h is not in"
                              f" man/{page.name}.1")
    if not statuses:
        complaints.append("no exit statuses found in src/cli/exit_code.h")


def main():
    if not os.access(HANGDUMP, os.X_OK):
        print(f"SKIP: there is no {HANGDUMP}")
        sys.exit(77)
    complaints = []
    options = 0
    found = pages()
    for page in found:
        check_page(page, complaints)
        if page.roff is not None:
            options += check_options(page, complaints)
            check_statuses(page, complaints)
    if "dump" not in [page.command for page in found]:
        complaints.append("no commands found in src/cli")
    classes = check_classes(read("man", "hangdump.1"), complaints)
    for complaint in complaints:
        print(complaint)
    print(f"{len(found)} commands, {options} options, {classes} wait classes,"
          f" {len(complaints)} complaints")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
