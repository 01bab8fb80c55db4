/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Of suspects: who starts their goroutines, who wakes them, and who touches what they wait on. Most hits are nobody's that is
 * wanted, and cost a lookup; of the others a record with the stack is made. Part of goroutine.bpf.c.
 */
#ifndef GOLEAKD_CATCH_BPF_H
#define GOLEAKD_CATCH_BPF_H

/* One hit, and what it may be wanted for. */
struct catch {
	struct goleakd_wanted key;
	enum goleakd_kind kind;
	goleakd_u64 caller;
	goleakd_u8 sends;
};

static __always_inline bool comes_to_wait(const struct arrival *at, const struct catch *it, const struct goleakd_left *left)
{
	goleakd_u64 gopc = 0;

	if (it->kind != left->siblings_kind || !read_word(&gopc, at->regs.current_g + at->target->gopc) || !gopc)
		return false;
	for (int i = 0; i < GOLEAKD_SIBLINGS; i++) {
		if (left->siblings[i] == gopc)
			return true;
	}
	return false;
}

static __always_inline void record_caught(struct pt_regs *ctx, const struct arrival *at, const struct catch *it,
					  goleakd_u64 now)
{
	struct goleakd_left *left = bpf_map_lookup_elem(&wanted, &it->key);
	goleakd_u8 *times;

	if (!left)
		return;
	/* Those who start and wake come before those who touch: what is below the first of these counts as that. */
	times = &left->times[(it->kind < GOLEAKD_SEND ? 0 : it->kind - GOLEAKD_SEND) & (GOLEAKD_WAYS - 1)];
	if (!*times || comes_to_wait(at, it, left))
		return;
	struct goleakd_caught *record = bpf_ringbuf_reserve(&caught, sizeof(*record), 0);
	if (!record) { /* the next one will do as well */
		at->count->lost_ring++;
		return;
	}
	*times -= 1; /* two CPUs at once may take one more than was wanted, or one less */
	record->time_ns = now;
	record->what = it->key.what;
	record->caller = it->caller;
	record->slot = at->cookie.slot;
	record->frames = copy_stack(ctx, record->pcs, sizeof(record->pcs));
	record->reason = it->key.reason;
	record->kind = it->kind;
	record->sends = it->sends;
	record->reserved = 0;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/* Whose go statement is executed, or who is woken from what. */
static __always_inline bool sought(const struct arrival *at, struct catch *it)
{
	it->key.slot = at->cookie.slot;
	if (at->cookie.point == GOLEAKD_NEWPROC) {
		if (!read_word(&it->key.what, at->regs.sp))
			return false;
		it->caller = it->key.what;
		return true;
	}
	return read_word(&it->key.what, at->regs.arg1 + at->target->gopc) &&
	       read_user(&it->key.reason, sizeof(it->key.reason), at->regs.arg1 + at->target->waitreason);
}

static __always_inline int handle_catch(struct pt_regs *ctx)
{
	struct arrival at;
	struct catch it = {};
	goleakd_u64 now;

	if (!read_hit(ctx, &at.cookie, &at.regs) || !look_up(&at))
		return 0;
	it.kind = at.cookie.point == GOLEAKD_NEWPROC ? GOLEAKD_SPAWNER : GOLEAKD_WAKER;
	at.count->hits[it.kind & (GOLEAKD_KINDS - 1)]++;
	now = bpf_ktime_get_ns();
	if (tripped(&at, now) || !sought(&at, &it))
		return 0;
	record_caught(ctx, &at, &it, now);
	return 0;
}

static __always_inline bool interpret_touch(goleakd_u8 point, enum goleakd_kind *kind)
{
	switch (point) {
	case GOLEAKD_AT_CHANSEND:
		*kind = GOLEAKD_SEND;
		return true;
	case GOLEAKD_AT_CHANRECV:
		*kind = GOLEAKD_RECEIVE;
		return true;
	case GOLEAKD_AT_CLOSECHAN:
		*kind = GOLEAKD_CLOSE;
		return true;
	case GOLEAKD_AT_SELECTGO:
		*kind = GOLEAKD_SELECT;
		return true;
	case GOLEAKD_AT_SEMACQUIRE1:
		*kind = GOLEAKD_ACQUIRE;
		return true;
	case GOLEAKD_AT_SEMRELEASE1:
		*kind = GOLEAKD_RELEASE;
		return true;
	case GOLEAKD_AT_NOTIFY:
		*kind = GOLEAKD_NOTIFY;
		return true;
	}
	return false;
}

/* src/runtime/select.go: those that would send come first; each begins with its channel. */
#define GO_SCASE_SIZE 16

static __always_inline void touch_cases(struct pt_regs *ctx, const struct arrival *at, struct catch *it, goleakd_u64 now)
{
	goleakd_u64 sends = at->regs.arg4, cases = sends + at->regs.arg5;

	for (goleakd_u32 i = 0; i < GOLEAKD_MAX_CASES; i++) {
		if (i >= cases)
			return;
		if (!read_word(&it->key.what, at->regs.arg1 + i * GO_SCASE_SIZE)) {
			at->count->lost_unreadable++;
			return;
		}
		it->sends = i < sends;
		record_caught(ctx, at, it, now);
	}
}

static __always_inline int handle_touch(struct pt_regs *ctx)
{
	struct arrival at;
	struct catch it = {};
	goleakd_u64 now;

	if (!read_hit(ctx, &at.cookie, &at.regs) || !interpret_touch(at.cookie.point, &it.kind) || !look_up(&at))
		return 0;
	at.count->hits[it.kind & (GOLEAKD_KINDS - 1)]++;
	now = bpf_ktime_get_ns();
	if (tripped(&at, now))
		return 0;
	it.key.slot = at.cookie.slot;
	if (!read_word(&it.caller, at.regs.sp))
		it.caller = 0;
	if (it.kind == GOLEAKD_SELECT) {
		touch_cases(ctx, &at, &it, now);
		return 0;
	}
	it.key.what = at.regs.arg1;
	record_caught(ctx, &at, &it, now);
	return 0;
}

#endif
