// Mutants of the opening handshake.
#include <algorithm>

#include "reference_server/mutants/wire.h"

namespace roomcheck::reference_server {
namespace {

using Requirements = std::vector<std::string_view>;

WireMutant of_request(std::string_view name, Requirements requirements, std::string_view sentence,
                      std::function<void(Link&, std::string&)> spoil) {
  return {{name, Mutant::Kind::spec, std::move(requirements), sentence, ""},
          std::move(spoil),
          {},
          {},
          {},
          {},
          {}};
}
WireMutant of_response(std::string_view name, Requirements requirements, std::string_view sentence,
                       std::function<void(Link&, std::string&)> spoil) {
  return {{name, Mutant::Kind::spec, std::move(requirements), sentence, ""},
          {},
          std::move(spoil),
          {},
          {},
          {},
          {}};
}

// Spoils what the whoami route answers.
WireMutant says_who(std::string_view name, Requirements requirements, std::string_view sentence,
                    std::function<void(Link&, std::string& user)> spoil) {
  return spoils_frames(name, std::move(requirements), sentence, nullptr,
                       [spoil = std::move(spoil)](Link& link, websocket::RawFrame& frame) {
                         constexpr std::string_view kBefore = "{\"user\": ";
                         if (frame.payload.compare(0, kBefore.size(), kBefore) != 0) return Then::pass;
                         std::string user = frame.payload.substr(kBefore.size());
                         user.pop_back();
                         spoil(link, user);
                         frame.payload = std::string(kBefore) + user + "}";
                         return Then::pass;
                       });
}

bool accepts(const std::string& head) { return head.compare(0, 12, "HTTP/1.1 101") == 0; }

// Sets a header of the head, whether or not it was there.
void set_header(std::string& head, const std::string& name, const std::string& value) {
  const std::size_t at = head.find("\r\n" + name + ":");
  if (at != head.npos) head.erase(at, head.find("\r\n", at + 2) - at);
  head.insert(head.size() - 2, name + ": " + value + "\r\n");
}

bool is_key(const std::string& key) {
  return key.size() == 24 && key.compare(22, 2, "==") == 0 && key.find('!') == key.npos;
}

// Under way: asked and not answered. Where two overlap their answers wait a little, so that many who start at
// once are seen to.
WireMutant few_at_once() {
  constexpr std::uint64_t kFew = 100;
  WireMutant out = of_request("few-at-once", {"connect.concurrent"},
                              "More than 100 handshakes under way at once are too many.",
                              [](Link& link, std::string& head) {
                                if (++link.room().count > kFew)
                                  head.replace(0, head.find("\r\n"), "GET /busy HTTP/1.1");
                              });
  out.response = [](Link& link, std::string&) {
    const auto answered = [&link] { --link.room().count; };
    link.hold(std::chrono::milliseconds(link.room().count > 1 ? 500 : 3), answered);
  };
  return out;
}

}  // namespace

std::vector<WireMutant> handshake_mutants() {
  return {
      of_response("wrong-accept", {"connect.room-accepted", "connect.echo-accepted"},
                  "Sec-WebSocket-Accept is not the one for the client's key.",
                  [](Link&, std::string& head) {
                    if (accepts(head))
                      set_header(head, "Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
                  }),
      of_response("early-presence", {"connect.nothing-before-101"},
                  "A notice to the room can overtake the newcomer's own 101.",
                  [](Link& link, std::string& head) {
                    if (accepts(head) && link.room().links.size() > 1) head.insert(0, "\x81\x05hello");
                  }),
      of_response("unasked-extension", {"connect.no-unasked-extension"},
                  "Compression is agreed to that nobody offered.",
                  [](Link&, std::string& head) {
                    if (accepts(head)) set_header(head, "Sec-WebSocket-Extensions", "permessage-deflate");
                  }),
      of_request("key-not-checked", {"connect.handshake-invalid-refused"},
                 "A missing or malformed Sec-WebSocket-Key is taken.",
                 [](Link& link, std::string& head) {
                   if (!is_key(link.header("Sec-WebSocket-Key")))
                     set_header(head, "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
                 }),
      of_request("upgrade-not-checked", {"connect.handshake-invalid-refused"},
                 "Any request with a Sec-WebSocket-Key is taken for a handshake.",
                 [](Link& link, std::string& head) {
                   if (link.header("Sec-WebSocket-Key").empty()) return;
                   set_header(head, "Upgrade", "websocket");
                   set_header(head, "Connection", "Upgrade");
                 }),
      of_request("version-not-checked", {"connect.version-refused"},
                 "Any Sec-WebSocket-Version, and none, is taken for 13.",
                 [](Link&, std::string& head) { set_header(head, "Sec-WebSocket-Version", "13"); }),
      few_at_once(),
      of_request("any-origin", {"origin.refused"}, "Pages of any origin, and of none, are let in.",
                 [](Link&, std::string& head) { set_header(head, "Origin", "https://example.com"); }),
      of_request("private-is-open", {"auth.login-required"},
                 "Who has not logged in gets into the private rooms.",
                 [](Link&, std::string& head) {
                   if (const std::size_t at = head.find(" /ws/private/"); at != head.npos)
                     head.replace(at, 13, " /ws/chat/");
                 }),
      says_who("everybody-is-somebody", {"auth.anonymous"}, "Who comes without a cookie is user 1.",
               [](Link& link, std::string& user) {
                 if (link.header("Cookie").empty()) user = "1";
               }),
      says_who("sessions-ignored", {"auth.session-user"}, "Who has a session is nobody all the same.",
               [](Link&, std::string& user) { user = "null"; }),
      says_who("any-session-taken", {"auth.bad-session"}, "Who has a session that is none is user 1.",
               [](Link& link, std::string& user) {
                 if (!link.header("Cookie").empty() && user == "null") user = "1";
               }),
  };
}

}  // namespace roomcheck::reference_server
