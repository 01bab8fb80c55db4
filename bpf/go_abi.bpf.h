/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Go's register ABI on amd64 (ABIInternal, Go 1.17 on): integer arguments in AX, BX, CX, DI, SI, …, the current g in R14.
 * src/cmd/compile/abi-internal.md. The names are those of user space's struct pt_regs (asm/ptrace.h).
 */
#ifndef GOLEAKD_GO_ABI_BPF_H
#define GOLEAKD_GO_ABI_BPF_H

#include "wire.h"

struct go_registers {
	__u64 arg1;
	__u64 arg2;
	__u64 arg3;
	__u64 arg4;
	__u64 arg5;
	__u64 current_g;
	__u64 flags;
	__u64 sp;
};

/*
 * All at once, by volatile reads: left to itself the compiler joins the branches that use them and computes the address of the
 * register, which the verifier does not allow on a context.
 */
static __always_inline struct go_registers go_registers(const struct pt_regs *ctx)
{
	const volatile struct pt_regs *regs = ctx;
	struct go_registers read = {
		.arg1 = regs->rax,
		.arg2 = regs->rbx,
		.arg3 = regs->rcx,
		.arg4 = regs->rdi,
		.arg5 = regs->rsi,
		.current_g = regs->r14,
		.flags = regs->eflags,
		.sp = regs->rsp,
	};
	return read;
}

static __always_inline bool read_user(void *value, goleakd_u32 size, goleakd_u64 address)
{
	return bpf_probe_read_user(value, size, (const void *)address) == 0;
}

static __always_inline bool read_word(goleakd_u64 *value, goleakd_u64 address)
{
	return read_user(value, sizeof(*value), address);
}

/* runtime._Grunnable … (src/runtime/runtime2.go): the same in every version since 1.4. */
#define GO_GRUNNABLE 1
#define GO_GRUNNING 2
#define GO_GWAITING 4
#define GO_GDEAD 6

/* The stack check's `jbe` is taken: carry or zero. The function is about to be entered again on a larger stack. */
static __always_inline bool go_stack_check_taken(const struct go_registers *regs)
{
	return (regs->flags & 0x41) != 0;
}

#endif
