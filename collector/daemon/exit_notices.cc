// SPDX-License-Identifier: Apache-2.0
#include "daemon/exit_notices.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace goleakd::daemon {
namespace {

long seccomp(unsigned operation, unsigned flags, void* argument) {
  return ::syscall(SYS_seccomp, operation, flags, argument);
}

// Since 5.9 the listener tells when no process is left under its filter, and since 5.5 a call can be let go.
bool new_enough() {
  constexpr int kMajor = 5;
  constexpr int kMinor = 9;
  utsname name{};
  int major = 0;
  int minor = 0;
  if (::uname(&name) != 0 || std::sscanf(static_cast<const char*>(name.release), "%d.%d", &major, &minor) != 2) {
    return true;  // then the calls themselves tell
  }
  return major > kMajor || (major == kMajor && minor >= kMinor);
}

}  // namespace

Result<void> ExitNotices::supported() {
  std::uint32_t action = SECCOMP_RET_USER_NOTIF;
  if (new_enough() && seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) return {};
  if (!new_enough() || errno == EOPNOTSUPP || errno == EINVAL) {
    return fail(ErrorKind::unsupported,
                "this kernel can't hold processes at their exit (seccomp user notification): Linux 5.9 or newer, built "
                "with CONFIG_SECCOMP_FILTER, is needed");
  }
  return fail(
      Error::from_errno(errno, "asking for seccomp user notification, which a sandbox or container may forbid"));
}

int ExitNotices::install() {
  constexpr std::uint32_t kNumber = offsetof(seccomp_data, nr);
  constexpr std::uint32_t kArchitecture = offsetof(seccomp_data, arch);
  // Calls of another architecture have other numbers: they are none of ours.
  std::array<sock_filter, 7> code{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArchitecture),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  sock_fprog program{.len = static_cast<unsigned short>(code.size()), .filter = code.data()};
  // Without it only root may install a filter: it could lie to set-uid programs.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return static_cast<int>(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

ExitNotices::ExitNotices(UniqueFd listener) : listener_(std::move(listener)) {
  seccomp_notif_sizes sizes{};
  const bool told = seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0;
  notice_.resize(std::max(sizeof(seccomp_notif), told ? std::size_t{sizes.seccomp_notif} : 0));
}

Result<std::optional<ExitNotice>> ExitNotices::next() {
  std::ranges::fill(notice_, std::byte{});  // the kernel insists
  if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, notice_.data()) != 0) {
    if (errno == ENOENT || errno == EINTR) return std::optional<ExitNotice>();
    return fail(Error::from_errno(errno, "receiving a process's exit (seccomp user notification)"));
  }
  seccomp_notif notice{};
  std::memcpy(&notice, notice_.data(), sizeof(notice));
  const bool executes = notice.data.nr == SYS_execve;
  return ExitNotice{.id = notice.id,
                    .thread = static_cast<int>(notice.pid),
                    .executes = executes,
                    .status = executes ? 0 : static_cast<int>(notice.data.args[0] & 0xffU),
                    .path = executes ? notice.data.args[0] : 0};
}

void ExitNotices::let_go(std::uint64_t id) const {
  seccomp_notif_resp answer{};  // larger in newer kernels: they take the rest for zero
  answer.id = id;
  answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

}  // namespace goleakd::daemon
