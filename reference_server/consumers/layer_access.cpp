#include "reference_server/consumers/layer_access.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <future>

namespace roomcheck::reference_server {
namespace {

using channel_layer::ChannelLayer;
using channel_layer::Event;
using channel_layer::GroupSendReport;

Result<void> without_report(const Result<GroupSendReport>& result) {
  return result.ok() ? Result<void>() : Result<void>(result.error());
}

class AsyncAccess final : public LayerAccess {
 public:
  explicit AsyncAccess(ChannelLayer& layer) : layer_(layer) {}
  void group_add(const std::string& group, const std::string& channel, Then then) override {
    layer_.group_add(group, channel, std::move(then));
  }
  void group_discard(const std::string& group, const std::string& channel, Then then) override {
    layer_.group_discard(group, channel, std::move(then));
  }
  void group_send(const std::string& group, Event event, Then then) override {
    layer_.group_send(group, std::move(event),
                      [then = std::move(then)](const Result<GroupSendReport>& result) {
                        if (then) then(without_report(result));
                      });
  }

 private:
  ChannelLayer& layer_;
};

class SyncAccess final : public LayerAccess {
 public:
  SyncAccess(ChannelLayer& layer, boost::asio::io_context& io) : layer_(layer), io_(io) {}
  void group_add(const std::string& group, const std::string& channel, Then then) override {
    answer(std::move(then), async_to_sync([=](Then done) { layer_.group_add(group, channel, done); }));
  }
  void group_discard(const std::string& group, const std::string& channel, Then then) override {
    answer(std::move(then), async_to_sync([=](Then done) { layer_.group_discard(group, channel, done); }));
  }
  void group_send(const std::string& group, Event event, Then then) override {
    answer(std::move(then), async_to_sync([=](Then done) {
             layer_.group_send(group, event, [done](const Result<GroupSendReport>& result) {
               done(without_report(result));
             });
           }));
  }

 private:
  static void answer(const Then& then, const Result<void>& result) {
    if (then) then(result);
  }

  template <class Call>
  Result<void> async_to_sync(Call call) {
    const auto promise = std::make_shared<std::promise<Result<void>>>();
    std::future<Result<void>> future = promise->get_future();
    boost::asio::post(io_, [call, promise] {
      call([promise](Result<void> result) { promise->set_value(std::move(result)); });
    });
    if (future.wait_for(std::chrono::seconds(10)) == std::future_status::ready) try {
        return future.get();
      } catch (const std::future_error&) {  // the loop ended first
      }
    return Error{Error::Kind::timeout, "the channel layer did not answer within 10 s"};
  }

  ChannelLayer& layer_;
  boost::asio::io_context& io_;
};

}  // namespace

std::unique_ptr<LayerAccess> make_async_access(ChannelLayer& layer) {
  return std::make_unique<AsyncAccess>(layer);
}
std::unique_ptr<LayerAccess> make_sync_access(ChannelLayer& layer, boost::asio::io_context& io) {
  return std::make_unique<SyncAccess>(layer, io);
}

}  // namespace roomcheck::reference_server
