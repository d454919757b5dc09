// The contract between two loops of one node.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "libs/channel_layer/contract.h"
#include "libs/testkit/layer_driver.h"
#include "libs/testkit/manual_clock.h"

namespace roomcheck::channel_layer {
namespace {

using namespace std::chrono_literals;

class ContractOfLoops : public testing::TestWithParam<Backend> {};

// Two loops on threads of their own: what is sent while others join and leave arrives exactly once, in order,
// at those that stay.
TEST_P(ContractOfLoops, TwoLoopsShareTheirGroupsUnderChurn) {
  testkit::ManualClock clock;
  LayerOptions options;
  options.capacity = 1000000;
  Backend::Node node = GetParam().make_node(options, clock);
  constexpr int kMessages = 2000;

  struct Side {
    boost::asio::io_context io{1};
    std::unique_ptr<ChannelLayer> layer;
    std::vector<int> got;
    std::atomic<std::size_t> count{0};
    std::function<void(int)> churn, talk;
  };
  Side sides[2];
  for (Side& side : sides) side.layer = node(side.io);
  node = nullptr;  // what the loops share must not outlive them
  for (Side& side : sides) {
    const std::string me = side.layer->new_channel();
    side.layer->listen(me, {[&side](const Message& message, bool) {
                         side.got.push_back((*message)["n"]);
                         ++side.count;
                       }},
                       {});
    bool joined = false;
    side.layer->group_add("g", me, [&joined](const Result<void>& result) { joined = result.ok(); });
    for (const auto limit = std::chrono::steady_clock::now() + 20s;
         !joined && std::chrono::steady_clock::now() < limit;) {
      for (Side& either : sides) {
        either.io.restart();
        either.io.run_one_for(1ms);
      }
    }
    ASSERT_TRUE(joined);
    for (Side& either : sides) either.io.restart();
    side.churn = [&side](int left) {
      if (left == 0) return;
      const std::string visitor = side.layer->new_channel();
      side.layer->listen(visitor, {[](const Message&, bool) {}}, {});
      side.layer->group_add("g", visitor, [&side, visitor, left](Result<void>) {
        side.layer->group_discard("g", visitor, [&side, visitor, left](Result<void>) {
          side.layer->unlisten(visitor);
          side.churn(left - 1);
        });
      });
    };
    side.talk = [&side](int n) {
      if (n == kMessages) return;
      side.layer->group_send("g", testkit::LayerDriver::numbered(n),
                             [&side, n](Result<GroupSendReport>) { side.talk(n + 1); });
    };
  }
  boost::asio::post(sides[0].io, [&] {
    sides[0].talk(0);
    sides[0].churn(500);
  });
  boost::asio::post(sides[1].io, [&] { sides[1].churn(500); });
  std::thread threads[2];
  for (int i = 0; i < 2; ++i)
    threads[i] = std::thread([&side = sides[i]] {
      const auto guard = boost::asio::make_work_guard(side.io);
      const auto limit = std::chrono::steady_clock::now() + 60s;
      while (side.count < kMessages && std::chrono::steady_clock::now() < limit) side.io.run_one_for(20ms);
      side.io.poll();
    });
  for (std::thread& thread : threads) thread.join();
  for (Side& side : sides) {
    ASSERT_EQ(side.got.size(), static_cast<std::size_t>(kMessages));
    for (int n = 0; n < kMessages; ++n) ASSERT_EQ(side.got[static_cast<std::size_t>(n)], n);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, ContractOfLoops, testing::ValuesIn(backends()),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace roomcheck::channel_layer
