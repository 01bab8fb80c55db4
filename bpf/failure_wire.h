/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The contract between failure.bpf.c and the collector. As wire.h, and of its version. */
#ifndef GOLEAKD_FAILURE_WIRE_H
#define GOLEAKD_FAILURE_WIRE_H

#include "wire.h"

#define GOLEAKD_FAILURE_KINDS 8 /* GOLEAKD_PANIC and those behind it; a power of two */

/* What the probes of one slot need to know. */
struct goleakd_failure_target {
	goleakd_u16 goid; /* in a g, in bytes */
	goleakd_u16 panic_arg; /* in a runtime._panic */
	goleakd_u32 window_hits; /* as goleakd_target's, of panics and recoveries alone */
	goleakd_u32 tripped; /* likewise */
	goleakd_u32 reserved;
};
GOLEAKD_ASSERT(sizeof(struct goleakd_failure_target) == 16, "size of goleakd_failure_target");

/* Per CPU and slot; all but the window only ever added to. */
struct goleakd_failure_counters {
	goleakd_u64 hits[GOLEAKD_FAILURE_KINDS]; /* by kind - GOLEAKD_PANIC */
	goleakd_u64 lost_ring;
	goleakd_u64 lost_storm;
	goleakd_u64 window;
	goleakd_u64 window_hits;
};
GOLEAKD_ASSERT(sizeof(struct goleakd_failure_counters) == 96, "size of goleakd_failure_counters");

/* What every record begins with; of GOLEAKD_RECOVER and GOLEAKD_STORM it is all. */
struct goleakd_failure_head {
	goleakd_u64 time_ns; /* CLOCK_MONOTONIC */
	goleakd_u64 goid; /* 0: on a stack of the runtime's own, or not known */
	goleakd_u16 slot;
	goleakd_u8 kind; /* enum goleakd_kind */
	goleakd_u8 reserved[5];
};
GOLEAKD_ASSERT(sizeof(struct goleakd_failure_head) == 24, "size of goleakd_failure_head");

#define GOLEAKD_FAILURE_VALUE 40 /* a runtime.TypeAssertionError */
#define GOLEAKD_FAILURE_TEXT 256
#define GOLEAKD_FAILURE_FRAMES 32

/*
 * A panic or a death. Which kind of value a panic has is in its type, and types are read by the collector: so of every value the
 * first bytes are told, and what they lead to if they are the header of a string.
 */
struct goleakd_failure {
	struct goleakd_failure_head head;
	goleakd_u64 type; /* panics: the value's runtime._type; 0: nil */
	goleakd_u64 data; /* panics: the value, or where it is, as its type has it */
	goleakd_u64 text_address; /* the message, or what may be one */
	goleakd_u64 text_length; /* of all of it */
	goleakd_u64 caller; /* the return address of the function that was hit; 0: not known */
	goleakd_u16 value_size; /* bytes of value that could be read, at data */
	goleakd_u16 text_size; /* likewise of text */
	goleakd_u16 frames; /* of pcs */
	goleakd_u16 reserved;
	goleakd_u8 value[GOLEAKD_FAILURE_VALUE];
	goleakd_u8 text[GOLEAKD_FAILURE_TEXT];
	/* As goleakd_caught's: the probe's own, then (Linux 6.12 on) `caller`, then those above. */
	goleakd_u64 pcs[GOLEAKD_FAILURE_FRAMES];
};
GOLEAKD_ASSERT(sizeof(struct goleakd_failure) == 624, "size of goleakd_failure");
GOLEAKD_ASSERT(offsetof(struct goleakd_failure, pcs) == 368, "goleakd_failure.pcs");

#endif
