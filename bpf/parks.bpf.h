/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parks, counted where they happen: a goroutine's row holds when it parked, and its wake counts how long that was in the
 * row of its creation site. So a park costs no record, unless it was a long one. Part of goroutine.bpf.c.
 *
 * The runtime orders what is told of one goroutine: it can be woken only after gopark has let it go, and its g is another
 * goroutine's only after gdestroy. So nobody else writes a row while one of its events is handled. Rows of sites are written
 * by many, and by adding only.
 */
#ifndef GOLEAKD_PARKS_BPF_H
#define GOLEAKD_PARKS_BPF_H

/*
 * Maps of the collector's, as large as the process needs, and gone with it: by slot, and for goroutines
 * GOLEAKD_PARKED_TABLES for each slot. Their shape is told by these two.
 */
struct parked_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(goleakd_u32));
	__uint(value_size, sizeof(struct goleakd_parked));
};

struct site_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(goleakd_u32));
	__uint(value_size, sizeof(struct goleakd_site_parks));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, GOLEAKD_SLOTS * GOLEAKD_PARKED_TABLES);
	__type(key, goleakd_u32);
	__array(values, struct parked_table);
} parked_tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, GOLEAKD_SLOTS);
	__type(key, goleakd_u32);
	__array(values, struct site_table);
} site_tables SEC(".maps");

static __always_inline void count(goleakd_u64 *number, goleakd_u64 more)
{
	__sync_fetch_and_add(number, more);
}

/*
 * The row whose first word is `key`, made when it is not there yet and `claims`; NULL when there is none, or no room. Each
 * key has 2^shift rows, of which this is the first; *index says which.
 */
static __always_inline goleakd_u64 *row_of(void *table, goleakd_u64 key, goleakd_u32 mask, goleakd_u32 shift, bool claims,
					   goleakd_u32 *index)
{
	/* g's are aligned and go statements stand together: the upper half of the product depends on every bit of the key. */
	goleakd_u64 product = key * 0x9e3779b97f4a7c15ULL;
	goleakd_u32 next = product >> 32, step = (goleakd_u32)product >> 8 | 1;

	for (goleakd_u32 i = 0; i < GOLEAKD_PROBES; i++, next += step) {
		goleakd_u32 at = (next & mask) << (shift & 7);
		goleakd_u64 *row = bpf_map_lookup_elem(table, &at);

		if (!row)
			return NULL;
		goleakd_u64 held = *(volatile goleakd_u64 *)row;
		if (!held && claims)
			held = __sync_val_compare_and_swap(row, 0, key) ?: key;
		if (held == key) {
			*index = at;
			return row;
		}
		if (!held)
			return NULL;
	}
	return NULL;
}

struct parks {
	void *sites;
	struct goleakd_target *target; /* at the slot of these tables */
	struct goleakd_counters *count;
	goleakd_u32 slot;
};

static __always_inline bool find_tables(struct parks *parks, goleakd_u32 slot)
{
	parks->slot = slot;
	parks->sites = bpf_map_lookup_elem(&site_tables, &slot);
	return parks->sites != NULL;
}

/* For a hit of another slot of the same process. */
static __always_inline bool find_parks(struct parks *parks, goleakd_u32 slot)
{
	if (slot == GOLEAKD_NO_SLOT)
		return false;
	parks->target = bpf_map_lookup_elem(&targets, &slot);
	parks->count = bpf_map_lookup_elem(&counters, &slot);
	return parks->target && parks->count && find_tables(parks, slot);
}

static __always_inline goleakd_u64 *row_in_table(const struct parks *parks, goleakd_u32 number, goleakd_u64 g, bool claims)
{
	goleakd_u32 index, at = parks->slot * GOLEAKD_PARKED_TABLES + number;
	goleakd_u32 shift = parks->target->parked_shift + number * GOLEAKD_GROWTH_SHIFT;
	void *table = bpf_map_lookup_elem(&parked_tables, &at);

	return table ? row_of(table, g, (1U << (shift & 31)) - 1, 0, claims, &index) : NULL;
}

