// SPDX-License-Identifier: Apache-2.0
#include "target/layout_fields.h"

namespace goleakd::target {

std::vector<LayoutStruct> fields_of(Layout& layout) {
  return {
#include "layout_fields.inc"
  };
}

}  // namespace goleakd::target
