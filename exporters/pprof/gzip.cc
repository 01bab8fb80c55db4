// SPDX-License-Identifier: Apache-2.0
#include "pprof/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace goleakd::pprof {

Result<std::string> gzip(std::string_view bytes) {
  constexpr int kGzip = 16;  // added to the window's size: a gzip header, which deflate leaves without a time
  constexpr int kMemoryLevel = 8;
  constexpr std::size_t kStep = 64U << 10U;
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return fail(ErrorKind::system, "gzip: no memory");
  }
  std::string out;
  int state = Z_OK;
  while (state == Z_OK) {
    if (stream.avail_in == 0 && !bytes.empty()) {  // zlib counts in 32 bits
      const std::size_t part = std::min<std::size_t>(bytes.size(), std::numeric_limits<uInt>::max());
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write to it
      stream.avail_in = static_cast<uInt>(part);
      bytes.remove_prefix(part);
    }
    const std::size_t filled = out.size();
    out.resize(filled + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    stream.avail_out = kStep;
    state = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  if (state != Z_STREAM_END) return fail(ErrorKind::system, "gzip: error " + std::to_string(state) + " of zlib");
  return out;
}

}  // namespace goleakd::pprof
