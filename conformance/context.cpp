#include "conformance/context.h"

#include <strings.h>

#include <algorithm>

#include "libs/base/regex.h"

namespace roomcheck::conformance {

using websocket::ReceivedFrame;

constexpr std::string_view kForeign = "not of the profile: ";  // marks what no template of it matches

std::string shown(const std::string& text) {
  constexpr std::size_t kMost = 160;
  std::string out = text.substr(0, kMost);
  while (!websocket::is_valid_utf8(out) && !out.empty()) out.pop_back();
  return text.size() > kMost ? out + "... (" + std::to_string(text.size()) + " bytes)" : out;
}

Context::Context(const Run& run, std::string case_id, int number, std::function<bool()> observing)
    : run_(run),
      case_id_(std::move(case_id)),
      tag_(run.id + "x" + std::to_string(number)),
      observing_(std::move(observing)),
      started_(steady_clock().now()) {}

std::string Context::fresh_room(const std::string& suffix) {
  return tag_ + "r" + std::to_string(++rooms_) + suffix;
}

std::string Context::fresh_text(const std::string& payload) {
  return tag_ + "t" + std::to_string(++texts_) + (payload.empty() ? "" : " " + payload);
}

// ---- members

std::unique_ptr<RawClient> Context::open(const std::string& path, const As& as) {
  websocket::Url url = run_.targets.at(as.node);
  if (!url.target.empty() && url.target != "/") {  // a path prefix of the target's URL
    if (url.target.back() == '/') url.target.pop_back();
    url.target += path;
  } else {
    url.target = path;
  }
  Result<std::unique_ptr<RawClient>> client = RawClient::connect(url, deadline(), run_.tls);
  if (!client.ok() && client.error().kind == Error::Kind::system)  // not the target's fault
    throw HarnessError(client.error().message + "; raise ulimit -n, or use fewer --jobs");
  if (!client.ok())
    throw Lost("the target does not take connections: " + client.error().message, "a TCP connection",
               client.error().message);
  return std::move(client).value();
}

std::shared_ptr<RawClient> Context::connect(const std::string& path, const As& as) {
  others_.push_back(open(path, as));
  return others_.back();
}

RawHandshake Context::with_profile(const RawHandshake& handshake, const As& as) const {
  RawHandshake out = handshake;
  const auto add = [&out](const std::string& name, const std::string& value) {
    if (!value.empty() && websocket::find_header(out.headers, name).empty())
      out.headers.emplace_back(name, value);
  };
  if (as.origin) add("Origin", *as.origin);
  for (const auto& [name, value] : profile().headers)
    if (!as.origin || ::strcasecmp(name.c_str(), "Origin") != 0) add(name, value);
  if (!as.origin && profile().has("origin")) add("Origin", profile().origin->accepted.front());
  add("Cookie", profile().cookies + (profile().cookies.empty() || as.cookie.empty() ? "" : "; ") + as.cookie);
  return out;
}

RawResponse Context::handshake(const std::string& path, const RawHandshake& handshake, const As& as) {
  const auto client = connect(path, as);
  RawResponse response = client->handshake(with_profile(handshake, as), deadline());
  client->close();
  return response;
}

RawResponse Context::expect_refused(const std::string& path, const RawHandshake& request, const As& as) {
  RawResponse response = handshake(path, request, as);
  if (response.status == 101)
    throw Failed("the handshake for " + shown(path) + " was accepted", "refused", "101");
  if (response.timed_out)
    throw Lost("the handshake for " + shown(path) + " was neither accepted nor refused", "refused",
               "no answer within the limit");
  return response;
}

void Context::drain_greeting(const MemberPtr& member) {
  if (profile().greeting.empty()) return;
  const Received first = member->client->read_message(deadline());
  if (!Regex(profile().greeting).in_beginning_of(first.payload))
    throw CouldNotTest("the profile's greeting \"" + profile().greeting + "\" did not come; " +
                       (first.kind == Received::Kind::text ? "this came: " + shown(first.payload)
                                                           : std::string(to_string(first.kind)) + " came"));
}

MemberPtr Context::join(const std::string& room, const std::string& path, const As& as) {
  const auto member = std::make_shared<Member>();
  member->room = room;
  member->name = "m" + std::to_string(members_.size() + 1);
  members_.push_back(member);
  member->client = open(path.empty() ? profile().room_path(room) : path, as);
  const RawResponse response = member->client->handshake(with_profile({}, as), deadline());
  if (response.status != 101) {  // whether its Sec-WebSocket-Accept is right: connect.room-accepted
    member->gone = true;
    throw Lost("joining room " + room + " failed", "101",
               response.status == 0 ? "no HTTP answer" : "HTTP " + std::to_string(response.status));
  }
  drain_greeting(member);
  if (profile().join_barrier == target::JoinBarrier::self_echo) {
    const Nanoseconds end = deadline();
    for (;;) {  // until one of its own messages comes back; those before it may have been lost
      const std::string probe = fresh_text();
      for (const MemberPtr& other : members_)
        if (other->room == room) other->optional.insert(probe);
      (void)member->client->send_text(profile().room.send.render(probe), end);
      const Received got =
          member->client->read_message(std::min(end, steady_clock().now() + std::chrono::milliseconds(50)));
      if (got.kind == Received::Kind::text) break;
      if (steady_clock().now() >= end)
        throw Lost("a new member of room " + room + " never heard itself", "its own message", "nothing");
    }
  }
  return member;
}

std::pair<MemberPtr, std::string> Context::join_named(const std::string& room, const As& as) {
  if (!run_.control->finds_channels())
    throw NotApplicable("the control " + run_.control->describe() +
                        " cannot tell a connection's channel name");
  MemberPtr member;
  const Result<std::string> name =
      run_.control->channel_of(profile().group_of(room), [&] { member = join(room, as); });
  if (!name.ok() && name.error().kind == Error::Kind::unsupported) throw CouldNotTest(name.error().message);
  if (!name.ok()) throw HarnessError(name.error().message);
  if (!run_.control->knows_members()) {  // the name is a guess
    try {
      hears(member, direct(*name, member));
    } catch (const Lost&) {
      throw CouldNotTest("the new member's channel name cannot be found: " + *name + " is another's");
    }
  }
  return {member, *name};
}

std::vector<MemberPtr> Context::join_many(const std::string& room, std::size_t count) {
  std::vector<MemberPtr> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(join(room));
  return out;
}

void Context::leave(const MemberPtr& member) {
  member->gone = true;
  (void)member->client->send_close(1000, "", deadline());
  for (;;) {
    const Received got = next(member, deadline());
    if (got.kind == Received::Kind::timeout)
      throw Lost("the close handshake was not answered", "a close frame or the end of TCP", "nothing");
    if (got.kind != Received::Kind::text) break;
  }
  member->client->close();
}

// ---- messages

void Context::allow(const std::string& room, const std::string& text) {
  for (const MemberPtr& member : members_)
    if (member->room == room && !member->gone) member->allowed.insert(text);
}

std::string Context::say(const MemberPtr& member, const std::string& payload) {
  const std::string text = fresh_text(payload);
  say_text(member, text);
  return text;
}

void Context::say_text(const MemberPtr& member, const std::string& text) {
  allow(member->room, text);
  const Result<void> sent = member->client->send_text(profile().room.send.render(text), deadline());
  if (!sent.ok()) throw Failed("a member could not send", "an open connection", sent.error().message);
}

std::string Context::text_of(const MemberPtr& member, const std::string& wire) const {
  if (member->room.empty()) {
    if (const auto text = profile().echo->receive.match(wire)) return *text;
    return "not an echo reply: " + wire;
  }
  if (const auto text = profile().room.receive.match(wire)) return *text;
  for (const auto& external :
       {profile().direct, profile().push_as_message, profile().push})  // the plainest last
    if (external)
      if (const auto text = external->receive.match(wire)) return *text;
  return std::string(kForeign) + wire;
}

Received Context::next(const MemberPtr& member, Nanoseconds until) {
  Received got = member->client->read_message(until);
  if (got.kind == Received::Kind::text || got.kind == Received::Kind::binary) {
    const std::string wire = got.payload;
    got.payload = got.kind == Received::Kind::text ? text_of(member, wire) : "binary: " + wire;
    ++member->arrivals[got.payload];
    if (member->optional.count(got.payload) != 0) return next(member, until);  // somebody's join probe
  }
  return got;
}

void Context::overtaken(const MemberPtr& member, const std::string& by, const std::string& wanted) {
  for (const Nanoseconds until = deadline();;) {
    const Received got = next(member, until);
    if (got.kind != Received::Kind::text)
      throw Lost("member " + member->name + " did not get a message, but one that came after it",
                 shown(wanted), shown(by) + " without it");
    if (got.payload == wanted)
      throw Failed("messages came out of order", shown(wanted), shown(by) + " came first");
    if (member->arrivals[got.payload] > 1 || member->allowed.count(got.payload) == 0)
      unexpected(member, got.payload, wanted);
  }
}

void Context::unexpected(const MemberPtr& member, const std::string& got, const std::string& wanted) {
  if (member->arrivals[got] > 1)
    throw Failed("member " + member->name + " got a message twice", "each message once",
                 "twice: " + shown(got));
  if (member->allowed.count(got) != 0) overtaken(member, got, wanted);
  const bool foreign = got.rfind(kForeign, 0) == 0;
  throw Failed("member " + member->name + " got " +
                   (foreign ? "what the profile's room.receive does not describe" : "what was not for it"),
               shown(wanted), shown(foreign ? got.substr(kForeign.size()) : got));
}

void Context::hears(const MemberPtr& member, const std::string& text) {
  const Received got = next(member, deadline());
  if (got.kind == Received::Kind::text && got.payload == text) {
    if (member->arrivals[text] > 1) unexpected(member, text, text);
    return;
  }
  if (got.kind == Received::Kind::timeout)
    throw Lost("member " + member->name + " did not get a message", shown(text), "nothing within the limit");
  if (got.kind == Received::Kind::text || got.kind == Received::Kind::binary)
    unexpected(member, got.payload, text);
  throw Failed("the connection of member " + member->name + " ended", shown(text),
               std::string(to_string(got.kind)) + (got.code != 0 ? " " + std::to_string(got.code) : "") +
                   (got.payload.empty() ? "" : " " + got.payload));
}

void Context::all_hear(const std::vector<MemberPtr>& members, const std::string& text) {
  for (const MemberPtr& member : members) hears(member, text);
}

void Context::all_hear(const std::vector<MemberPtr>& members, const std::vector<std::string>& texts) {
  for (const MemberPtr& member : members)
    for (const std::string& text : texts) hears(member, text);
}

std::string Context::fence(const MemberPtr& member) {
  const std::string text = say(member, "fence");
  hears(member, text);
  return text;
}

Received Context::expect_policy(const MemberPtr& member) {
  using target::BadMessagePolicy;
  if (profile().bad_message == BadMessagePolicy::ignore) {
    fence(member);
    return {};
  }
  const bool reply = profile().bad_message == BadMessagePolicy::reply;
  const std::string wanted = reply ? shown(profile().bad_reply.json().dump()) : "the end of the connection";
  const Received got = member->client->read_message(deadline());
  if (got.kind == Received::Kind::timeout)
    throw Lost("a message that the target cannot take was not answered as the profile's bad_message says",
               wanted, "nothing within the limit");
  if (got.kind == Received::Kind::invalid)
    throw Failed("after a message that the target cannot take it broke RFC 6455", wanted, got.payload);
  if (reply) {
    if (got.kind != Received::Kind::text || !profile().bad_reply.matches(got.payload))
      throw Failed(
          "a message that the target cannot take was answered otherwise than the profile's bad_reply says",
          wanted, std::string(to_string(got.kind)) + " " + shown(got.payload));
    fence(member);
    return got;
  }
  if (got.kind == Received::Kind::text || got.kind == Received::Kind::binary)
    throw Failed("a message that the target cannot take was answered instead of closing", wanted,
                 shown(got.payload));
  member->gone = true;
  if (got.kind == Received::Kind::close && got.code != 1005)
    (void)member->client->send_close(got.code, "", deadline());
  member->client->close();
  return got;
}

// ---- sessions

std::string Context::ask_whoami(const As& as) {
  const auto member = std::make_shared<Member>();
  member->name = "w" + std::to_string(members_.size() + 1);
  member->gone = true;  // no room, nothing for the ledger
  members_.push_back(member);
  std::string path = profile().auth->whoami_path;
  if (const std::size_t at = path.find("{room}"); at != path.npos) path.replace(at, 6, fresh_room());
  member->client = open(path, as);
  const RawResponse response = member->client->handshake(with_profile({}, as), deadline());
  if (response.status != 101)
    throw Lost("the whoami route did not accept", "101",
               response.status == 0 ? "no HTTP answer" : "HTTP " + std::to_string(response.status));
  (void)member->client->send_text(profile().auth->whoami_send.dump(), deadline());
  const Received got = member->client->read_message(deadline());
  if (got.kind != Received::Kind::text)
    throw Lost("the whoami route did not answer", "a text", std::string(to_string(got.kind)));
  return got.payload;
}

// ---- echo

MemberPtr Context::connect_echo() {
  const auto member = std::make_shared<Member>();
  member->name = "e" + std::to_string(members_.size() + 1);
  members_.push_back(member);
  member->client = open(profile().echo->path, {});
  const RawResponse response = member->client->handshake(with_profile(), deadline());
  if (response.status == 101) return member;
  member->gone = true;
  throw Lost("the echo path was not accepted", "101", "HTTP " + std::to_string(response.status));
}

std::string Context::ask_echo(const MemberPtr& member, const std::string& payload) {
  const std::string text = fresh_text(payload);
  member->allowed.insert(text);
  const Result<void> sent = member->client->send_text(profile().echo->send.render(text), deadline());
  if (!sent.ok()) throw Failed("an echo client could not send", "an open connection", sent.error().message);
  return text;
}

// ---- the end of a case

void Context::sign_of_life() {
  const char* const kNone = "the target shows no sign of life afterwards: ";
  try {
    fence(join(fresh_room()));
  } catch (const Lost& e) {
    throw Lost(kNone + std::string(e.what()), e.expected, e.actual);
  } catch (const Failed& e) {
    throw Failed(kNone + std::string(e.what()), e.expected, e.actual);
  }
}

void Context::note(const std::string& text) {
  if (!members_.empty() && members_.back()->client) members_.back()->client->note(text);
}

void Context::close_all() {
  for (const MemberPtr& member : members_)
    if (member->client) member->client->close();
  for (const auto& client : others_) client->close();
}

}  // namespace roomcheck::conformance
