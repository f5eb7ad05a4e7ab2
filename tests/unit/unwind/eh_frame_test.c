/* Sections of call frame information, made byte by byte: what is believed of them, and how long it takes. */
#include "unwind/eh_frame.h"

#include "base/array.h"
#include "unwind/cfi_section.h"

#include <gelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	SECTION_AT = 0x400000, /* address of the section, as in the file */
	BIAS = 0x10000000,
	LIMIT_SECONDS = 60, /* what takes the square of the size takes hours */
	LETTERS_MANY = 1 << 20,
	ENTRIES_MANY = 1 << 16,
	ENTRIES_TOO_MANY = (1 << 22) + 1,
};

typedef array(uint8_t) byte_array;

static void put(byte_array *to, const void *bytes, size_t n)
{
	if (!n)
		return;
	if (to->capacity - to->count < n)
		array_reserve(to, 2 * (to->count + n));
	memcpy(to->items + to->count, bytes, n);
	to->count += n;
}

static void put_u32(byte_array *to, uint32_t value)
{
	put(to, &value, sizeof(value));
}

/* A CIE with these letters, and `size` bytes of data for them; returns its offset. */
static size_t put_cie(byte_array *to, const char *letters, const uint8_t *data, uint8_t size)
{
	static const uint8_t factors[] = {1, 0x78, 16};
	const uint8_t version = 1;
	size_t offset = to->count, length = strlen(letters) + 1;
	put_u32(to, (uint32_t)(4 + 1 + length + sizeof(factors) + (letters[0] ? 1u + size : 0)));
	put_u32(to, 0);
	put(to, &version, 1);
	put(to, letters, length);
	put(to, factors, sizeof(factors));
	if (letters[0]) {
		put(to, &size, 1);
		put(to, data, size);
	}
	return offset;
}

/* An FDE of absolute addresses, with so many instructions that do nothing. */
static void put_fde(byte_array *to, size_t cie, uint64_t start, uint64_t length, size_t nops)
{
	static const uint8_t nop[1 << 12];
	put_u32(to, (uint32_t)(4 + 16 + 1 + nops));
	put_u32(to, (uint32_t)(to->count - cie));
	put(to, &start, 8);
	put(to, &length, 8);
	put(to, nop, 1);
	for (size_t n; nops; nops -= n) {
		n = nops < sizeof(nop) ? nops : sizeof(nop);
		put(to, nop, n);
	}
}

struct made {
	struct object object;
	byte_array file;
	struct eh_frame *eh_frame;
};

/* An ELF file that has the bytes as .eh_frame, and no program headers. */
static void make(struct made *made, const byte_array *section)
{
	static const char names[] = "\0.eh_frame\0.shstrtab";
	const size_t at = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Shdr);
	Elf64_Ehdr ehdr = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT},
			   .e_type = ET_EXEC,
			   .e_machine = EM_X86_64,
			   .e_version = EV_CURRENT,
			   .e_shoff = sizeof(Elf64_Ehdr),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = 3,
			   .e_shstrndx = 2};
	Elf64_Shdr shdrs[3] = {
		[1] = {.sh_name = 1,
		       .sh_type = SHT_PROGBITS,
		       .sh_flags = SHF_ALLOC,
		       .sh_addr = SECTION_AT,
		       .sh_offset = at,
		       .sh_size = section->count},
		[2] = {.sh_name = sizeof("\0.eh_frame"),
		       .sh_type = SHT_STRTAB,
		       .sh_offset = at + section->count,
		       .sh_size = sizeof(names)},
	};
	*made = (struct made){.object.bias = BIAS};
	put(&made->file, &ehdr, sizeof(ehdr));
	put(&made->file, shdrs, sizeof(shdrs));
	put(&made->file, section->items, section->count);
	put(&made->file, names, sizeof(names));
	elf_version(EV_CURRENT);
	made->object.elf = elf_memory((char *)made->file.items, made->file.count);
	assert_non_null(made->object.elf);
	made->eh_frame = eh_frame_open(&made->object);
}

static void end(struct made *made)
{
	eh_frame_close(made->eh_frame);
	elf_end(made->object.elf);
	array_deinit(&made->file);
}

static void the_entry_that_covers_an_address_is_found(void **state)
{
	static const uint8_t absolute[] = {0};
	struct made made;
	struct fde fde;
	byte_array section = {0};
	(void)state;
	size_t plain = put_cie(&section, "zR", absolute, 1);
	put_fde(&section, plain, 0x2000, 0x100, 0);
	size_t signal = put_cie(&section, "zRS", absolute, 1);
	size_t where = section.count;
	put_fde(&section, signal, 0x1000, 0x10, 0);
	make(&made, &section);
	assert_non_null(made.eh_frame);
	assert_true(eh_frame_find(made.eh_frame, BIAS + 0x100f, &fde));
	assert_int_equal(fde.start, BIAS + 0x1000);
	assert_int_equal(fde.end, BIAS + 0x1010);
	assert_int_equal(fde.address, BIAS + SECTION_AT + where);
	assert_true(fde.signal);
	assert_true(eh_frame_find(made.eh_frame, BIAS + 0x2000, &fde));
	assert_false(fde.signal);
	assert_false(eh_frame_find(made.eh_frame, BIAS + 0x1010, &fde));
	assert_false(eh_frame_find(made.eh_frame, BIAS + 0xfff, &fde));
	end(&made);
	array_deinit(&section);
}

