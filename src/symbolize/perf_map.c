/*
 * /tmp/perf-PID.map, in which JIT compilers write down what they made, for perf: lines of
 * "START SIZE NAME", numbers in hexadecimal (linux/tools/perf/Documentation/jit-interface.txt).
 */
#include "symbolize/private.h"

#include <sys/stat.h>
#include <unistd.h>

/* A limit on our memory: Java's are tens of megabytes. */
#define TEXT_MAX    (128u << 20)
#define ENTRIES_MAX (1u << 20)

struct entry {
	uint64_t start, size;
	const char *name;
};

struct perf_map {
	char *text;
	array(struct entry) entries; /* by start; of equals the later line is last */
};

static const char *parse_hex(const char *s, const char *end, uint64_t *ret)
{
	unsigned digits = 0;
	*ret = 0;
	if (end - s > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	for (; s < end; s++, digits++) {
		unsigned char c = (unsigned char)*s, lower = c | 0x20;
		if (c >= '0' && c <= '9')
			*ret = *ret << 4 | (uint64_t)(c - '0');
		else if (lower >= 'a' && lower <= 'f')
			*ret = *ret << 4 | (uint64_t)(lower - 'a' + 10);
		else
			break;
	}
	if (!digits || digits > 16 || s == end || *s != ' ')
		return NULL;
	while (s < end && *s == ' ')
		s++;
	return s;
}

/* [line, end) without its newline; the byte at end may be overwritten. */
static void parse_line(struct perf_map *map, char *line, char *end)
{
	uint64_t start, size;
	const char *name = parse_hex(line, end, &start);
	if (name)
		name = parse_hex(name, end, &size);
	if (!name || name == end || !size || start + size < start)
		return;
	if (end[-1] == '\r')
		end--;
	*end = '\0';
	*array_append(&map->entries) = (struct entry){start, size, name};
}

/* Merge sort would keep the order of lines; so does their place in the text. */
static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* Where the last ENTRIES_MAX lines begin. */
static char *last_lines(char *text, size_t n)
{
	char *line = text + n;
	for (size_t i = 0; i <= ENTRIES_MAX; i++) {
		char *newline = memrchr(text, '\n', (size_t)(line - text));
		if (!newline)
			return text;
		line = newline;
	}
	return line + 1;
}

/* Takes text (n bytes, and room for one more). */
static struct perf_map *parse(char *text, size_t n, struct deadline deadline)
{
	size_t lines = 0;
	struct perf_map *map = xcalloc(1, sizeof(*map));
	map->text = text;
	for (char *line = last_lines(text, n), *stop = text + n; line < stop;) {
		char *end = memchr(line, '\n', (size_t)(stop - line));
		/* A last line without an end may be half of one. */
		if (!end || (++lines % 4096 == 0 && deadline_passed(deadline)))
			break;
		parse_line(map, line, end);
		line = end + 1;
	}
	array_sort(&map->entries, compare);
	return map;
}

struct perf_map *perf_map_parse(const char *text, size_t n, struct deadline deadline)
{
	char *copy = xmalloc(n + 1);
	memcpy(copy, text, n);
	return parse(copy, n, deadline);
}

static char *read_all(int fd, size_t *ret)
{
	off_t size = lseek(fd, 0, SEEK_END);
	/* Of a longer one the end counts: what was compiled last. */
	size_t n = size > TEXT_MAX ? TEXT_MAX : size > 0 ? (size_t)size : 0;
	off_t from = size - (off_t)n;
	char *text = xmalloc(n + 1);
	*ret = 0;
	for (ssize_t got; *ret < n; *ret += (size_t)got) {
		got = pread(fd, text + *ret, n - *ret, from + (off_t)*ret);
		if (got <= 0)
			break;
	}
	return text;
}

/*
 * Anyone may write into /tmp: only the target's user and root tell what its functions are called.
 * (/proc/PID belongs to root when the target is not dumpable; then only root does.)
 */
static bool is_trusted(const struct capture_process *process, const struct target_file *file)
{
	char path[32];
	struct stat target;
	snprintf(path, sizeof(path), "/proc/%d", process->live_tid);
	return !(file->mode & S_IWOTH) &&
	       (file->owner == 0 || (stat(path, &target) == 0 && file->owner == target.st_uid));
}

struct perf_map *perf_map_load(struct objects *objects, struct deadline deadline)
{
	const struct capture_process *process = objects_process(objects);
	const struct capture_thread *leader = capture_thread_by_tid(process, process->pid);
	char path[64];
	size_t n;
	struct target_file file;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map",
		 leader && leader->ns_tid ? leader->ns_tid : process->pid);
	if (!objects_open_file(objects, path, &file))
		return NULL;
	char *text = is_trusted(process, &file) ? read_all(file.fd, &n) : NULL;
	close(file.fd);
	return text ? parse(text, n, deadline) : NULL;
}

void perf_map_free(struct perf_map *map)
{
	if (!map)
		return;
	array_deinit(&map->entries);
	free(map->text);
	free(map);
}

const char *perf_map_find(const struct perf_map *map, uint64_t address, uint64_t *ret_start)
{
	if (!map)
		return NULL;
	size_t low = 0, high = map->entries.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (map->entries.items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Memory is used again: the nearest that covers it; what it replaced lies behind. */
	for (size_t back = 0; back < 64 && back < low; back++) {
		const struct entry *entry = &map->entries.items[low - 1 - back];
		if (address - entry->start < entry->size) {
			*ret_start = entry->start;
			return entry->name;
		}
	}
	return NULL;
}
