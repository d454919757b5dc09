#include "libs/channel_layer/subscriber.h"

#include <algorithm>
#include <utility>

namespace roomcheck::channel_layer {

using std::chrono::steady_clock;

Subscriber::Subscriber(boost::asio::io_context& io, const RedisUrl& url, const RedisOptions& options,
                       std::string own_topic, OnMessage on_message, std::function<void()> lost)
    : own_topic_(std::move(own_topic)),
      on_message_(std::move(on_message)),
      lost_(std::move(lost)),
      timeout_(options.operation_timeout),
      connection_(io, url, options.connect_timeout, options.operation_timeout,
                  {[this] { on_ready(); }, [this] { on_lost(); },
                   [this](const redisReply& push) { on_pushed(push); }}),
      check_timer_(io) {
  topics_[own_topic_].wanted = true;
}

void Subscriber::on_ready() {
  echo_is_due_ = false;
  for (auto& [name, topic] : topics_)
    if (topic.wanted) ask(name, topic);
}

void Subscriber::on_lost() {
  for (auto it = topics_.begin(); it != topics_.end();) {
    it->second.state = State::none;
    it = it->second.wanted ? std::next(it) : topics_.erase(it);
  }
  lost_();
}

void Subscriber::ask(const std::string& name, Topic& topic) {
  topic.state = State::asked;
  connection_.subscribe(name);
}

void Subscriber::subscribe(const std::string& name, Completion done) {
  Topic& topic = topics_[name];
  topic.wanted = true;
  if (topic.state == State::subscribed) return done({});
  topic.waiting.push_back({steady_clock::now() + timeout_, std::move(done)});
  if (topic.state == State::none && connection_.ready()) ask(name, topic);
  plan_check();
}

void Subscriber::unsubscribe(const std::string& name) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  Topic& topic = found->second;
  topic.wanted = false;
  answer(std::exchange(topic.waiting, {}),
         Error{Error::Kind::closed, "the subscription of " + name + " was given up"});
  if (topic.state == State::none) {
    topics_.erase(name);
  } else if (topic.state == State::subscribed) {
    topic.state = State::leaving;
    connection_.unsubscribe(name);
  }
}

bool Subscriber::is_pending(const std::string& name) const {
  const auto found = topics_.find(name);
  return found != topics_.end() && found->second.wanted && found->second.state != State::subscribed;
}

void Subscriber::answer(std::list<Waiting> waiting, const Result<void>& result) {
  for (Waiting& one : waiting) one.done(result);
}

void Subscriber::on_pushed(const redisReply& push) {
  if (push.type != REDIS_REPLY_ARRAY || push.elements < 3 || push.element[1]->str == nullptr) return;
  const std::string_view kind(push.element[0]->str, push.element[0]->len);
  const std::string name(push.element[1]->str, push.element[1]->len);
  echo_is_due_ = false;
  if (kind == "message") {
    if (name != own_topic_) on_message_(name, {push.element[2]->str, push.element[2]->len});
    return;
  }
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  Topic& topic = found->second;
  if (kind == "subscribe") {
    topic.state = State::subscribed;
    if (topic.wanted) return answer(std::exchange(topic.waiting, {}), {});
    topic.state = State::leaving;
    connection_.unsubscribe(name);
  } else if (topic.wanted) {  // gone and wanted again
    ask(name, topic);
  } else {
    topics_.erase(found);
  }
}

void Subscriber::tick(RedisConnection& commands) {
  if (!connection_.ready()) return;
  if (echo_is_due_) return connection_.reconnect("the subscriptions are silent");
  commands.command({"PUBLISH", own_topic_, ""},
                   [this, alive = std::weak_ptr<bool>(alive_)](const Result<const redisReply*>& reply) {
                     // Nobody heard it, says Redis: then this connection is dead.
                     if (!alive.expired() && reply.ok() && (*reply)->integer == 0)
                       connection_.reconnect("the subscriptions are gone");
                   });
  echo_is_due_ = commands.ready();
}

void Subscriber::fail_what_is_late() {
  const auto now = steady_clock::now();
  std::list<Waiting> late;
  for (auto& [name, topic] : topics_)
    while (!topic.waiting.empty() && topic.waiting.front().deadline <= now) {
      late.push_back(std::move(topic.waiting.front()));
      topic.waiting.pop_front();
    }
  answer(std::move(late), Error{Error::Kind::timeout,
                                connection_.url().name() + ": the subscription was not confirmed in time"});
}

void Subscriber::plan_check() {
  if (check_planned_) return;
  check_planned_ = true;
  check_timer_.expires_after(timeout_ / 8);
  check_timer_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](const boost::system::error_code& code) {
    if (code || alive.expired()) return;
    check_planned_ = false;
    fail_what_is_late();
    if (alive.expired()) return;
    const bool more = std::any_of(topics_.begin(), topics_.end(),
                                  [](const auto& entry) { return !entry.second.waiting.empty(); });
    if (more) plan_check();
  });
}

}  // namespace roomcheck::channel_layer
