// SPDX-License-Identifier: Apache-2.0
#include "ledger/long_lived.h"

#include <algorithm>
#include <array>

namespace goleakd::ledger {
namespace {

using Where = LongLived::Where;
using Ends = LongLived::Ends;

// What goleak ignores by itself and the profiler, then what the lists of projects name that use it, as far as it is by
// design. No entry for what waits for the network, for a file or in a system call (fsnotify, HTTP/2, whoever accepts or
// reads): nobody calls such a wait stale. None, either, for what runs other people's code: that may be stuck in there.
// Dots in the last element of an import path are "%2e" in names of functions.
constexpr std::array kKnown{
    LongLived{"database/sql.(*DB).connectionCleaner", Where::blocked, WaitClass::select, Ends::on_demand,
              "an sql.DB closes idle connections now and then, until it is closed itself"},
    LongLived{"database/sql.(*DB).connectionOpener", Where::blocked, WaitClass::select, Ends::on_demand,
              "an sql.DB opens connections when it runs out of them, until it is closed"},
    LongLived{"github.com/IBM/sarama.(*Broker).responseReceiver", Where::blocked, WaitClass::chan_receive,
              Ends::on_demand, "sarama reads the answers of a broker until the connection is closed"},
    LongLived{"github.com/Shopify/sarama.(*Broker).responseReceiver", Where::blocked, WaitClass::chan_receive,
              Ends::on_demand, "sarama reads the answers of a broker until the connection is closed"},
    LongLived{"github.com/desertbit/timer.timerRoutine", Where::blocked, std::nullopt, Ends::never,
              "desertbit/timer runs all timers from the start of the program on"},
    LongLived{"github.com/dgraph-io/ristretto.(*Cache).processItems", Where::blocked, WaitClass::select,
              Ends::on_demand, "ristretto applies what is put into the cache until it is closed"},
    LongLived{"github.com/dgraph-io/ristretto.(*defaultPolicy).processItems", Where::blocked, WaitClass::select,
              Ends::on_demand, "ristretto counts what is read until the cache is closed"},
    LongLived{"github.com/ethereum/go-ethereum/metrics.(*meterArbiter).tick", Where::blocked, std::nullopt, Ends::never,
              "go-ethereum ticks all meters from the first one on"},
    LongLived{"github.com/go-sql-driver/mysql.(*mysqlConn).startWatcher.func1", Where::blocked, WaitClass::select,
              Ends::on_demand, "the mysql driver watches the context of each connection until that is closed"},
    LongLived{"github.com/golang/glog.(*fileSink).flushDaemon", Where::blocked, std::nullopt, Ends::never,
              "glog flushes its files from the start of the program on"},
    LongLived{"github.com/golang/glog.(*loggingT).flushDaemon", Where::blocked, std::nullopt, Ends::never,
              "glog flushes its files from the start of the program on"},
    LongLived{"github.com/ipfs/go-log/writer.(*MirrorWriter).logRoutine", Where::blocked, std::nullopt, Ends::never,
              "go-log mirrors log lines from the start of the program on"},
    LongLived{"github.com/jackc/pgx/v4/pgxpool.(*Pool).backgroundHealthCheck", Where::blocked, WaitClass::select,
              Ends::on_demand, "pgxpool looks after its connections until the pool is closed"},
    LongLived{"github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck", Where::blocked, WaitClass::select,
              Ends::on_demand, "pgxpool looks after its connections until the pool is closed"},
    LongLived{"github.com/natefinch/lumberjack.(*Logger).millRun", Where::blocked, WaitClass::chan_receive, Ends::never,
              "lumberjack compresses and removes old log files, and nothing ends that"},
    LongLived{"github.com/nats-io/nats%2ego.(*Conn).flusher", Where::blocked, std::nullopt, Ends::on_demand,
              "nats writes out what was published until the connection is closed"},
    LongLived{"github.com/nats-io/nats%2ego.(*Conn).waitForMsgs", Where::blocked, WaitClass::cond, Ends::on_demand,
              "nats waits for messages of a subscription until that ends"},
    LongLived{"github.com/patrickmn/go-cache.(*janitor).Run", Where::blocked, WaitClass::select, Ends::on_demand,
              "go-cache removes what has expired for as long as there is the cache"},
    LongLived{"github.com/rcrowley/go-metrics.(*meterArbiter).tick", Where::blocked, std::nullopt, Ends::never,
              "go-metrics ticks all meters from the first one on"},
    LongLived{"github.com/syndtr/goleveldb/leveldb.(*DB).compactionError", Where::blocked, WaitClass::select,
              Ends::on_demand, "leveldb keeps the last error of a compaction until the database is closed"},
    LongLived{"github.com/syndtr/goleveldb/leveldb.(*DB).mCompaction", Where::blocked, WaitClass::select,
              Ends::on_demand, "leveldb compacts its memory until the database is closed"},
    LongLived{"github.com/syndtr/goleveldb/leveldb.(*DB).mpoolDrain", Where::blocked, WaitClass::select,
              Ends::on_demand, "leveldb drains its memory pool until the database is closed"},
    LongLived{"github.com/syndtr/goleveldb/leveldb.(*DB).tCompaction", Where::blocked, WaitClass::select,
              Ends::on_demand, "leveldb compacts its tables until the database is closed"},
    LongLived{"github.com/syndtr/goleveldb/leveldb/util.(*BufferPool).drain", Where::blocked, WaitClass::select,
              Ends::on_demand, "leveldb drains its buffer pool until that is closed"},
    LongLived{"go.etcd.io/etcd/client/v3.(*watchGrpcStream).run", Where::blocked, WaitClass::select, Ends::on_demand,
              "the etcd client keeps a watch until it is cancelled"},
    LongLived{"go.etcd.io/etcd/client/v3.(*watchGrpcStream).serveSubstream", Where::blocked, WaitClass::select,
              Ends::on_demand, "the etcd client keeps a watch until it is cancelled"},
    LongLived{"go.opencensus.io/stats/view.(*worker).start", Where::blocked, WaitClass::select, Ends::never,
              "opencensus collects measurements from the start of the program on"},
    LongLived{"go.opentelemetry.io/otel/sdk/metric.(*PeriodicReader).run", Where::blocked, WaitClass::select,
              Ends::on_demand, "opentelemetry exports metrics until the provider is shut down"},
    LongLived{"go.opentelemetry.io/otel/sdk/trace.(*batchSpanProcessor).processQueue", Where::blocked,
              WaitClass::select, Ends::on_demand, "opentelemetry exports spans until the provider is shut down"},
    LongLived{"go.uber.org/zap/zapcore.(*BufferedWriteSyncer).flushLoop", Where::blocked, WaitClass::select,
              Ends::on_demand, "zap flushes a buffered log until it is stopped"},
    LongLived{"google.golang.org/grpc.(*addrConn).resetTransport", Where::blocked, WaitClass::select, Ends::on_demand,
              "grpc keeps a connection up until it is closed"},
    LongLived{"google.golang.org/grpc.(*ccBalancerWrapper).watcher", Where::blocked, WaitClass::select, Ends::on_demand,
              "grpc follows the addresses of a connection until it is closed"},
    LongLived{"google.golang.org/grpc.(*ccResolverWrapper).watcher", Where::blocked, WaitClass::select, Ends::on_demand,
              "grpc follows the addresses of a connection until it is closed"},
    LongLived{"google.golang.org/grpc/internal/grpcsync.(*CallbackSerializer).run", Where::blocked, WaitClass::select,
              Ends::on_demand, "grpc runs the callbacks of a connection until it is closed"},
    LongLived{"google.golang.org/grpc/internal/resolver/dns.(*dnsResolver).watcher", Where::blocked, WaitClass::select,
              Ends::on_demand, "grpc resolves the name of a connection until it is closed"},
    LongLived{"google.golang.org/grpc/internal/transport.(*controlBuffer).get", Where::blocked, WaitClass::select,
              Ends::on_demand, "grpc writes to a connection until it is closed"},
    LongLived{"google.golang.org/grpc/internal/transport.(*http2Client).keepalive", Where::blocked, std::nullopt,
              Ends::on_demand, "grpc keeps an idle connection alive until it is closed"},
    LongLived{"google.golang.org/grpc/internal/transport.(*http2Server).keepalive", Where::blocked, WaitClass::select,
              Ends::on_demand, "grpc keeps an idle connection alive until it is closed"},
    LongLived{"gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun", Where::blocked, WaitClass::chan_receive,
              Ends::never, "lumberjack compresses and removes old log files, and nothing ends that"},
    LongLived{"k8s.io/apimachinery/pkg/watch.(*Broadcaster).loop", Where::blocked, WaitClass::chan_receive,
              Ends::on_demand, "the Kubernetes client hands on events until the broadcaster is shut down"},
    LongLived{"k8s.io/client-go/tools/cache.(*DeltaFIFO).Pop", Where::blocked, WaitClass::cond, Ends::on_demand,
              "an informer of the Kubernetes client waits for changes until it is stopped"},
    LongLived{"k8s.io/client-go/tools/cache.(*processorListener).pop", Where::blocked, WaitClass::select,
              Ends::on_demand, "an informer of the Kubernetes client waits for changes until it is stopped"},
    LongLived{"k8s.io/client-go/tools/cache.(*processorListener).run.func1", Where::blocked, WaitClass::chan_receive,
              Ends::on_demand, "an informer of the Kubernetes client waits for changes until it is stopped"},
    LongLived{"k8s.io/client-go/util/workqueue.(*Type).Get", Where::blocked, WaitClass::cond, Ends::on_demand,
              "a worker of a Kubernetes controller waits for work until the queue is shut down"},
    LongLived{"k8s.io/client-go/util/workqueue.(*delayingType).waitingLoop", Where::blocked, WaitClass::select,
              Ends::on_demand, "a queue of the Kubernetes client waits for what is due until it is shut down"},
    LongLived{"k8s.io/klog.(*loggingT).flushDaemon", Where::blocked, std::nullopt, Ends::never,
              "klog flushes its files from the start of the program on"},
    LongLived{"k8s.io/klog/v2.(*flushDaemon).run.func1", Where::blocked, WaitClass::select, Ends::on_demand,
              "klog flushes its files until klog.StopFlushDaemon is called"},
    LongLived{"k8s.io/klog/v2.(*loggingT).flushDaemon", Where::blocked, std::nullopt, Ends::never,
              "klog flushes its files from the start of the program on"},
    LongLived{"net/http.(*persistConn).writeLoop", Where::blocked, WaitClass::select, Ends::on_demand,
              "an http.Transport keeps the connection for the next request"},
    LongLived{"os/signal.NotifyContext.func1", Where::blocked, WaitClass::select, Ends::on_demand,
              "signal.NotifyContext waits for the signal, or for stop to be called"},
    LongLived{"os/signal.loop", Where::blocked, std::nullopt, Ends::never,
              "os/signal delivers signals for as long as the program runs"},
    LongLived{"os/signal.signal_recv", Where::blocked, std::nullopt, Ends::never,
              "os/signal delivers signals for as long as the program runs"},
    LongLived{"runtime.ReadTrace", Where::anywhere, std::nullopt, Ends::never,
              "runtime/trace reads events until the trace is stopped"},
    LongLived{"runtime.ensureSigM", Where::anywhere, std::nullopt, Ends::never,
              "the runtime keeps a thread for signals"},
    LongLived{"runtime/pprof.profileWriter", Where::anywhere, std::nullopt, Ends::never,
              "runtime/pprof reads samples until the profile is stopped"},
    LongLived{"testing.(*T).Parallel", Where::blocked, WaitClass::chan_receive, Ends::never,
              "a parallel test waits for its turn"},
    LongLived{"testing.(*T).Run", Where::blocked, WaitClass::chan_receive, Ends::never,
              "the test runner waits for a subtest"},
    LongLived{"testing.RunTests", Where::blocked, WaitClass::chan_receive, Ends::never,
              "the test runner waits for a test"},
};
static_assert(std::ranges::is_sorted(kKnown, {}, &LongLived::function));

// Packages that were copied into a program's own tree are still the same.
std::string_view without_vendor(std::string_view function) {
  constexpr std::string_view kVendor = "/vendor/";
  const std::size_t at = function.rfind(kVendor);
  return at == std::string_view::npos ? function : function.substr(at + kVendor.size());
}

const LongLived* find(std::string_view function, Where where, WaitClass wait) {
  function = without_vendor(function);
  const auto* const known = std::ranges::lower_bound(kKnown, function, {}, &LongLived::function);
  const bool fits = known != kKnown.end() && known->function == function && known->where == where &&
                    (!known->wait || *known->wait == wait);
  return fits ? known : nullptr;
}

}  // namespace

std::span<const LongLived> long_lived() { return kKnown; }

const LongLived* find_long_lived(std::string_view blocked, WaitClass wait, std::span<const std::string_view> stack) {
  if (const LongLived* known = find(blocked, Where::blocked, wait)) return known;
  for (const std::string_view function : stack) {
    if (const LongLived* known = find(function, Where::anywhere, wait)) return known;
  }
  return nullptr;
}

}  // namespace goleakd::ledger
