#include <cstdio>
#include <set>

#include "conformance/catalog.h"
#include "conformance/context.h"
#include "libs/base/regex.h"
#include "libs/base/units.h"

namespace roomcheck::conformance {
namespace {

void expect(bool good, const std::string& message, const std::string& expected, const std::string& actual) {
  if (!good) throw Failed(message, expected, actual);
}

RawResponse expect_accepted(Context& c, const std::string& path, const RawHandshake& handshake = {}) {
  RawResponse response = c.handshake(path, handshake);
  if (response.status != 101)
    throw Lost("the handshake for " + shown(path) + " was not accepted", "101",
               response.status == 0 ? "no HTTP answer" : "HTTP " + std::to_string(response.status));
  return response;
}

void expect_right_accept(Context& c, const std::string& path) {
  const RawResponse response = expect_accepted(c, path);
  expect(response.accept_ok, "the 101 has the wrong Sec-WebSocket-Accept", "the SHA-1 of key and GUID",
         response.header("Sec-WebSocket-Accept"));
}

void expect_status(Context& c, const RawHandshake& handshake, int least, int most, const std::string& what) {
  const RawResponse response = c.handshake(c.profile().room_path(c.fresh_room()), handshake);
  if (response.timed_out)
    throw Lost(what + " got no answer", "HTTP " + std::to_string(least) + " to " + std::to_string(most),
               "nothing within the limit");
  expect(response.status >= least && response.status <= most && response.status != 101,
         what + " got the wrong answer",
         "HTTP " + std::to_string(least) + " to " + std::to_string(most) + ", never 101",
         "HTTP " + std::to_string(response.status));
}

// A name of the length that begins as nobody else's.
std::string of_length(Context& c, std::size_t length) {
  std::string out = c.fresh_room();
  out.resize(std::max(length, out.size()), 'x');
  return out.substr(0, length);
}

bool leaves_no_member(Context& c, const std::string& room) {
  const Result<std::vector<std::string>> members = c.run().control->members(room);
  return !members.ok() || members->empty();
}

void refused_name(Context& c, const std::string& room, const std::string& encoded = "") {
  std::string path = c.profile().room.path;
  path.replace(path.find("{room}"), 6, encoded.empty() ? websocket::percent_encode(room) : encoded);
  c.expect_refused(path);
  if (c.knows_members())
    expect(leaves_no_member(c, room), "a refused handshake left a member behind", "no member",
           "a member in group " + shown(room));
}

}  // namespace

std::vector<Case> connect_cases() {
  return {
      {"connect.room-accepted/fresh-room",
       "connect.room-accepted",
       kMust,
       {},
       "A WebSocket handshake on the room path is answered 101 with the right Sec-WebSocket-Accept.",
       [](Context& c) { expect_right_accept(c, c.profile().room_path(c.fresh_room())); }},
      {"connect.echo-accepted/echo-path",
       "connect.echo-accepted",
       kMust,
       {"echo"},
       "A WebSocket handshake on the echo path is answered 101.",
       [](Context& c) { expect_right_accept(c, c.profile().echo->path); }},
      {"connect.query-ignored/same-room",
       "connect.query-ignored",
       kMust,
       {},
       "A query string changes neither routing nor room.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr plain = c.join(room),
                         query = c.join(room, c.profile().room_path(room) + "?token=1&x=%2F");
         c.all_hear({plain, query}, c.say(plain));
         c.all_hear({plain, query}, c.say(query));
       }},
      {"connect.nothing-before-101/while-others-talk",
       "connect.nothing-before-101",
       kMust,
       {},
       "Not one octet precedes the HTTP/1.1 101.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr talker = c.join(room);
         for (int i = 0; i < 50; ++i) {
           const std::string text = c.say(talker);
           const RawResponse response = c.handshake(c.profile().room_path(room));
           expect(response.before.empty(), "octets came before the status line", "HTTP/1.1 101 first",
                  shown(response.before));
           expect(response.status == 101, "a handshake was not accepted", "101",
                  std::to_string(response.status));
           c.hears(talker, text);
         }
       }},
      {"connect.unknown-path-refused/no-route",
       "connect.unknown-path-refused",
       kMust,
       {},
       "A path that no route matches is refused.",
       [](Context& c) {
         for (const char* path : {"/roomcheck-no-such-route/", "/roomcheck/no/such/route/"})
           c.expect_refused(path);
         c.sign_of_life();
       }},
      {"connect.path-exact/variants",
       "connect.path-exact",
       kMust,
       {},
       "A path without the trailing slash, with an extra segment, an empty room or other letter case is "
       "refused.",
       [](Context& c) {
         const std::string path = c.profile().room_path(c.fresh_room());
         if (path.back() == '/') {
           c.expect_refused(path.substr(0, path.size() - 1));
           c.expect_refused(path + "extra/");
         }
         c.expect_refused(c.profile().room_path(""));
         std::string upper = c.profile().room.path.substr(0, c.profile().room.path.find('{'));
         for (char& letter : upper)
           letter = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
         if (upper != path.substr(0, upper.size())) c.expect_refused(upper + path.substr(upper.size()));
         c.sign_of_life();
       }},
      {"connect.room-name-accepted/longest",
       "connect.room-name-accepted",
       kMust,
       {},
       "Every name that the profile's rule allows is accepted.",
       [](Context& c) {
         expect_accepted(c, c.profile().room_path(of_length(c, c.profile().room.name_max)));
       }},
      {"connect.room-name-accepted/alphabet",
       "connect.room-name-accepted",
       kMust,
       {},
       "Every name that the profile's rule allows is accepted.",
       [](Context& c) {
         for (const char* name :
              {"a", "Z", "0", "a_b", "a-b", "a.b", ".", "..", "-x", ".hidden", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})
           if (Regex(c.profile().room.name_pattern).matches(name))
             expect_accepted(c, c.profile().room_path(name));
       }},
      {"connect.room-name-refused/too-long",
       "connect.room-name-refused",
       kMust,
       {},
       "A room name of 100 characters or more, or with any other character, is refused and leaves no member "
       "behind.",
       [](Context& c) {
         refused_name(c, of_length(c, 100));
         refused_name(c, of_length(c, 200));
         c.sign_of_life();
       }},
      {"connect.room-name-refused/other-characters",
       "connect.room-name-refused",
       kMust,
       {},
       "A room name of 100 characters or more, or with any other character, is refused and leaves no member "
       "behind.",
       [](Context& c) {
         for (const char* odd : {" ", "!", ":", "%", "房间", "😀", "@", "*"})
           refused_name(c, c.fresh_room(odd));
         refused_name(c, c.fresh_room("/x"));
         refused_name(c, c.fresh_room() + std::string(1, '\0'));
         c.sign_of_life();
       }},
      {"connect.room-name-decoded/percent-encoded-twin",
       "connect.room-name-decoded",
       kMust,
       {},
       "A percent-encoded valid name and the plain one are the same room.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         std::string encoded = c.profile().room.path;
         char first[4];
         std::snprintf(first, sizeof first, "%%%02x",
                       static_cast<unsigned>(static_cast<unsigned char>(room[0])));
         encoded.replace(encoded.find("{room}"), 6, first + room.substr(1));
         const MemberPtr plain = c.join(room), twin = c.join(room, encoded);
         c.all_hear({plain, twin}, c.say(plain));
         c.all_hear({plain, twin}, c.say(twin));
       }},
      {"connect.handshake-invalid-refused/key-and-method",
       "connect.handshake-invalid-refused",
       kMust,
       {},
       "A missing or malformed Sec-WebSocket-Key, or a method other than GET, gets a 4xx.",
       [](Context& c) {
         RawHandshake no_key, short_key, bad_key, post;
         no_key.key = std::nullopt;
         short_key.key = "c2hvcnQ=";
         bad_key.key = "not base64 at all!!!!!!!";
         post.method = "POST";
         expect_status(c, no_key, 400, 499, "a handshake without Sec-WebSocket-Key");
         expect_status(c, short_key, 400, 499, "a handshake with a short Sec-WebSocket-Key");
         expect_status(c, bad_key, 400, 499, "a handshake with a key that is no base64");
         expect_status(c, post, 400, 499, "a handshake by POST");
         c.sign_of_life();
       }},
      {"connect.handshake-invalid-refused/upgrade-headers",
       "connect.handshake-invalid-refused",
       kMust,
       {},
       "A missing or wrong Upgrade or Connection header is never answered 101.",
       [](Context& c) {
         RawHandshake no_upgrade, no_connection, other_upgrade;
         no_upgrade.upgrade = std::nullopt;
         no_connection.connection = std::nullopt;
         other_upgrade.upgrade = "h2c";
         for (const RawHandshake& handshake : {no_upgrade, no_connection, other_upgrade})
           expect_status(c, handshake, 200, 599, "a handshake with wrong upgrade headers");
         c.sign_of_life();
       }},
      {"connect.version-refused/other-versions",
       "connect.version-refused",
       kMust,
       {},
       "A missing Sec-WebSocket-Version, or any other than 13, gets a 4xx.",
       [](Context& c) {
         for (const char* version : {"", "0", "8", "12", "14", "abc"}) {
           RawHandshake handshake;
           handshake.version = *version == '\0' ? std::nullopt : std::optional<std::string>(version);
           expect_status(c, handshake, 400, 499,
                         "a handshake of version " + std::string(*version == '\0' ? "(none)" : version));
         }
       }},
      {"connect.version-refused-header/names-13",
       "connect.version-refused-header",
       Level::should,
       {},
       "The refusal of a version names the supported ones in Sec-WebSocket-Version.",
       [](Context& c) {
         RawHandshake handshake;
         handshake.version = "12";
         const RawResponse response = c.handshake(c.profile().room_path(c.fresh_room()), handshake);
         const std::string header = response.header("Sec-WebSocket-Version");
         expect(header.find("13") != header.npos, "the refusal does not name the supported version",
                "Sec-WebSocket-Version: 13", header.empty() ? "no such header" : header);
       }},
      {"connect.no-unasked-subprotocol/none-offered",
       "connect.no-unasked-subprotocol",
       kMust,
       {},
       "No Sec-WebSocket-Protocol is in the answer unless one of the offered ones was chosen.",
       [](Context& c) {
         const std::string none =
             expect_accepted(c, c.profile().room_path(c.fresh_room())).header("Sec-WebSocket-Protocol");
         expect(none.empty(), "a subprotocol was chosen that nobody offered", "no Sec-WebSocket-Protocol",
                none);
         RawHandshake offer;
         offer.headers = {{"Sec-WebSocket-Protocol", "roomcheck-a, roomcheck-b"}};
         const std::string chosen = expect_accepted(c, c.profile().room_path(c.fresh_room()), offer)
                                        .header("Sec-WebSocket-Protocol");
         expect(chosen.empty() || chosen == "roomcheck-a" || chosen == "roomcheck-b",
                "a subprotocol was chosen that was not offered", "one of the offered, or none", chosen);
       }},
      {"connect.no-unasked-extension/none-offered",
       "connect.no-unasked-extension",
       kMust,
       {},
       "No Sec-WebSocket-Extensions is in the answer that was not offered.",
       [](Context& c) {
         const std::string none =
             expect_accepted(c, c.profile().room_path(c.fresh_room())).header("Sec-WebSocket-Extensions");
         expect(none.empty(), "an extension was agreed to that nobody offered", "no Sec-WebSocket-Extensions",
                none);
       }},
      {"connect.distinct-channel-names/fifty-members",
       "connect.distinct-channel-names",
       kMust,
       {"direct", "members"},
       "Any two live connections have different channel names of at most 99 characters.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         c.join_many(room, 50);
         c.wait_for_members(room, 50);
         const std::vector<std::string> names = c.members_of(room);
         expect(std::set<std::string>(names.begin(), names.end()).size() == 50,
                "two connections share a channel name", "50 names", "fewer");
         for (const std::string& name : names)
           expect(name.size() < 100, "a channel name is too long", "at most 99 characters", name);
       }},
      {"connect.concurrent/two-hundred",
       "connect.concurrent",
       kMust,
       {},
       "200 handshakes started at once are all accepted.",
       [](Context& c) {
         const std::string path = c.profile().room_path(c.fresh_room());
         std::vector<std::shared_ptr<RawClient>> all;
         for (int i = 0; i < 200; ++i) {
           all.push_back(c.connect(path));
           (void)all.back()->send_handshake(c.with_profile(), c.deadline());
         }
         for (const auto& client : all) {
           const RawResponse response = client->read_response(c.deadline());
           if (response.status != 101)
             throw Lost("one of 200 handshakes was not accepted", "101",
                        response.status == 0 ? "no answer" : "HTTP " + std::to_string(response.status));
         }
         for (const auto& client : all) client->close();
       }},
      {"connect.slow-handshake-bounded/half-a-request",
       "connect.slow-handshake-bounded",
       Level::should,
       {},
       "A client that never finishes its handshake is dropped within a bounded time and hinders nobody.",
       [](Context& c) {
         constexpr Nanoseconds kBound = std::chrono::seconds(30);
         const auto client = c.connect(c.profile().room_path(c.fresh_room()));
         (void)client->send_bytes("GET " + client->url().target + " HTTP/1.1\r\nHost: ", c.deadline());
         client->note("sent GET " + client->url().target + " HTTP/1.1 and half a line of its headers");
         c.sign_of_life();
         while (c.observing() && c.age() < kBound) {
           const RawResponse response = client->read_response(c.soon());
           if (response.timed_out) continue;
           c.sign_of_life();
           c.report("dropped after " + format_duration(c.age()));
           return;
         }
         if (c.age() < kBound)
           throw Observed("still waiting after " + format_duration(c.age()) + "; --observe 31s would tell");
         throw Failed("half a handshake is kept for ever", "the end within " + format_duration(kBound),
                      "an open connection");
       },
       How::observes},
      {"connect.early-frame/behind-the-request",
       "connect.early-frame",
       Level::info,
       {},
       "Whether a frame in the same TCP segment as the handshake request is processed.",
       [](Context& c) {
         const std::string room = c.fresh_room(), early = c.fresh_text("early"),
                           later = c.fresh_text("later");
         const auto client = c.connect(c.profile().room_path(room));
         std::string request =
             "GET " + client->url().target + " HTTP/1.1\r\nHost: " + client->url().host_header() +
             "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
         for (const auto& [name, value] : c.with_profile().headers) request += name + ": " + value + "\r\n";
         websocket::RawFrame frame;
         frame.payload = c.profile().room.send.render(early);
         (void)client->send_bytes(request + "\r\n" + RawClient::encode(frame), c.deadline());
         if (client->read_response(c.deadline()).status != 101) throw Observed("the handshake was refused");
         (void)client->send_text(c.profile().room.send.render(later), c.deadline());
         const Received got = client->read_message(c.deadline());
         const auto text = c.profile().room.receive.match(got.payload);
         throw Observed(text == early   ? "processed"
                        : text == later ? "lost"
                                        : "the connection: " + std::string(to_string(got.kind)));
       }},
      {"connect.silent-join/nothing-until-spoken",
       "connect.silent-join",
       kMust,
       {},
       "Nothing is sent on join: no history, no acknowledgement, no presence.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         std::vector<MemberPtr> members;
         for (int i = 0; i < 5; ++i) {
           members.push_back(c.join(room));
           c.all_hear(members, c.say(members.back()));  // the first thing it hears, and the next for the rest
         }
       }},
      {"connect.silent-join/who-comes-back",
       "connect.silent-join",
       kMust,
       {},
       "Nothing is sent on join: no history, no acknowledgement, no presence.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const As client = with_cookie("roomcheck_client=" + c.fresh_room());
         const MemberPtr stays = c.join(room);
         for (int i = 0; i < 2; ++i) {
           const MemberPtr visitor = c.join(room, client);
           c.hears(stays, c.fence(visitor));
           c.leave(visitor);
         }
         c.fence(stays);
       }},
      {"connect.http-alive/plain-get",
       "connect.http-alive",
       Level::should,
       {},
       "Plain HTTP on the same port gets an HTTP answer.",
       [](Context& c) {
         const RawHandshake plain{"GET", "HTTP/1.1", {}, {}, {}, {}, {}, {}};
         const RawResponse response = c.handshake("/", plain);
         expect(response.status != 0, "plain HTTP got no HTTP answer", "any status",
                response.timed_out ? "nothing within the limit" : "the end of TCP");
       }},
  };
}

}  // namespace roomcheck::conformance
