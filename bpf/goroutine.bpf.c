// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What goroutines do, told from uprobes inside the Go runtime. One program for every probe point: the cookie says which one
 * was hit. It runs inside the application, so it does the least: read the goroutine's id, put one record into the ring, never
 * wake anybody (the collector drains on a timer).
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_helpers.h>

#include "go_abi.bpf.h"
#include "wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Checked by the collector before it uses the object. */
const volatile goleakd_u32 goleakd_wire_version = GOLEAKD_WIRE_VERSION;

/* Owned and drained by the collector; its size is set before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} events SEC(".maps");

/* A slot of both is written when it is given to the next target. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GOLEAKD_SLOTS);
	__type(key, goleakd_u32);
	__type(value, struct goleakd_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GOLEAKD_SLOTS);
	__type(key, goleakd_u32);
	__type(value, struct goleakd_target);
} targets SEC(".maps");

/* Of those who execute the go statements of suspects: few, so a ring of their own needs no share of the other one. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} spawners SEC(".maps");

/* Written and deleted by the collector; counted down here. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GOLEAKD_WANTED_SPAWNERS);
	__type(key, struct goleakd_wanted_spawner);
	__type(value, goleakd_u32);
} wanted_spawners SEC(".maps");

struct hit {
	enum goleakd_kind kind;
	goleakd_u64 g;
};

static __always_inline bool changes(const struct go_registers *regs, goleakd_u32 from, goleakd_u32 to)
{
	return (goleakd_u32)regs->arg2 == from && (goleakd_u32)regs->arg3 == to;
}

/* What this hit means; false when it means nothing. */
static __always_inline bool interpret(const struct go_registers *regs, const struct goleakd_cookie *cookie, struct hit *hit)
{
	hit->g = regs->arg1;
	switch (cookie->point) {
	case GOLEAKD_NEWPROC1_CASGSTATUS:
		hit->kind = GOLEAKD_SPAWN;
		return (goleakd_u32)regs->arg2 == GO_GDEAD;
	case GOLEAKD_NEWPROC_RUNQPUT:
		hit->kind = GOLEAKD_SPAWN;
		hit->g = regs->arg2;
		return true;
	case GOLEAKD_GDESTROY:
		hit->kind = GOLEAKD_EXIT;
		return true;
	case GOLEAKD_CASGSTATUS_EXIT:
		hit->kind = GOLEAKD_EXIT;
		return changes(regs, GO_GRUNNING, GO_GDEAD);
	case GOLEAKD_GOPARK:
		hit->kind = GOLEAKD_PARK;
		hit->g = regs->current_g;
		return true;
	case GOLEAKD_PARK_M:
		hit->kind = GOLEAKD_PARK;
		return true;
	case GOLEAKD_READY:
		hit->kind = GOLEAKD_UNPARK;
		return true;
	case GOLEAKD_CASGSTATUS_WAKE:
		hit->kind = GOLEAKD_UNPARK;
		return changes(regs, GO_GWAITING, GO_GRUNNABLE);
	case GOLEAKD_COROSWITCH_M:
		hit->kind = GOLEAKD_COROSWITCH;
		return true;
	}
	return false;
}

static __always_inline bool read_user(void *value, goleakd_u32 size, goleakd_u64 address)
{
	return bpf_probe_read_user(value, size, (const void *)address) == 0;
}

static __always_inline bool read_word(goleakd_u64 *value, goleakd_u64 address)
{
	return read_user(value, sizeof(*value), address);
}

/* runtime.coroswitch_m, src/runtime/coro.go: g.coroarg points to the coro, which begins with the g that goes on. */
static __always_inline bool fill_coroswitch(struct goleakd_event *event, const struct goleakd_target *target, goleakd_u64 g)
{
	goleakd_u64 coro = 0, next = 0;
	goleakd_u8 ends = 0;

	if (!read_word(&coro, g + target->coroarg) || !read_word(&next, coro) || !read_word(&event->parent, next + target->goid))
		return false;
	if (!read_user(&ends, sizeof(ends), g + target->coroexit))
		return false;
	if (ends)
		event->goid = 0; /* gdestroy tells of it */
	return true;
}

static __always_inline bool fill(struct goleakd_event *event, const struct go_registers *regs,
				 const struct goleakd_cookie *cookie, const struct goleakd_target *target, const struct hit *hit)
{
	event->parent = 0;
	event->pc = 0;
	event->slot = cookie->slot;
	event->kind = hit->kind;
	event->reason = 0;
	event->reserved = 0;
	if (!read_word(&event->goid, hit->g + target->goid))
		return false;
	switch (hit->kind) {
	case GOLEAKD_PARK:
		if (cookie->point == GOLEAKD_PARK_M)
			return read_user(&event->reason, sizeof(event->reason), hit->g + target->waitreason);
		event->reason = (goleakd_u8)regs->arg3;
		return true;
	case GOLEAKD_SPAWN:
		if (target->parent_goid && !read_word(&event->parent, hit->g + target->parent_goid))
			return false;
		if (cookie->point == GOLEAKD_NEWPROC1_CASGSTATUS && (goleakd_u32)regs->arg3 == GO_GWAITING &&
		    !read_user(&event->reason, sizeof(event->reason), hit->g + target->waitreason))
			return false;
		return read_word(&event->pc, hit->g + target->gopc);
	case GOLEAKD_COROSWITCH:
		return fill_coroswitch(event, target, hit->g);
	default:
		return true;
	}
}