/* From the newest table, which has most of them, to the oldest. */
static __always_inline struct goleakd_parked *find_goroutine(const struct parks *parks, goleakd_u64 g)
{
	goleakd_u32 tables = parks->target->parked_tables;

	for (goleakd_u32 i = 1; i <= GOLEAKD_PARKED_TABLES; i++) {
		if (i > tables)
			break;
		goleakd_u64 *row = row_in_table(parks, tables - i, g, false);
		if (row)
			return (struct goleakd_parked *)row;
	}
	return NULL;
}

/* Of one that has none yet. The collector is woken while there is still room. */
static __always_inline struct goleakd_parked *claim_goroutine(const struct parks *parks, goleakd_u64 g, goleakd_u64 now)
{
	goleakd_u32 newest = parks->target->parked_tables - 1;
	goleakd_u32 rows = 1U << ((parks->target->parked_shift + newest * GOLEAKD_GROWTH_SHIFT) & 31);
	goleakd_u64 *row = row_in_table(parks, newest, g, true);

	if (!row)
		return NULL;
	if (__sync_fetch_and_add(&parks->target->claimed, 1) == rows / 4) {
		struct goleakd_event *event = reserve(parks->slot, GOLEAKD_CROWDED, now);

		if (event)
			bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	}
	return (struct goleakd_parked *)row;
}

/* Its own row of this CPU, so that others need not write there. */
static __always_inline struct goleakd_site_parks *site_row(const struct parks *parks, const struct goleakd_parked *row)
{
	goleakd_u32 cpus = 1U << (parks->target->site_shift & 7);
	goleakd_u32 at = row->site + (bpf_get_smp_processor_id() & (cpus - 1));

	return bpf_map_lookup_elem(parks->sites, &at);
}

/* Who it is, once for each goroutine. */
static __always_inline bool introduce(struct parks *parks, struct goleakd_parked *row)
{
	const struct goleakd_target *target = parks->target;
	goleakd_u64 goid = 0, gopc = 0;

	if (row->goid)
		return true;
	if (!read_word(&goid, row->g + target->goid) || !read_word(&gopc, row->g + target->gopc)) {
		parks->count->lost_unreadable++;
		return false;
	}
	if (!gopc) /* made by the runtime for a thread of C's: a key of 0 would be a free row */
		gopc = GOLEAKD_NO_GOPC;
	if (!row_of(parks->sites, gopc, target->site_mask, target->site_shift, true, &row->site)) {
		parks->count->lost_table++;
		return false;
	}
	row->parked = 0;
	row->goid = goid;
	return true;
}

static __always_inline void begin_park(struct parks *parks, goleakd_u64 g, goleakd_u8 reason, goleakd_u64 now)
{
	struct goleakd_parked *row = find_goroutine(parks, g);

	if (!row)
		row = claim_goroutine(parks, g, now);
	if (!row) {
		parks->count->lost_table++;
		return;
	}
	if (!introduce(parks, row))
		return;
	struct goleakd_site_parks *site = site_row(parks, row);
	if (!site)
		return;
	if (row->parked)
		parks->count->implicit_wakes++;
	row->parked = 0; /* a reader in the middle must not take the new time for the old park's */
	*(volatile goleakd_u64 *)&row->since_ns = now;
	row->reason = reason;
	*(volatile goleakd_u8 *)&row->parked = 1;
	parks->count->parked++;
	count(&site->parked, 1);
}

static __always_inline goleakd_u32 log2_of(goleakd_u64 value)
{
	goleakd_u32 log = 0;

	for (goleakd_u32 bits = 32; bits; bits >>= 1) {
		if (value >> bits) {
			value >>= bits;
			log += bits;
		}
	}
	return log;
}

