#include "libs/channel_layer/redis_connection.h"

#include <hiredis/async.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "libs/channel_layer/hiredis_adapter.h"

namespace roomcheck::channel_layer {
namespace {

using std::chrono::steady_clock;

RedisConnection& of(const redisAsyncContext* context) {
  return *static_cast<RedisConnection*>(context->data);
}

std::string text(const char* words) { return words != nullptr ? words : ""; }

}  // namespace

Command& Command::add(std::string_view word) {
  ++words_;
  body_.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
  return *this;
}

std::string Command::wire() const { return "*" + std::to_string(words_) + "\r\n" + body_; }

RedisConnection::RedisConnection(boost::asio::io_context& io, const RedisUrl& url,
                                 Nanoseconds connect_timeout, Nanoseconds command_timeout, Events events)
    : io_(io),
      url_(url),
      connect_timeout_(connect_timeout),
      command_timeout_(command_timeout),
      events_(std::move(events)),
      resolver_(io),
      retry_timer_(io),
      check_timer_(io),
      backoff_(std::random_device{}()),
      last_failure_(url.name() + ": not connected yet") {}

RedisConnection::~RedisConnection() { release(); }

void RedisConnection::start() {
  if (state_ == State::idle) connect();
}

Error RedisConnection::error(Error::Kind kind, const std::string& why) const {
  return {kind, url_.name() + ": " + why};
}

void RedisConnection::connect() {
  state_ = State::connecting;
  connect_deadline_ = steady_clock::now() + connect_timeout_;
  plan_check();
  if (!url_.socket_path.empty()) return open(url_.socket_path);
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(url_.host, not_an_address);
  if (!not_an_address) return open(url_.host);
  if (!addresses_.empty()) {
    const std::string next = std::exchange(addresses_.front(), {});
    addresses_.pop_front();
    return open(next);
  }
  // hiredis would resolve the name synchronously and hold up the loop.
  resolver_.async_resolve(
      url_.host, std::to_string(url_.port),
      [this, alive = std::weak_ptr<bool>(alive_)](const boost::system::error_code& code, const auto& found) {
        if (alive.expired() || state_ != State::connecting) return;
        if (code) return drop(error(Error::Kind::refused, "no address: " + code.message()));
        for (const auto& entry : found) addresses_.push_back(entry.endpoint().address().to_string());
        connect();
      });
}

void RedisConnection::open(const std::string& address) {
  redisAsyncContext* const context = url_.socket_path.empty() ? redisAsyncConnect(address.c_str(), url_.port)
                                                              : redisAsyncConnectUnix(address.c_str());
  if (context == nullptr || context->err != 0) {
    const std::string why = context != nullptr ? text(context->errstr) : "out of memory";
    if (context != nullptr) redisAsyncFree(context);
    // Not from within start(): who calls it has not finished with us.
    boost::asio::post(io_, [this, why, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired() && state_ == State::connecting) drop(error(Error::Kind::refused, why));
    });
    return;
  }
  context_ = context;
  context_->data = this;
  attach_to_asio(context_, io_);
  redisAsyncSetConnectCallback(context_, [](const redisAsyncContext* c, int status) {
    if (c->data != nullptr) of(c).on_connected(status);
  });
  redisAsyncSetDisconnectCallback(context_, [](const redisAsyncContext* c, int) {
    if (c->data == nullptr) return;
    RedisConnection& self = of(c);
    self.context_ = nullptr;  // hiredis frees it right after this
    self.drop(self.error(Error::Kind::closed, "the connection was lost: " + text(c->errstr)));
  });
}

void RedisConnection::on_connected(int status) {
  if (status == REDIS_OK) return greet();
  const std::string why = text(context_->errstr);
  context_->data = nullptr;
  context_ = nullptr;  // hiredis frees it right after this
  drop(error(Error::Kind::refused, "cannot connect: " + why));
}

// The answer to CLIENT ID ends the greeting: the server reads, not only its kernel.
void RedisConnection::greet() {
  state_ = State::greeting;
  const auto check = [this](const Result<const redisReply*>& reply) {
    if (!reply.ok() && reply.error().kind == Error::Kind::refused)
      drop({Error::Kind::closed, reply.error().message});
  };
  if (!url_.password.empty()) {
    Command auth{"AUTH"};
    if (!url_.user.empty()) auth.add(url_.user);
    write(auth.add(url_.password).wire(), check, Nanoseconds(0));
  }
  if (url_.database != 0)
    write(Command{"SELECT", std::to_string(url_.database)}.wire(), check, Nanoseconds(0));
  write(
      Command{"CLIENT", "ID"}.wire(),
      [this](const Result<const redisReply*>& reply) {
        if (!reply.ok() && reply.error().kind != Error::Kind::refused) return;  // drop() is under way
        if (!reply.ok() && reply.error().message.find("NOAUTH") != std::string::npos)
          return drop(reply.error());
        client_id_ = reply.ok() ? static_cast<std::uint64_t>((*reply)->integer) : 0;
        state_ = State::ready;
        backoff_.reset();
        addresses_.clear();
        const std::weak_ptr<bool> alive = alive_;
        if (events_.ready) events_.ready();
        if (alive.expired()) return;
        while (state_ == State::ready && !waiting_.empty()) {
          Waiting next = std::move(waiting_.front());
          waiting_.pop_front();
          write(next.wire, std::move(next.done), next.extra);
        }
      },
      Nanoseconds(0));
}

