#include "reference_server/chat_page.h"

#include <algorithm>
#include <string_view>

#include "libs/websocket/url.h"

namespace roomcheck::reference_server {
namespace {

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string content_type(std::string_view path) {
  if (ends_with(path, ".html")) return "text/html; charset=utf-8";
  if (ends_with(path, ".js")) return "text/javascript; charset=utf-8";
  if (ends_with(path, ".css")) return "text/css; charset=utf-8";
  if (ends_with(path, ".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

// No 'unsafe-inline', no data:, no other host: Vue and Element Plus set styles through the object model,
// which a policy does not concern. Trusted Types turn every way from text to HTML into an error but the one
// policy that Vue's runtime declares for its own templates.
std::string policy(const std::string& server) {
  return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'" +
         (server.empty() ? "" : " " + server) +
         "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
         "trusted-types vue";
}

websocket::Response respond(const web::Asset& asset, const std::string& query) {
  const bool named_by_content = asset.path.substr(0, 7) == "assets/";
  websocket::Response response{200, std::string(asset.content), content_type(asset.path), {}};
  response.headers = {
      {"Cache-Control", named_by_content ? "public, max-age=31536000, immutable" : "no-cache"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Content-Security-Policy", policy(server_in_query(query))},
  };
  return response;
}

}  // namespace

std::optional<websocket::Response> chat_page(const websocket::Request& request,
                                             const std::vector<web::Asset>& files) {
  if (request.path.empty() || request.path.front() != '/') return std::nullopt;
  const std::string_view path = request.path == "/" ? "index.html" : std::string_view(request.path).substr(1);
  for (const web::Asset& asset : files)
    if (asset.path == path) return respond(asset, request.query);
  if (request.path != "/") return std::nullopt;
  return websocket::Response{200,
                             "This is Roomcheck's reference server. Rooms are at /ws/chat/<room>/ "
                             "(WebSocket). This build has no chat "
                             "page: it was configured with -DROOMCHECK_WEB=OFF.\n",
                             "text/plain; charset=utf-8",
                             {}};
}

std::string server_in_query(const std::string& query) {
  constexpr std::string_view kName = "server=";
  for (std::size_t begin = 0; begin <= query.size();) {
    const std::size_t end = std::min(query.find('&', begin), query.size());
    const std::string_view parameter = std::string_view(query).substr(begin, end - begin);
    begin = end + 1;
    if (parameter.substr(0, kName.size()) != kName) continue;
    try {
      const websocket::Url url =
          websocket::parse_url(websocket::percent_decode(parameter.substr(kName.size())));
      const bool plain = !url.host.empty() && std::all_of(url.host.begin(), url.host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '.';
      });
      if (!plain || (url.scheme != "ws" && url.scheme != "wss")) return "";
      return url.scheme + "://" + url.host + ":" + std::to_string(url.port);
    } catch (const BadInput&) {
      return "";  // the page says what is wrong with it
    }
  }
  return "";
}

}  // namespace roomcheck::reference_server
