#include "analyse/graph.h"

#include "analyse/bond.h"
#include "base/cleanup.h"

/* Where the node of an id is; of a lost lock, its address too. */
struct entry {
	struct thread_id id;
	uint64_t lock;
	size_t node;
};

struct builder {
	struct graph *graph;
	array(struct node) nodes;
	array(size_t) edges;
	/* Sorted by id: what is dumped; owners that are not; lost locks. */
	array(struct entry) dumped, outside, lost;
};

static int by_id(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->id.pid != y->id.pid)
		return x->id.pid < y->id.pid ? -1 : 1;
	if (x->id.tid != y->id.tid)
		return x->id.tid < y->id.tid ? -1 : 1;
	return (x->lock > y->lock) - (x->lock < y->lock);
}

static const struct entry *find(const struct entry *entries, size_t count, struct entry key)
{
	return count ? bsearch(&key, entries, count, sizeof(*entries), by_id) : NULL;
}

bool thread_can_act(const struct thread *thread)
{
	return thread->wait.class != WAIT_EXITED;
}

static bool is_lost(const struct wait *wait)
{
	return wait->owner_state == OWNER_EXITED || wait->owner_state == OWNER_LEFT_BY_FORK;
}

/* States in which a thread waits for nobody, whatever its call was. */
static bool waits(const struct wait *wait)
{
	switch (wait->class) {
	case WAIT_UNKNOWN:
	case WAIT_RUNNING:
	case WAIT_STOPPED:
	case WAIT_TRACED:
	case WAIT_FROZEN:
	case WAIT_EXITED:
	case WAIT_EXITING:
	case WAIT_IO_URING_WORKER:
		return false;
	default:
		return true;
	}
}

static struct entry *add_node(struct builder *builder, struct entry *entry, struct node node)
{
	entry->id = node.id;
	entry->lock = node.lock;
	entry->node = builder->nodes.count;
	*array_append(&builder->nodes) = node;
	return entry;
}

static void add_dumped(struct builder *builder, struct dump *dump)
{
	size_t first_process = 0, i = 0;
	array_for_each (&dump->processes, process)
		first_process += process->threads.count;
	builder->graph->thread_count = first_process;
	array_for_each (&dump->processes, process) {
		array_for_each (&process->threads, thread)
			add_node(builder, array_append(&builder->dumped),
				 (struct node){.kind = NODE_THREAD,
					       .id = {process->pid, thread->tid},
					       .process = process,
					       .thread = thread,
					       .process_node = first_process + i});
		i++;
	}
	array_for_each (&dump->processes, process)
		add_node(builder, array_append(&builder->dumped),
			 (struct node){.kind = NODE_PROCESS,
				       .id = {process->pid, 0},
				       .process = process});
	array_sort(&builder->dumped, by_id);
}

static size_t unique(struct entry *entries, size_t count)
{
	size_t kept = 0;
	if (count)
		qsort(entries, count, sizeof(*entries), by_id);
	for (size_t i = 0; i < count; i++) {
		if (!kept || by_id(&entries[kept - 1], &entries[i]) != 0)
			entries[kept++] = entries[i];
	}
	return kept;
}

/* By its owner, where memory still has one. */
static struct entry lost_key(const struct node *node)
{
	const struct wait *wait = &node->thread->wait;
	struct entry key = {.id = {.pid = node->id.pid}, .lock = wait->resource.address};
	if (wait->owners.count)
		key.id = wait->owners.items[0];
	return key;
}

static void add_others(struct builder *builder)
{
	for (size_t i = 0; i < builder->graph->thread_count; i++) {
		const struct wait *wait = &builder->nodes.items[i].thread->wait;
		if (!waits(wait))
			continue;
		if (is_lost(wait)) {
			*array_append(&builder->lost) = lost_key(&builder->nodes.items[i]);
			continue;
		}
		array_for_each (&wait->owners, owner) {
			struct entry key = {.id = *owner};
			if (!find(builder->dumped.items, builder->dumped.count, key))
				*array_append(&builder->outside) = key;
		}
	}
	builder->outside.count = unique(builder->outside.items, builder->outside.count);
	builder->lost.count = unique(builder->lost.items, builder->lost.count);
	array_for_each (&builder->outside, entry)
		add_node(builder, entry, (struct node){.kind = NODE_OUTSIDE, .id = entry->id});
	array_for_each (&builder->lost, entry)
		add_node(builder, entry,
			 (struct node){.kind = NODE_LOST, .id = entry->id, .lock = entry->lock});
}

static size_t owner_node(const struct builder *builder, struct thread_id owner)
{
	struct entry key = {.id = owner};
	const struct entry *entry = find(builder->dumped.items, builder->dumped.count, key);
	if (!entry)
		entry = find(builder->outside.items, builder->outside.count, key);
	return entry->node;
}

static size_t lost_node(const struct builder *builder, const struct node *node)
{
	return find(builder->lost.items, builder->lost.count, lost_key(node))->node;
}

static bool is_wanted(const struct builder *builder, const struct node *node, size_t owner,
		      enum edges edges)
{
	const struct node *other = &builder->nodes.items[owner];
	return edges == EDGES_ALL || bond_of(&node->thread->wait) != BOND_EVENT ||
	       (other->kind != NODE_OUTSIDE && other->process != node->process);
}

static void add_thread_edges(struct builder *builder, const struct node *node, enum edges edges)
{
	if (is_lost(&node->thread->wait)) {
		*array_append(&builder->edges) = lost_node(builder, node);
		return;
	}
	array_for_each (&node->thread->wait.owners, owner) {
		size_t number = owner_node(builder, *owner);
		if (is_wanted(builder, node, number, edges))
			*array_append(&builder->edges) = number;
	}
}

static void add_edges(struct builder *builder, enum edges edges)
{
	size_t thread_node = 0;
	for (size_t i = 0; i < builder->nodes.count; i++) {
		struct node *node = &builder->nodes.items[i];
		node->first_edge = builder->edges.count;
		if (node->kind == NODE_THREAD && waits(&node->thread->wait)) {
			add_thread_edges(builder, node, edges);
		} else if (node->kind == NODE_PROCESS) {
			array_for_each (&node->process->threads, thread) {
				if (thread_can_act(thread))
					*array_append(&builder->edges) = thread_node;
				thread_node++;
			}
		}
		node->edge_count = builder->edges.count - node->first_edge;
	}
}

void graph_init(struct graph *graph, struct dump *dump, enum edges edges)
{
	struct builder builder = {.graph = graph};
	*graph = (struct graph){0};
	add_dumped(&builder, dump);
	add_others(&builder);
	add_edges(&builder, edges);
	graph->nodes = builder.nodes.items;
	graph->count = builder.nodes.count;
	graph->edges = builder.edges.items;
	graph->edge_count = builder.edges.count;
	array_deinit(&builder.dumped);
	array_deinit(&builder.outside);
	array_deinit(&builder.lost);
}

void graph_deinit(struct graph *graph)
{
	free(graph->nodes);
	free(graph->edges);
	*graph = (struct graph){0};
}
