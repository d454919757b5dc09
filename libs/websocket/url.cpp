#include "libs/websocket/url.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace roomcheck::websocket {
namespace {

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "wss" || scheme == "https" ? 443 : 80;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Url parse_url(std::string_view text) {
  const auto bad = [text](const std::string& why) {
    return BadInput("\"" + std::string(text) + "\" is no usable address: " + why +
                    " (expected ws://HOST:PORT, wss://, http:// or https://)");
  };
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    throw bad("it contains white space or a control character");
  const std::size_t colon = text.find("://");
  if (colon == text.npos) throw bad("it has no scheme");
  Url url;
  url.scheme = std::string(text.substr(0, colon));
  std::transform(url.scheme.begin(), url.scheme.end(), url.scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (url.scheme != "ws" && url.scheme != "wss" && url.scheme != "http" && url.scheme != "https")
    throw bad("its scheme \"" + url.scheme + "\" is not known");
  if (text.find('#') != text.npos) throw bad("a fragment (#...) has no meaning here");

  std::string_view rest = text.substr(colon + 3);
  const std::size_t path = rest.find_first_of("/?");
  std::string_view authority = rest.substr(0, path);
  if (path != rest.npos) url.target = (rest[path] == '?' ? "/" : "") + std::string(rest.substr(path));
  if (authority.find('@') != authority.npos)
    throw bad("a user name in it is not supported; send an Authorization header instead");

  std::string_view port;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t close = authority.find(']');
    if (close == authority.npos) throw bad("the IPv6 address has no closing bracket");
    url.host = std::string(authority.substr(1, close - 1));
    port = authority.substr(close + 1);
    if (!port.empty() && port.front() != ':') throw bad("only a port may follow the IPv6 address");
  } else {
    const std::size_t at = authority.find(':');
    url.host = std::string(authority.substr(0, at));
    port = at == authority.npos ? std::string_view() : authority.substr(at);
  }
  if (url.host.empty()) throw bad("it has no host");
  url.port = default_port(url.scheme);
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (code != std::errc() || end != port.data() + port.size() || url.port == 0)
      throw bad("its port is not a number from 1 to 65535");
  }
  return url;
}

std::string Url::host_header() const {
  const std::string all = join_host_port(host, port);
  return port == default_port(scheme) ? all.substr(0, all.rfind(':')) : all;
}

std::string Url::to_string() const { return scheme + "://" + host_header() + target; }

std::string join_host_port(const std::string& host, std::uint16_t port) {
  return (host.find(':') == host.npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

bool split_host_port(std::string_view text, std::string& host, std::uint16_t& port) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return false;
  const char* const last = text.data() + text.size();
  const auto [end, code] = std::from_chars(text.data() + colon + 1, last, port);
  if (code != std::errc() || end != last) return false;
  const bool in_brackets = text[0] == '[' && text[colon - 1] == ']';
  host = in_brackets ? text.substr(1, colon - 2) : text.substr(0, colon);
  return !host.empty();
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    out += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
    if (low >= 0) i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80 && (std::isalnum(octet) != 0 || c == '-' || c == '_' || c == '.' || c == '~')) {
      out += c;
      continue;
    }
    out += '%';
    out += kHex[octet >> 4];
    out += kHex[octet & 15];
  }
  return out;
}

}  // namespace roomcheck::websocket
