/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the BPF programs and the collector, compiled by both: the records of the event ring, what a probe's
 * cookie says, what is told of each target, its counters, and its tables of parks. Fixed widths, no implicit padding. Change
 * anything, and GOLEAKD_WIRE_VERSION goes up: the collector refuses a skeleton of another version.
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

#define GOLEAKD_WIRE_VERSION 6

/* What a probe hit means. Spawns and exits are recorded one by one; of parks only the end of a long one is. */
enum goleakd_kind {
	GOLEAKD_SPAWN = 0, /* goid was made by parent with the go statement before pc */
	GOLEAKD_EXIT = 1, /* goid ends */
	GOLEAKD_PARK = 2, /* a goroutine stops */
	GOLEAKD_UNPARK = 3, /* a goroutine was made runnable; recorded when it had been parked for long_park_ns */
	GOLEAKD_COROSWITCH = 4, /* a goroutine hands over to another, as iter.Pull does: a park, unless it ends, and a wake */
	GOLEAKD_SPAWNER = 5, /* a goroutine executes a go statement; its record is a goleakd_caught */
	GOLEAKD_STORM = 6, /* no hit: the probes of that slot were hit too often and tell nothing any more */
	GOLEAKD_WAKER = 7, /* a goroutine is woken; the record of who does it is a goleakd_caught */
	/* What a goroutine does to an object that others wait on; the record of it is a goleakd_caught. */
	GOLEAKD_SEND = 8, /* also one that gives up at once, or finds room in the buffer */
	GOLEAKD_RECEIVE = 9, /* likewise */
	GOLEAKD_CLOSE = 10,
	GOLEAKD_SELECT = 11, /* one of its cases would send or receive */
	GOLEAKD_ACQUIRE = 12, /* a semaphore: where a lock, or a wait for a wait group, does not get through at once */
	GOLEAKD_RELEASE = 13, /* a semaphore, somebody else having had to wait */
	GOLEAKD_NOTIFY = 14, /* sync.Cond's waiters */
	GOLEAKD_CROWDED = 15, /* no hit: a quarter of the newest table of goroutines of that slot is taken */

	/* Of failure.bpf.c, with records and counters of their own (failure_wire.h). */
	GOLEAKD_PANIC = 16, /* a goroutine panics */
	GOLEAKD_RECOVER = 17, /* and goes on, behind the call of the function that recovered */
	GOLEAKD_FATALPANIC = 18, /* nobody has recovered: the program ends */
	GOLEAKD_FATAL = 19, /* it ends by what it has done wrong */
	GOLEAKD_THROW = 20, /* the runtime ends it */
};

/* Those below are counted; a power of two. */
#define GOLEAKD_KINDS 16

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
	GOLEAKD_GOPANIC = 10, /* AX, BX = the value's type and data words; R14 = g */
	GOLEAKD_RECOVERY = 11, /* AX = g */
	GOLEAKD_AT_FATALPANIC = 12, /* AX = the innermost runtime._panic; R14 = g */
	GOLEAKD_AT_FATAL = 13, /* AX, BX = the message's address and length; R14 = g */
	GOLEAKD_AT_THROW = 14, /* likewise */
	GOLEAKD_READY_WAKER = 15, /* AX = g that is woken */
	/* On the stack of who does it: [RSP] = the return address. */
	GOLEAKD_AT_CHANSEND = 16, /* AX = channel */
	GOLEAKD_AT_CHANRECV = 17, /* likewise */
	GOLEAKD_AT_CLOSECHAN = 18, /* likewise */
	GOLEAKD_AT_SELECTGO = 19, /* AX = array of runtime.scase, DI and SI = how many would send, and then receive */
	GOLEAKD_AT_SEMACQUIRE1 = 20, /* AX = semaphore */
	GOLEAKD_AT_SEMRELEASE1 = 21, /* likewise */
	GOLEAKD_AT_NOTIFY = 22, /* AX = notifyList */
};

