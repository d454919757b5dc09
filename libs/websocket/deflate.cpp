#include "libs/websocket/deflate.h"

#include <zlib.h>

#include <array>
#include <charconv>
#include <new>
#include <set>
#include <stdexcept>
#include <vector>

namespace roomcheck::websocket {
namespace {

constexpr std::string_view kTail("\x00\x00\xff\xff", 4);  // ends each message, and is not sent (7.2.1)
constexpr int kMostFinalBlocks = 16;  // of one message; more is malice: each copies 32 KiB

Bytef* octets(const char* text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text)); }

std::string_view trim(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

// Cuts off what stands before the next `mark`.
std::string_view next(std::string_view& rest, char mark) {
  const std::size_t end = std::min(rest.find(mark), rest.size());
  const std::string_view out = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

// 8 to 15, or 0.
int window_bits(std::string_view value) {
  if (value.size() > 1 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  int bits = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), bits);
  const bool whole = code == std::errc() && end == value.data() + value.size() && value.front() != '0';
  return whole && bits >= 8 && bits <= 15 ? bits : 0;
}

void check(int code) {
  if (code == Z_MEM_ERROR) throw std::bad_alloc();
  if (code != Z_OK) throw std::logic_error("zlib does not take its own parameters");
}

}  // namespace

Result<std::optional<DeflateTerms>> parse_deflate_answer(std::string_view header) {
  const auto refuse = [&](const std::string& why) {
    return Error{Error::Kind::refused, "the 101 agrees to \"" + std::string(header) + "\": " + why};
  };
  if (trim(header).empty()) return std::optional<DeflateTerms>();
  if (header.find(',') != header.npos) return refuse("one extension was offered, once");
  std::string_view rest = header;
  if (next(rest, ';') != "permessage-deflate") return refuse("it was not offered");
  DeflateTerms terms;
  std::set<std::string_view> seen;
  while (!rest.empty()) {
    std::string_view parameter = next(rest, ';');
    const bool has_value = parameter.find('=') != parameter.npos;
    const std::string_view name = next(parameter, '=');
    const std::string_view value = trim(parameter);
    if (!seen.insert(name).second) return refuse(std::string(name) + " stands in it twice");
    const bool flag = name == "server_no_context_takeover" || name == "client_no_context_takeover";
    const bool bits = name == "server_max_window_bits" || name == "client_max_window_bits";
    if (!flag && !bits) return refuse("RFC 7692 knows no \"" + std::string(name) + "\"");
    if (flag && has_value) return refuse(std::string(name) + " has no value");
    if (bits && (value.empty() || window_bits(value) == 0))
      return refuse(std::string(name) + " is from 8 to 15");
    if (name == "server_no_context_takeover") terms.server_keeps_context = false;
    if (name == "client_no_context_takeover") terms.client_keeps_context = false;
    if (name == "client_max_window_bits") terms.client_window_bits = window_bits(value);
  }
  return std::optional<DeflateTerms>(terms);
}

struct Deflate::Streams {
  std::optional<z_stream> out, in;  // zlib remembers where they lie
  ~Streams() {
    if (out) ::deflateEnd(&*out);
    if (in) ::inflateEnd(&*in);
  }
};

Deflate::Deflate(const DeflateTerms& terms) : terms_(terms), streams_(std::make_unique<Streams>()) {}
Deflate::~Deflate() = default;

std::string Deflate::compress(std::string_view message) {
  if (message.empty()) return std::string(1, '\0');  // 7.2.3.6
  if (!streams_->out) {
    streams_->out.emplace();
    // zlib has no window of 2^8 for raw streams; without references the least one does.
    const bool tiny = terms_.client_window_bits == 8;
    check(::deflateInit2(&*streams_->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                         -(tiny ? 9 : terms_.client_window_bits), 8,
                         tiny ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY));
  }
  z_stream& z = *streams_->out;
  z.next_in = octets(message.data());
  z.avail_in = static_cast<uInt>(message.size());
  std::string out(::deflateBound(&z, static_cast<uLong>(message.size())) + 16, '\0');
  std::size_t written = 0;
  do {  // once, but for zlib's word that deflateBound() is about Z_FINISH
    if (written == out.size()) out.resize(2 * out.size());
    z.next_out = octets(out.data() + written);
    z.avail_out = static_cast<uInt>(out.size() - written);
    ::deflate(&z, Z_SYNC_FLUSH);
    written = out.size() - z.avail_out;
  } while (z.avail_out == 0);
  out.resize(written - kTail.size());
  if (!terms_.client_keeps_context) check(::deflateReset(&z));
  return out;
}

Deflate::Outcome Deflate::inflate(std::string_view payload, std::size_t limit, std::string& message) {
  if (!streams_->in) {
    streams_->in.emplace();
    check(::inflateInit2(&*streams_->in, -15));
  }
  z_stream& z = *streams_->in;
  std::array<char, 16384> chunk;
  int final_blocks = 0;
  std::size_t inflated = 0;
  for (const std::string_view part : {payload, kTail}) {
    z.next_in = octets(part.data());
    z.avail_in = static_cast<uInt>(part.size());
    int code = Z_OK;
    do {
      z.next_out = octets(chunk.data());
      z.avail_out = static_cast<uInt>(chunk.size());
      code = ::inflate(&z, Z_SYNC_FLUSH);
      if (code == Z_NEED_DICT || code == Z_DATA_ERROR || code == Z_STREAM_ERROR) return Outcome::broken;
      if (code == Z_MEM_ERROR) throw std::bad_alloc();
      const std::size_t n = chunk.size() - z.avail_out;
      inflated += n;
      if (inflated > limit) return Outcome::too_big;
      message.append(chunk.data(), n);
      if (code == Z_STREAM_END) {
        // A final block may be followed by more (7.2.3.5), which may refer to what was before it.
        if (++final_blocks > kMostFinalBlocks) return Outcome::broken;
        std::array<Bytef, 32768> window;
        uInt size = window.size();
        check(::inflateGetDictionary(&z, window.data(), &size));
        check(::inflateReset(&z));
        check(::inflateSetDictionary(&z, window.data(), size));
      }
    } while (z.avail_in > 0 || z.avail_out == 0);
  }
  // The tail was an empty block: what comes next is the header of one.
  if ((z.data_type & 128) == 0) return Outcome::broken;
  if (!terms_.server_keeps_context) check(::inflateReset(&z));
  return Outcome::good;
}

}  // namespace roomcheck::websocket
