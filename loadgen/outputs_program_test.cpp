// What a run writes, how it ends on a signal, and how it gets in: files, Ctrl-C, TLS.
#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "libs/testkit/certificate.h"
#include "loadgen/program_test.h"

namespace roomcheck::loadgen {
namespace {

using testing::HasSubstr;

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(Outputs, EachIsWrittenAndSaysTheSame) {
  const testkit::TemporaryDirectory directory;
  const Measured run =
      load({}, {"--csv", directory.path("r.csv"), "--hgrm", directory.path("r.hgrm"), "--hlog",
                directory.path("r.hlog"), "--live-jsonl", directory.path("r.jsonl")});
  EXPECT_THAT(testkit::slurp(directory.path("r.hgrm")), HasSubstr("Total count    =         4000]"));
  const std::string csv = testkit::slurp(directory.path("r.csv"));
  EXPECT_EQ(lines(csv), run.result["series"].size() + 1);
  const std::string live = testkit::slurp(directory.path("r.jsonl"));
  EXPECT_EQ(lines(live), run.result["series"].size());
  EXPECT_EQ(Json::parse(live.substr(0, live.find('\n')))["clients"], 200);
  const std::string log = testkit::slurp(directory.path("r.hlog"));
  EXPECT_THAT(log, HasSubstr("#[Histogram log format version 1.3]"));
  EXPECT_THAT(log, HasSubstr("Tag=fan_out,"));
  // Read by HdrHistogram's own reader where npm has brought it.
  const Outcome read =
      testkit::run({"node", testkit::source_dir() + "/loadgen/hdr/read_log.cjs",
                    testkit::bin_dir() + "/../loadgen/hdr/node_modules", directory.path("r.hlog")});
  ASSERT_EQ(read.exit_code, 0) << read.err;
  const Json totals = Json::parse(read.out);
  for (const char* name : {"fan_out", "last", "connect"})
    for (const char* key : {"count", "p50_ns", "p99_ns", "p999_ns"})
      EXPECT_EQ(totals[name][key], run.result["latency"][name]["corrected"][key]) << name << " " << key;
  EXPECT_EQ(totals["second"]["count"], 4000);
}

TEST(Outputs, PrometheusReadsTheRunWhileItLasts) {
  const Server server;
  Process load({kBin + "/loadgen", "run", "--target", server.target, "--clients", "20", "--rooms", "2",
                "--warmup", "0", "--duration", "10m", "--prometheus", "127.0.0.1:0", "--live-jsonl", "-"});
  load.wait_for("\"phase\":\"run\"");
  const std::string said = load.err();
  const std::size_t at = said.find("metrics on ") + 11;
  const std::string url = said.substr(at, said.find('\n', at) - at);
  using namespace std::chrono_literals;
  const Nanoseconds deadline = steady_clock().now() + 5s;
  auto client = websocket::RawClient::connect(websocket::parse_url(url), deadline);
  ASSERT_TRUE(client.ok()) << url;
  websocket::RawHandshake plain;
  plain.upgrade = plain.connection = plain.version = plain.key = std::nullopt;
  const std::string page = (*client)->handshake(plain, deadline).body;
  EXPECT_THAT(page, HasSubstr("\nroomcheck_loadgen_members 20"));
  EXPECT_THAT(page, HasSubstr("# TYPE roomcheck_loadgen_deliveries_total counter"));
}

TEST(Signals, OnceDrainsAndReportsWhatWasMeasured) {
  const Server server;
  Process load({kBin + "/loadgen", "run", "--target", server.target, "--clients", "20", "--rooms", "2",
                "--warmup", "0", "--duration", "10m", "--live-jsonl", "-", "--threshold",
                "delivery.lost==0"});
  load.wait_for("\"phase\":\"run\",\"members\":20,\"clients\":20,\"sent\":[1-9]");
  load.signal(SIGINT);
  const std::optional<int> code = load.wait();
  ASSERT_TRUE(code.has_value());
  EXPECT_TRUE(code == 0 || code == 4) << *code;  // 4: this machine was too busy
  EXPECT_THAT(load.err(), HasSubstr("100.000 %"));
}

TEST(Signals, TwiceStopsAtOnceAndSaysSo) {
  const Server server({"--mutant", "delay=1h"});  // nothing comes: the drain would last
  Process load({kBin + "/loadgen", "run", "--target", server.target, "--clients", "20", "--rooms", "2",
                "--warmup", "0", "--duration", "10m", "--drain", "30m", "--live-jsonl", "-"});
  load.wait_for("\"phase\":\"run\",\"members\":20,\"clients\":20,\"sent\":[1-9]");
  load.signal(SIGINT);
  load.wait_for("\"phase\":\"drain\"");
  load.signal(SIGINT);
  EXPECT_EQ(load.wait(), 3);
  EXPECT_THAT(load.err(), HasSubstr("stopped by a second signal"));
}

TEST(Signals, WhileItConnectsEndsItToo) {
  // Who listens and never accepts: the backlog answers the SYN, nobody the handshake.
  const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(silent, reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(silent, 8), 0);
  ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size), 0);
  Process load({kBin + "/loadgen", "run", "--target",
                "ws://127.0.0.1:" + std::to_string(ntohs(address.sin_port)), "--timeout", "1h",
                "--live-jsonl", "-"});
  load.wait_for("\"phase\":\"connect\"");
  load.signal(SIGINT);
  const std::optional<int> code = load.wait();
  EXPECT_TRUE(code == 3 || code == 4) << code.value_or(-1) << load.err();
  ::close(silent);
}

TEST(Tls, TrustsACaOrNobodyOrEverybody) {
  const testkit::Certificate certificate;
  const Server server({"--tls-cert", certificate.certificate_file(), "--tls-key", certificate.key_file()});
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--target", server.target, "--clients", "10", "--rooms", "1", "--warmup", "0",
                             "--duration", "1s"});
    return loadgen(more);
  };
  const Outcome stranger = run({});
  EXPECT_EQ(stranger.exit_code, 3);
  EXPECT_THAT(stranger.err, HasSubstr("certificate"));
  for (const std::vector<std::string>& trust :
       {std::vector<std::string>{"--ca", certificate.certificate_file()},
        {"--insecure"},
        {"--ca", certificate.certificate_file(), "--sni", "localhost"}}) {
    const Outcome outcome = run(trust);
    EXPECT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 4) << trust[0] << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("100.000 %")) << trust[0];
  }
  EXPECT_EQ(run({"--ca", certificate.certificate_file(), "--sni", "example.org"}).exit_code, 3);
}

TEST(Target, ClientsOfARoomAreSpreadOverTheNodesAlsoOnIpv6) {
  // Two nodes that share nothing: half of each room's members hear nothing of what the other half says.
  const Server one;
  const Server other({"--listen", "[::1]:0"});
  const Outcome outcome = loadgen({"--target", one.target, "--target", other.target, "--clients", "10",
                                   "--rooms", "1", "--senders", "1", "--warmup", "0", "--duration", "1s"});
  EXPECT_THAT(outcome.out, HasSubstr(" 50.000 %")) << outcome.err;
  EXPECT_EQ(one.stats()["accepted"], 5);
  EXPECT_EQ(other.stats()["accepted"], 5);
}

}  // namespace
}  // namespace roomcheck::loadgen
