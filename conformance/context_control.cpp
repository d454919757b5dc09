// What a case does from outside the rooms: pushes, direct sends, and who is a member.
#include <thread>

#include "conformance/context.h"

namespace roomcheck::conformance {
namespace {

void must(const Result<void>& result) {
  if (result.ok()) return;
  if (result.error().kind == Error::Kind::bad_input)
    throw Failed("the target refused a valid push or direct send", "accepted", result.error().message);
  throw HarnessError(result.error().message);
}

}  // namespace

std::string Context::push(const std::string& room, const std::string& payload) {
  const std::string text = fresh_text(payload);
  allow(room, text);
  note("push to " + room + ": " + shown(text));
  must(run_.control->group_send(profile().group_of(room), profile().push->event.render_json(text)));
  return text;
}

void Context::push_event(const std::string& room, const event::Event& event) {
  note("push to " + room + ": " + shown(event.dump()));
  must(run_.control->group_send(profile().group_of(room), event));
}

bool Context::knows_members() const { return run_.control != nullptr && run_.control->knows_members(); }

std::vector<std::string> Context::members_of(const std::string& room) {
  Result<std::vector<std::string>> out = run_.control->members(profile().group_of(room));
  if (!out.ok()) throw HarnessError(out.error().message);
  return std::move(out).value();
}

void Context::wait_for_members(const std::string& room, std::size_t count) {
  const Nanoseconds end = deadline();
  std::size_t got = 0;
  while ((got = members_of(room).size()) != count) {
    if (steady_clock().now() >= end)
      throw Failed("room " + room + " has the wrong members", std::to_string(count) + " members",
                   std::to_string(got) + " members");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // asking keeps the target busy
  }
}

std::string Context::direct(const std::string& channel, const MemberPtr& to, const std::string& payload) {
  const std::string text = fresh_text(payload);
  if (to) to->allowed.insert(text);
  note("direct send to " + channel + ": " + shown(text));
  must(run_.control->channel_send(channel, profile().direct->event.render_json(text)));
  return text;
}

}  // namespace roomcheck::conformance
