#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "conformance/case.h"
#include "libs/target/control.h"
#include "libs/target/profile.h"
#include "libs/websocket/raw_client.h"

namespace roomcheck::conformance {

using websocket::RawClient;
using websocket::RawHandshake;
using websocket::RawResponse;
using websocket::Received;

// The processes that --start began, one a node.
class StartedNodes {
 public:
  virtual ~StartedNodes() = default;
  virtual void kill(std::size_t node) = 0;  // SIGKILL; the runner starts it again after the case
  virtual std::uint64_t resident_bytes(std::size_t node) const = 0;  // of the process and its children
};

// What all cases of a run share.
struct Run {
  std::string id;  // in every text and room name: who reads the target's logs can tell the run
  std::vector<websocket::Url> targets;  // the nodes; one unless it is a cluster
  target::Profile profile;
  target::Control* control = nullptr;  // null: none
  StartedNodes* started = nullptr;     // null: the target was there before us
  websocket::ClientTls tls;
  std::chrono::nanoseconds limit = std::chrono::seconds(2);  // for something that must come
};

// Where and as whom a connection is made. The default: the first node, with the profile's headers and
// cookies.
struct As {
  std::size_t node = 0;               // which --target
  std::string cookie;                 // joins the profile's cookies: "sessionid=..."
  std::optional<std::string> origin;  // instead of the profile's; "" sends no Origin at all
};
inline As on_node(std::size_t node) { return {node, "", std::nullopt}; }
inline As with_cookie(const std::string& cookie) { return {0, cookie, std::nullopt}; }
inline As from_origin(const std::string& origin) { return {0, "", origin}; }

// A member of a room, as the case's author thinks of it.
struct Member {
  std::unique_ptr<RawClient> client;
  std::string room;
  std::string name;                     // in transcripts
  std::set<std::string> allowed;        // texts that it may receive
  std::map<std::string, int> arrivals;  // texts that it did receive, probes included
  std::set<std::string> optional;  // texts that may or may not come (sent while it was not surely a member)
  bool gone = false;               // it left, or the target ended it: nothing is expected any more
};
using MemberPtr = std::shared_ptr<Member>;

// The language that cases are written in: rooms, members, what they say and what arrives. Every wait ends at
// the run's limit; what does not come in time is Lost, what should not have come is Failed at once.
//
// Thread: one. Ownership: members stay open until the run's end (Ledger), so that a late arrival is still
// seen.
class Context {
 public:
  // `observing` (may be empty): see observing().
  Context(const Run& run, std::string case_id, int number, std::function<bool()> observing = nullptr);

  const Run& run() const { return run_; }
  const target::Profile& profile() const { return run_.profile; }
  Nanoseconds deadline() const { return steady_clock().now() + run_.limit; }

  // A room name that nobody else uses, within the profile's rule; `suffix` is appended.
  std::string fresh_room(const std::string& suffix = "");
  // A text that nobody else uses, with this payload behind its tag.
  std::string fresh_text(const std::string& payload = "");

  // ---- members
  MemberPtr join(const std::string& room, const std::string& path = "", const As& as = {});
  MemberPtr join(const std::string& room, const As& as) { return join(room, "", as); }
  // Joins and finds out the new connection's channel name (needs control).
  std::pair<MemberPtr, std::string> join_named(const std::string& room, const As& as = {});
  std::vector<MemberPtr> join_many(const std::string& room, std::size_t count);
  // A raw connection for a path, nothing sent yet. It stays open, and in the transcript, until the case's
  // connections are closed. Throws Lost when TCP does not open.
  std::shared_ptr<RawClient> connect(const std::string& path, const As& as = {});
  // The opening handshake alone, then the end of TCP. Headers of `handshake` replace the profile's of the
  // same name.
  RawResponse handshake(const std::string& path, const RawHandshake& handshake = {}, const As& as = {});
  // Refused = any answer but 101, or the end of TCP before one; never a hang.
  RawResponse expect_refused(const std::string& path, const RawHandshake& handshake = {}, const As& as = {});
  // The request that the profile (its headers, cookies, Origin) and `as` make of `handshake`.
  RawHandshake with_profile(const RawHandshake& handshake = {}, const As& as = {}) const;
  void leave(const MemberPtr& member);  // close handshake, then the end of TCP

