// SPDX-License-Identifier: Apache-2.0
#include "probe/own_code.h"

#include <link.h>

#include <cstddef>
#include <span>

// In assembly, because what a hit costs hangs on the very instruction that is probed.
asm(R"(
    .pushsection .text
    .hidden goleakd_emulated, goleakd_emulated_site, goleakd_stepped, goleakd_stepped_site
    .globl goleakd_emulated, goleakd_emulated_site, goleakd_stepped, goleakd_stepped_site

    .p2align 4
    .type goleakd_emulated, @function
goleakd_emulated:
    endbr64
    mov %rdi, %rax
goleakd_emulated_site:
    push %rbp
    mov %rsp, %rbp
    pop %rbp
    ret
    .size goleakd_emulated, . - goleakd_emulated

    .p2align 4
    .type goleakd_stepped, @function
goleakd_stepped:
    endbr64
    mov %rdi, %rax
goleakd_stepped_site:
    sub $8, %rsp
    add $8, %rsp
    ret
    .size goleakd_stepped, . - goleakd_stepped

    .popsection
)");

extern "C" {
void goleakd_emulated(const void* g);
void goleakd_stepped(const void* g);
extern const std::byte goleakd_emulated_site;
extern const std::byte goleakd_stepped_site;
}

namespace goleakd::probe {

const OwnFunction kEmulatedFunction{.call = goleakd_emulated, .site = &goleakd_emulated_site};
const OwnFunction kSteppedFunction{.call = goleakd_stepped, .site = &goleakd_stepped_site};

std::optional<std::uint64_t> own_file_offset(const void* address) {
  struct Search {
    std::uint64_t address;
    std::optional<std::uint64_t> offset;
  };
  Search search{.address = reinterpret_cast<std::uint64_t>(address), .offset = {}};
  const auto look = [](dl_phdr_info* program, std::size_t, void* argument) {
    auto& sought = *static_cast<Search*>(argument);
    for (const ElfW(Phdr) & segment : std::span(program->dlpi_phdr, program->dlpi_phnum)) {
      const std::uint64_t into = sought.address - (program->dlpi_addr + segment.p_vaddr);  // huge when it is below
      if (segment.p_type == PT_LOAD && into < segment.p_filesz) sought.offset = segment.p_offset + into;
    }
    return 1;  // the executable comes first, and libraries are other files
  };
  ::dl_iterate_phdr(look, &search);
  return search.offset;
}

}  // namespace goleakd::probe
