#include "diff/findings.h"

#include "base/address_map.h"
#include "base/cleanup.h"
#include "diff/key.h"

#include <string.h>

/* Threads and neighbours of one dump, by id. */
struct people {
	struct address_map threads, neighbours, processes;
	bool same_run, by_name;
};

static uint64_t key_of(pid_t pid, pid_t tid)
{
	return (uint64_t)pid << 32 | (uint32_t)tid;
}

static void put(struct address_map *map, uint64_t key, const void *value)
{
	if (!address_map_get(map, key))
		address_map_put(map, key, (void *)value);
}

static void people_init(struct people *people, const struct dump *dump, const struct diff *diff)
{
	*people = (struct people){.same_run = diff->same_run, .by_name = diff->by_name};
	array_for_each (&dump->processes, process) {
		put(&people->processes, key_of(process->pid, 0), process);
		array_for_each (&process->threads, thread)
			put(&people->threads, key_of(process->pid, thread->tid), thread);
	}
	array_for_each (&dump->neighbours, neighbour)
		put(&people->neighbours, key_of(neighbour->id.pid, neighbour->id.tid), neighbour);
}

static void people_deinit(struct people *people)
{
	address_map_deinit(&people->threads, NULL);
	address_map_deinit(&people->neighbours, NULL);
	address_map_deinit(&people->processes, NULL);
}

static uint64_t hash_string(uint64_t hash, const char *s)
{
	return s ? hash_text(hash, s, strlen(s)) : hash_mix(hash, 0);
}

/* What a lock is called; paths, ports and descriptors may differ from one run to the next. */
static uint64_t resource_hash(const struct resource *resource)
{
	uint64_t hash = hash_string(0, resource->kind);
	return resource->kind && resource->address ? hash_string(hash, resource->name) : hash;
}

static uint64_t identity_hash(const struct people *people, struct thread_id id)
{
	uint64_t key = key_of(id.pid, id.tid), start_time = 0;
	const struct thread *thread = address_map_get(&people->threads, key);
	const struct process *process = address_map_get(&people->processes, key);
	const struct neighbour *neighbour = address_map_get(&people->neighbours, key);
	if (thread)
		start_time = thread->start_time;
	else if (process)
		start_time = process->start_time;
	else if (neighbour)
		start_time = neighbour->start_time;
	return hash_mix(key, start_time);
}

static uint64_t member_hash(const struct people *people, struct thread_id id)
{
	if (people->same_run)
		return identity_hash(people, id);
	uint64_t key = key_of(id.pid, id.tid);
	const struct thread *thread = address_map_get(&people->threads, key);
	if (thread)
		return hash_mix(place_hash(thread, people->by_name),
				resource_hash(&thread->wait.resource));
	const struct neighbour *neighbour = address_map_get(&people->neighbours, key);
	const struct process *process = address_map_get(&people->processes, key);
	return hash_string(1, neighbour ? neighbour->name : process ? process->name : NULL);
}

static int compare_hashes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Each member once: in another run, many threads may be in one place. */
static uint64_t members_hash(const struct people *people, const struct finding *finding)
{
	uint64_t hash = hash_mix(finding->kind, 0);
	size_t count = finding->threads.count;
	if (finding->kind == FINDING_BLOCKED_CHAIN && count)
		return hash_mix(hash, member_hash(people, finding->threads.items[0]));
	_cleanup_free_ uint64_t *members = xcalloc(count + 1, sizeof(*members));
	for (size_t i = 0; i < count; i++)
		members[i] = member_hash(people, finding->threads.items[i]);
	qsort(members, count, sizeof(*members), compare_hashes);
	for (size_t i = 0; i < count; i++) {
		if (!i || members[i] != members[i - 1])
			hash = hash_mix(hash, members[i]);
	}
	if (!count) {
		array_for_each (&finding->resources, resource)
			hash = hash_mix(hash, resource_hash(resource));
	}
	return hash;
}

struct keyed {
	uint64_t hash;
	size_t index; /* into its dump's findings */
};

static int compare_keyed(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int order = compare_hashes(&x->hash, &y->hash);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static struct keyed *keyed_findings(const struct dump *dump, const struct diff *diff)
{
	struct people people;
	people_init(&people, dump, diff);
	struct keyed *keyed = xcalloc(dump->findings.count + 1, sizeof(*keyed));
	for (size_t i = 0; i < dump->findings.count; i++)
		keyed[i] = (struct keyed){members_hash(&people, &dump->findings.items[i]), i};
	qsort(keyed, dump->findings.count, sizeof(*keyed), compare_keyed);
	people_deinit(&people);
	return keyed;
}

static void add(struct diff *diff, enum finding_change change, const struct finding *old,
		const struct finding *new)
{
	*array_append(&diff->findings) = (struct finding_diff){change, old, new};
}

void compare_findings(struct diff *diff)
{
	const struct dump *old = diff->old, *new = diff->new;
	_cleanup_free_ struct keyed *before = keyed_findings(old, diff);
	_cleanup_free_ struct keyed *after = keyed_findings(new, diff);
	_cleanup_free_ const struct finding **pairs =
		xcalloc(new->findings.count + 1, sizeof(*pairs));
	_cleanup_free_ bool *persists = xcalloc(old->findings.count + 1, sizeof(*persists));
	for (size_t i = 0, j = 0; i < old->findings.count && j < new->findings.count;) {
		int order = compare_hashes(&before[i].hash, &after[j].hash);
		if (order == 0) {
			pairs[after[j].index] = &old->findings.items[before[i].index];
			persists[before[i].index] = true;
		}
		i += order <= 0;
		j += order >= 0;
	}
	/* In the order of their reports. */
	for (size_t i = 0; i < new->findings.count; i++) {
		if (!pairs[i])
			add(diff, FINDING_IS_NEW, NULL, &new->findings.items[i]);
	}
	for (size_t i = 0; i < new->findings.count; i++) {
		if (pairs[i])
			add(diff, FINDING_PERSISTS, pairs[i], &new->findings.items[i]);
	}
	for (size_t i = 0; i < old->findings.count; i++) {
		if (!persists[i])
			add(diff, FINDING_RESOLVED, &old->findings.items[i], NULL);
	}
}
