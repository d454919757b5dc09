// Mutants of the channel layer: who is in a group, and whom a message reaches.
#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <mutex>
#include <set>

#include "libs/event/names.h"
#include "reference_server/mutants/mutation.h"

namespace roomcheck::reference_server {
namespace {

using namespace channel_layer;

// What the mutant layers of one node know together.
struct Shared {
  std::mutex mu;
  std::map<std::string, std::set<std::string>> groups;
  std::map<std::string, Event> last_of_group;  // history
  std::map<std::string, int> quiet;            // history: messages since anybody joined or left
  std::map<std::string, int> left;             // late-join: how many left a group
  std::vector<std::string> opened;             // push-everywhere: groups in the order of their first member
  std::map<std::string, int> sent;             // *-swapped: by address
  std::map<std::string, Event> kept_pushes;    // push-kept
  std::map<std::string, Event> held;           // *-swapped, by address
  std::set<std::string> gone;                  // channels that were listened to
  std::optional<Event> orphan;                 // direct-falls-back
  std::map<std::string, int> interleaved;      // push-lost-in-talk: pushes behind a member's message
  std::set<std::string> talked;                // push-lost-in-talk: groups whose last event was one
};

bool is_push(const Event& event) { return event.value("type", "") == "chat_push_message"; }

// What a member said, and not a push of the same event type.
bool is_talk(const Event& event) {
  return event.value("type", "") == "chat_message" && event.contains("message") &&
         event["message"].is_string() && event["message"].get<std::string>().find("预警信息1：") == 0;
}

const std::string kPadding = "." + std::string(99, 'p');  // long-channel-names

std::string without_padding(const std::string& channel) {
  const std::size_t at = channel.rfind(kPadding);
  return at == channel.npos ? channel : channel.substr(0, at);
}

class MutantLayer final : public ChannelLayer {
 public:
  MutantLayer(std::unique_ptr<ChannelLayer> inner, const Mutation& mutation, std::shared_ptr<Shared> shared,
              boost::asio::io_context& io)
      : inner_(std::move(inner)), mutation_(mutation), shared_(std::move(shared)), io_(io) {}

  std::string new_channel(std::string_view prefix) override { return inner_->new_channel(prefix); }

  void send(const std::string& name, Event message, Completion done) override {
    const std::string channel = mutation_.has("long-channel-names") ? without_padding(name) : name;
    if (mutation_.has("invalid-channel-accepted") && !event::check_channel_name(channel).ok())
      return inner_->send("nobody", std::move(message), std::move(done));
    const std::lock_guard lock(shared_->mu);
    const std::string group = group_of(channel);
    if (mutation_.has("direct-stays-here") && group.empty())
      return inner_->send("nobody", std::move(message), std::move(done));
    if (mutation_.has("direct-to-group") && !group.empty())
      return inner_->group_send(group, std::move(message),
                                [done](const Result<GroupSendReport>&) { done({}); });
    if (mutation_.has("direct-to-another") && !group.empty())
      for (const std::string& other : shared_->groups[group])
        if (other != channel) return inner_->send(other, std::move(message), std::move(done));
    if (mutation_.has("direct-falls-back") && shared_->gone.count(channel) != 0) shared_->orphan = message;
    if (mutation_.has("direct-swapped"))
      swap(channel, message, [&](Event later) { inner_->send(channel, std::move(later), {}); });
    inner_->send(channel, std::move(message), std::move(done));
  }

  void receive(const std::string& channel, std::chrono::nanoseconds limit, ReceiveCompletion done) override {
    inner_->receive(channel, limit, std::move(done));
  }

  void listen(const std::string& channel, Listener listener, Completion done) override {
    inner_->listen(channel, std::move(listener), std::move(done));
  }

  void unlisten(const std::string& channel) override {
    {
      const std::lock_guard lock(shared_->mu);
      shared_->gone.insert(channel);
    }
    inner_->unlisten(channel);
  }

  void group_add(const std::string& group, const std::string& channel, Completion done) override {
    const std::lock_guard lock(shared_->mu);
    shared_->groups[group].insert(channel);
    if (std::find(shared_->opened.begin(), shared_->opened.end(), group) == shared_->opened.end())
      shared_->opened.push_back(group);
    const int quiet = std::exchange(shared_->quiet[group], 0);
    if (mutation_.has("late-join") && shared_->left[group] >= 10) {
      const auto timer = std::make_shared<boost::asio::steady_timer>(io_, std::chrono::milliseconds(30));
      timer->async_wait([this, timer, group, channel](const boost::system::error_code& code) {
        if (code) return;
        const std::lock_guard inner_lock(shared_->mu);
        if (shared_->groups[group].count(channel) != 0) inner_->group_add(group, channel, {});
      });
      return inner_->group_add(group, "late-joiners", std::move(done));  // only to complete
    }
    inner_->group_add(group, channel, std::move(done));
    if (mutation_.has("history") && quiet >= 5) inner_->send(channel, shared_->last_of_group[group], {});
    if (const auto kept = shared_->kept_pushes.find(group); kept != shared_->kept_pushes.end()) {
      inner_->send(channel, kept->second, {});
      shared_->kept_pushes.erase(kept);
    }
    if (shared_->orphan) inner_->send(channel, *std::exchange(shared_->orphan, std::nullopt), {});
  }

