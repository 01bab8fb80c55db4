// SPDX-License-Identifier: Apache-2.0
#include "target/access.h"

#include <linux/capability.h>
#include <unistd.h>

#include <string>

namespace goleakd::target {

Error access_denied(const Procfs& proc, int pid) {
  const auto denied = [&](const std::string& why) {
    return Error(ErrorKind::permission, "process " + std::to_string(pid) + " " + why);
  };
  const int yama = proc.yama_scope();
  if (yama >= 3) {
    return denied(
        "may not be read, by nobody: kernel.yama.ptrace_scope is 3, and stays so until the next boot; set it to 2 or "
        "less in /etc/sysctl.d and reboot");
  }
  if ((proc.effective_capabilities() >> CAP_SYS_PTRACE & 1U) != 0) {
    return denied(
        "may not be read, although goleakd has CAP_SYS_PTRACE: a security module (AppArmor, SELinux) forbids it, or "
        "the process is outside goleakd's user namespace");
  }
  const auto owner = proc.uid(pid);
  if (!owner || *owner != ::geteuid()) {
    return denied("belongs to " + (owner ? "uid " + std::to_string(*owner) : std::string("another user")) +
                  " and may not be read by uid " + std::to_string(::geteuid()) +
                  ": run goleakd as root, or give it CAP_SYS_PTRACE");
  }
  if (yama >= 1) {
    return denied("may not be read: kernel.yama.ptrace_scope is " + std::to_string(yama) + ", which leaves that to " +
                  (yama == 1 ? "ancestors of a process and " : "") +
                  "CAP_SYS_PTRACE: run goleakd as root, or give it that capability" +
                  (yama == 1 ? ", or set it to 0" : ""));
  }
  return denied(
      "is protected against its own user (it has more privileges, or is not dumpable): run goleakd as root, "
      "or give it CAP_SYS_PTRACE");
}

}  // namespace goleakd::target
