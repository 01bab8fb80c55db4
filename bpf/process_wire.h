/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The contract between process.bpf.c and the collector: the records of its ring. As wire.h, and of its version. */
#ifndef GOLEAKD_PROCESS_WIRE_H
#define GOLEAKD_PROCESS_WIRE_H

#include "wire.h"

enum goleakd_process_kind {
	GOLEAKD_PROCESS_EXEC = 0, /* it runs another program from now on, under the same pid */
	GOLEAKD_PROCESS_EXIT = 1, /* its last thread ends; may be told more than once */
	GOLEAKD_PROCESS_OUT_OF_MEMORY = 2, /* the kernel has chosen it to be killed for want of memory; it ends soon */
};

struct goleakd_process_event {
	goleakd_u64 time_ns; /* CLOCK_MONOTONIC */
	goleakd_u64 start_ns; /* when the process was forked, on CLOCK_BOOTTIME: what /proc/PID/stat counts in ticks; 0: not known */
	goleakd_u32 pid; /* in the collector's pid namespace */
	goleakd_u32 kind; /* enum goleakd_process_kind */
};
GOLEAKD_ASSERT(sizeof(struct goleakd_process_event) == 24, "size of goleakd_process_event");
GOLEAKD_ASSERT(offsetof(struct goleakd_process_event, start_ns) == 8, "goleakd_process_event.start_ns");
GOLEAKD_ASSERT(offsetof(struct goleakd_process_event, pid) == 16, "goleakd_process_event.pid");

#endif
