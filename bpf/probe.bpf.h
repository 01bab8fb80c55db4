/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every program of a probe does, whatever it tells. */
#ifndef GOLEAKD_PROBE_BPF_H
#define GOLEAKD_PROBE_BPF_H

#include "go_abi.bpf.h"
#include "wire.h"

/* Each program twice: how it will be attached is fixed when it is loaded. Only one of the two is. */
#define PROGRAM(name, handler) PROGRAM_IN("", name, handler)
/* One that is loaded only on request. */
#define PROGRAM_ON_REQUEST(name, handler) PROGRAM_IN("?", name, handler)
#define PROGRAM_IN(prefix, name, handler)         \
	SEC(prefix "uprobe.multi")                \
	int name##_multi(struct pt_regs *ctx)     \
	{                                         \
		return handler(ctx);              \
	}                                         \
	SEC(prefix "uprobe")                      \
	int name##_perf(struct pt_regs *ctx)      \
	{                                         \
		return handler(ctx);              \
	}

/* False for a hit that is only the stack check's jump being taken. */
static __always_inline bool read_hit(struct pt_regs *ctx, struct goleakd_cookie *cookie, struct go_registers *regs)
{
	union {
		goleakd_u64 word;
		struct goleakd_cookie fields;
	} attached = { .word = bpf_get_attach_cookie(ctx) };

	*cookie = attached.fields;
	*regs = go_registers(ctx);
	return !(cookie->flags & GOLEAKD_FLAG_STACK_CHECK) || !go_stack_check_taken(regs);
}

/* The breaker: counts this hit in the present window of one CPU, and tells whether they are more than the limit; 0: never. */
static __always_inline bool beyond_limit(goleakd_u64 *window, goleakd_u64 *hits, goleakd_u32 limit, goleakd_u64 now)
{
	goleakd_u64 present = now >> GOLEAKD_WINDOW_SHIFT;

	if (!limit)
		return false;
	if (*window != present) {
		*window = present;
		*hits = 0;
	}
	return ++*hits > limit;
}

/* Return addresses of the stack that the hit happened on; how many. */
static __always_inline goleakd_u16 copy_stack(struct pt_regs *ctx, goleakd_u64 *pcs, goleakd_u32 size)
{
	long bytes = bpf_get_stack(ctx, pcs, size, BPF_F_USER_STACK);

	return bytes < 0 ? 0 : bytes / sizeof(*pcs);
}

#endif
