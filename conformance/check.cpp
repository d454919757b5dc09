#include "conformance/check.h"

#include <algorithm>

#include "libs/base/regex.h"
#include "libs/base/result.h"

namespace roomcheck::conformance {
namespace {

using target::BadMessagePolicy;
using target::Template;

std::string http(const RawResponse& response) {
  if (response.timed_out) return "no answer within the limit";
  return response.status == 0 ? "the end of TCP instead of an HTTP answer"
                              : "HTTP " + std::to_string(response.status);
}

std::string seen(const Received& got) {
  switch (got.kind) {
    case Received::Kind::text:
      return shown(got.payload);
    case Received::Kind::binary:
      return "a binary message of " + std::to_string(got.payload.size()) + " bytes";
    case Received::Kind::close:
      return "a close frame " + std::to_string(got.code);
    case Received::Kind::timeout:
      return "nothing within the limit";
    default:
      return std::string(to_string(got.kind));
  }
}

std::string pattern(const Template& t) { return t.json().dump(); }

class Check {
 public:
  explicit Check(const Run& run) : run_(run), c_(run, "check", 0) {}

  std::vector<Finding> all() {
    for (std::size_t node = 0; node < run_.targets.size(); ++node) connects(node);
    if (!room()) return std::move(findings_);  // nothing else can be told apart
    barrier();
    names();
    echo();
    outside();
    bad_message();
    auth();
    origin();
    return std::move(findings_);
  }

 private:
  const target::Profile& profile() const { return run_.profile; }
  void right(const std::string& field, const std::string& text) {
    findings_.push_back({Finding::Kind::right, field, text});
  }
  void wrong(const std::string& field, const std::string& text) {
    findings_.push_back({Finding::Kind::wrong, field, text});
  }
  void not_tried(const std::string& field, const std::string& text) {
    findings_.push_back({Finding::Kind::not_tried, field, text});
  }

  void connects(std::size_t node) {
    try {
      (void)c_.connect("/", on_node(node));
    } catch (const Lost& e) {
      throw StartFailure("--target " + run_.targets[node].to_string() + ": " + e.what() + "; is it started?");
    }
  }

  // A connection on which only the handshake was done; null when it was refused.
  std::shared_ptr<RawClient> open(const std::string& path, RawResponse& response, const As& as = {}) {
    const auto client = c_.connect(path, as);
    response = client->handshake(c_.with_profile({}, as), c_.deadline());
    return response.status == 101 ? client : nullptr;
  }

  // Reads until the template matches `text`; otherwise what came last.
  bool comes(RawClient& client, const Template& t, const std::string& text, Received& got) {
    std::string other;
    for (;;) {
      got = client.read_message(c_.deadline());
      if (got.kind != Received::Kind::text) break;
      if (t.match(got.payload) == text) return true;
      if (other.empty()) other = got.payload;
    }
    if (!other.empty()) got = {Received::Kind::text, other, 0, 1, got.at};
    return false;
  }

  bool room() {
    const std::string path = profile().room_path(c_.fresh_room());
    RawResponse response;
    const auto client = open(path, response);
    if (client == nullptr) {
      std::string why = "the handshake for " + path + " was answered with " + http(response) + ", not 101";
      if (response.status == 403 || response.status == 401)
        why += " (does it want an Origin, a cookie or another header? see \"headers\" and \"cookies\")";
      wrong("room.path", why);
      return false;
    }
    right("room.path", "101 for " + path);
    if (!response.accept_ok) wrong("room.path", "the 101 has the wrong Sec-WebSocket-Accept");
    return greeting(*client) && talk(*client);
  }

  bool greeting(RawClient& client) {
    if (profile().greeting.empty()) return true;
    const Received first = client.read_message(c_.deadline());
    const bool good =
        first.kind == Received::Kind::text && Regex(profile().greeting).in_beginning_of(first.payload);
    if (good)
      right("greeting", seen(first));
    else
      wrong("greeting", "the profile says " + profile().greeting + ", and on joining came " + seen(first));
    return good;
  }

  // A member hears itself, or another does.
  bool talk(RawClient& client) {
    const std::string text = c_.fresh_text(), wire = profile().room.send.render(text);
    (void)client.send_text(wire, c_.deadline());
    const Received got = client.read_message(c_.deadline());
    if (got.kind == Received::Kind::text && profile().room.receive.match(got.payload) == text) {
      right("room.send", shown(wire));
      right("room.receive", shown(got.payload));
      return true;
    }
    const std::string said = "a member sent " + shown(wire) + "; ";
    if (got.kind != Received::Kind::text && got.kind != Received::Kind::timeout) {
      wrong("room.send", said + "then came " + seen(got) + ": is this what the target takes?");
    } else if (got.kind == Received::Kind::text) {
      Received later;
      if (comes(client, profile().room.receive, text, later))
        wrong("greeting", "the profile has none, and on joining came " + shown(got.payload));
      else
        wrong("room.receive",
              said + "expected " + pattern(profile().room.receive) + ", and came " + shown(got.payload));
    } else {
      nobody_answers(said);
    }
    return false;
  }

