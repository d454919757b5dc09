#include "libs/testkit/broken_layer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "libs/event/names.h"

namespace roomcheck::testkit {
namespace {

using namespace channel_layer;

const std::vector<LayerFault> kFaults = {
    {"send-lost", "layer.send-receive", "SeedsConsoleCheckGivesTheSameMessage"},
    {"waiting-receiver-forgotten", "layer.send-receive", "ReceiveThatStartedFirstGetsTheMessage"},
    {"timeout-without-a-sentence", "layer.send-receive", "ReceiveEndsAtItsLimitWithASentence"},
    {"floats-rounded", "layer.types", "EveryTypeArrivesAsSent"},
    {"message-shared-and-changed", "layer.no-aliasing", "AReceiverCannotChangeWhatAnotherSees"},
    {"delivered-twice", "layer.group", "GroupReachesExactlyItsMembersOnce"},
    {"discard-ignored", "layer.group", "GroupReachesExactlyItsMembersOnce"},
    {"added-twice-gets-twice", "layer.group", "GroupReachesExactlyItsMembersOnce"},
    {"one-group-a-channel", "layer.group", "OneChannelMayBeInManyGroups"},
    {"empty-group-is-an-error", "layer.group", "GroupSendToNobodyIsNoError"},
    {"members-stale", "layer.group", "MembersAreTheCurrentOnes"},
    {"order-swapped", "layer.group", "MessagesOfOneSenderKeepTheirOrder"},
    {"same-name-again", "layer.process-local", "NewChannelsAreDistinctAndValid"},
    {"names-unchecked", "layer.names", "NamesOutsideTheRuleAreRefusedWithTheRule"},
    {"full-accepted", "layer.capacity-send", "SendToAFullChannelFailsAndLosesNothingAccepted"},
    {"drops-uncounted", "layer.capacity-group", "GroupSendDropsSilentlyForFullMembersOnlyAndCounts"},
    {"one-full-fails-all", "layer.capacity-group", "GroupSendDropsSilentlyForFullMembersOnlyAndCounts"},
    {"patterns-ignored", "layer.channel-capacity-patterns", "CapacityMayDependOnTheName"},
    {"messages-never-expire", "layer.expiry", "AMessageNobodyTakesExpires"},
    {"memberships-never-expire", "layer.expiry", "AMembershipNotRenewedExpiresAndALiveOneDoesNot"},
    {"live-memberships-expire", "layer.membership-renewed", "AMembershipNotRenewedExpiresAndALiveOneDoesNot"},
    {"flush-forgets-nothing", "layer.flush", "FlushForgetsMessagesAndMemberships"},
    {"delivers-after-unlisten", "layer.group", "NothingArrivesAfterUnlisten"},
    {"completes-before-it-returns", "layer.group", "GroupReachesExactlyItsMembersOnce"},
};

// The fault is looked up by name in each operation: a broken layer may be slow.
class BrokenLayer final : public ChannelLayer {
 public:
  BrokenLayer(std::unique_ptr<ChannelLayer> inner, std::string_view fault)
      : inner_(std::move(inner)), fault_(fault) {}

  std::string new_channel(std::string_view prefix) override {
    if (is("same-name-again") && !last_name_.empty()) return last_name_;
    return last_name_ = inner_->new_channel(prefix);
  }

  void send(const std::string& channel, Event message, Completion done) override {
    if (is("send-lost")) return inner_->group_add("nobody", "nobody", std::move(done));
    if (is("names-unchecked") && !event::check_channel_name(channel).ok())
      return inner_->group_add("nobody", "nobody", std::move(done));
    if (is("waiting-receiver-forgotten") && waited_.count(channel) != 0)
      return inner_->group_add("nobody", "nobody", std::move(done));
    if (is("floats-rounded"))
      for (auto& [key, value] : message.items())
        if (value.is_number_float()) value = static_cast<float>(value.get<double>());
    if (is("messages-never-expire")) kept_.emplace(channel, std::make_shared<const Event>(message));
    if (is("order-swapped") && !held_) {
      held_ = {channel, std::move(message)};
      return inner_->group_add("nobody", "nobody", std::move(done));
    }
    if (is("full-accepted") || is("patterns-ignored"))
      return inner_->send(channel, std::move(message), [done](Result<void> result) {
        if (done) done(!result.ok() && result.error().kind == Error::Kind::full ? Result<void>() : result);
      });
    inner_->send(channel, std::move(message), std::move(done));
    if (held_) {
      inner_->send(held_->first, std::move(held_->second), {});
      held_.reset();
    }
  }

