// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How goroutines panic and recover, and how programs die. Apart from goroutine.bpf.c, whose probes are hit all the time: these
 * records are large, and rare in all but odd programs, so they have a ring, counters and a breaker of their own. What a dying
 * program says is copied here and now, for a moment later its memory is gone.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_helpers.h>

#include "failure_wire.h"
#include "probe.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Checked by the collector before it uses the object. */
const volatile goleakd_u32 goleakd_wire_version = GOLEAKD_WIRE_VERSION;

/* Drained by the collector on its timer, several times a second. Room for what two CPUs may tell before the breaker trips. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 * 1024 * 1024);
} failures SEC(".maps");

/* Who wakes the collector must find room where the storm itself has left none. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} storms SEC(".maps");

/* A slot of both is written when it is given to the next target. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GOLEAKD_SLOTS);
	__type(key, goleakd_u32);
	__type(value, struct goleakd_failure_counters);
} failure_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GOLEAKD_SLOTS);
	__type(key, goleakd_u32);
	__type(value, struct goleakd_failure_target);
} failure_targets SEC(".maps");

struct hit {
	struct go_registers regs;
	struct goleakd_failure_head head;
	goleakd_u8 point;
	struct goleakd_failure_counters *count;
	struct goleakd_failure_target *target;
};

static __always_inline goleakd_u8 kind_of(goleakd_u8 point)
{
	switch (point) {
	case GOLEAKD_GOPANIC:
		return GOLEAKD_PANIC;
	case GOLEAKD_RECOVERY:
		return GOLEAKD_RECOVER;
	case GOLEAKD_AT_FATALPANIC:
		return GOLEAKD_FATALPANIC;
	case GOLEAKD_AT_FATAL:
		return GOLEAKD_FATAL;
	default:
		return GOLEAKD_THROW;
	}
}

static __always_inline bool arrive(struct pt_regs *ctx, struct hit *hit)
{
	struct goleakd_cookie cookie;
	goleakd_u32 slot;

	if (!read_hit(ctx, &cookie, &hit->regs))
		return false;
	slot = cookie.slot;
	hit->count = bpf_map_lookup_elem(&failure_counters, &slot);
	hit->target = bpf_map_lookup_elem(&failure_targets, &slot);
	if (!hit->count || !hit->target)
		return false;
	hit->point = cookie.point;
	hit->head.time_ns = bpf_ktime_get_ns();
	hit->head.slot = slot;
	hit->head.kind = kind_of(hit->point);
	/* The mask tells the verifier that it is below GOLEAKD_FAILURE_KINDS. */
	hit->count->hits[(hit->head.kind - GOLEAKD_PANIC) & (GOLEAKD_FAILURE_KINDS - 1)]++;
	return true;
}

/* As in goroutine.bpf.c. Programs that panic as others return must not pay for it. */
static __always_inline bool tripped(struct hit *hit)
{
	struct goleakd_failure_head *storm;

	if (!hit->target->tripped && !beyond_limit(&hit->count->window, &hit->count->window_hits, hit->target->window_hits,
						   hit->head.time_ns))
		return false;
	hit->count->lost_storm++;
	if (hit->target->tripped)
		return true;
	hit->target->tripped = 1; /* other CPUs may do the same: the collector does not mind being told twice */
	storm = bpf_ringbuf_reserve(&storms, sizeof(*storm), 0);
	if (storm) { /* else it has been told */
		*storm = hit->head;
		storm->kind = GOLEAKD_STORM;
		bpf_ringbuf_submit(storm, BPF_RB_FORCE_WAKEUP);
	}
	return true;
}

static __always_inline void read_text(struct goleakd_failure *record)
{
	goleakd_u32 size = record->text_length < sizeof(record->text) ? record->text_length : sizeof(record->text);

	/* The compiler has checked a 64-bit copy of it, the verifier wants this very one bounded. */
	asm volatile("" : "+r"(size));
	if (size > sizeof(record->text))
		return;
	if (read_user(record->text, size, record->text_address))
		record->text_size = size;
}

static __always_inline void read_value(struct goleakd_failure *record)
{
	goleakd_u64 header[2];

	if (!record->type || !record->data)
		return;
	if (read_user(record->value, sizeof(record->value), record->data))
		record->value_size = sizeof(record->value);
	else if (read_user(record->value, sizeof(header), record->data)) /* the end of what is mapped */
		record->value_size = sizeof(header);
	else
		return;
	__builtin_memcpy(header, record->value, sizeof(header));
	record->text_address = header[0];
	record->text_length = header[1];
	read_text(record);
}

static __always_inline void fill(struct goleakd_failure *record, struct pt_regs *ctx, const struct hit *hit)
{
	const struct go_registers *regs = &hit->regs;

	record->head = hit->head;
	record->type = record->data = record->text_address = record->text_length = record->caller = 0;
	record->value_size = record->text_size = record->frames = record->reserved = 0;
	read_word(&record->caller, regs->sp);
	switch (hit->point) {
	case GOLEAKD_GOPANIC:
		record->type = regs->arg1;
		record->data = regs->arg2;
		read_value(record);
		break;
	case GOLEAKD_AT_FATALPANIC:
		read_word(&record->type, regs->arg1 + hit->target->panic_arg);
		read_word(&record->data, regs->arg1 + hit->target->panic_arg + sizeof(goleakd_u64));
		read_value(record);
		break;
	default:
		record->text_address = regs->arg1;
		record->text_length = regs->arg2;
		read_text(record);
	}
	record->frames = copy_stack(ctx, record->pcs, sizeof(record->pcs));
}

static __always_inline int handle(struct pt_regs *ctx)
{
	struct hit hit = {};

	if (!arrive(ctx, &hit))
		return 0;
	bool recovers = hit.point == GOLEAKD_RECOVERY;
	if ((recovers || hit.point == GOLEAKD_GOPANIC) && tripped(&hit))
		return 0;
	read_word(&hit.head.goid, (recovers ? hit.regs.arg1 : hit.regs.current_g) + hit.target->goid);
	if (recovers) {
		struct goleakd_failure_head *head = bpf_ringbuf_reserve(&failures, sizeof(*head), 0);

		if (!head) {
			hit.count->lost_ring++;
			return 0;
		}
		*head = hit.head;
		bpf_ringbuf_submit(head, BPF_RB_NO_WAKEUP);
		return 0;
	}
	struct goleakd_failure *record = bpf_ringbuf_reserve(&failures, sizeof(*record), 0);
	if (!record) {
		hit.count->lost_ring++;
		return 0;
	}
	fill(record, ctx, &hit);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

PROGRAM(failure, handle)