  void nobody_answers(const std::string& said) {
    const std::string room = c_.fresh_room(), text = c_.fresh_text();
    RawResponse response;
    const auto speaker = open(profile().room_path(room), response),
               listener = open(profile().room_path(room), response);
    Received got;
    if (speaker && listener && speaker->send_text(profile().room.send.render(text), c_.deadline()).ok() &&
        comes(*listener, profile().room.receive, text, got))
      wrong("room.receive",
            said +
                "another member got it, and the sender did not: the contract says that it must "
                "(broadcast.includes-sender), and the suite needs it");
    else
      wrong("room.send",
            said +
                "nothing came, neither to the sender nor to another member: is this what the target "
                "takes?");
  }

  void barrier() {
    if (profile().join_barrier == target::JoinBarrier::self_echo)
      return right("join_barrier", "self_echo: every join waits until it hears itself");
    for (int i = 0; i < 10; ++i) {
      RawResponse response;
      const auto client = open(profile().room_path(c_.fresh_room()), response);
      const std::string text = c_.fresh_text();
      Received got;
      if (client == nullptr || !client->send_text(profile().room.send.render(text), c_.deadline()).ok())
        continue;
      if (!comes(*client, profile().room.receive, text, got))
        return wrong("join_barrier",
                     "a message sent right after the 101 was lost: the target takes members later than at "
                     "101, so say \"self_echo\" (groups.join-before-accept will still fail)");
    }
    right("join_barrier", "at_101: ten messages sent right after the 101 came back");
  }

  void names() {
    std::string longest = c_.fresh_room();
    if (longest.size() > profile().room.name_max)
      return wrong("room.name_max",
                   "must be at least " + std::to_string(longest.size()) + ", for the suite's own rooms");
    longest.resize(profile().room.name_max, 'x');
    if (!Regex(profile().room.name_pattern).matches(longest))
      return wrong("room.name_pattern", "does not allow a name of name_max = " +
                                            std::to_string(profile().room.name_max) + " letters and digits");
    RawResponse response;
    if (open(profile().room_path(longest), response) != nullptr)
      right("room.name_max", "a name of " + std::to_string(longest.size()) + " characters is accepted");
    else
      wrong("room.name_max", "a name of " + std::to_string(longest.size()) +
                                 " characters was answered with " + http(response));
  }

  void echo() {
    if (!profile().has("echo")) return;
    RawResponse response;
    const auto client = open(profile().echo->path, response);
    if (client == nullptr)
      return wrong("echo.path", "the handshake for " + profile().echo->path + " was answered with " +
                                    http(response) + ", not 101");
    const std::string text = c_.fresh_text(), wire = profile().echo->send.render(text);
    (void)client->send_text(wire, c_.deadline());
    Received got;
    if (comes(*client, profile().echo->receive, text, got))
      right("echo", shown(wire) + " is answered " + shown(got.payload));
    else
      wrong("echo.receive", shown(wire) + " was to be answered " + pattern(profile().echo->receive) +
                                ", and came " + seen(got));
  }

  void outside() {
    const auto member_gets = [&](const char* field, const target::Profile::External& external, bool direct) {
      try {
        const std::string room = c_.fresh_room(), text = c_.fresh_text(), group = profile().group_of(room);
        MemberPtr member;
        std::string to = group;
        if (direct)
          std::tie(member, to) = c_.join_named(room);
        else
          member = c_.join(room);
        const event::Event event = external.event.render_json(text);
        const Result<void> sent =
            direct ? run_.control->channel_send(to, event) : run_.control->group_send(to, event);
        Received got;
        if (!sent.ok())
          wrong(field,
                "the control refused " + shown(event.dump()) + " to " + to + ": " + sent.error().message);
        else if (comes(*member->client, external.receive, text, got))
          right(field, shown(event.dump()) + " to " + to + " arrives as " + shown(got.payload));
        else
          wrong(field, shown(event.dump()) + " to " + to + " was to arrive as " + pattern(external.receive) +
                           ", and came " + seen(got) + unknown_group(room, got));
      } catch (const std::runtime_error& e) {
        wrong(field, e.what());
      }
    };
    const auto try_one = [&](const char* field, bool wanted,
                             const std::optional<target::Profile::External>& external, bool direct) {
      if (!wanted || !external) return;
      if (run_.control == nullptr)
        not_tried(field, "no control given (--control)");
      else
        member_gets(field, *external, direct);
    };
    try_one("push", profile().has("push"), profile().push, false);
    try_one("push_as_message", profile().has("push"), profile().push_as_message, false);
    try_one("direct", profile().has("direct"), profile().direct, true);
  }

