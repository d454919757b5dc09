#include "libs/websocket/raw_frame.h"

#include <array>
#include <cstdio>

namespace roomcheck::websocket {
namespace {

std::string hex(std::string_view bytes, std::size_t most = 32) {
  std::string out;
  for (const char c : bytes.substr(0, most)) {
    std::array<char, 4> text{};
    std::snprintf(text.data(), text.size(), "%02x ", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += text.data();
  }
  if (bytes.size() > most) return out + "...";
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace

std::string printable(std::string_view text, std::size_t most) {
  if (!is_valid_utf8(text)) return "not UTF-8: " + hex(text);
  std::string out;
  for (const char c : text.substr(0, most)) {
    const auto octet = static_cast<unsigned char>(c);
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned>(octet));
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (octet < 0x20 || octet == 0x7f) {
      out += escape.data();
    } else {
      out += c;
    }
  }
  if (text.size() <= most) return out;
  while (!out.empty() && !is_valid_utf8(out)) out.pop_back();  // not in the middle of a character
  return out + "...";
}

std::string describe_frame(bool fin, std::uint8_t rsv, std::uint8_t opcode, bool masked,
                           std::string_view payload) {
  static constexpr std::array<std::string_view, 16> kNames{
      "continuation", "text", "binary", "opcode-3",  "opcode-4",  "opcode-5",  "opcode-6",  "opcode-7",
      "close",        "ping", "pong",   "opcode-11", "opcode-12", "opcode-13", "opcode-14", "opcode-15"};
  std::string out(kNames[opcode & 15U]);
  if (opcode == 8 && payload.size() >= 2) {
    const unsigned code = static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8 |
                          static_cast<unsigned char>(payload[1]);
    out += " " + std::to_string(code) + (payload.size() > 2 ? " " + printable(payload.substr(2)) : "");
  } else {
    out += "(" + std::to_string(payload.size()) + ")";
    if (!payload.empty()) out += " " + (opcode == 2 ? hex(payload) : printable(payload));
  }
  if (!fin) out += " [not final]";
  if (rsv != 0) out += " [rsv " + std::to_string(rsv) + "]";
  if (masked) out += " [masked]";
  return out;
}

std::optional<ReceivedFrame> take_frame(std::string& bytes, std::size_t max_size, std::string& error) {
  const auto octet = [&bytes](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i]));
  };
  if (bytes.size() < 2) return std::nullopt;
  ReceivedFrame frame;
  frame.fin = (octet(0) & 0x80) != 0;
  frame.rsv = static_cast<std::uint8_t>(octet(0) >> 4 & 7);
  frame.opcode = static_cast<std::uint8_t>(octet(0) & 15);
  frame.masked = (octet(1) & 0x80) != 0;
  std::uint64_t length = octet(1) & 0x7f;
  std::size_t header = 2;
  if (length >= 126) {
    const std::size_t more = length == 126 ? 2 : 8;
    if (bytes.size() < 2 + more) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < more; ++i) length = length << 8 | octet(2 + i);
    header += more;
    frame.shortest = length > (more == 2 ? 125U : 65535U);
  }
  if (length > max_size) {
    error = "a frame declares " + std::to_string(length) + " octets";
    return std::nullopt;
  }
  const std::size_t mask_at = header;
  if (frame.masked) header += 4;
  if (bytes.size() < header + length) return std::nullopt;
  frame.payload = bytes.substr(header, length);
  if (frame.masked)
    for (std::size_t i = 0; i < 4; ++i)
      frame.mask = frame.mask << 8 | static_cast<std::uint32_t>(octet(mask_at + i));
  if (frame.masked)
    for (std::size_t i = 0; i < frame.payload.size(); ++i)
      frame.payload[i] = static_cast<char>(frame.payload[i] ^ bytes[mask_at + i % 4]);
  bytes.erase(0, header + length);
  return frame;
}

std::string RawClient::encode(const RawFrame& frame) {
  std::string out;
  const auto put = [&out](std::uint64_t value) { out += static_cast<char>(value & 0xff); };
  put((frame.fin ? 0x80U : 0U) | (frame.rsv & 7U) << 4 | (frame.opcode & 15U));
  const std::uint64_t length = frame.declared_length.value_or(frame.payload.size());
  const int shortest = length < 126 ? 0 : length <= 0xffff ? 2 : 8;
  const int octets = frame.length_bytes == 0 ? shortest : frame.length_bytes;
  const unsigned mask_bit = frame.masked ? 0x80U : 0U;
  put(mask_bit | (octets == 0 ? length : octets == 2 ? 126U : 127U));
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) put(length >> shift);
  if (!frame.masked) return out + frame.payload;
  std::array<char, 4> mask{};
  for (std::size_t i = 0; i < 4; ++i) mask[i] = static_cast<char>(frame.mask >> (24 - 8 * i) & 0xff);
  out.append(mask.data(), mask.size());
  for (std::size_t i = 0; i < frame.payload.size(); ++i)
    out += static_cast<char>(frame.payload[i] ^ mask[i % 4]);
  return out;
}

}  // namespace roomcheck::websocket