  void receive(const std::string& channel, std::chrono::nanoseconds limit, ReceiveCompletion done) override {
    waited_.insert(channel);
    if (is("timeout-without-a-sentence"))
      return inner_->receive(channel, limit, [done](Result<Message> result) {
        done(result.ok() ? result : Result<Message>(Error{Error::Kind::timeout, "timeout"}));
      });
    if (const auto kept = kept_.find(channel); kept != kept_.end()) {
      const Message message = kept->second;
      return inner_->group_add("nobody", "nobody", [done, message](const Result<void>&) { done(message); });
    }
    inner_->receive(channel, limit, std::move(done));
  }

  void listen(const std::string& channel, Listener listener, Completion done) override {
    if (is("message-shared-and-changed"))
      return inner_->listen(channel, {[listener](const Message& message, bool more) {
                              listener.on_message(message, more);
                              Event& shared = const_cast<Event&>(*message);
                              if (shared.contains("text")) shared["text"] = "tampered";
                            }},
                            std::move(done));
    if (is("delivered-twice"))
      return inner_->listen(channel, {[listener](const Message& message, bool more) {
                              listener.on_message(message, true);
                              listener.on_message(message, more);
                            }},
                            std::move(done));
    inner_->listen(channel, std::move(listener), std::move(done));
  }

  void unlisten(const std::string& channel) override {
    if (!is("delivers-after-unlisten")) inner_->unlisten(channel);
  }

  void group_add(const std::string& group, const std::string& channel, Completion done) override {
    if (is("completes-before-it-returns")) {
      inner_->group_add(group, channel, {});
      return done ? done({}) : void();
    }
    if (is("one-group-a-channel") && groups_.count(channel) != 0) {
      inner_->group_discard(groups_[channel], channel, {});
    }
    groups_[channel] = group;
    if (is("added-twice-gets-twice") && !added_.insert(group + " " + channel).second) twice_.insert(channel);
    if (is("memberships-never-expire")) members_[group].insert(channel);
    if (is("members-stale")) members_[group].insert(channel);
    inner_->group_add(group, channel, std::move(done));
  }

  void group_discard(const std::string& group, const std::string& channel, Completion done) override {
    twice_.erase(channel);
    if (is("discard-ignored")) return inner_->group_discard(group, "nobody", std::move(done));
    inner_->group_discard(group, channel, std::move(done));
  }

  void group_send(const std::string& group, Event message, GroupSendCompletion done) override {
    for (const std::string& channel : twice_) inner_->send(channel, message, {});
    inner_->group_send(group, std::move(message), [this, done](Result<GroupSendReport> result) {
      if (result.ok() && is("empty-group-is-an-error") && result->members == 0)
        result = Error{Error::Kind::refused, "nobody is there"};
      if (result.ok() && is("one-full-fails-all") && result->dropped > 0)
        result = Error{Error::Kind::full, "channel full"};
      if (result.ok() && is("drops-uncounted")) result->dropped = 0;
      if (done) done(std::move(result));
    });
  }

  void group_channels(const std::string& group, ChannelsCompletion done) override {
    inner_->group_channels(group, [this, group, done](Result<std::vector<std::string>> result) {
      if (result.ok() && (is("memberships-never-expire") || is("members-stale")))
        result = std::vector<std::string>(members_[group].begin(), members_[group].end());
      if (result.ok() && is("live-memberships-expire")) result->clear();
      done(std::move(result));
    });
  }

  void flush(Completion done) override {
    if (is("flush-forgets-nothing")) return inner_->group_add("nobody", "nobody", std::move(done));
    inner_->flush(std::move(done));
  }
  void close(Completion done) override { inner_->close(std::move(done)); }
  LayerStats stats() const override { return inner_->stats(); }

 private:
  bool is(std::string_view fault) const { return fault_ == fault; }

  const std::unique_ptr<ChannelLayer> inner_;
  const std::string_view fault_;
  std::string last_name_;
  std::optional<std::pair<std::string, Event>> held_;
  std::set<std::string> waited_, added_, twice_;
  std::map<std::string, std::string> groups_;             // channel -> its last group
  std::map<std::string, std::set<std::string>> members_;  // ever
  std::map<std::string, Message> kept_;                   // the first of each channel
};

}  // namespace

const std::vector<LayerFault>& layer_faults() { return kFaults; }

std::unique_ptr<ChannelLayer> break_layer(std::unique_ptr<ChannelLayer> layer, std::string_view fault) {
  const auto found =
      std::find_if(kFaults.begin(), kFaults.end(), [&](const LayerFault& f) { return f.name == fault; });
  if (found == kFaults.end()) throw std::runtime_error("no layer fault " + std::string(fault));
  return std::make_unique<BrokenLayer>(std::move(layer), found->name);
}

}  // namespace roomcheck::testkit