/*
 * The breaker: the collector takes probes away that are hit too often, but a storm may come between two of its looks. Then
 * the first CPU that sees it says so at once, waking the collector, and no hit costs more than its trap from there on.
 */
static __always_inline bool tripped(struct goleakd_target *target, struct goleakd_counters *count,
				    const struct goleakd_cookie *cookie, goleakd_u64 now)
{
	goleakd_u64 window = now >> GOLEAKD_WINDOW_SHIFT;
	struct goleakd_event *event;

	if (target->tripped)
		return true;
	if (!target->window_hits)
		return false;
	if (count->window != window) {
		count->window = window;
		count->window_hits = 0;
	}
	if (++count->window_hits <= target->window_hits)
		return false;
	target->tripped = 1; /* other CPUs may do the same: the collector does not mind being told twice */
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (event) { /* else the count of what was lost tells it, a little later */
		__builtin_memset(event, 0, sizeof(*event));
		event->time_ns = now;
		event->slot = cookie->slot;
		event->kind = GOLEAKD_STORM;
		bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	}
	return true;
}

struct arrival {
	struct goleakd_cookie cookie;
	struct go_registers regs;
	struct goleakd_counters *count;
	struct goleakd_target *target;
};

/* False for a hit that is only the stack check's jump being taken. */
static __always_inline bool arrive(struct pt_regs *ctx, struct arrival *at)
{
	union {
		goleakd_u64 word;
		struct goleakd_cookie fields;
	} cookie = { .word = bpf_get_attach_cookie(ctx) };

	at->cookie = cookie.fields;
	at->regs = go_registers(ctx);
	return !(at->cookie.flags & GOLEAKD_FLAG_STACK_CHECK) || !go_stack_check_taken(&at->regs);
}

static __always_inline bool look_up(struct arrival *at)
{
	goleakd_u32 slot = at->cookie.slot;

	at->count = bpf_map_lookup_elem(&counters, &slot);
	at->target = bpf_map_lookup_elem(&targets, &slot);
	return at->count && at->target;
}

static __always_inline int handle(struct pt_regs *ctx, bool record)
{
	struct arrival at;
	struct hit hit = {};

	if (!arrive(ctx, &at) || !interpret(&at.regs, &at.cookie, &hit) || !look_up(&at))
		return 0;
	/* hit.kind is below GOLEAKD_KINDS; the mask tells the verifier so. */
	at.count->hits[hit.kind & (GOLEAKD_KINDS - 1)]++;
	if (!record)
		return 0;

	goleakd_u64 now = bpf_ktime_get_ns();
	if (tripped(at.target, at.count, &at.cookie, now)) {
		at.count->lost_storm++;
		return 0;
	}
	struct goleakd_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		at.count->lost_ring++;
		return 0;
	}
	event->time_ns = now;
	if (!fill(event, &at.regs, &at.cookie, at.target, &hit)) {
		at.count->lost_unreadable++;
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
		return 0;
	}
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline int handle_spawner(struct pt_regs *ctx)
{
	struct arrival at;
	struct goleakd_wanted_spawner wanted = {};

	if (!arrive(ctx, &at) || !look_up(&at))
		return 0;
	at.count->hits[GOLEAKD_SPAWNER]++;
	if (tripped(at.target, at.count, &at.cookie, bpf_ktime_get_ns())) {
		at.count->lost_storm++;
		return 0;
	}
	wanted.slot = at.cookie.slot;
	if (!read_word(&wanted.gopc, at.regs.sp))
		return 0;
	goleakd_u32 *left = bpf_map_lookup_elem(&wanted_spawners, &wanted);
	if (!left || !*left)
		return 0;
	*left -= 1; /* two CPUs at once may take one more than was wanted, or one less */
	struct goleakd_spawner *spawner = bpf_ringbuf_reserve(&spawners, sizeof(*spawner), 0);
	if (!spawner)
		return 0;
	long bytes = bpf_get_stack(ctx, spawner->pcs, sizeof(spawner->pcs), BPF_F_USER_STACK);
	spawner->gopc = wanted.gopc;
	spawner->slot = at.cookie.slot;
	spawner->frames = bytes < 0 ? 0 : bytes / sizeof(spawner->pcs[0]);
	spawner->reserved = 0;
	bpf_ringbuf_submit(spawner, BPF_RB_NO_WAKEUP);
	return 0;
}

/* Each program twice: how it will be attached is fixed when it is loaded. Only one of the two is. */
SEC("uprobe.multi")
int goroutine_multi(struct pt_regs *ctx)
{
	return handle(ctx, true);
}

SEC("uprobe")
int goroutine_perf(struct pt_regs *ctx)
{
	return handle(ctx, true);
}

SEC("uprobe.multi")
int spawner_multi(struct pt_regs *ctx)
{
	return handle_spawner(ctx);
}

SEC("uprobe")
int spawner_perf(struct pt_regs *ctx)
{
	return handle_spawner(ctx);
}

/*
 * To measure what a hit costs (collector/probe/calibration.h): the same, with the record or without. Loaded for nothing else,
 * as the question mark says.
 */
goleakd_u32 goleakd_with_record;

SEC("?uprobe.multi")
int calibration_multi(struct pt_regs *ctx)
{
	return handle(ctx, goleakd_with_record != 0);
}

SEC("?uprobe")
int calibration_perf(struct pt_regs *ctx)
{
	return handle(ctx, goleakd_with_record != 0);
}
