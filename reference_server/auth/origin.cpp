#include "reference_server/auth/origin.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

#include "libs/base/result.h"

namespace roomcheck::reference_server {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

int default_port(const std::string& scheme) {
  if (scheme == "http" || scheme == "ws") return 80;
  if (scheme == "https" || scheme == "wss") return 443;
  return 0;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == ':' ||
         c == '[' || c == ']';
}

}  // namespace

// scheme://host[:port], lower-cased; false for "null", "file://" and whatever else has no host.
bool OriginValidator::parse(std::string_view text, Origin& out) {
  const std::string all = lower(text);
  const std::size_t mark = all.find("://");
  if (mark == all.npos || mark == 0) return false;
  out.scheme = all.substr(0, mark);
  std::string rest = all.substr(mark + 3);
  rest.erase(std::min(rest.find('/'), rest.size()));
  const std::size_t bracket = rest.rfind(']');  // of an IPv6 address
  const std::size_t colon = rest.find(':', bracket == rest.npos ? 0 : bracket);
  out.port = default_port(out.scheme);
  if (colon != rest.npos) {
    const auto [end, code] = std::from_chars(rest.data() + colon + 1, rest.data() + rest.size(), out.port);
    if (code != std::errc() || end != rest.data() + rest.size() || out.port < 1 || out.port > 65535)
      return false;
    rest.erase(colon);
  }
  out.host = rest;
  return !out.host.empty() && std::all_of(out.host.begin(), out.host.end(), is_host_character);
}

bool OriginValidator::matches(const Origin& pattern, const Origin& origin) {
  if (!pattern.scheme.empty() && (pattern.scheme != origin.scheme || pattern.port != origin.port))
    return false;
  if (pattern.host.front() != '.') return pattern.host == origin.host;
  const std::string_view domain = std::string_view(pattern.host).substr(1);
  if (origin.host == domain) return true;
  return origin.host.size() > pattern.host.size() &&
         origin.host.compare(origin.host.size() - pattern.host.size(), pattern.host.size(), pattern.host) ==
             0;
}

OriginValidator::OriginValidator(const std::vector<std::string>& patterns) {
  for (const std::string& text : patterns) {
    if (text == "*") {
      everything_ = true;
      continue;
    }
    Origin pattern;
    const auto never = [&text](const std::string& remedy) {
      return BadInput("--allowed-origin " + text + " would never match: " + remedy);
    };
    if (text.find('*') != text.npos)
      throw never("write .example.com for a domain with its subdomains, or * for everything");
    if (text.find("://") != text.npos) {
      if (!parse(text, pattern)) throw never("expected SCHEME://HOST or SCHEME://HOST:PORT");
    } else {
      pattern.host = lower(text);
      if (pattern.host.empty() || pattern.host == "." ||
          !std::all_of(pattern.host.begin(), pattern.host.end(), is_host_character))
        throw never("expected HOST, .DOMAIN, SCHEME://HOST:PORT or *");
      if (pattern.host.find(':') != pattern.host.npos && pattern.host.front() != '[')
        throw never("a port needs a scheme, as in https://example.com:8443");
    }
    patterns_.push_back(std::move(pattern));
  }
}

bool OriginValidator::allows(const websocket::Headers& headers) const {
  if (everything_ || patterns_.empty()) return true;
  // With two headers the last counts, as in Channels.
  const auto header = std::find_if(headers.rbegin(), headers.rend(), [](const auto& h) {
    return ::strcasecmp(h.first.c_str(), "origin") == 0;
  });
  Origin origin;
  if (header == headers.rend() || !parse(header->second, origin)) return false;
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const Origin& pattern) { return matches(pattern, origin); });
}

}  // namespace roomcheck::reference_server