  // ---- what members say and hear
  // The member says it; every present member of its room may now receive it.
  std::string say(const MemberPtr& member, const std::string& payload = "");
  void say_text(const MemberPtr& member, const std::string& text);
  void hears(const MemberPtr& member, const std::string& text);  // it is the next thing that arrives
  void all_hear(const std::vector<MemberPtr>& members, const std::string& text);
  void all_hear(const std::vector<MemberPtr>& members, const std::vector<std::string>& texts);
  // Whatever was due has come, and nothing else: the member's own message comes back next. Yields its text:
  // the others of its room hear it too.
  std::string fence(const MemberPtr& member);

  // `member` has just sent what the target cannot take: it is handled as the profile's bad_message says. With
  // `close` the connection ends, and how is returned; with `ignore` nothing comes and with `reply` the reply
  // does, after which it still talks.
  Received expect_policy(const MemberPtr& member);

  // A step that the case does not judge: the set-up, a positive control. What fails in it makes the case
  // could_not_test: `const MemberPtr other = c.given([&] { return c.join(room); });`
  template <class Step>
  auto given(Step&& step) {
    try {
      return step();
    } catch (const Failed& e) {
      throw CouldNotTest("the case could not be set up: " + std::string(e.what()) + " (expected " +
                         e.expected + ", got " + e.actual + ")");
    }
  }

  // ---- sessions (capability `auth`)
  std::string ask_whoami(const As& as);  // what the whoami route answers to the profile's question

  // ---- waiting (How::observes)
  // True while other cases run, and at least for --observe: `while (c.observing())
  // client->read_frame(c.soon());`
  bool observing() const { return observing_ && observing_(); }
  Nanoseconds soon() const { return steady_clock().now() + std::chrono::milliseconds(20); }
  Nanoseconds age() const { return steady_clock().now() - started_; }  // since the case began

  // ---- echo
  MemberPtr connect_echo();
  std::string ask_echo(const MemberPtr& member, const std::string& payload = "");

  // ---- from outside (needs control)
  std::string push(const std::string& room, const std::string& payload = "");
  void push_event(const std::string& room, const event::Event& event);
  bool knows_members() const;  // whether members_of() can be asked
  std::vector<std::string> members_of(const std::string& room);
  void wait_for_members(const std::string& room, std::size_t count);  // Failed when it does not come to that
  std::string direct(const std::string& channel, const MemberPtr& to, const std::string& payload = "");
  void allow(const std::string& room, const std::string& text);

  // A new connection joins a room and hears itself: the target lives.
  void sign_of_life();
  void note(const std::string& text);
  // What a passing case has found out beside its verdict (a limit of the target): shown with it.
  void report(const std::string& text) { reported_ = text; }
  const std::string& reported() const { return reported_; }

  // All connections side by side, relative times; the last `most` lines.
  static constexpr std::size_t kWhole = static_cast<std::size_t>(-1);
  std::vector<std::string> transcript(std::size_t most = 200) const;
  const std::vector<MemberPtr>& members() const { return members_; }
  void close_all();  // every connection; the transcript stays

  // One message of the member, or what came instead; updates its arrivals.
  Received next(const MemberPtr& member, Nanoseconds until);
  // The text of a room message, else the wire bytes with a mark that they are no room message.
  std::string text_of(const MemberPtr& member, const std::string& wire) const;

 private:
  std::unique_ptr<RawClient> open(const std::string& path, const As& as);
  void drain_greeting(const MemberPtr& member);
  [[noreturn]] void unexpected(const MemberPtr& member, const std::string& got, const std::string& wanted);
  // `by` came where `wanted` should have: a wrong order (Failed) if `wanted` comes within the limit, else
  // Lost.
  [[noreturn]] void overtaken(const MemberPtr& member, const std::string& by, const std::string& wanted);

  const Run run_;  // a copy: the limit is that of the case's start
  const std::string case_id_;
  const std::string tag_;
  int rooms_ = 0;
  int texts_ = 0;
  std::string reported_;
  std::vector<MemberPtr> members_;
  std::vector<std::shared_ptr<RawClient>> others_;  // raw connections, for the transcript
  const std::function<bool()> observing_;
  Nanoseconds started_;
};

// Shortens what people read in a failure.
std::string shown(const std::string& text);

}  // namespace roomcheck::conformance
