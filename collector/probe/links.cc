// SPDX-License-Identifier: Apache-2.0
#include "probe/links.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <bit>
#include <cerrno>
#include <utility>

#include "base/unique_fd.h"

namespace goleakd::probe {
namespace {

// BPF_TRACE_UPROBE_MULTI of linux/bpf.h since Linux 6.6, which the kernel headers of Debian 12 do not have yet.
constexpr auto kUprobeMulti = static_cast<bpf_attach_type>(48);

Error attach_error(int number, int pid, Method method) {
  const std::string where = "probing process " + std::to_string(pid);
  if ((number == EPERM || number == EACCES) && method == Method::perf_event) {
    return {ErrorKind::permission, where +
                                       ": this kernel gives uprobes only to CAP_SYS_ADMIN (it has no working "
                                       "uprobe_multi); see docs/operating.md"};
  }
  if (number == EPERM || number == EACCES) {
    return {ErrorKind::permission, where + ": needs CAP_PERFMON, and CAP_SYS_PTRACE for processes of other users"};
  }
  return Error::from_errno(number, where);
}

bpf_link* attach_all(const bpf_program* program, int pid, const std::string& path, std::span<const ProbePlace> places) {
  std::vector<unsigned long> offsets;
  std::vector<__u64> cookies;
  for (const ProbePlace& place : places) {
    offsets.push_back(place.file_offset);
    cookies.push_back(std::bit_cast<std::uint64_t>(place.cookie));
  }
  LIBBPF_OPTS(bpf_uprobe_multi_opts, options);
  options.offsets = offsets.data();
  options.cookies = cookies.data();
  options.cnt = offsets.size();
  return bpf_program__attach_uprobe_multi(program, pid, path.c_str(), nullptr, &options);
}

bpf_link* attach_one(const bpf_program* program, int pid, const std::string& path, const ProbePlace& place) {
  LIBBPF_OPTS(bpf_uprobe_opts, options);
  options.bpf_cookie = std::bit_cast<std::uint64_t>(place.cookie);
  return bpf_program__attach_uprobe_opts(program, pid, path.c_str(), place.file_offset, &options);
}

}  // namespace

std::string_view to_string(Method method) { return method == Method::uprobe_multi ? "uprobe_multi" : "perf_event"; }

// What the kernel says about a link on "/", with the pid -1: EINVAL where uprobe_multi filters by process (Linux 6.10,
// and stable kernels since), EBADF where it filters by thread and so would lose nearly all events of a Go program,
// something else where there is no uprobe_multi. libbpf's own probe (src/features.c) asks the same.
bool uprobe_multi_works(const bpf_program* program) {
  const unsigned long offset = 0;
  LIBBPF_OPTS(bpf_link_create_opts, options);
  options.uprobe_multi.path = "/";
  options.uprobe_multi.offsets = &offset;
  options.uprobe_multi.cnt = 1;
  UniqueFd link(bpf_link_create(bpf_program__fd(program), -1, kUprobeMulti, &options));
  if (link || errno != EBADF) return false;
  options.uprobe_multi.pid = static_cast<__u32>(-1);
  link.reset(bpf_link_create(bpf_program__fd(program), -1, kUprobeMulti, &options));
  return !link && errno == EINVAL;
}

goleakd_cookie cookie_of(const Probe& probe, std::uint16_t slot) {
  goleakd_cookie cookie{};
  cookie.point = static_cast<goleakd_u8>(probe.point);
  cookie.flags = probe.site.kind == SiteKind::stack_check ? GOLEAKD_FLAG_STACK_CHECK : 0;
  cookie.slot = slot;
  return cookie;
}

void Unlink::operator()(bpf_link* link) const { bpf_link__destroy(link); }

Result<std::vector<Link>> attach_program(const bpf_program* program, Method method, int pid, const std::string& path,
                                         std::span<const ProbePlace> places) {
  std::vector<Link> links;
  const std::size_t per_link = method == Method::uprobe_multi ? places.size() : 1;
  for (; !places.empty(); places = places.subspan(per_link)) {
    Link link(method == Method::uprobe_multi ? attach_all(program, pid, path, places)
                                             : attach_one(program, pid, path, places.front()));
    if (!link) return fail(attach_error(errno, pid, method));
    links.push_back(std::move(link));
  }
  return links;
}

}  // namespace goleakd::probe
