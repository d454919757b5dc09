#pragma once
#include <optional>
#include <string>
#include <vector>

#include "libs/websocket/http.h"
#include "reference_server/web/assets.h"

namespace roomcheck::reference_server {

// The chat page and what it is made of: `/` and the files that web/ built into the program. Empty for any
// other path. A build with -DROOMCHECK_WEB=OFF has no page; then `/` says so.
//
// The page may open no connection but to this server, and to the one in ?server=ws://HOST:PORT; it runs no
// script and no style that is not its own file (Content-Security-Policy).
std::optional<websocket::Response> chat_page(const websocket::Request& request,
                                             const std::vector<web::Asset>& files = web::assets());

// For a Content-Security-Policy: the origin in `server=` of a query, when it is a plain ws:// or wss://
// address; else empty. Never anything that could end the policy or add to it. No IPv6 literal: a policy
// cannot name one.
std::string server_in_query(const std::string& query);

}  // namespace roomcheck::reference_server
