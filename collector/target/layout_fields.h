// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "target/layout.h"

namespace goleakd::target {

// One way in which a Go version spells a field. A member of that name but another width is another field: goleakd
// would read the wrong bytes.
struct FieldSpelling {
  std::string_view path;  // "sched.sp": members within members; "@runtime.semTable": an element of that array, its size
  std::uint64_t width = 8;  // bytes; 0: any
};

struct LayoutField {
  std::string_view name;                 // its member of Layout
  std::uint32_t* offset;                 // within the Layout that was given
  std::vector<FieldSpelling> spellings;  // the first that a version has is meant
  bool optional = false;                 // some version has none of them
};

struct LayoutStruct {
  std::string_view name;
  std::vector<std::string_view> types;  // Go's names; likewise the first that exists
  std::uint32_t* size;
  std::vector<LayoutField> fields;
};

// layouts/fields.json: everything that a Layout takes from the runtime's structs, tied to the members of `layout`.
std::vector<LayoutStruct> fields_of(Layout& layout);

}  // namespace goleakd::target
