#!/usr/bin/env python3
"""The files of a target may say anything: a report comes out in time, with what can be trusted.

Each program here calls its way down through a function in assembly, whose debug information was
written to keep a reader busy.
"""

import os
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import Skip, Victim, case, check, check_equal

CHAIN = ["pause", "inner", "hostile", "main"]

PROGRAM = r"""
#include <stdio.h>
#include <unistd.h>
void hostile(void (*next)(void));
__attribute__((noinline)) static void inner(void) { for (;;) pause(); }
int main(void) { puts("ready"); fflush(stdout); hostile(inner); return 0; }
"""

FUNCTION = """
	.text
	.globl hostile
	.type hostile, @function
hostile:
.Lbegin:
	.cfi_startproc
	sub $8, %rsp
	.cfi_def_cfa_offset 16
	call *%rdi
	add $8, %rsp
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc
.Lend:
	.size hostile, . - hostile
	.section .note.GNU-stack, "", @progbits
"""

# DWARF 4: a unit for the function, with whatever comes inside of it.
UNIT = """
	.section .debug_abbrev, "", @progbits
	.uleb128 1, 0x11	# DW_TAG_compile_unit, with children
	.byte 1
	.uleb128 0x11, 1	# DW_AT_low_pc, DW_FORM_addr
	.uleb128 0x12, 6	# DW_AT_high_pc, DW_FORM_data4
	.uleb128 0x13, 0xb	# DW_AT_language, DW_FORM_data1
	.byte 0, 0
	.uleb128 2, 0x3d	# DW_TAG_imported_unit
	.byte 0
	.uleb128 0x18, 0x10	# DW_AT_import, DW_FORM_ref_addr
	.byte 0, 0
	.uleb128 3, 0x3c	# DW_TAG_partial_unit, with children
	.byte 1, 0, 0
	.uleb128 4, 0x2e	# DW_TAG_subprogram
	.byte 0
	.uleb128 0x55, 0x17	# DW_AT_ranges, DW_FORM_sec_offset
	.byte 0, 0
	.uleb128 5, 0x39	# DW_TAG_namespace, with children
	.byte 1, 0, 0
	.uleb128 6, 0x2e	# DW_TAG_subprogram, with children
	.byte 1
	.uleb128 0x3, 0x8	# DW_AT_name, DW_FORM_string
	.uleb128 0x1, 0x13	# DW_AT_sibling, DW_FORM_ref4
	.byte 0, 0
	.byte 0
	.altmacro
	.macro header
	.long 2f - 1f
1:	.short 4
	.long .debug_abbrev
	.byte 8
	.endm
	.section .debug_info, "", @progbits
.Lunit:
	header
	.uleb128 1
	.quad .Lbegin
	.long .Lend - .Lbegin
	.byte 4			# DW_LANG_C_plus_plus
%s
	.byte 0
2:
"""

# Each unit imports the next one twice: 2^40 ways to the last.
IMPORTS = UNIT % "	.uleb128 2\n	.long .Lpart0\n" + """
	.macro part this next
	header
.Lpart\\this:
	.uleb128 3
	.uleb128 2
	.long .Lpart\\next
	.uleb128 2
	.long .Lpart\\next
	.byte 0
2:
	.endm
	.set i, 0
	.rept 40
	part %i, %(i + 1)
	.set i, i + 1
	.endr
	header
.Lpart40:
	.uleb128 3
	.byte 0
2:
"""

# Functions by the hundred thousand, all with one list of two million ranges without an address.
RANGES = UNIT % """
	.rept 200000
	.uleb128 4
	.long 0
	.endr
""" + """
	.section .debug_ranges, "", @progbits
	.rept 2000000
	.quad -1, 0		# a base address
	.endr
	.quad 0, 0
"""

NAMESPACES = UNIT % """
	.skip 1000000, 5
	.skip 1000000, 0
"""

# The next DIE is said to be the one before, and the same one.
SIBLINGS = UNIT % """
.Lback:
	.uleb128 6
	.asciz "one"
	.long .Lback - .Lunit
	.byte 0
.Lself:
	.uleb128 6
	.asciz "two"
	.long .Lself - .Lunit
	.byte 0
"""

# Call frame information whose first entry has half a million letters, read again for each other.
LETTERS = """
	.section .eh_frame, "a", @progbits
.Lfirst:
	.long 2f - 1f
1:	.long 0
	.byte 1
	.ascii "z"
	.skip 500000, 'S'
	.byte 0, 1, 0x78, 16, 0
	.balign 4
2:
	.rept 60000
	.long 2f - 1f
1:	.long 1b - .Lfirst
	.quad 16, 1
	.byte 0
	.balign 4
2:
	.endr
"""


def dump_of(source, *flags, deadline=30):
    """The errors, and the functions of the one thread, of a program with this in it."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    hang.program(compiler[0])
    with tempfile.TemporaryDirectory(prefix="hangdump-hostile-") as scratch:
        main, part, program = (os.path.join(scratch, n) for n in ("main.c", "part.S", "hostile"))
        with open(main, "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        with open(part, "w", encoding="utf-8") as file:
            file.write(FUNCTION + source)
        built = subprocess.run(
            [*compiler, "-O1", main, part, "-o", program, *flags],
            capture_output=True, check=False, timeout=hang.LIMIT)
        if built.returncode:
            raise Skip(f"{compiler[0]} does not build it: {built.stderr.decode()[-200:]}")
        with Victim("hostile", executable=program) as victim:
            victim.expect("ready")
            hang.wait_blocked(victim.pid, victim.pid, [34])
            # The watchdog would leave no report.
            dump = hang.dump(victim.pid, f"--deadline={deadline}s")
            thread, = hang.threads_of(dump).values()
            return dump["errors"], hang.functions_of(thread)


def check_chain(names):
    check_equal([n for n in names if n in CHAIN], CHAIN, f"the chain in {names}")


@case
def units_that_import_each_other():
    errors, names = dump_of(IMPORTS)
    check_equal(errors, [], "errors")
    check_chain(names)


@case
def scopes_without_a_bottom():
    _, names = dump_of(NAMESPACES)
    check_chain(names)


@case
def siblings_that_lead_backwards():
    errors, names = dump_of(SIBLINGS)
    check_equal(errors, [], "errors")
    check_chain(names)


@case
def ranges_without_an_end_leave_the_symbols():
    errors, names = dump_of(RANGES, "-Wl,--compress-debug-sections=zlib", deadline=6)
    check_chain(names)
    said = [e for e in errors if e["what"].endswith("/hostile")]
    check(said and "debug information: reading it took too long" in said[0]["why"],
          f"not said: {errors}")


@case
def letters_without_an_end_leave_the_scan():
    _, names = dump_of(LETTERS, "-static", "-Wl,--no-eh-frame-hdr")
    check_chain([n.replace("__libc_", "") if n else n for n in names])


hang.main()
