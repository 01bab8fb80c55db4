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

/* A target's slot is cleared when it is given to the next one. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GOLEAKD_SLOTS);
	__type(key, goleakd_u32);
	__type(value, struct goleakd_counters);
} counters SEC(".maps");

struct hit {
	enum goleakd_kind kind;
	goleakd_u64 g;
};

/* What this hit means; false when it means nothing. */
static __always_inline bool interpret(const struct go_registers *regs, const struct goleakd_cookie *cookie, struct hit *hit)
{
	switch (cookie->point) {
	case GOLEAKD_NEWPROC1_CASGSTATUS:
		hit->kind = GOLEAKD_SPAWN;
		hit->g = regs->arg1;
		return (goleakd_u32)regs->arg2 == GO_GDEAD;
	case GOLEAKD_NEWPROC_RUNQPUT:
		hit->kind = GOLEAKD_SPAWN;
		hit->g = regs->arg2;
		return true;
	case GOLEAKD_GDESTROY:
		hit->kind = GOLEAKD_EXIT;
		hit->g = regs->arg1;
		return true;
	case GOLEAKD_GOPARK:
		hit->kind = GOLEAKD_PARK;
		hit->g = regs->current_g;
		return true;
	case GOLEAKD_READY:
		hit->kind = GOLEAKD_UNPARK;
		hit->g = regs->arg1;
		return true;
	case GOLEAKD_CASGSTATUS_WAKE:
		hit->kind = GOLEAKD_UNPARK;
		hit->g = regs->arg1;
		return (goleakd_u32)regs->arg2 == GO_GWAITING && (goleakd_u32)regs->arg3 == GO_GRUNNABLE;
	}
	return false;
}

static __always_inline bool read_word(goleakd_u64 address, goleakd_u64 *value)
{
	return bpf_probe_read_user(value, sizeof(*value), (const void *)address) == 0;
}

static __always_inline bool fill(struct goleakd_event *event, const struct go_registers *regs,
				 const struct goleakd_cookie *cookie, const struct hit *hit)
{
	event->time_ns = bpf_ktime_get_ns();
	event->parent = 0;
	event->pc = 0;
	event->slot = cookie->slot;
	event->kind = hit->kind;
	event->reason = 0;
	event->reserved = 0;
	if (!read_word(hit->g + cookie->goid_word * 8ULL, &event->goid))
		return false;
	if (hit->kind == GOLEAKD_PARK) {
		event->reason = (goleakd_u8)regs->arg3;
		return true;
	}
	if (hit->kind == GOLEAKD_SPAWN) {
		if (cookie->parent_goid_word != 0 && !read_word(hit->g + cookie->parent_goid_word * 8ULL, &event->parent))
			return false;
		return read_word(hit->g + cookie->gopc_word * 8ULL, &event->pc);
	}
	return true;
}

static __always_inline int handle(struct pt_regs *ctx, bool record)
{
	union {
		goleakd_u64 word;
		struct goleakd_cookie fields;
	} cookie = { .word = bpf_get_attach_cookie(ctx) };
	const struct go_registers regs = go_registers(ctx);
	struct hit hit = {};

	if ((cookie.fields.flags & GOLEAKD_FLAG_STACK_CHECK) && go_stack_check_taken(&regs))
		return 0;
	if (!interpret(&regs, &cookie.fields, &hit))
		return 0;
	goleakd_u32 slot = cookie.fields.slot;
	struct goleakd_counters *count = bpf_map_lookup_elem(&counters, &slot);
	if (!count)
		return 0;
	/* hit.kind is below GOLEAKD_KINDS; the mask tells the verifier so. */
	count->hits[hit.kind & (GOLEAKD_KINDS - 1)]++;
	if (!record)
		return 0;

	struct goleakd_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count->lost_ring++;
		return 0;
	}
	if (!fill(event, &regs, &cookie.fields, &hit)) {
		count->lost_unreadable++;
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
		return 0;
	}
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return 0;
}

/* The same program twice: how it will be attached is fixed when it is loaded. Only one of them is. */
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