/* What is measured in a hit that calibrates: counting it, a record, or parks and wakes in turn in the tables. */
enum goleakd_calibrated {
	GOLEAKD_CALIBRATE_COUNT = 0,
	GOLEAKD_CALIBRATE_RECORD = 1,
	GOLEAKD_CALIBRATE_PARK = 2,
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
	goleakd_u16 parks_slot; /* whose tables of parks are this process's; GOLEAKD_NO_SLOT: parks are not probed */
	goleakd_u8 parked_tables; /* at this slot: how many tables of goroutines there are, at most GOLEAKD_PARKED_TABLES */
	goleakd_u8 parked_shift; /* the first has 2^parked_shift rows, and each further one 2^GOLEAKD_GROWTH_SHIFT times as many */
	goleakd_u32 site_mask; /* sites of the other table less one: a power of two less one */
	goleakd_u32 site_shift; /* each of them has 2^site_shift rows */
	goleakd_u32 window_hits; /* on one CPU in one window (2^GOLEAKD_WINDOW_SHIFT ns): more are a storm; 0: no limit */
	goleakd_u32 tripped; /* set by the probes, once there was a storm: from then on hits are counted, and nothing else */
	goleakd_u32 claimed; /* rows of the newest table of goroutines, by the probes; begun anew with each table */
	goleakd_u32 reserved;
	goleakd_u64 long_park_ns; /* the end of one that lasted at least so long is recorded */
};
GOLEAKD_ASSERT(sizeof(struct goleakd_target) == 48, "size of goleakd_target");
GOLEAKD_ASSERT(offsetof(struct goleakd_target, long_park_ns) == 40, "goleakd_target.long_park_ns");
#define GOLEAKD_NO_SLOT 0xffff
#define GOLEAKD_WINDOW_SHIFT 26 /* 67 ms */

/* One record of the ring. */
struct goleakd_event {
	goleakd_u64 time_ns; /* CLOCK_MONOTONIC */
	goleakd_u64 goid;
	goleakd_u64 parent; /* spawn: goid of the parent, 0 unknown */
	goleakd_u64 pc; /* spawn: g.gopc, a run-time address */
	goleakd_u16 slot;
	goleakd_u8 kind; /* enum goleakd_kind */
	goleakd_u8 reserved[5];
};
GOLEAKD_ASSERT(sizeof(struct goleakd_event) == 40, "size of goleakd_event");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, goid) == 8, "goleakd_event.goid");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, parent) == 16, "goleakd_event.parent");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, pc) == 24, "goleakd_event.pc");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, slot) == 32, "goleakd_event.slot");
GOLEAKD_ASSERT(offsetof(struct goleakd_event, kind) == 34, "goleakd_event.kind");

/* Per CPU and slot; all but the window only ever added to. Of parks those are counted that the tables have taken in. */
struct goleakd_counters {
	goleakd_u64 hits[GOLEAKD_KINDS];
	goleakd_u64 parked;
	goleakd_u64 unparked; /* the end of one of those */
	goleakd_u64 unmatched_wakes; /* of a goroutine that no probe had seen park */
	goleakd_u64 implicit_wakes; /* of one that parks or ends, and no probe had seen wake since it parked */
	goleakd_u64 lost_ring; /* the ring was full */
	goleakd_u64 lost_unreadable; /* the g could not be read */
	goleakd_u64 lost_storm; /* after the slot had tripped */
	goleakd_u64 lost_table; /* the tables of parks had no room for the goroutine, or for its creation site */
	goleakd_u64 window; /* the number of the present one */
	goleakd_u64 window_hits;
};
GOLEAKD_ASSERT(sizeof(struct goleakd_counters) == 208, "size of goleakd_counters");

/*
 * The tables of parks of one process: arrays of a size of their own, used as hash tables with double hashing over at most
 * GOLEAKD_PROBES rows. A row is claimed once and stays. The runtime never frees a g, so there are no more rows than goroutines
 * ever were at one time; when they become many the collector is told, and adds a larger table, in which new ones find room. It reads all of
 * them while they change.
 */
#define GOLEAKD_PROBES 16
#define GOLEAKD_PARKED_TABLES 5
#define GOLEAKD_GROWTH_SHIFT 2

/* A goroutine, by the address of its g. */
struct goleakd_parked {
	goleakd_u64 g; /* 0: the row is free */
	goleakd_u64 goid; /* 0: the last one has ended, and the next is not known yet */
	goleakd_u64 since_ns; /* of the newest park, CLOCK_MONOTONIC */
	goleakd_u32 site; /* its site's first row in the other table */
	goleakd_u8 reason; /* of the newest park: runtime.waitReason of that Go version */
	goleakd_u8 parked; /* it has not ended yet */
	goleakd_u16 reserved;
};
GOLEAKD_ASSERT(sizeof(struct goleakd_parked) == 32, "size of goleakd_parked");
GOLEAKD_ASSERT(offsetof(struct goleakd_parked, site) == 24, "goleakd_parked.site");

