"""Hangs whose cause is known, and what a dump must say of them.

A row names a victim's actors, what each waits for and for whom, and the findings that must be
there.  Every other accusation fails it.
"""

import os
import re

import hang
from hang import check, check_equal

DEADLOCK, SELF, EXITED = "deadlock", "self-deadlock", "owner exited"
CHAIN, SPIN, STUCK, LOST = "blocked chain", "spinning", "no progress possible", "lost wake-up"
ACCUSATIONS = {DEADLOCK, SELF, EXITED, STUCK, LOST}
ANY = None


class Wait:
    """What an actor waits for.  None: not looked at."""

    def __init__(self, wait_class, owners=None, name=None, state=None):
        self.wait_class = wait_class
        self.owners = owners  # roles, "" for none; "ROLE." is the process of that actor
        self.name = name      # of the resource: a variable or the end of a path
        self.state = state    # owner_state


class Find:
    """A finding that has to be there."""

    def __init__(self, kind, threads, confidence=ANY, on=None, more=False):
        self.kinds = kind if isinstance(kind, tuple) else (kind,)
        self.threads = threads.split()
        self.confidence = confidence
        self.on = on.split() if on else None
        self.more = more  # other threads may be in it too

    def __str__(self):
        return f"{' or '.join(self.kinds)} of {self.threads} ({self.confidence or 'any'})"


class Row:
    """One dump of one victim.

    target: the options and roles that hangdump is given; all: "--tree" of the victim.
    may: findings that are not wrong, {kind: confidence at most, or ANY}.
    """

    def __init__(self, name, waits, finds=(), may=None, target=None, tree=False, musl=None,
                 not_asleep="", roles=None, text=(), neighbours=None, rest=0.03, tries=1):
        self.name = name
        self.waits = waits
        self.finds = list(finds)
        self.may = may or {}
        self.target = target
        self.tree = tree
        self.musl = musl  # a Row to use there; False: libc does not hang there; None: the same
        self.not_asleep = set(not_asleep.split())
        self.roles = roles or {}  # further actors: {role: the role whose only child it is}
        self.text = text
        self.neighbours = neighbours  # roles of owners that are named, and not dumped
        # For what goes on in small steps, or may get no CPU to burn while we look.
        self.tries = 300 if any(SPIN in find.kinds for find in self.finds) else tries
        # Seconds without a wake-up after which all of it has come to rest.  A lock that was waited
        # for but a moment is one in use, and nobody is behind it.
        self.rest = max(rest, 0.15 if any(CHAIN in find.kinds for find in self.finds) else 0)


def children_of(pid):
    found = []
    for tid in hang.tids_of(pid):
        try:
            found += map(int, hang.read_file(f"/proc/{pid}/task/{tid}/children").split())
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            pass
    return found


def descendants_of(pid):
    found = []
    for child in children_of(pid):
        found += [child, *descendants_of(child)]
    return found


def outside(victim, pid, tid):
    """The ids that a thread of the victim's has here, from those that it sees itself."""
    for process in [victim.pid, *descendants_of(victim.pid)]:
        for task in hang.tids_of(process):
            seen = (hang.status_field(process, task, "NSpid") or "").split()
            group = (hang.status_field(process, task, "NStgid") or "").split()
            if seen[-1:] == [str(tid)] and group[-1:] == [str(pid)]:
                return process, task
    return pid, tid  # gone


def only_child(pid):
    """The only child of a process, once it is the program that it shall be."""
    hang.wait_until(lambda: len(children_of(pid)) == 1, f"one child of {pid}")
    return children_of(pid)[0]


def read_roles(victim, row):
    roles = {}
    for word in victim.ready():
        role, ids = word.split("=")
        roles[role] = outside(victim, *map(int, ids.split("/")))
    for role, parent in row.roles.items():
        pid = only_child(roles[parent][0]) if parent else victim.pid
        roles[role] = (pid, pid)
    return roles


