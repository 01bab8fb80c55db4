// SPDX-License-Identifier: Apache-2.0
#include "verdict/incident.h"

namespace goleakd::verdict {

std::string_view to_string(Death death) {
  switch (death) {
    case Death::panic:
      return "panic";
    case Death::fatal:
      return "fatal";
    case Death::out_of_memory:
      return "out_of_memory";
  }
  return "?";
}

}  // namespace goleakd::verdict
