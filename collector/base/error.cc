// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace goleakd {
namespace {

ErrorKind kind_of(int number) {
  switch (number) {
    case EPERM:
    case EACCES:
      return ErrorKind::permission;
    case ESRCH:
      return ErrorKind::gone;
    case ENOENT:
      return ErrorKind::not_found;
    default:
      return ErrorKind::system;
  }
}

}  // namespace

Error Error::from_errno(int number, std::string attempted) {
  return {kind_of(number), std::move(attempted) + ": " + std::generic_category().message(number)};
}

Error Error::within(std::string_view context) const { return {kind_, std::string(context) + ": " + message_}; }

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid:
      return "invalid";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::gone:
      return "gone";
    case ErrorKind::permission:
      return "permission";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::system:
      return "system";
  }
  return "system";
}

}  // namespace goleakd