def settle(actors, seconds):
    """Waits until they sleep, and have not woken for so long."""

    def seen():
        return [(hang.state_of(*actor), hang.syscall_of(*actor),
                 hang.status_field(*actor, "voluntary_ctxt_switches")) for actor in actors]

    def quiet():
        first = seen()
        if any(state != "S" or not call for state, call, _ in first):
            return False
        hang.time.sleep(seconds)
        return seen() == first

    hang.wait_until(quiet, f"all of them asleep for good: {actors}")


def settle_all(row, roles):
    settle([roles[role] for role in row.waits if role not in row.not_asleep], row.rest)
    wanted = {"stopped": "T", "vfork wait": "D", "running": "R"}
    for role in row.not_asleep:
        state = wanted.get(row.waits[role].wait_class)
        if state:
            hang.wait_until(lambda: hang.state_of(*roles[role]) == state, f"{role} in {state}")


def ids_of(thread):
    """Of a thread as the dump names it; thread 0 is the process as a whole."""
    return thread["pid"], thread["tid"] or 0


def role_of(roles, thread):
    pid, tid = ids_of(thread)
    for role, ids in roles.items():
        if ids == (pid, tid) or tid == 0 and ids == (pid, pid):
            return role
    return f"{pid}/{tid}"


def is_owner(roles, owner, wanted):
    """wanted: a role, or "ROLE." for its whole process."""
    pid, tid = roles[wanted.rstrip(".")]
    if wanted.endswith("."):
        return owner == (pid, 0)
    return owner == (pid, tid) or owner == (pid, 0) and pid == tid


def check_name(wait, wanted, told):
    name = (wait["resource"] or {}).get("name") or ""
    found = name == wanted or name.startswith(wanted + " (") or name.endswith("/" + wanted)
    check(found, f"the resource is {name!r}, not {wanted!r}: {told}")


def check_wait(roles, role, wanted, thread, named, told):
    wait = thread["wait"]
    about = f"{role}: {wait}; stack {hang.functions_of(thread)[:8]}; {told}"
    if wanted.wait_class:
        check_equal(wait["class"], wanted.wait_class, f"class of {about}")
    if wanted.owners is not None:
        got = [ids_of(owner) for owner in wait["owners"]]
        names = wanted.owners.split()
        check(len(got) == len(names) and
              all(any(is_owner(roles, owner, name) for owner in got) for name in names),
              f"owners are {[role_of(roles, o) for o in wait['owners']]}, not {names}: {about}")
    if wanted.state:
        check_equal(wait["owner_state"], wanted.state, f"owner state of {about}")
    if wanted.name and (named or "." in wanted.name):
        check_name(wait, wanted.name, about)


def reaches(row, role, root, seen=()):
    """Do the owners that the row tells lead from one role to the other?"""
    if role == root:
        return True
    owners = row.waits[role].owners if role in row.waits else None
    if owners is None:  # the row does not say
        return True
    return any(o not in seen and reaches(row, o, root, (*seen, role))
               for o in owners.replace(".", "").split())


def check_chain(row, roles, finding, told):
    """What a chain says is so, even where no row asks for it."""
    root, *others = [role_of(roles, t) for t in finding["threads"]]
    for name in others:
        check(root not in row.waits or reaches(row, name, root),
              f"{name} does not wait behind {root}: {told}")


def sees_all_descriptors():
    """May we look at the descriptors of every process there is?"""
    for name in os.listdir("/proc"):
        try:
            for fd in os.listdir(f"/proc/{name}/fd")[:1] if name.isdigit() else ():
                os.readlink(f"/proc/{name}/fd/{fd}")
        except PermissionError:
            return False
        except OSError:  # it has ended
            pass
    return True


