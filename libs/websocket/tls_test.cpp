// wss://: the same promises as ws://, and who is trusted.
#include <gmock/gmock.h>

#include "libs/base/result.h"
#include "libs/testkit/certificate.h"
#include "libs/testkit/files.h"
#include "libs/websocket/loopback.h"

namespace roomcheck::websocket {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const testkit::Certificate& certificate() {
  static const testkit::Certificate made;
  return made;
}

class Tls : public Loopback {
 protected:
  Tls() {
    options.tls = {certificate().certificate_file(), certificate().key_file()};
    client_tls.ca_file = certificate().certificate_file();
  }
  ConnectFailure failure() {
    Opened client = connect();
    run_until([&] { return !client.seen->failures.empty() || client.seen->opened; });
    EXPECT_FALSE(client.seen->opened);
    return client.seen->failures.empty() ? ConnectFailure{} : client.seen->failures[0];
  }
};

TEST_F(Tls, CarriesEverySizeBothWays) {
  on_server_message = [](Connection& connection, const Message& message) {
    connection.send_text(message.payload);
  };
  Opened client = open();
  std::vector<std::string> sent;
  for (const std::size_t size : {0u, 1u, 126u, 16383u, 16384u, 16385u, 65536u, 1u << 20})
    sent.emplace_back(size, 'x');
  for (const std::string& text : sent) client.connection->send_text(text);
  run_until([&] { return client.seen->texts.size() == sent.size(); });
  EXPECT_TRUE(client.seen->texts == sent);
}

TEST_F(Tls, OnePreparedTextReachesEveryMember) {
  std::vector<Opened> members;
  for (int i = 0; i < 50; ++i) members.push_back(open());
  const PreparedText first("one"), second("two");
  for (const PreparedText& text : {first, second})
    for (const Accepted& member : accepted) member.connection->send(text);
  for (const Opened& member : members) {
    run_until([&] { return member.seen->texts.size() == 2; });
    EXPECT_THAT(member.seen->texts, ElementsAre("one", "two"));
  }
}

TEST_F(Tls, ClosesWithCodeFromEitherSide) {
  Opened first = open();
  first.connection->close(4001, "bye");
  run_until([&] { return !first.seen->closes.empty() && !accepted[0].seen->closes.empty(); });
  EXPECT_THAT(accepted[0].seen->closes, ElementsAre(4001));
  Opened second = open();
  accepted[1].connection->close(1001, "going away");
  run_until([&] { return !second.seen->closes.empty(); });
  EXPECT_THAT(second.seen->closes, ElementsAre(1001));
}

TEST_F(Tls, ASlowReaderIsBoundedToo) {
  options.send_buffer_limit = 256 * 1024;
  Opened slow = open();
  slow.connection->pause_reading();
  const PreparedText text(std::string(64 * 1024, 'x'));
  for (int i = 0; i < 2000 && accepted[0].connection->dropped() == 0; ++i) {
    accepted[0].connection->send(text);
    settle();
  }
  EXPECT_GT(accepted[0].connection->dropped(), 0u);
  EXPECT_LE(accepted[0].connection->unsent_bytes(), options.send_buffer_limit);
}

TEST_F(Tls, AStrangersCertificateIsNotTrusted) {
  static const testkit::Certificate stranger;
  client_tls.ca_file = stranger.certificate_file();
  const ConnectFailure seen = failure();
  EXPECT_EQ(seen.stage, ConnectFailure::Stage::tls);
  EXPECT_THAT(seen.message, HasSubstr("the certificate is not trusted"));
}

TEST_F(Tls, ACertificateForAnotherNameIsNotTrusted) {
  client_tls.server_name = "elsewhere.example";
  EXPECT_EQ(failure().stage, ConnectFailure::Stage::tls);
}

TEST_F(Tls, OnlyWhoAsksForItTrustsAnybody) {
  client_tls = {};
  client_tls.verify = false;
  EXPECT_TRUE(open().seen->opened);
}

TEST_F(Tls, AClientWithoutTlsGetsNoConnection) {
  ConnectOptions plain;
  plain.url = parse_url("ws://127.0.0.1:" + std::to_string(server().port()));
  Opened client = connect(plain);
  run_until([&] { return !client.seen->failures.empty(); });
}

TEST_F(Tls, HidesTheKernelsReceiveTimes) {
  ConnectOptions connect_options;
  connect_options.url = url();
  connect_options.kernel_timestamps = true;
  const Opened client = connect(connect_options);
  run_until([&] { return !client.seen->failures.empty() || client.seen->opened; });
  ASSERT_EQ(client.seen->failures.size(), 1u);
  EXPECT_NE(client.seen->failures[0].message.find("TLS hides"), std::string::npos);
}

TEST_F(Tls, AFileThatIsNoCertificateIsNamed) {
  const testkit::TemporaryDirectory directory;
  options.tls.certificate_file = directory.write("no.pem", "nonsense");
  try {
    server();
    FAIL() << "the server started without a certificate";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("no.pem"));
  }
}

}  // namespace
}  // namespace roomcheck::websocket
