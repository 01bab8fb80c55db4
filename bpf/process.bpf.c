// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which processes begin to run a program, which end, and which are killed for want of memory. Raw tracepoints: they need neither tracefs nor more than CAP_BPF and
 * CAP_PERFMON. The collector drains on a timer, so nobody is woken.
 */
#include <linux/bpf.h>

#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "process_wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Checked by the collector before it uses the object. */
const volatile goleakd_u32 goleakd_wire_version = GOLEAKD_WIRE_VERSION;

/* Inode of the pid namespace whose pids the collector knows; set before loading. */
const volatile goleakd_u32 goleakd_pid_namespace = 0;

/* The kernel tells of the OOM killer's victim by its task_struct (Linux 6.8 on), else by a number; set before loading. */
const volatile goleakd_u32 goleakd_victim_is_task = 0;

/* Of the kernel's structs just what is read here; where it stands is found at load time (BTF). */
#define KERNEL_STRUCT __attribute__((preserve_access_index))

typedef struct {
	int counter;
} KERNEL_STRUCT atomic_t;

struct ns_common {
	unsigned int inum;
} KERNEL_STRUCT;

struct pid_namespace {
	struct ns_common ns;
} KERNEL_STRUCT;

struct upid {
	int nr;
	struct pid_namespace *ns;
} KERNEL_STRUCT;

struct pid {
	unsigned int level;
	struct upid numbers[1];
} KERNEL_STRUCT;

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
};

struct signal_struct {
	atomic_t live;
	struct pid *pids[2];
} KERNEL_STRUCT;

struct task_struct {
	struct task_struct *group_leader;
	struct signal_struct *signal;
	__u64 start_boottime;
} KERNEL_STRUCT;

#define MAX_PID_NS_LEVEL 32 /* include/linux/pid_namespace.h */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 * 1024);
} process_events SEC(".maps");

/* Records that did not fit; only ever added to, read by the collector. */
goleakd_u64 goleakd_processes_lost = 0;

/*
 * The pid of a process in the collector's namespace, 0 when it is in none that the collector sees. A process has a number in its
 * own namespace and in every one above, the outermost first.
 */
static __always_inline goleakd_u32 visible_pid(struct signal_struct *signal)
{
	struct pid *pid = BPF_CORE_READ(signal, pids[PIDTYPE_TGID]);
	unsigned int level = BPF_CORE_READ(pid, level);
	/* numbers is a flexible array in newer kernels: reach its elements by hand. */
	const char *number = (const char *)pid + bpf_core_field_offset(struct pid, numbers);

	for (unsigned int i = 0; i <= MAX_PID_NS_LEVEL; i++) {
		struct upid *upid = (struct upid *)(number + i * bpf_core_type_size(struct upid));

		if (i > level)
			break;
		if (BPF_CORE_READ(upid, ns, ns.inum) == goleakd_pid_namespace)
			return BPF_CORE_READ(upid, nr);
	}
	return 0;
}

static __always_inline int tell_of(goleakd_u32 pid, goleakd_u64 start_ns, enum goleakd_process_kind kind)
{
	struct goleakd_process_event *event;

	if (!pid)
		return 0;
	event = bpf_ringbuf_reserve(&process_events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&goleakd_processes_lost, 1);
		return 0;
	}
	event->time_ns = bpf_ktime_get_ns();
	event->start_ns = start_ns;
	event->pid = pid;
	event->kind = kind;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline int tell(struct task_struct *task, enum goleakd_process_kind kind)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);

	return tell_of(visible_pid(signal), BPF_CORE_READ(task, group_leader, start_boottime), kind);
}

/* Arguments: struct task_struct *, pid_t (of the thread before it became the leader), struct linux_binprm *. */
SEC("raw_tp/sched_process_exec")
int process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	return tell((struct task_struct *)ctx->args[0], GOLEAKD_PROCESS_EXEC);
}

/*
 * Arguments: struct task_struct *. Each thread's end comes here, and the leader's is not the process's while others live on. The
 * kernel has counted this thread out before (kernel/exit.c).
 */
SEC("raw_tp/sched_process_exit")
int process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx->args[0];

	if (BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0;
	return tell(task, GOLEAKD_PROCESS_EXIT);
}

/*
 * Arguments: struct task_struct *, uid_t; before Linux 6.8, and in some stable kernels, int: the number of a thread of the victim in
 * the outermost pid namespace. That is its leader's, the process', unless the leader has ended before.
 */
SEC("raw_tp/mark_victim")
int out_of_memory(struct bpf_raw_tracepoint_args *ctx)
{
	if (goleakd_victim_is_task)
		return tell((struct task_struct *)ctx->args[0], GOLEAKD_PROCESS_OUT_OF_MEMORY);
	return tell_of(ctx->args[0], 0, GOLEAKD_PROCESS_OUT_OF_MEMORY);
}