static __always_inline goleakd_u32 bucket_of(goleakd_u64 ns)
{
	goleakd_u32 bucket = log2_of(ns >> GOLEAKD_PARK_BUCKET_SHIFT);

	return bucket < GOLEAKD_PARK_BUCKETS ? bucket : GOLEAKD_PARK_BUCKETS - 1;
}

static __always_inline void end_park(struct parks *parks, goleakd_u64 g, goleakd_u64 now)
{
	struct goleakd_parked *row = find_goroutine(parks, g);

	if (!row || !row->goid || !row->parked) {
		parks->count->unmatched_wakes++;
		return;
	}
	struct goleakd_site_parks *site = site_row(parks, row);
	if (!site)
		return;
	goleakd_u64 lasted = now > row->since_ns ? now - row->since_ns : 0;
	row->parked = 0;
	parks->count->unparked++;
	count(&site->unparked, 1);
	count(&site->total_ns, lasted);
	count(&site->by_log2[bucket_of(lasted) & (GOLEAKD_PARK_BUCKETS - 1)], 1);
	if (lasted < parks->target->long_park_ns)
		return;
	struct goleakd_event *event = reserve(parks->slot, GOLEAKD_UNPARK, now);
	if (!event) {
		parks->count->lost_ring++;
		return;
	}
	event->goid = row->goid;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/*
 * coroswitch_m, src/runtime/coro.go: g.coroarg points to the coro, which begins with the g that goes on. One that ends
 * parks no more: gdestroy comes next.
 */
static __always_inline void switch_coroutines(struct parks *parks, goleakd_u64 g, goleakd_u64 now)
{
	const struct goleakd_target *target = parks->target;
	goleakd_u64 coro = 0, next = 0;
	goleakd_u8 ends = 0, reason = 0;

	if (!read_word(&coro, g + target->coroarg) || !read_word(&next, coro) ||
	    !read_user(&ends, sizeof(ends), g + target->coroexit) ||
	    !read_user(&reason, sizeof(reason), next + target->waitreason)) {
		parks->count->lost_unreadable++;
		return;
	}
	if (!ends)
		begin_park(parks, g, reason, now); /* both wait for the same: each other */
	end_park(parks, next, now);
}

static __always_inline void take_park(struct arrival *at, const struct hit *hit, goleakd_u64 now)
{
	struct parks parks = { .target = at->target, .count = at->count };
	goleakd_u8 reason;

	if (!find_tables(&parks, at->cookie.slot))
		return;
	switch (hit->kind) {
	case GOLEAKD_PARK:
		reason = at->regs.arg3;
		if (at->cookie.point == GOLEAKD_PARK_M &&
		    !read_user(&reason, sizeof(reason), hit->g + at->target->waitreason)) {
			parks.count->lost_unreadable++;
			return;
		}
		return begin_park(&parks, hit->g, reason, now);
	case GOLEAKD_COROSWITCH:
		return switch_coroutines(&parks, hit->g, now);
	default:
		return end_park(&parks, hit->g, now);
	}
}

/* A goroutine ends. `target`: of any slot of its process. */
static __always_inline void forget(const struct goleakd_target *target, goleakd_u64 g)
{
	struct parks parks;

	if (!find_parks(&parks, target->parks_slot))
		return;
	struct goleakd_parked *row = find_goroutine(&parks, g);
	if (!row)
		return;
	if (row->goid && row->parked)
		parks.count->implicit_wakes++;
	row->parked = 0;
	row->goid = 0;
}

/* A coroutine begins: until its first turn it waits. */
static __always_inline void begin_parked(const struct goleakd_target *target, goleakd_u64 g, goleakd_u64 now)
{
	struct parks parks;
	goleakd_u8 reason = 0;

	if (!find_parks(&parks, target->parks_slot))
		return;
	if (!read_user(&reason, sizeof(reason), g + target->waitreason)) {
		parks.count->lost_unreadable++;
		return;
	}
	begin_park(&parks, g, reason, now);
}

#endif
