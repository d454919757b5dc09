#include "libs/channel_layer/meeting.h"

#include <hiredis/hiredis.h>

#include "libs/channel_layer/redis_words.h"

namespace roomcheck::channel_layer {
namespace {

constexpr std::string_view kExpirySeconds = "3600";

}  // namespace

// hiredis' blocking connection.
class Meeting::Connection {
 public:
  using ReplyPtr = std::unique_ptr<redisReply, void (*)(void*)>;
  using Words = std::vector<std::string_view>;

  static Result<std::unique_ptr<Connection>> open(const RedisUrl& url, std::chrono::milliseconds timeout) {
    const timeval limit{timeout.count() / 1000, timeout.count() % 1000 * 1000};
    auto out = std::make_unique<Connection>();
    out->name_ = url.name();
    out->context_.reset(url.socket_path.empty()
                            ? redisConnectWithTimeout(url.host.c_str(), url.port, limit)
                            : redisConnectUnixWithTimeout(url.socket_path.c_str(), limit));
    if (!out->context_ || out->context_->err != 0)
      return out->failure(out->context_ ? out->context_->errstr : "out of memory");
    redisSetTimeout(out->context_.get(), limit);
    if (!url.password.empty()) {
      Words words{"AUTH"};
      if (!url.user.empty()) words.push_back(url.user);
      words.push_back(url.password);
      if (auto reply = out->command(words); !reply.ok()) return reply.error();
    }
    if (url.database != 0)
      if (auto reply = out->command({"SELECT", std::to_string(url.database)}); !reply.ok())
        return reply.error();
    return out;
  }

  Result<ReplyPtr> command(const Words& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string_view word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    void* reply =
        redisCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(), sizes.data());
    if (reply == nullptr) return failure(context_->errstr);
    ReplyPtr out(static_cast<redisReply*>(reply), freeReplyObject);
    if (out->type == REDIS_REPLY_ERROR) return failure(std::string(text(*out)));
    return out;
  }

  bool is_lost() const { return context_->err != 0; }

 private:
  Error failure(const std::string& why) const { return {Error::Kind::closed, name_ + ": " + why}; }

  std::string name_;
  std::unique_ptr<redisContext, void (*)(redisContext*)> context_{nullptr, redisFree};
};

Meeting::Meeting(RedisUrl url, std::string key, std::chrono::milliseconds timeout)
    : url_(std::move(url)), key_(std::move(key)), timeout_(timeout) {}

Meeting::~Meeting() = default;

Result<std::string> Meeting::agree(std::string_view field, std::string_view proposal) {
  if (auto failed = connect(); !failed.ok()) return failed.error();
  for (const Connection::Words& words :
       {Connection::Words{"HSETNX", key_, field, proposal}, {"EXPIRE", key_, kExpirySeconds}})
    if (auto reply = connection_->command(words); !reply.ok()) return reply.error();
  auto reply = connection_->command({"HGET", key_, field});
  if (!reply.ok()) return reply.error();
  return std::string(text(**reply));
}

Result<bool> Meeting::arrive(std::string_view step, std::string_view who) {
  if (auto failed = connect(); !failed.ok()) return failed.error();
  const std::string set = key_ + ":" + std::string(step);
  auto added = connection_->command({"SADD", set, who});
  if (!added.ok()) return added.error();
  if (auto reply = connection_->command({"EXPIRE", set, kExpirySeconds}); !reply.ok()) return reply.error();
  return (*added)->integer == 1;
}

Result<std::vector<std::string>> Meeting::present(std::string_view step) {
  if (auto failed = connect(); !failed.ok()) return failed.error();
  auto reply = connection_->command({"SMEMBERS", key_ + ":" + std::string(step)});
  if (!reply.ok()) return reply.error();
  std::vector<std::string> out;
  for (std::size_t i = 0; i < (*reply)->elements; ++i) out.emplace_back(text(*(*reply)->element[i]));
  return out;
}

Result<void> Meeting::connect() {
  if (connection_ && !connection_->is_lost()) return {};
  auto opened = Connection::open(url_, timeout_);
  if (!opened.ok()) return opened.error();
  connection_ = std::move(opened).value();
  return {};
}

}  // namespace roomcheck::channel_layer