static void a_cie_of_a_million_letters_is_refused_at_once(void **state)
{
	struct made made;
	byte_array section = {0};
	char *letters = xmalloc(LETTERS_MANY + 1);
	(void)state;
	memset(letters, 'S', LETTERS_MANY);
	letters[0] = 'z';
	letters[LETTERS_MANY] = '\0';
	size_t cie = put_cie(&section, letters, NULL, 0);
	for (unsigned i = 0; i < ENTRIES_MANY; i++)
		put_fde(&section, cie, 0x1000 + 16 * i, 16, 0);
	alarm(LIMIT_SECONDS);
	make(&made, &section);
	alarm(0);
	assert_null(made.eh_frame);
	end(&made);
	array_deinit(&section);
	free(letters);
}

/* What looks like a CIE lies among the instructions of an entry, and its letters do not end. */
static void entries_that_refer_to_endless_letters_are_refused_at_once(void **state)
{
	static const uint8_t absolute[] = {0};
	enum { HIDDEN = 200000 };
	struct made made;
	byte_array section = {0};
	(void)state;
	size_t cie = put_cie(&section, "zR", absolute, 1);
	put_fde(&section, cie, 0x1000, 16, HIDDEN);
	size_t hidden = section.count - HIDDEN;
	const uint32_t header[] = {HIDDEN - 4, 0};
	memset(section.items + hidden, 1, HIDDEN);
	memcpy(section.items + hidden, header, sizeof(header));
	for (unsigned i = 0; i < ENTRIES_MANY; i++)
		put_fde(&section, hidden, 0x1010 + 16 * i, 16, 0);
	alarm(LIMIT_SECONDS);
	make(&made, &section);
	alarm(0);
	assert_null(made.eh_frame);
	end(&made);
	array_deinit(&section);
}

static void letters_without_their_data_are_refused(void **state)
{
	static const uint8_t data[] = {0, 0};
	static const char *const letters[] = {"zRRR", "zLRP", "zP", "zSSSSSSSS"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		struct made made;
		byte_array section = {0};
		put_fde(&section, put_cie(&section, letters[i], data, i == 2 ? 1 : 2), 0x1000, 16,
			0);
		make(&made, &section);
		assert_null(made.eh_frame);
		end(&made);
		array_deinit(&section);
	}
}

static void instructions_without_an_end_are_refused(void **state)
{
	static const uint8_t absolute[] = {0};
	(void)state;
	for (unsigned refused = 0; refused < 2; refused++) {
		struct made made;
		struct fde fde;
		byte_array section = {0};
		size_t cie = put_cie(&section, "zR", absolute, 1);
		put_fde(&section, cie, 0x1000, 16, refused ? 1 << 20 : 1 << 16);
		make(&made, &section);
		if (refused)
			assert_null(made.eh_frame);
		else
			assert_true(eh_frame_find(made.eh_frame, BIAS + 0x1000, &fde));
		end(&made);
		array_deinit(&section);
	}
}

static void more_entries_than_any_program_has_are_refused(void **state)
{
	struct made made;
	byte_array section = {0};
	(void)state;
	size_t cie = put_cie(&section, "", NULL, 0);
	for (unsigned i = 0; i < ENTRIES_TOO_MANY; i++)
		put_fde(&section, cie, 0x1000 + 16 * (uint64_t)i, 16, 0);
	alarm(LIMIT_SECONDS);
	make(&made, &section);
	alarm(0);
	assert_null(made.eh_frame);
	end(&made);
	array_deinit(&section);
}

static void any_bytes_are_survived(void **state)
{
	uint64_t seed = 11;
	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct made made;
		struct fde fde;
		byte_array section = {0};
		static const uint8_t data[] = {0x1b, 0x1b, 0, 0, 0, 0};
		size_t cie = put_cie(&section, "zPLR", data, 6);
		for (unsigned i = 0; i < 8; i++)
			put_fde(&section, cie, 0x1000 + 16 * i, 16, i);
		for (unsigned i = 0; i < 1 + round % 6; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			section.items[(seed >> 33) % section.count] = (uint8_t)(seed >> 25);
		}
		/* In its own memory, so that a checker of accesses sees its end. */
		uint8_t *exact = xmalloc(section.count);
		memcpy(exact, section.items, section.count);
		struct cfi_section bytes = {exact, section.count, SECTION_AT, round % 2};
		cfi_visit(&bytes, NULL, NULL);
		free(exact);
		make(&made, &section);
		for (uint64_t at = 0xff0; made.eh_frame && at < 0x1100; at++)
			(void)eh_frame_find(made.eh_frame, BIAS + at, &fde);
		end(&made);
		array_deinit(&section);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_entry_that_covers_an_address_is_found),
		cmocka_unit_test(a_cie_of_a_million_letters_is_refused_at_once),
		cmocka_unit_test(entries_that_refer_to_endless_letters_are_refused_at_once),
		cmocka_unit_test(letters_without_their_data_are_refused),
		cmocka_unit_test(instructions_without_an_end_are_refused),
		cmocka_unit_test(more_entries_than_any_program_has_are_refused),
		cmocka_unit_test(any_bytes_are_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
