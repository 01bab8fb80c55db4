// SPDX-License-Identifier: Apache-2.0
#include "verdict/library_cause.h"

#include <array>
#include <string_view>

namespace goleakd::verdict {
namespace {

using ledger::WaitClass;

// Names of Go 1.19 to 1.27. Empty: any.
struct Place {
  std::string_view created;  // the function with the `go` statement
  std::string_view blocked;
  WaitClass wait;
  Cause cause;
};

constexpr std::array<Place, 13> kPlaces{{
    // Having passed an answer on, the reader of a connection waits for its body to be read or closed. Before and after
    // that it reads: the connection is idle. What its writer does is the same in both.
    {"net/http.(*Transport).dialConn", "net/http.(*persistConn).readLoop", WaitClass::select,
     Cause::http_body_not_closed},
    {"net/http.(*Transport).dialConn", "net/http.(*persistConn).writeLoop", WaitClass::select,
     Cause::http_connection_unused},
    {"net/http.(*Transport).dialConn", "", WaitClass::io, Cause::http_connection_unused},
    {"", "io.(*pipe).read", WaitClass::select, Cause::pipe_never_closed},
    {"", "io.(*pipe).write", WaitClass::select, Cause::pipe_never_closed},
    {"", "net.(*pipe).read", WaitClass::select, Cause::pipe_never_closed},
    {"", "net.(*pipe).write", WaitClass::select, Cause::pipe_never_closed},
    {"context.propagateCancel", "", WaitClass::select, Cause::context_never_cancelled},  // before Go 1.21
    {"context.(*cancelCtx).propagateCancel", "", WaitClass::select, Cause::context_never_cancelled},
    {"", "database/sql.(*Rows).awaitDone", WaitClass::select, Cause::sql_rows_not_closed},
    {"", "database/sql.(*Tx).awaitDone", WaitClass::chan_receive, Cause::sql_transaction_not_ended},
    {"", "database/sql.(*DB).connectionOpener", WaitClass::select, Cause::sql_db_not_closed},
    {"", "database/sql.(*DB).connectionCleaner", WaitClass::select, Cause::sql_db_not_closed},
}};

}  // namespace

std::optional<Cause> library_cause(const Group& group) {
  for (const Place& place : kPlaces) {
    const bool created =
        place.created.empty() || (group.creation != nullptr && group.creation->function == place.created);
    const bool blocked = place.blocked.empty() || group.place->function == place.blocked;
    if (created && blocked && group.place->wait == place.wait) return place.cause;
  }
  return std::nullopt;
}

}  // namespace goleakd::verdict
