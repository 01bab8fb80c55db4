// SPDX-License-Identifier: Apache-2.0
#include "verdict/leak.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "verdict/stable_name.h"

namespace goleakd::verdict {
namespace {

struct CauseText {
  Cause cause;
  std::string_view word;
  std::string_view explanation;
  std::string_view advice;
};

constexpr std::array<CauseText, 31> kCauses{{
    {Cause::send_unbuffered_no_receiver, "send_unbuffered_no_receiver",
     "It sends on an unbuffered channel, and nobody receives: the receiver has returned, most often on an error or a "
     "timeout.",
     "Give the channel room for the one result, or stop sending when the receiver is gone:\n"
     "ch := make(chan T, 1)\n"
     "select { case ch <- v: case <-ctx.Done(): return }"},
    {Cause::send_buffer_full, "send_buffer_full", "It sends on a channel whose buffer is full, and nobody drains it.",
     "Drain the channel until every sender is done, or give the send a way out:\n"
     "select { case ch <- v: case <-ctx.Done(): return }"},
    {Cause::receive_never_satisfied, "receive_never_satisfied",
     "It receives from an open, empty channel, and nobody sends on it or closes it.",
     "Make sure that every path of the sender sends or closes (defer close(ch)), or stop waiting:\n"
     "select { case v := <-ch: use(v); case <-ctx.Done(): return }"},
    {Cause::range_never_closed, "range_never_closed",
     "It ranges over a channel that is never closed: the loop waits for a next value for ever.",
     "Close the channel when the last value has been sent, and wait for the workers:\n"
     "close(jobs)\n"
     "wg.Wait()"},
    {Cause::nil_channel, "nil_channel",
     "It sends to or receives from a nil channel, which blocks for ever. The Done() of a context that can't be "
     "cancelled "
     "(context.Background()) is one.",
     "Initialise the channel before the goroutine starts, or pass a context that can be cancelled:\n"
     "ctx, cancel := context.WithCancel(parent)\n"
     "defer cancel()"},
    {Cause::select_no_cases, "select_no_cases", "It waits in select {}, which nothing can ever end.",
     "Wait for something that can happen:\n"
     "<-ctx.Done()"},
    {Cause::select_without_exit, "select_without_exit", "It waits in a select none of whose cases happens any more.",
     "Give the select an exit, and cancel the context when the work is over:\n"
     "case <-ctx.Done(): return"},
    {Cause::wait_group_never_done, "wait_group_never_done",
     "It waits for a WaitGroup whose counter never gets to zero: a Done is missing, or the goroutine that owes it is "
     "stuck.",
     "Add before the goroutine starts, and Done first thing in it; then look at the goroutines it waits for:\n"
     "wg.Add(1)\n"
     "go func() { defer wg.Done(); work() }()"},
    {Cause::mutex_never_released, "mutex_never_released",
     "It waits for a lock that is never released: the holder has returned without Unlock, is itself stuck, or locks "
     "twice.",
     "Unlock on every path, never block while holding a lock, take several locks always in one order:\n"
     "mu.Lock()\n"
     "defer mu.Unlock()"},
    {Cause::lock_held_over_channel, "lock_held_over_channel",
     "It waits for a lock whose holder waits for a channel: the lock is free again only when somebody sends or "
     "receives "
     "there.",
     "Copy what is needed under the lock, and use channels without it:\n"
     "mu.Lock(); order := next; mu.Unlock()\n"
     "orders <- order"},
    {Cause::lock_held_over_io, "lock_held_over_io",
     "It waits for a lock whose holder waits for the network, a file or the kernel: one slow call stops everybody.",
     "Make slow calls without the lock, and give them a deadline:\n"
     "mu.Lock(); conn := c; mu.Unlock()\n"
     "conn.SetDeadline(time.Now().Add(timeout))"},
    {Cause::lock_order, "lock_order",
     "These goroutines hold locks that the others of them wait for: they were taken in different orders.",
     "Take several locks always in the same order, or hold only one at a time:\n"
     "first, second := ordered(a, b)\n"
     "first.mu.Lock(); defer first.mu.Unlock()\n"
     "second.mu.Lock(); defer second.mu.Unlock()"},
    {Cause::double_lock, "double_lock",
     "It waits for a mutex that it holds itself: a sync.Mutex can't be locked twice, not by its holder either.",
     "Lock in the outer function only, and call one that expects the lock to be held:\n"
     "func (b *Box) Add(v int) { b.mu.Lock(); defer b.mu.Unlock(); b.addLocked(v) }"},
    {Cause::lock_upgrade, "lock_upgrade",
     "It waits to lock an RWMutex that it has locked itself: a lock for reading can't be made one for writing.",
     "Give the read lock back first, take the write lock, and look again at what was read:\n"
     "mu.RUnlock()\n"
     "mu.Lock(); defer mu.Unlock()\n"
     "if !stillTrue() { return }"},
    {Cause::recursive_read_lock, "recursive_read_lock",
     "It waits to lock an RWMutex for reading that it has locked already: a writer came between, and from then on no "
     "reader is let in until those who are have left.",
     "Lock for reading once, and call functions that expect the lock to be held:\n"
     "mu.RLock(); defer mu.RUnlock()\n"
     "total := sumLocked()"},
    {Cause::wait_under_lock, "wait_under_lock",
     "It waits for goroutines to be done while it holds a lock that they need for that.",
     "Unlock before waiting for others:\n"
     "mu.Unlock()\n"
     "wg.Wait()"},
    {Cause::cond_never_signalled, "cond_never_signalled", "It waits on a sync.Cond that nobody signals any more.",
     "Change the condition under the lock and signal after every change, also when shutting down:\n"
     "c.L.Lock(); done = true; c.L.Unlock()\n"
     "c.Broadcast()"},
    {Cause::semaphore_never_released, "semaphore_never_released",
     "It waits for a lock or semaphore that is never released.",
     "Release on every path:\n"
     "defer sem.Release(1)"},
    {Cause::io_wait, "io_wait",
     "It waits for the network or a pipe, and the other side stays silent: as many goroutines as connections.",
     "Close connections that are over, and set deadlines:\n"
     "conn.SetReadDeadline(time.Now().Add(timeout))\n"
     "defer resp.Body.Close()"},
    {Cause::sleeping, "sleeping", "It sleeps, and more and more goroutines do.",
     "Stop it with the work that it belongs to:\n"
     "select { case <-time.After(d): case <-ctx.Done(): return }"},
    {Cause::syscall, "syscall",
     "It is in a system call or in C code that does not return; each such goroutine holds a thread.",
     "Use calls that can time out or be interrupted, and bound how many run at once:\n"
     "sem <- struct{}{}; defer func() { <-sem }()"},
    {Cause::coroutine_never_stopped, "coroutine_never_stopped",
     "It is an iterator made by iter.Pull that was neither run to its end nor stopped.",
     "Stop every iterator that is pulled:\n"
     "next, stop := iter.Pull(seq)\n"
     "defer stop()"},
    {Cause::loop_without_exit, "loop_without_exit",
     "It goes round and round in a loop that nothing ends: it runs, ticks, polls or retries, and whoever started it "
     "has "
     "no way to stop it, or does not.",
     "Look at the context in every round, stop what ticks, and cancel when the work is over:\n"
     "defer ticker.Stop()\n"
     "for { select { case <-ticker.C: work(); case <-ctx.Done(): return } }"},
    {Cause::http_body_not_closed, "http_body_not_closed",
     "It serves a connection of an http.Transport, and waits for the body of the answer to be read to its end or "
     "closed.",
     "Close the body of every response, a bad status or not; read it first when the connection is to be used again:\n"
     "defer resp.Body.Close()\n"
     "io.Copy(io.Discard, resp.Body)"},
    {Cause::http_connection_unused, "http_connection_unused",
     "It serves a connection of an http.Transport that stays open without being used: the body of its answer was not "
     "closed, or the Transport was made for a few requests and forgotten.",
     "Share one http.Client, close every body, and close the connections of a Transport that is done with:\n"
     "defer resp.Body.Close()\n"
     "defer client.CloseIdleConnections()"},
    {Cause::pipe_never_closed, "pipe_never_closed",
     "It reads from or writes to a pipe in memory (io.Pipe, net.Pipe), whose other end is neither used any more nor "
     "closed.",
     "Close both ends on every path, so that whoever is left gets an error:\n"
     "defer reader.Close()\n"
     "writer.CloseWithError(err)"},
    {Cause::context_never_cancelled, "context_never_cancelled",
     "Package context has it watch a parent of a type of its own for a child that is never cancelled.",
     "Call the cancel function on every path:\n"
     "ctx, cancel := context.WithCancel(parent)\n"
     "defer cancel()"},
    {Cause::sql_rows_not_closed, "sql_rows_not_closed",
     "It waits for the rows of a query to be closed; until then they keep their connection to the database.",
     "Close the rows on every path, also when only the first is wanted:\n"
     "rows, err := db.QueryContext(ctx, query)\n"
     "defer rows.Close()"},
    {Cause::sql_transaction_not_ended, "sql_transaction_not_ended",
     "It waits for a transaction to be committed or rolled back; until then that keeps its connection and its locks.",
     "Roll back on every path, which does nothing after a commit:\n"
     "tx, err := db.BeginTx(ctx, nil)\n"
     "defer tx.Rollback()"},
    {Cause::sql_db_not_closed, "sql_db_not_closed",
     "It belongs to a database handle (sql.DB) that was opened and is never closed, and there are more and more of "
     "them.",
     "Open one sql.DB for the program, it is a pool; close what is opened for a while:\n"
     "db, err := sql.Open(driver, source)\n"
     "defer db.Close()"},
    {Cause::unknown, "unknown", "What it waits for can't be told from outside.",
     "Look at the stack where it is blocked: what was to wake it, and why has that not happened?"},
}};

const CauseText& text_of(Cause cause) {
  for (const CauseText& text : kCauses) {
    if (text.cause == cause) return text;
  }
  return kCauses.back();
}

StableHash site_hash(std::string_view service, const ledger::CreationSite& site) {
  StableHash hash;
  hash.add(service).add(site.function).add(std::uint64_t{site.ordinal});
  return hash;
}

}  // namespace

std::string_view to_string(Evidence evidence) {
  switch (evidence) {
    case Evidence::forever:
      return "forever";
    case Evidence::deadlock:
      return "deadlock";
    case Evidence::growing:
      return "growing";
    case Evidence::accumulating:
      return "accumulating";
    case Evidence::spinning:
      return "spinning";
    case Evidence::stalled:
      return "stalled";
    case Evidence::cancelled:
      return "cancelled";
    case Evidence::stale:
      return "stale";
  }
  return "stale";
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::ticket:
      return "ticket";
    case Severity::page:
      return "page";
  }
  return "info";
}

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::suspect:
      return "suspect";
    case Stage::leaking:
      return "leaking";
    case Stage::resolved:
      return "resolved";
  }
  return "suspect";
}

std::string_view to_string(Cause cause) { return text_of(cause).word; }
Cause cause_of(std::string_view word) {
  const auto found = std::ranges::find(kCauses, word, &CauseText::word);
  return found == kCauses.end() ? Cause::unknown : found->cause;
}
std::string_view explain(Cause cause) { return text_of(cause).explanation; }
std::string_view advise(Cause cause) { return text_of(cause).advice; }

std::string site_id(std::string_view service, const ledger::CreationSite& site) {
  return site_hash(service, site).hex();
}

std::string leak_id(std::string_view service, const ledger::CreationSite& site, const ledger::BlockedPlace& place) {
  return site_hash(service, site).add(stable_name(place.function)).add(to_string(place.wait)).hex();
}

}  // namespace goleakd::verdict
