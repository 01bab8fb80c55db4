// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "target/go_version.h"

namespace goleakd::target {

// The offset of a field that this version does not have.
inline constexpr std::uint32_t kAbsent = ~std::uint32_t{0};
constexpr bool present(std::uint32_t offset) { return offset != kAbsent; }

// Byte offsets into the runtime's structs; `size` is the struct's. Where each comes from, by Go name, stands in
// layouts/fields.json, which the table's generator and the reader of DWARF share.

struct GLayout {  // runtime.g, src/runtime/runtime2.go
  std::uint32_t size = 0;
  std::uint32_t stack_lo = 0;
  std::uint32_t stack_hi = 0;
  std::uint32_t panic = 0;
  std::uint32_t defer = 0;
  std::uint32_t m = 0;
  std::uint32_t sched_sp = 0;
  std::uint32_t sched_pc = 0;
  std::uint32_t sched_ctxt = 0;
  std::uint32_t syscallsp = 0;
  std::uint32_t syscallpc = 0;
  std::uint32_t param = 0;
  std::uint32_t atomicstatus = 0;
  std::uint32_t goid = 0;
  std::uint32_t waitsince = 0;
  std::uint32_t waitreason = 0;
  std::uint32_t tracking_seq = 0;
  std::uint32_t lockedm = 0;
  std::uint32_t parent_goid = 0;  // absent before Go 1.21
  std::uint32_t gopc = 0;
  std::uint32_t startpc = 0;
  std::uint32_t waiting = 0;
  std::uint32_t labels = 0;
  std::uint32_t timer = 0;
  std::uint32_t coroarg = 0;   // absent before Go 1.22
  std::uint32_t coroexit = 0;  // likewise
};

struct MLayout {  // runtime.m
  std::uint32_t size = 0;
  std::uint32_t g0 = 0;
  std::uint32_t procid = 0;  // thread id
  std::uint32_t curg = 0;
  std::uint32_t p = 0;
};

struct PLayout {  // runtime.p
  std::uint32_t size = 0;
  std::uint32_t id = 0;
  std::uint32_t status = 0;
  std::uint32_t m = 0;
  std::uint32_t goidcache = 0;
  std::uint32_t goidcacheend = 0;
  std::uint32_t goroutines_created = 0;  // absent before Go 1.26
};

struct SchedtLayout {  // runtime.schedt
  std::uint32_t size = 0;
  std::uint32_t goidgen = 0;
  std::uint32_t lastpoll = 0;
  std::uint32_t maxmcount = 0;
  std::uint32_t time_to_run = 0;
  std::uint32_t goroutines_created = 0;  // absent before Go 1.26
};

struct TimeHistogramLayout {  // runtime.timeHistogram, src/runtime/histogram.go: `counts` begins at 0
  std::uint32_t size = 0;
  std::uint32_t underflow = 0;
  std::uint32_t overflow = 0;  // absent before Go 1.20
};

struct HchanLayout {  // runtime.hchan, src/runtime/chan.go
  std::uint32_t size = 0;
  std::uint32_t qcount = 0;
  std::uint32_t dataqsiz = 0;
  std::uint32_t closed = 0;
  std::uint32_t elemtype = 0;
  std::uint32_t recvx = 0;  // slot of the buffer that the next receive takes
  std::uint32_t recvq_first = 0;
  std::uint32_t sendq_first = 0;
};

struct SudogLayout {  // runtime.sudog
  std::uint32_t size = 0;
  std::uint32_t g = 0;
  std::uint32_t next = 0;
  std::uint32_t prev = 0;
  std::uint32_t elem = 0;  // the word that is always right since Go 1.26 wraps it (maybeTraceablePtr.vu)
  std::uint32_t is_select = 0;
  std::uint32_t waitlink = 0;
  std::uint32_t c = 0;  // as elem
};

struct SemaRootLayout {  // runtime.semaRoot and semTable, src/runtime/sema.go
  std::uint32_t size = 0;
  std::uint32_t treap = 0;
  std::uint32_t nwait = 0;
  std::uint32_t table_entry = 0;  // bytes from one root of runtime.semtable to the next; there are 251
};

struct TimerLayout {  // runtime.timer, src/runtime/time.go
  std::uint32_t size = 0;
  std::uint32_t when = 0;
};

struct PollDescLayout {  // runtime.pollDesc, src/runtime/netpoll.go
  std::uint32_t size = 0;
  std::uint32_t fd = 0;
  std::uint32_t rg = 0;
  std::uint32_t wg = 0;
};

struct NotifyListLayout {  // runtime.notifyList, src/runtime/sema.go
  std::uint32_t size = 0;
  std::uint32_t wait = 0;
  std::uint32_t notify = 0;
  std::uint32_t head = 0;
  std::uint32_t tail = 0;
};

struct MutexLayout {  // sync.Mutex; since Go 1.24 internal/sync.Mutex within
  std::uint32_t size = 0;
  std::uint32_t state = 0;
  std::uint32_t sema = 0;
};

struct RwMutexLayout {  // sync.RWMutex
  std::uint32_t size = 0;
  std::uint32_t writer_sem = 0;
  std::uint32_t reader_sem = 0;
  std::uint32_t reader_count = 0;
  std::uint32_t reader_wait = 0;
};

struct WaitGroupLayout {  // sync.WaitGroup: `state` has the counter in its upper and the waiters in its lower half
  std::uint32_t size = 0;
  std::uint32_t state = 0;
  std::uint32_t sema = 0;
};

struct CondLayout {  // sync.Cond
  std::uint32_t size = 0;
  std::uint32_t notify = 0;
};

struct MspanLayout {  // runtime.mspan, src/runtime/mheap.go
  std::uint32_t size = 0;
  std::uint32_t start_addr = 0;
  std::uint32_t npages = 0;
  std::uint32_t freeindex = 0;
  std::uint32_t nelems = 0;
  std::uint32_t alloc_bits = 0;
  std::uint32_t spanclass = 0;
  std::uint32_t state = 0;
  std::uint32_t elemsize = 0;
  std::uint32_t specials = 0;
};

struct MheapLayout {  // runtime.mheap
  std::uint32_t size = 0;
  std::uint32_t allspans = 0;
};

struct SpecialLayout {  // runtime.special
  std::uint32_t size = 0;
  std::uint32_t next = 0;
  std::uint32_t offset = 0;
  std::uint32_t kind = 0;
};

struct ModuledataLayout {  // runtime.moduledata, src/runtime/symtab.go
  std::uint32_t size = 0;
  std::uint32_t pc_header = 0;
  std::uint32_t funcnametab = 0;
  std::uint32_t text = 0;
  std::uint32_t etext = 0;
  std::uint32_t data = 0;
  std::uint32_t edata = 0;
  std::uint32_t bss = 0;
  std::uint32_t ebss = 0;
  std::uint32_t types = 0;
  std::uint32_t etypes = 0;
  std::uint32_t gofunc = 0;
  std::uint32_t next = 0;
};

struct TypeLayout {  // runtime._type, since Go 1.21 internal/abi.Type
  std::uint32_t size = 0;
  std::uint32_t tflag = 0;
  std::uint32_t kind = 0;
  std::uint32_t str = 0;  // nameOff: from moduledata.types
};

struct ItabLayout {  // runtime.itab, since Go 1.22 internal/abi.ITab: the first word of an interface that has methods
  std::uint32_t size = 0;
  std::uint32_t inter = 0;  // the interface's type
  std::uint32_t type = 0;   // that of the value
};

struct CancelCtxLayout {  // context.cancelCtx, src/context/context.go; the Context that it comes from is at 0
  std::uint32_t size = 0;
  std::uint32_t done = 0;  // any: its channel, {type, address}
  std::uint32_t err = 0;   // error; since Go 1.25 any, in an atomic.Value
};

// What goleakd must know of one Go runtime.
struct Layout {
  int minor = 0;            // of Go 1.minor
  int func_id_wrapper = 0;  // abi.FuncIDWrapper
  std::string_view key;     // what tells it from others of the same minor ("race", "X:staticlockranking"); empty: plain
  GLayout g;
  MLayout m;
  PLayout p;
  SchedtLayout sched;
  TimeHistogramLayout time_histogram;
  HchanLayout hchan;
  SudogLayout sudog;
  SemaRootLayout sema_root;
  TimerLayout timer;
  PollDescLayout poll_desc;
  NotifyListLayout notify_list;
  MutexLayout mutex;
  RwMutexLayout rw_mutex;
  WaitGroupLayout wait_group;
  CondLayout cond;
  MspanLayout mspan;
  MheapLayout mheap;
  SpecialLayout special;
  ModuledataLayout moduledata;
  TypeLayout type;
  ItabLayout itab;
  CancelCtxLayout cancel_ctx;
  std::span<const std::string_view> wait_reasons;  // runtime.waitReasonStrings

  // The text of a wait reason; "unknown wait reason" as the runtime says, when the number is out of range.
  std::string_view wait_reason(std::uint8_t number) const;
};

// How far a layout may be trusted. One that was not taken from this very runtime is used only after its invariants have
// held on live memory (snapshot/runtime_check.h).
enum class LayoutOrigin : std::uint8_t {
  table,    // this version and this kind of build
  dwarf,    // the binary's own debug information
  nearest,  // of the nearest version that is known: nothing says yet that it fits
};
std::string_view to_string(LayoutOrigin origin);

struct LayoutChoice {
  std::shared_ptr<const Layout> layout;  // never null
  LayoutOrigin origin = LayoutOrigin::nearest;
};

// From the table (layouts/amd64.json, made by scripts/gen-layouts): that of exactly this release and kind of build
// (experiments, race mode), else the nearest. unsupported for what is too old to be like any (before Go 1.18).
Result<LayoutChoice> layout_for(const GoVersion& version, bool race);

// For messages: "1.19, 1.20, 1.21, …".
std::string supported_versions();

}  // namespace goleakd::target