def matches(roles, found, wanted, named, sees_all):
    threads = [role_of(roles, t) for t in found["threads"]]
    if found["kind"] not in wanted.kinds or not set(wanted.threads) <= set(threads):
        return False
    if not wanted.more and len(threads) != len(wanted.threads):
        return False
    if CHAIN in wanted.kinds and not wanted.more and threads[0] != wanted.threads[0]:
        return False
    # Where some process does not show its descriptors, it may have any pipe's or socket's end; and
    # without names all is inferred.
    if wanted.confidence and found["confidence"] != wanted.confidence and (
            sees_all and named or found["confidence"] != "likely"):
        return False
    names = [(r.get("name") or "").split(" ")[0] for r in found["resources"]]
    return not (named and wanted.on) or sorted(names) == sorted(wanted.on)


def check_findings(row, roles, dump, named, told):
    left = list(dump["findings"])
    for finding in left:
        check(finding["evidence"] and finding["summary"], f"without evidence: {finding}")
    sees_all = sees_all_descriptors()
    for wanted in row.finds:
        found = [f for f in left if matches(roles, f, wanted, named, sees_all)]
        check(len(found) == 1, f"{len(found)} times {wanted}: {told}")
        left.remove(found[0])
    for finding in left:
        kind, confidence = finding["kind"], finding["confidence"]
        if kind == CHAIN:
            check_chain(row, roles, finding, told)
        elif kind == SPIN:
            spinning = {role_of(roles, t) for t in finding["threads"]}
            check(spinning <= row.not_asleep, f"{spinning} is said to spin: {told}")
        else:
            check(kind in row.may and row.may[kind] in (ANY, confidence),
                  f"a wrong finding: {finding['kind']} ({confidence}): {told}")


def tell(roles, dump):
    found = [(f["kind"], f["confidence"],
              [role_of(roles, t) for t in f["threads"]], f["evidence"])
             for f in dump["findings"]]
    waits = {role_of(roles, {"pid": p["pid"], "tid": t["tid"]}): t["wait"]["class"]
             for p in dump["processes"] for t in p["threads"]}
    return f"roles {roles}; waits {waits}; findings {found}; errors {dump['errors']}"


def check_text(row, roles, pids, options):
    text = hang.run_hangdump(*options, *pids).text()
    for pattern in row.text:
        for role, (_, tid) in roles.items():
            pattern = pattern.replace("{" + role + "}", str(tid))
        check(re.search(pattern, text, re.M), f"the report lacks {pattern!r}:\n{text}")


def end_all():
    """The end of all that a victim began and did not take along, and of what those began."""

    def ended():
        left = hang.children_of_ours()
        for pid in left:
            try:
                os.kill(pid, hang.signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not left

    hang.wait_until(ended, "the end of all children")


def look(row, roles, options, pids, named):
    """One dump, and all that the row says of it."""
    dump = hang.dump(pids[-1], *options, *pids[:-1])
    told = tell(roles, dump)
    for role, wanted in row.waits.items():
        pid, tid = roles[role]
        if wanted.wait_class:
            check_wait(roles, role, wanted, hang.threads_of(dump, pid)[tid], named, told)
    check_findings(row, roles, dump, named, told)
    if row.neighbours:
        there = {(n["pid"], n["tid"] or n["pid"]) for n in dump["neighbours"]}
        for role in row.neighbours.split():
            check(roles[role] in there, f"{role} is not among {dump['neighbours']}: {told}")


def look_until(row, *arguments):
    for left in reversed(range(row.tries)):
        try:
            return look(row, *arguments)
        except hang.Failed:
            if not left:
                raise


def play(row, begin, named=True, seen=None):
    """One row: begin() starts the victim; seen(roles, pids, options) is called while it is there."""
    with begin() as victim:
        roles = read_roles(victim, row)
        settle_all(row, roles)
        options = ["--tree"] if row.tree else []
        pids = [roles[r][0] for r in row.target.split()] if row.target else [victim.pid]
        look_until(row, roles, options, pids, named)
        if named and row.text:
            settle_all(row, roles)  # our own look is a wake-up
            check_text(row, roles, pids, options)
        if seen:
            seen(roles, pids, options)
    end_all()