  void group_discard(const std::string& group, const std::string& channel, Completion done) override {
    const std::lock_guard lock(shared_->mu);
    auto& members = shared_->groups[group];
    members.erase(channel);
    shared_->quiet[group] = 0;
    ++shared_->left[group];
    if (members.empty()) shared_->groups.erase(group);
    inner_->group_discard(group, channel, std::move(done));
  }

  void group_send(const std::string& group, Event message, GroupSendCompletion done) override {
    const std::lock_guard lock(shared_->mu);
    if (mutation_.has("invalid-group-accepted") && !event::check_group_name(group).ok())
      return inner_->group_send("nobody", std::move(message), std::move(done));
    const bool push = is_push(message);
    if (mutation_.has(push ? "push-stays-here" : "talk-stays-here")) {
      for (const std::string& member : shared_->groups[group]) inner_->send(member, message, {});
      return inner_->group_send("nobody", std::move(message), std::move(done));
    }
    if (mutation_.has("push-lost-in-talk")) {
      const bool behind = shared_->talked.erase(group) != 0;
      if (is_talk(message)) shared_->talked.insert(group);
      if (push && behind && ++shared_->interleaved[group] == 5)
        return inner_->group_send("nobody", std::move(message), std::move(done));
    }
    if (mutation_.has("push-never-chat") && message.value("type", "") == "chat_message" && !is_talk(message))
      message["type"] = "chat_push_message";
    if (mutation_.has("dots-unknown") && message.value("type", "").find('.') != std::string::npos)
      message["type"] = "dots_unknown";
    if (mutation_.has("history") && !push) {
      shared_->last_of_group[group] = message;
      ++shared_->quiet[group];
    }
    if (mutation_.has("push-ignored") && push && shared_->groups[group].size() > 2)
      return inner_->group_send("nobody", std::move(message), std::move(done));
    if (mutation_.has("push-kept") && push && shared_->groups.count(group) == 0)
      shared_->kept_pushes[group] = message;
    if (mutation_.has("push-everywhere") && push) {
      auto next = std::find(shared_->opened.begin(), shared_->opened.end(), group);
      if (next != shared_->opened.end() && ++next != shared_->opened.end())
        inner_->group_send(*next, message, {});
    }
    if (mutation_.has("push-swapped") && push)
      swap(group, message, [&](Event later) { inner_->group_send(group, std::move(later), {}); });
    inner_->group_send(group, std::move(message), std::move(done));
  }

  void group_channels(const std::string& group, ChannelsCompletion done) override {
    if (!mutation_.has("long-channel-names")) return inner_->group_channels(group, std::move(done));
    inner_->group_channels(group, [done = std::move(done)](Result<std::vector<std::string>> channels) {
      if (channels.ok())
        for (std::string& channel : *channels) channel += kPadding;
      done(std::move(channels));
    });
  }
  void flush(Completion done) override { inner_->flush(std::move(done)); }
  void close(Completion done) override { inner_->close(std::move(done)); }
  LayerStats stats() const override { return inner_->stats(); }

 private:
  // Guarded by shared_->mu:
  std::string group_of(const std::string& channel) const {
    for (const auto& [group, members] : shared_->groups)
      if (members.count(channel) != 0) return group;
    return {};
  }

  // Holds back the fifteenth message to an address until the sixteenth has gone.
  template <class Send>
  void swap(const std::string& address, Event& message, Send send) {
    const int n = ++shared_->sent[address];
    if (n == 15) shared_->held[address] = std::exchange(message, Event{{"type", "held_back"}});
    if (n == 16) send(std::exchange(message, std::move(shared_->held[address])));
  }

  const std::unique_ptr<ChannelLayer> inner_;
  const Mutation& mutation_;
  const std::shared_ptr<Shared> shared_;
  boost::asio::io_context& io_;
};

}  // namespace

std::unique_ptr<ChannelLayer> Mutation::wrap(std::unique_ptr<ChannelLayer> layer,
                                             boost::asio::io_context& io) const {
  static const auto shared = std::make_shared<Shared>();  // one node a process
  return std::make_unique<MutantLayer>(std::move(layer), *this, shared, io);
}

}  // namespace roomcheck::reference_server
