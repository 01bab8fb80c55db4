// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What goroutines do, told from uprobes inside the Go runtime. One program for each group of probe points: the cookie says
 * which one was hit. It runs inside the application, so it does the least: put one record into the ring, or count a park in
 * the tables, and never wake anybody (the collector drains on a timer).
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_helpers.h>

#include "probe.bpf.h"

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
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, GOLEAKD_SLOTS);
	__type(key, goleakd_u32);
	__type(value, struct goleakd_target);
} targets SEC(".maps");

/* Of those who start or wake the goroutines of suspects, or touch what they wait on: few, so a ring of their own needs no share of the other one. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} caught SEC(".maps");

/* Written and deleted by the collector; counted down here. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GOLEAKD_WANTED);
	__type(key, struct goleakd_wanted);
	__type(value, struct goleakd_left);
} wanted SEC(".maps");

struct hit {
	enum goleakd_kind kind;
	goleakd_u64 g;
};

static __always_inline bool changes(const struct go_registers *regs, goleakd_u32 from, goleakd_u32 to)
{
	return (goleakd_u32)regs->arg2 == from && (goleakd_u32)regs->arg3 == to;
}

/* What a hit means to the programs of its group; false when it means nothing. */
static __always_inline bool interpret_life(const struct go_registers *regs, const struct goleakd_cookie *cookie,
					   struct hit *hit)
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
	}
	return false;
}

static __always_inline bool interpret_park(const struct go_registers *regs, const struct goleakd_cookie *cookie,
					   struct hit *hit)
{
	hit->g = regs->arg1;
	switch (cookie->point) {
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

static __always_inline bool fill(struct goleakd_event *event, const struct goleakd_target *target, const struct hit *hit)
{
	if (!read_word(&event->goid, hit->g + target->goid))
		return false;
	if (hit->kind != GOLEAKD_SPAWN)
		return true;
	if (target->parent_goid && !read_word(&event->parent, hit->g + target->parent_goid))
		return false;
	return read_word(&event->pc, hit->g + target->gopc);
}

static __always_inline struct goleakd_event *reserve(goleakd_u32 slot, enum goleakd_kind kind, goleakd_u64 now)
{
	struct goleakd_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return NULL;
	event->time_ns = now;
	event->slot = slot;
	event->kind = kind;
	event->goid = event->parent = event->pc = 0;
	__builtin_memset(event->reserved, 0, sizeof(event->reserved));
	return event;
}

struct arrival {
	struct goleakd_cookie cookie;
	struct go_registers regs;
	struct goleakd_counters *count;
	struct goleakd_target *target;
};

static __always_inline bool look_up(struct arrival *at)
{
	goleakd_u32 slot = at->cookie.slot;

	at->count = bpf_map_lookup_elem(&counters, &slot);
	at->target = bpf_map_lookup_elem(&targets, &slot);
	return at->count && at->target;
}

/*
 * The collector takes probes away that are hit too often, but a storm may come between two of its looks. Then the first CPU that
 * sees it says so at once, waking the collector, and no hit costs more than its trap from there on.
 */
static __always_inline bool tripped(struct arrival *at, goleakd_u64 now)
{
	struct goleakd_event *event;

	if (!at->target->tripped &&
	    !beyond_limit(&at->count->window, &at->count->window_hits, at->target->window_hits, now))
		return false;
	at->count->lost_storm++;
	if (at->target->tripped)
		return true;
	at->target->tripped = 1; /* other CPUs may do the same: the collector does not mind being told twice */
	event = reserve(at->cookie.slot, GOLEAKD_STORM, now);
	if (event) /* else the count of what was lost tells it, a little later */
		bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	return true;
}

#include "parks.bpf.h"

static __always_inline void count_hit(struct arrival *at, const struct hit *hit)
{
	/* hit.kind is below GOLEAKD_KINDS; the mask tells the verifier so. */
	at->count->hits[hit->kind & (GOLEAKD_KINDS - 1)]++;
}

/* Spawns and exits. */
static __always_inline void record_life(struct arrival *at, const struct hit *hit, goleakd_u64 now)
{
	struct goleakd_event *event = reserve(at->cookie.slot, hit->kind, now);

	if (!event) {
		at->count->lost_ring++;
		return;
	}
	if (!fill(event, at->target, hit)) {
		at->count->lost_unreadable++;
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
		return;
	}
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

static __always_inline int handle_life(struct pt_regs *ctx)
{
	struct arrival at;
	struct hit hit = {};
	goleakd_u64 now;

	if (!read_hit(ctx, &at.cookie, &at.regs) || !interpret_life(&at.regs, &at.cookie, &hit) || !look_up(&at))
		return 0;
	count_hit(&at, &hit);
	now = bpf_ktime_get_ns();
	if (hit.kind == GOLEAKD_EXIT)
		forget(at.target, hit.g); /* also after a storm: its g will be another goroutine's */
	if (tripped(&at, now))
		return 0;
	record_life(&at, &hit, now);
	if (at.cookie.point == GOLEAKD_NEWPROC1_CASGSTATUS && (goleakd_u32)at.regs.arg3 == GO_GWAITING)
		begin_parked(at.target, hit.g, now);
	return 0;
}

static __always_inline int handle_park(struct pt_regs *ctx)
{
	struct arrival at;
	struct hit hit = {};
	goleakd_u64 now;

	if (!read_hit(ctx, &at.cookie, &at.regs) || !interpret_park(&at.regs, &at.cookie, &hit) || !look_up(&at))
		return 0;
	count_hit(&at, &hit);
	now = bpf_ktime_get_ns();
	if (tripped(&at, now))
		return 0;
	take_park(&at, &hit, now);
	return 0;
}

#include "catch.bpf.h"

PROGRAM(life, handle_life)
PROGRAM(park, handle_park)
PROGRAM(catch, handle_catch)
PROGRAM(touch, handle_touch)

/*
 * To measure what a hit costs (collector/probe/calibration.h): the same, as its caller says. Loaded for nothing else, as the
 * question mark says.
 */
goleakd_u32 goleakd_calibrated; /* enum goleakd_calibrated */
goleakd_u32 goleakd_calibration_parks; /* the next one is a park; one thread calibrates, on whatever CPU */

static __always_inline int handle_calibration(struct pt_regs *ctx)
{
	struct arrival at;
	struct hit hit = {};
	goleakd_u64 now;

	if (!read_hit(ctx, &at.cookie, &at.regs) || !look_up(&at))
		return 0;
	if (!interpret_park(&at.regs, &at.cookie, &hit) && !interpret_life(&at.regs, &at.cookie, &hit))
		return 0;
	count_hit(&at, &hit);
	if (goleakd_calibrated == GOLEAKD_CALIBRATE_COUNT)
		return 0;
	now = bpf_ktime_get_ns();
	if (tripped(&at, now))
		return 0;
	if (goleakd_calibrated == GOLEAKD_CALIBRATE_RECORD) {
		record_life(&at, &hit, now);
	} else {
		goleakd_calibration_parks ^= 1;
		hit.kind = goleakd_calibration_parks ? GOLEAKD_PARK : GOLEAKD_UNPARK;
		take_park(&at, &hit, now);
	}
	return 0;
}

PROGRAM_ON_REQUEST(calibration, handle_calibration)
