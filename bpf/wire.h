/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the BPF programs and the collector, compiled by both: the records of the event ring, what a probe's
 * cookie says, and the per-target counters. Fixed widths, no implicit padding. Change anything, and GOLEAKD_WIRE_VERSION goes
 * up: the collector refuses a skeleton of another version.
 */
#ifndef GOLEAKD_WIRE_H
#define GOLEAKD_WIRE_H

#ifdef __cplusplus
#include <cstddef>
#include <cstdint>
#define GOLEAKD_ASSERT(condition, text) static_assert(condition, text)
typedef std::uint8_t goleakd_u8;
typedef std::uint16_t goleakd_u16;
typedef std::uint32_t goleakd_u32;
typedef std::uint64_t goleakd_u64;
#else
#define GOLEAKD_ASSERT(condition, text) _Static_assert(condition, text)
typedef __u8 goleakd_u8;
typedef __u16 goleakd_u16;
typedef __u32 goleakd_u32;
typedef __u64 goleakd_u64;
#endif

#define GOLEAKD_WIRE_VERSION 1

/* What a probe hit means. */
enum goleakd_kind {
	GOLEAKD_SPAWN = 0, /* goid was made by parent with the go statement before pc */
	GOLEAKD_EXIT = 1, /* goid ends */
	GOLEAKD_PARK = 2, /* goid stops; reason says why */
	GOLEAKD_UNPARK = 3, /* goid was made runnable */
	GOLEAKD_KINDS = 4,
};

/* Where the arguments of a hit are: each probe point has its own registers. */
enum goleakd_point {
	GOLEAKD_NEWPROC1_CASGSTATUS = 0, /* AX = new g; a hit with BX != _Gdead is another transition */
	GOLEAKD_NEWPROC_RUNQPUT = 1, /* BX = new g */
	GOLEAKD_GDESTROY = 2, /* AX = g */
	GOLEAKD_GOPARK = 3, /* R14 = g, CL = reason */
	GOLEAKD_READY = 4, /* AX = g */
	GOLEAKD_CASGSTATUS_WAKE = 5, /* AX = g; only _Gwaiting (BX) to _Grunnable (CX) is a wake */
};

/* Set in a cookie when the probed instruction is the jump of the stack check, which is met again after the stack has grown. */
#define GOLEAKD_FLAG_STACK_CHECK 1

/*
 * A probe's cookie. g field offsets are in words, since all are aligned and below 2 KiB; parent_goid is 0 where the Go version
 * has no such field (offset 0 of a g is its stack, never a goid).
 */
struct goleakd_cookie {
	goleakd_u8 point;
	goleakd_u8 flags;
	goleakd_u8 goid_word;
	goleakd_u8 parent_goid_word;
	goleakd_u8 gopc_word;
	goleakd_u8 reserved;
	goleakd_u16 slot; /* of the target in the map of counters */
};
GOLEAKD_ASSERT(sizeof(struct goleakd_cookie) == 8, "a cookie is one u64");

/* One record of the ring. */
struct goleakd_event {
	goleakd_u64 time_ns; /* CLOCK_MONOTONIC */
	goleakd_u64 goid;
	goleakd_u64 parent; /* spawn: goid of the parent, 0 unknown */
	goleakd_u64 pc; /* spawn: g.gopc, a run-time address */
	goleakd_u16 slot;
	goleakd_u8 kind; /* enum goleakd_kind */
	goleakd_u8 reason; /* park: runtime.waitReason of that Go version */
	goleakd_u32 reserved;
};
GOLEAKD_ASSERT(sizeof(struct goleakd_event) == 40, "size of goleakd_event");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, goid) == 8, "goleakd_event.goid");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, parent) == 16, "goleakd_event.parent");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, pc) == 24, "goleakd_event.pc");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, slot) == 32, "goleakd_event.slot");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, kind) == 34, "goleakd_event.kind");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, reason) == 35, "goleakd_event.reason");

/* Per CPU and target; only ever added to. */
struct goleakd_counters {
	goleakd_u64 hits[GOLEAKD_KINDS];
	goleakd_u64 lost_ring; /* the ring was full */
	goleakd_u64 lost_unreadable; /* the g could not be read */
};
GOLEAKD_ASSERT(sizeof(struct goleakd_counters) == 48, "size of goleakd_counters");

/* Targets that can be probed at once: slots of the map of counters. */
#define GOLEAKD_SLOTS 1024

#endif
