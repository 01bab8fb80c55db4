/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the BPF programs and the collector, compiled by both: the records of the event ring, what a probe's
 * cookie says, what is told of each target, and its counters. Fixed widths, no implicit padding. Change anything, and GOLEAKD_WIRE_VERSION goes
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

#define GOLEAKD_WIRE_VERSION 3

/* What a probe hit means. */
enum goleakd_kind {
	GOLEAKD_SPAWN = 0, /* goid was made by parent with the go statement before pc */
	GOLEAKD_EXIT = 1, /* goid ends */
	GOLEAKD_PARK = 2, /* goid stops; reason says why */
	GOLEAKD_UNPARK = 3, /* goid was made runnable */
	GOLEAKD_COROSWITCH = 4, /* goid (0: it ends) hands over to the goroutine `parent`, as iter.Pull does */
	GOLEAKD_SPAWNER = 5, /* a goroutine executes a go statement; its record is a goleakd_spawner */
	GOLEAKD_STORM = 6, /* no hit: the probes of that slot were hit too often and tell nothing any more */
	GOLEAKD_KINDS = 8, /* a power of two */
};

/* Where the arguments of a hit are: each probe point has its own registers. */
enum goleakd_point {
	GOLEAKD_NEWPROC1_CASGSTATUS = 0, /* AX = new g; a hit with BX != _Gdead is another transition */
	GOLEAKD_NEWPROC_RUNQPUT = 1, /* BX = new g */
	GOLEAKD_GDESTROY = 2, /* AX = g */
	GOLEAKD_CASGSTATUS_EXIT = 3, /* AX = g; only _Grunning (BX) to _Gdead (CX) is an exit */
	GOLEAKD_GOPARK = 4, /* R14 = g, CL = reason */
	GOLEAKD_PARK_M = 5, /* AX = g, whose waitreason is set */
	GOLEAKD_READY = 6, /* AX = g */
	GOLEAKD_CASGSTATUS_WAKE = 7, /* AX = g; only _Gwaiting (BX) to _Grunnable (CX) is a wake */
	GOLEAKD_COROSWITCH_M = 8, /* AX = g that leaves; its coroarg has the other */
	GOLEAKD_NEWPROC = 9, /* on the stack of who executes the go statement: [RSP] = what will be g.gopc */
};

/* Set in a cookie when the probed instruction is the jump of the stack check, which is met again after the stack has grown. */
#define GOLEAKD_FLAG_STACK_CHECK 1

/* A probe's cookie. */
struct goleakd_cookie {
	goleakd_u8 point;
	goleakd_u8 flags;
	goleakd_u16 slot; /* of the target in the maps */
	goleakd_u32 reserved;
};
GOLEAKD_ASSERT(sizeof(struct goleakd_cookie) == 8, "a cookie is one u64");

/*
 * What the probes of one slot need to know: where in a g of that Go version the fields are, in bytes; 0 where it has no such
 * field (a g begins with its stack).
 */
struct goleakd_target {
	goleakd_u16 goid;
	goleakd_u16 parent_goid;
	goleakd_u16 gopc;
	goleakd_u16 waitreason;
	goleakd_u16 coroarg;
	goleakd_u16 coroexit;
	goleakd_u32 window_hits; /* on one CPU in one window (2^GOLEAKD_WINDOW_SHIFT ns): more are a storm; 0: no limit */
	goleakd_u32 tripped; /* set by the probes, once there was a storm: from then on hits are counted, and nothing else */
	goleakd_u32 reserved;
};
GOLEAKD_ASSERT(sizeof(struct goleakd_target) == 24, "size of goleakd_target");
GOLEAKD_ASSERT(offsetof(struct goleakd_target, window_hits) == 12, "goleakd_target.window_hits");
#define GOLEAKD_WINDOW_SHIFT 26 /* 67 ms */

/* One record of the ring. */
struct goleakd_event {
	goleakd_u64 time_ns; /* CLOCK_MONOTONIC */
	goleakd_u64 goid;
	goleakd_u64 parent; /* spawn: goid of the parent, 0 unknown; coroswitch: goid of the one that goes on */
	goleakd_u64 pc; /* spawn: g.gopc, a run-time address */
	goleakd_u16 slot;
	goleakd_u8 kind; /* enum goleakd_kind */
	goleakd_u8 reason; /* park, and spawn of one that begins parked: runtime.waitReason of that Go version; else 0 */
	goleakd_u32 reserved;
};
GOLEAKD_ASSERT(sizeof(struct goleakd_event) == 40, "size of goleakd_event");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, goid) == 8, "goleakd_event.goid");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, parent) == 16, "goleakd_event.parent");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, pc) == 24, "goleakd_event.pc");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, slot) == 32, "goleakd_event.slot");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, kind) == 34, "goleakd_event.kind");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, reason) == 35, "goleakd_event.reason");

/* Per CPU and slot; all but the window only ever added to. */
struct goleakd_counters {
	goleakd_u64 hits[GOLEAKD_KINDS];
	goleakd_u64 lost_ring; /* the ring was full */
	goleakd_u64 lost_unreadable; /* the g could not be read */
	goleakd_u64 lost_storm; /* after the slot had tripped */
	goleakd_u64 window; /* the number of the present one */
	goleakd_u64 window_hits;
};
GOLEAKD_ASSERT(sizeof(struct goleakd_counters) == 104, "size of goleakd_counters");

/* How often the stack behind a go statement is still wanted, by slot and g.gopc: a map of u32. */
struct goleakd_wanted_spawner {
	goleakd_u64 gopc;
	goleakd_u32 slot;
	goleakd_u32 reserved;
};
GOLEAKD_ASSERT(sizeof(struct goleakd_wanted_spawner) == 16, "size of goleakd_wanted_spawner");
#define GOLEAKD_WANTED_SPAWNERS 1024

/* One record of the ring of spawners. */
#define GOLEAKD_SPAWNER_FRAMES 64
struct goleakd_spawner {
	goleakd_u64 gopc;
	goleakd_u16 slot;
	goleakd_u16 frames; /* of pcs */
	goleakd_u32 reserved;
	/* Run-time addresses, innermost first: the probe's own, then (Linux 6.12 on) gopc, then the callers' return addresses. */
	goleakd_u64 pcs[GOLEAKD_SPAWNER_FRAMES];
};
GOLEAKD_ASSERT(sizeof(struct goleakd_spawner) == 528, "size of goleakd_spawner");
GOLEAKD_ASSERT(offsetof(struct goleakd_spawner, pcs) == 16, "goleakd_spawner.pcs");

/* Groups of probes that can be attached at once: slots of the maps. */
#define GOLEAKD_SLOTS 2048

#endif