  std::string unknown_group(const std::string& room, const Received& got) {
    if (got.kind != Received::Kind::timeout || !c_.knows_members()) return "";
    const MemberPtr member = c_.join(room);
    if (!c_.members_of(room).empty()) return "";
    return "; the control knows no member of group " + profile().group_of(room) +
           ", though there is one: is \"group\" right?";
  }

  void bad_message() {
    const MemberPtr member = c_.join(c_.fresh_room());
    (void)member->client->send_text("{not JSON", c_.deadline());
    const std::string fence = c_.fresh_text();
    if (profile().bad_message == BadMessagePolicy::ignore)
      (void)member->client->send_text(profile().room.send.render(fence), c_.deadline());
    const Received got = member->client->read_message(c_.deadline());
    const bool closed = got.kind == Received::Kind::close || got.kind == Received::Kind::end ||
                        got.kind == Received::Kind::reset;
    const bool ignored =
        got.kind == Received::Kind::text && profile().room.receive.match(got.payload) == fence;
    switch (profile().bad_message) {
      case BadMessagePolicy::close:
        if (closed)
          return right("bad_message", "close: a message that is no JSON was answered with " + seen(got));
        break;
      case BadMessagePolicy::ignore:
        if (ignored) return right("bad_message", "ignore: a message that is no JSON was passed over");
        break;
      case BadMessagePolicy::reply:
        if (got.kind == Received::Kind::text && profile().bad_reply.matches(got.payload))
          return right("bad_message", "reply: " + shown(got.payload));
        if (got.kind == Received::Kind::text)
          return wrong("bad_reply",
                       "expected " + profile().bad_reply.json().dump() + ", and came " + shown(got.payload));
        break;
    }
    wrong("bad_message",
          "a message that is no JSON was answered with " + seen(got) + ": this is " +
              (closed                                ? "\"close\""
               : got.kind == Received::Kind::timeout ? "\"ignore\""
                                                     : "\"reply\", with this as \"bad_reply\""));
  }

  void auth() {
    if (!profile().has("auth")) return;
    const target::Profile::Auth& auth = *profile().auth;
    try {
      const std::string user = c_.ask_whoami(with_cookie(auth.session.value)), nobody = c_.ask_whoami({});
      if (!auth.answers_user(user))
        wrong("auth.user", "with the session the whoami route answered " + shown(user) +
                               ", which is not user " + auth.user.value);
      else if (!auth.answers_anonymous(nobody))
        wrong("auth.anonymous", "without a cookie the whoami route answered " + shown(nobody));
      else
        right("auth", "with the session " + shown(user) + ", without " + shown(nobody));
    } catch (const Failed& e) {
      return wrong("auth.whoami", std::string(e.what()) + ": " + e.actual);
    }
    if (auth.private_path.empty()) return;
    RawResponse response;
    if (open(auth.private_room_path(c_.fresh_room()), response, with_cookie(auth.session.value)) == nullptr)
      wrong("auth.private_path", "with the session it was answered with " + http(response) + ", not 101");
    else
      right("auth.private_path", "101 with the session");
  }

  void origin() {
    if (!profile().has("origin")) return;
    const std::string path = profile().room_path(c_.fresh_room());
    RawResponse response;
    const auto is = [&](const std::string& field, const std::string& origin, bool accepted) {
      const bool got = open(path, response, from_origin(origin)) != nullptr;
      const std::string text =
          (origin.empty() ? "no Origin" : origin) + " was answered with " + http(response);
      got == accepted ? right(field, text) : wrong(field, text);
    };
    for (const std::string& origin : profile().origin->accepted) is("origin.accepted", origin, true);
    for (const std::string& origin : profile().origin->refused) is("origin.refused", origin, false);
    is("origin.missing", "", !profile().origin->missing_refused);
  }

  const Run& run_;
  Context c_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check_profile(const Run& run) { return Check(run).all(); }

bool all_right(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& f) { return f.kind == Finding::Kind::wrong; });
}

std::string describe(const std::vector<Finding>& findings, bool colour) {
  std::string out;
  for (const Finding& f : findings) {
    const char* word = f.kind == Finding::Kind::right   ? "right    "
                       : f.kind == Finding::Kind::wrong ? "WRONG    "
                                                        : "not tried";
    const char* code = f.kind == Finding::Kind::right ? "32" : f.kind == Finding::Kind::wrong ? "31" : "33";
    std::string field = f.field;
    field.resize(std::max<std::size_t>(field.size(), 17), ' ');
    out += (colour ? "\x1b[" + std::string(code) + "m" + word + "\x1b[0m" : word) + "  " + field + "  " +
           f.text + "\n";
  }
  return out + (all_right(findings) ? "The profile says what the target does.\n"
                                    : "The profile and the target do not agree.\n");
}

}  // namespace roomcheck::conformance
