#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.h"

namespace roomcheck::websocket {

// A ws://, wss://, http:// or https:// address, split. IPv6 hosts are kept without brackets.
struct Url {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;
  std::string target = "/";  // path and query, as sent in the request line; never empty

  bool secure() const { return scheme == "wss" || scheme == "https"; }
  std::string host_header() const;  // "host:port", without a default port, IPv6 in brackets
  std::string to_string() const;
};

// Splits an address; the default port is that of the scheme. Throws BadInput that names what is wrong with it
// (no scheme, unknown scheme, empty host, port out of range, white space, a fragment).
Url parse_url(std::string_view text);

// "host:port", IPv6 in brackets: joined, and split (false: it is not that).
std::string join_host_port(const std::string& host, std::uint16_t port);
bool split_host_port(std::string_view text, std::string& host, std::uint16_t& port);

// Percent-decodes once. Malformed escapes stay as they are (as Python's unquote does).
std::string percent_decode(std::string_view text);
// Escapes everything but unreserved characters (RFC 3986, 2.3).
std::string percent_encode(std::string_view text);

}  // namespace roomcheck::websocket
