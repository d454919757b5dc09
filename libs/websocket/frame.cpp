#include "libs/websocket/frame.h"

#include <cstdint>
#include <cstring>

namespace roomcheck::websocket {

PreparedText::PreparedText(std::string_view payload) {
  auto bytes = std::make_shared<std::string>();
  bytes->reserve(payload.size() + 10);
  append_frame_header(*bytes, Opcode::text, payload.size());
  header_size_ = bytes->size();
  bytes->append(payload);
  bytes_ = std::move(bytes);
}

void append_frame_header(std::string& out, Opcode opcode, std::uint64_t length) {
  constexpr unsigned kFin = 0x80;
  const auto put = [&out](std::uint64_t octet) { out += static_cast<char>(octet & 0xff); };
  put(kFin | static_cast<unsigned>(opcode));
  if (length < 126) {
    put(length);
    return;
  }
  const int octets = length <= 0xffff ? 2 : 8;
  put(octets == 2 ? 126 : 127);
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) put(length >> shift);
}

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_valid_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = p + text.size();
  while (p != end) {
    std::uint64_t eight = 0x80;
    if (end - p >= 8) std::memcpy(&eight, p, 8);
    if ((eight & 0x8080808080808080) == 0) {  // ASCII, mostly
      p += 8;
      continue;
    }
    const unsigned char lead = *p++;
    if (lead < 0x80) continue;
    const int more = lead >= 0xc2 && lead <= 0xdf   ? 1
                     : lead >= 0xe0 && lead <= 0xef ? 2
                     : lead >= 0xf0 && lead <= 0xf4 ? 3
                                                    : 0;
    if (more == 0 || end - p < more) return false;
    const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;  // shorter would be overlong
    const unsigned char high = lead == 0xed   ? 0x9f
                               : lead == 0xf4 ? 0x8f
                                              : 0xbf;  // more would be a surrogate, too large
    if (*p < low || *p > high) return false;
    for (int i = 1; i < more; ++i)
      if ((p[i] & 0xc0) != 0x80) return false;
    p += more;
  }
  return true;
}

}  // namespace roomcheck::websocket
