#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "libs/websocket/http.h"

namespace roomcheck::reference_server {

// Which web pages may open a WebSocket, by Channels' OriginValidator (SPEC origin.refused): a page may when
// its Origin matches one of the patterns.
//
//   example.com                 that host, any scheme and port
//   .example.com                that domain and its subdomains
//   https://example.com:8443    scheme and port too (a port left out is the scheme's own)
//   *                           everything, also no Origin at all
//
// Without patterns everything is allowed, as in the seed, which has no validator.
//
// Thread: any; immutable.
class OriginValidator {
 public:
  // Throws BadInput for a pattern that can never match ("*.example.com", "example.com:8080"), with the
  // remedy.
  explicit OriginValidator(const std::vector<std::string>& patterns);

  bool allows(const websocket::Headers& headers) const;

 private:
  struct Origin {
    std::string scheme;
    std::string host;  // of a pattern: may begin with a dot
    int port = 0;      // 0: none
  };
  static bool parse(std::string_view text, Origin& out);
  static bool matches(const Origin& pattern, const Origin& origin);

  bool everything_ = false;
  std::vector<Origin> patterns_;
};

}  // namespace roomcheck::reference_server
