#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roomcheck::websocket {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The value of a header, case-insensitively; several of one name are joined by ", ". Empty when absent.
std::string find_header(const Headers& headers, std::string_view name);

// A request as read from the wire, WebSocket upgrade or not.
struct Request {
  std::string method;
  std::string target;  // as in the request line
  std::string path;    // target without query, percent-decoded once
  std::string query;   // without '?', as sent
  Headers headers;
  std::string body;
  std::string remote_address;

  std::string header(std::string_view name) const { return find_header(headers, name); }
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
  Headers headers;  // more; Content-Length and Connection are set by the server
};

// "Not Found" for 404; "Unknown" for what has no standard phrase.
std::string_view reason_phrase(int status);

}  // namespace roomcheck::websocket
