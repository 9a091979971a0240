/*
 * The engine's memory. A command makes tens of thousands of small objects and then ends. So small blocks are taken from
 * large arenas. A freed block goes into a list for its size, and never back to the system. Large blocks come from
 * malloc(3).
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host.h"

/* Before each block comes its usable size in bytes. */
#define HEADER 8
#define STEP 16
#define CLASSES 64
#define MOST_SMALL (CLASSES * STEP - HEADER)

#define ARENA (1 << 20)

struct block {
	struct block *next;
};

static struct block *freed[CLASSES + 1];
static uint8_t *arena, *arena_end;

static size_t size_of_block(const void *block)
{
	size_t size;

	memcpy(&size, (const uint8_t *)block - HEADER, sizeof(size));
	return size;
}

static void *with_header(uint8_t *start, size_t size)
{
	memcpy(start, &size, sizeof(size));
	return start + HEADER;
}

static bool make_arena(void)
{
	uint8_t *made = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (made == MAP_FAILED)
		return false;
	arena = made;
	arena_end = made + ARENA;
	return true;
}

static void *small(size_t size)
{
	size_t class = (size + HEADER + STEP - 1) / STEP;
	struct block *block = freed[class];
	uint8_t *start;

	if (block) {
		freed[class] = block->next;
		return block;
	}
	if ((size_t)(arena_end - arena) < class * STEP && !make_arena())
		return NULL;
	start = arena;
	arena += class * STEP;
	return with_header(start, class * STEP - HEADER);
}

static void *large(size_t size)
{
	uint8_t *start = size <= SIZE_MAX - HEADER ? malloc(size + HEADER) : NULL;

	return start ? with_header(start, size) : NULL;
}

static void *host_malloc(JSMallocState *state, size_t size)
{
	void *block = size <= MOST_SMALL ? small(size) : large(size);

	if (block) {
		state->malloc_count++;
		state->malloc_size += size_of_block(block);
	}
	return block;
}

static void host_free(JSMallocState *state, void *block)
{
	size_t size;

	if (!block)
		return;
	size = size_of_block(block);
	state->malloc_count--;
	state->malloc_size -= size;
	if (size <= MOST_SMALL) {
		struct block *small = block;

		small->next = freed[(size + HEADER) / STEP];
		freed[(size + HEADER) / STEP] = small;
	} else {
		free((uint8_t *)block - HEADER);
	}
}

static void *host_realloc(JSMallocState *state, void *block, size_t size)
{
	size_t had = block ? size_of_block(block) : 0;
	void *moved;

	if (!block)
		return size ? host_malloc(state, size) : NULL;
	if (size == 0) {
		host_free(state, block);
		return NULL;
	}
	if (had > MOST_SMALL && size > MOST_SMALL) {
		uint8_t *start = size <= SIZE_MAX - HEADER ? realloc((uint8_t *)block - HEADER, size + HEADER) : NULL;

		if (!start)
			return NULL;
		state->malloc_size += size - had;
		return with_header(start, size);
	}
	if (size <= had && had <= MOST_SMALL)
		return block;
	moved = host_malloc(state, size);
	if (moved) {
		memcpy(moved, block, size < had ? size : had);
		host_free(state, block);
	}
	return moved;
}

const JSMallocFunctions host_memory = {
	.js_malloc = host_malloc,
	.js_free = host_free,
	.js_realloc = host_realloc,
	.js_malloc_usable_size = size_of_block,
};