/*
 * The parks of one creation site's goroutines. Each site has as many rows as there are CPUs that may write at once, up to a
 * limit; the numbers of a site are the sums over its rows.
 */
#define GOLEAKD_NO_GOPC 1
#define GOLEAKD_PARK_BUCKETS 32
#define GOLEAKD_PARK_BUCKET_SHIFT 9
struct goleakd_site_parks {
	goleakd_u64 gopc; /* g.gopc or GOLEAKD_NO_GOPC, in the site's first row; 0: the site is free */
	goleakd_u64 parked;
	goleakd_u64 unparked;
	goleakd_u64 total_ns; /* of the parks that have ended */
	/* Of those: [i] counts what lasted [2^(i+SHIFT), 2^(i+1+SHIFT)) ns, the first also what was shorter, the last what was longer. */
	goleakd_u64 by_log2[GOLEAKD_PARK_BUCKETS];
};
GOLEAKD_ASSERT(sizeof(struct goleakd_site_parks) == 288, "size of goleakd_site_parks");

/*
 * Whom it is still wanted to catch: who starts the goroutines of a go statement, who wakes them from a wait for that
 * reason, or who touches an object. A map of goleakd_left.
 */
struct goleakd_wanted {
	goleakd_u64 what; /* g.gopc of the goroutines, or the address of the object */
	goleakd_u32 slot;
	goleakd_u8 reason; /* of wakers: runtime.waitReason of that Go version */
	goleakd_u8 reserved[3];
};
GOLEAKD_ASSERT(sizeof(struct goleakd_wanted) == 16, "size of goleakd_wanted");
#define GOLEAKD_WANTED 4096
#define GOLEAKD_WANTED_BY_ONE 256 /* slot, at most */

/*
 * How often: of each way to touch an object, by kind - GOLEAKD_SEND; of who starts and wakes the first says it. Goroutines that
 * come to wait where others of the same go statement wait already are not wanted: there may be very many.
 */
#define GOLEAKD_WAYS 8 /* a power of two */
#define GOLEAKD_SIBLINGS 3
struct goleakd_left {
	goleakd_u8 times[GOLEAKD_WAYS];
	goleakd_u64 siblings[GOLEAKD_SIBLINGS]; /* g.gopc of those who wait; 0: none */
	goleakd_u8 siblings_kind; /* what they have come to do */
	goleakd_u8 reserved[7];
};
GOLEAKD_ASSERT(sizeof(struct goleakd_left) == 40, "size of goleakd_left");
#define GOLEAKD_MAX_CASES 16 /* of a select: so many are looked at */

/* One record of the ring of those caught. */
#define GOLEAKD_CAUGHT_FRAMES 64
struct goleakd_caught {
	goleakd_u64 time_ns; /* CLOCK_MONOTONIC */
	goleakd_u64 what; /* as it was wanted */
	goleakd_u64 caller; /* the return address of the probed function; 0: not known */
	goleakd_u16 slot;
	goleakd_u16 frames; /* of pcs */
	goleakd_u8 reason; /* as it was wanted */
	goleakd_u8 kind; /* enum goleakd_kind */
	goleakd_u8 sends; /* of a select: this case would send, else receive */
	goleakd_u8 reserved;
	/*
	 * Run-time addresses, innermost first: the probe's own, then (Linux 6.12 on) the return address of the probed function,
	 * then the callers'. Of a wake also those on the goroutine's own stack, where systemstack has left it.
	 */
	goleakd_u64 pcs[GOLEAKD_CAUGHT_FRAMES];
};
GOLEAKD_ASSERT(sizeof(struct goleakd_caught) == 544, "size of goleakd_caught");
GOLEAKD_ASSERT(offsetof(struct goleakd_caught, pcs) == 32, "goleakd_caught.pcs");

/* Groups of probes that can be attached at once: slots of the maps. */
#define GOLEAKD_SLOTS 2048

#endif