void RedisConnection::command(const Command& command, OnReply done, Nanoseconds extra) {
  if (state_ == State::ready && pending_.size() < kMostPending)
    return write(command.wire(), std::move(done), extra);
  if (state_ == State::ready || waiting_.size() >= kMostWaiting) {
    boost::asio::post(io_, [this, alive = std::weak_ptr<bool>(alive_), done = std::move(done)] {
      if (!alive.expired() && done) done(error(Error::Kind::full, "too many operations wait for Redis"));
    });
    return;
  }
  waiting_.push_back({steady_clock::now() + command_timeout_, extra, command.wire(), std::move(done)});
  plan_check();
}

void RedisConnection::write(const std::string& wire, OnReply done, Nanoseconds extra) {
  pending_.push_back({steady_clock::now() + command_timeout_ + extra, std::move(done)});
  redisAsyncFormattedCommand(
      context_,
      [](redisAsyncContext* c, void* reply, void*) {
        if (c->data != nullptr && reply != nullptr) of(c).on_reply(static_cast<const redisReply*>(reply));
      },
      nullptr, wire.data(), wire.size());
  plan_check();
}

void RedisConnection::on_reply(const redisReply* reply) {
  if (pending_.empty()) return;
  const OnReply done = std::move(pending_.front().done);
  pending_.pop_front();
  if (!done) return;
  if (reply->type == REDIS_REPLY_ERROR) {
    done(error(Error::Kind::refused, std::string(reply->str, reply->len)));
  } else {
    done(reply);
  }
}

void RedisConnection::subscribe(const std::string& topic) {
  const std::string wire = Command{"SUBSCRIBE", topic}.wire();
  redisAsyncFormattedCommand(
      context_,
      [](redisAsyncContext* c, void* reply, void*) {
        if (c->data == nullptr || reply == nullptr) return;
        RedisConnection& self = of(c);
        if (self.events_.pushed) self.events_.pushed(*static_cast<const redisReply*>(reply));
      },
      nullptr, wire.data(), wire.size());
}

void RedisConnection::unsubscribe(const std::string& topic) {
  const std::string wire = Command{"UNSUBSCRIBE", topic}.wire();
  redisAsyncFormattedCommand(context_, nullptr, nullptr, wire.c_str(), wire.size());
}

void RedisConnection::reconnect(const std::string& why) {
  if (state_ == State::ready) drop(error(Error::Kind::timeout, why));
}

// No callback of the old connection comes after this.
void RedisConnection::release() {
  if (context_ == nullptr) return;
  redisAsyncContext* const context = std::exchange(context_, nullptr);
  context->data = nullptr;
  redisAsyncFree(context);
}

void RedisConnection::drop(const Error& why) {
  release();
  last_failure_ = why.message;
  const bool more_addresses = state_ == State::connecting && !addresses_.empty();
  const bool was_ready = state_ == State::ready;
  state_ = State::waiting;
  retry_timer_.expires_after(more_addresses ? Nanoseconds(0) : backoff_.next());
  retry_timer_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](const boost::system::error_code& code) {
    if (!code && !alive.expired() && state_ == State::waiting) connect();
  });
  // Once when it is lost, once why it does not come back; the attempts after that say nothing new.
  spdlog::log(was_ready || !failed_before_ ? spdlog::level::warn : spdlog::level::debug, "{}", why.message);
  failed_before_ = !was_ready;

  // The callers may destroy us.
  const std::weak_ptr<bool> alive = alive_;
  for (std::deque<Pending> lost = std::exchange(pending_, {}); !lost.empty(); lost.pop_front()) {
    if (lost.front().done) lost.front().done(why);
    if (alive.expired()) return;
  }
  if (was_ready && events_.lost) events_.lost();
}

void RedisConnection::fail_what_is_late() {
  const auto now = steady_clock::now();
  const std::weak_ptr<bool> alive = alive_;
  while (!waiting_.empty() && waiting_.front().deadline <= now) {
    const OnReply done = std::move(waiting_.front().done);
    waiting_.pop_front();
    if (done) done(Error{Error::Kind::timeout, "Redis did not come back in time; " + last_failure_});
    if (alive.expired()) return;
  }
  const bool connects_too_long =
      (state_ == State::connecting || state_ == State::greeting) && connect_deadline_ <= now;
  if (connects_too_long) return drop(error(Error::Kind::timeout, "no connection within the time limit"));
  // Replies come in order: the first that is late holds up all.
  const bool silent = state_ == State::ready && !pending_.empty() && pending_.front().deadline <= now;
  if (silent) drop(error(Error::Kind::timeout, "no reply within the time limit"));
}

// While anything can be late, somebody looks.
void RedisConnection::plan_check() {
  if (check_planned_) return;
  check_planned_ = true;
  check_timer_.expires_after(std::min(connect_timeout_, command_timeout_) / 8);
  check_timer_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](const boost::system::error_code& code) {
    if (code || alive.expired()) return;
    check_planned_ = false;
    fail_what_is_late();
    if (alive.expired()) return;
    if (!pending_.empty() || !waiting_.empty() || state_ == State::connecting || state_ == State::greeting)
      plan_check();
  });
}

}  // namespace roomcheck::channel_layer
