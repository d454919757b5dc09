// Mutants that spoil what leaves on one connection.
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "libs/base/regex.h"
#include "reference_server/mutants/mutation.h"
#include "reference_server/mutants/wrapped_connection.h"

namespace roomcheck::reference_server {
namespace {

using websocket::Connection;
using websocket::ConnectionPtr;
using websocket::PreparedText;

constexpr std::string_view kEchoPrefix = "xxx\\uff1a";
constexpr std::string_view kMemberPrefix =
    "\\u9884\\u8b66\\u4fe1\\u606f2\\uff1a\\u9884\\u8b66\\u4fe1\\u606f1\\uff1a";  // 预警信息2：预警信息1：

class MutantConnection final : public WrappedConnection,
                               public std::enable_shared_from_this<MutantConnection> {
 public:
  MutantConnection(ConnectionPtr inner, const Mutation& mutation, bool room, boost::asio::io_context& io)
      : WrappedConnection(std::move(inner)), mutation_(mutation), room_(room), flush_(io) {}

  Sent send_text(std::string_view payload) override { return send(PreparedText(payload)); }

  Sent send(const PreparedText& text) override {
    const std::string payload(text.payload());
    if (room_) return send_room(payload);
    if (mutation_.has("echo-wrong-text") && payload.find("\\n") != payload.npos) {
      std::string out = payload;
      if (const std::size_t at = out.find(kEchoPrefix); at != out.npos) out.erase(at, kEchoPrefix.size());
      return inner_->send_text(out);
    }
    return mutation_.has("echo-swapped") ? swapped(payload) : inner_->send(text);
  }

 private:
  Sent send_room(std::string payload) {
    if (mutation_.has("drops-large") && payload.size() >= (512u << 10)) return Sent::accepted;
    if (mutation_.has("no-astral"))
      for (const Regex::Match& pair : Regex("\\\\ud[89ab][0-9a-f]{2}\\\\ud[c-f][0-9a-f]{2}").all(payload))
        payload.replace(payload.find(pair[0]), pair[0].size(), "?");
    return inner_->send_text(payload);
  }

  // Holds every other text until the next one has gone; the last one of an odd number follows a little later.
  Sent swapped(const std::string& payload) {
    if (held_.empty()) {
      held_ = payload;
      flush_.expires_after(std::chrono::milliseconds(100));
      flush_.async_wait([self = shared_from_this()](const boost::system::error_code& code) {
        if (code || self->held_.empty()) return;
        self->inner_->send_text(self->held_);
        self->held_.clear();
      });
      return Sent::accepted;
    }
    flush_.cancel();
    inner_->send_text(payload);
    const Sent sent = inner_->send_text(held_);
    held_.clear();
    return sent;
  }

  const Mutation& mutation_;
  const bool room_;
  boost::asio::steady_timer flush_;
  std::string held_;
};

}  // namespace

ConnectionPtr Mutation::wrap(ConnectionPtr connection, const Route& route,
                             boost::asio::io_context& io) const {
  const bool room = route.kind == Route::Kind::room;
  if (room && load_plan_.active()) connection = load_->wrap(std::move(connection), io);
  return std::make_shared<MutantConnection>(std::move(connection), *this, room, io);
}

}  // namespace roomcheck::reference_server
