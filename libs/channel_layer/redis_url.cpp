#include <charconv>

#include "libs/base/result.h"
#include "libs/channel_layer/redis.h"

namespace roomcheck::channel_layer {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  // The password stays out of what may end in a log.
  const std::size_t at = text.rfind('@');
  const std::size_t scheme = text.find("://");
  std::string shown(text);
  if (at != text.npos && scheme != text.npos && at > scheme)
    shown.replace(scheme + 3, at - scheme - 3, "***");
  throw BadInput("Redis URL " + shown + ": " + why +
                 "; expected redis://[user:password@]host:port/database or "
                 "unix://[user:password@]/path/to.sock?db=0");
}

std::string percent_decode(std::string_view url, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned octet = 0;
    const char* digits = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(digits, digits + 2, octet, 16).ptr != digits + 2)
      refuse(url, "a '%' is followed by two hexadecimal digits");
    out += static_cast<char>(octet);
    i += 2;
  }
  return out;
}

template <class Number>
Number number(std::string_view url, std::string_view text, const char* what, Number most) {
  Number out = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (code != std::errc() || end != text.data() + text.size() || out > most || out < 0)
    refuse(url,
           std::string(what) + " '" + std::string(text) + "' is no number from 0 to " + std::to_string(most));
  return out;
}

constexpr int kMostDatabases = 1 << 20;

void read_query(std::string_view url, std::string_view query, RedisUrl& out) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view option = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (option.substr(0, 3) != "db=")
      refuse(url, "the option '" + std::string(option.substr(0, option.find('='))) +
                      "' means nothing to this client, leave it out");
    out.database = number(url, option.substr(3), "the database", kMostDatabases);
  }
}

}  // namespace

RedisUrl parse_redis_url(std::string_view text) {
  RedisUrl out;
  const std::size_t scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end == text.npos ? 0 : scheme_end);
  if (scheme == "rediss")
    refuse(text,
           "rediss:// (TLS) is not supported, because Debian's hiredis 0.14 has no TLS: connect through "
           "a TLS tunnel such as stunnel");
  if (scheme != "redis" && scheme != "unix") refuse(text, "it begins with neither redis:// nor unix://");

  std::string_view rest = text.substr(scheme_end + 3);
  if (const std::size_t mark = rest.find('?'); mark != rest.npos) {
    read_query(text, rest.substr(mark + 1), out);
    rest = rest.substr(0, mark);
  }
  if (const std::size_t at = rest.rfind('@'); at != rest.npos) {
    const std::string_view who = rest.substr(0, at);
    const std::size_t colon = who.find(':');
    out.user = percent_decode(text, who.substr(0, colon));
    if (colon != who.npos) out.password = percent_decode(text, who.substr(colon + 1));
    if (out.password.empty()) refuse(text, "there is a user without a password");
    rest.remove_prefix(at + 1);
  }
  if (scheme == "unix") {
    out.socket_path = percent_decode(text, rest);
    if (out.socket_path.empty() || out.socket_path.front() != '/')
      refuse(text, "the path of the socket is not absolute");
    return out;
  }
  if (const std::size_t slash = rest.find('/'); slash != rest.npos) {
    if (slash + 1 < rest.size())
      out.database = number(text, rest.substr(slash + 1), "the database", kMostDatabases);
    rest = rest.substr(0, slash);
  }
  const bool bracketed = !rest.empty() && rest.front() == '[';
  const std::size_t host_end = bracketed ? rest.find(']') : rest.find(':');
  if (bracketed && host_end == rest.npos) refuse(text, "the '[' of the address is never closed");
  std::string_view host = rest.substr(0, host_end);
  std::string_view port = host_end == rest.npos ? std::string_view() : rest.substr(host_end);
  if (bracketed) {
    host.remove_prefix(1);
    port.remove_prefix(1);
  }
  if (!port.empty() && port.front() != ':') refuse(text, "something other than ':port' follows the host");
  if (!port.empty()) out.port = static_cast<std::uint16_t>(number(text, port.substr(1), "the port", 65535));
  if (!host.empty()) out.host = percent_decode(text, host);
  return out;
}

std::string RedisUrl::name() const {
  if (!socket_path.empty()) return "unix://" + socket_path + "?db=" + std::to_string(database);
  const bool bare_v6 = host.find(':') != host.npos;
  return "redis://" + (bare_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port) + "/" +
         std::to_string(database);
}

}  // namespace roomcheck::channel_layer
