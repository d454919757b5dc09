// What each client brings to its handshake, as a server sees it that says so (witness.py).
#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "libs/testkit/certificate.h"
#include "libs/testkit/target.h"
#include "loadgen/program_test.h"

namespace roomcheck::loadgen {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class Witness {
 public:
  explicit Witness(std::vector<std::string> more = {}) : process_(command(std::move(more))) {
    target = process_.wait_for("listening on (wss?://[^/]+)/");
  }
  // What it has seen, one for each handshake.
  std::vector<Json> handshakes() const {
    std::istringstream lines(process_.out());
    std::vector<Json> out;
    std::string line;
    std::getline(lines, line);  // where it listens
    while (std::getline(lines, line)) out.push_back(Json::parse(line));
    return out;
  }
  std::string target;

 private:
  static std::vector<std::string> command(std::vector<std::string> more) {
    more.insert(more.begin(), {testkit::python(), testkit::source_dir() + "/loadgen/witness.py"});
    return more;
  }
  Process process_;
};

std::multiset<std::string> header(const std::vector<Json>& handshakes, const std::string& name) {
  std::multiset<std::string> out;
  for (const Json& handshake : handshakes)
    for (const Json& pair : handshake["headers"])
      if (pair[0] == name) out.insert(pair[1].get<std::string>());
  return out;
}

// 4 clients in a room for half a second.
Outcome run(const Witness& witness, std::vector<std::string> more) {
  more.insert(more.end(), {"--target", witness.target, "--clients", "4", "--rooms", "1", "--warmup", "0",
                           "--rate", "20", "--duration", "500ms"});
  return loadgen(more);
}

void expect_all_arrived(const Outcome& outcome) {
  EXPECT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 4) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("100.000 %")) << outcome.err;
}

TEST(Handshake, EachClientBringsItsOwnLineAndWhatAllBring) {
  const Witness witness;
  const testkit::TemporaryDirectory directory;
  const Outcome outcome =
      run(witness, {"--cookie", "theme=dark", "--cookie-file",
                    directory.write("c", "sessionid=a\r\nsessionid=b\n\nsessionid=c\nsessionid=d"),
                    "--header", "X-All: yes", "--header", "X-Also:", "--header-file",
                    directory.write("h", "X-User: 1\nX-User: 2\n"), "--source-ip", "127.0.0.2", "--source-ip",
                    "127.0.0.3"});
  expect_all_arrived(outcome);
  const std::vector<Json> seen = witness.handshakes();
  EXPECT_THAT(header(seen, "Cookie"),
              UnorderedElementsAre("theme=dark; sessionid=a", "theme=dark; sessionid=b",
                                   "theme=dark; sessionid=c", "theme=dark; sessionid=d"));
  EXPECT_THAT(header(seen, "X-User"), UnorderedElementsAre("1", "2", "1", "2"));
  EXPECT_EQ(header(seen, "X-All").count("yes"), 4u);
  EXPECT_EQ(header(seen, "X-Also").count(""), 4u);
  std::multiset<std::string> from;
  for (const Json& handshake : seen) from.insert(handshake["from"].get<std::string>());
  EXPECT_THAT(from, UnorderedElementsAre("127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.3"));
}

TEST(Handshake, ASourceAddressThatIsNotOursIsExit3) {
  const Witness witness;
  const Outcome outcome = run(witness, {"--source-ip", "192.0.2.1"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("cannot use the source address 192.0.2.1"));
}

TEST(Handshake, SubprotocolsAreOfferedAndOneIsAccepted) {
  const Witness witness({"--subprotocol", "chat.v2"});
  expect_all_arrived(run(witness, {"--subprotocol", "chat.v1", "--subprotocol", "chat.v2"}));
  const std::vector<Json> seen = witness.handshakes();
  EXPECT_EQ(header(seen, "Sec-WebSocket-Protocol").count("chat.v1, chat.v2"), 4u);
  EXPECT_EQ(seen[0]["subprotocol"], "chat.v2");
}

TEST(Handshake, AClientCertificateIsShownWhereOneIsAskedFor) {
  const testkit::Certificate certificate;
  const Witness witness({"--cert", certificate.certificate_file(), "--key", certificate.key_file(),
                         "--client-ca", certificate.certificate_file()});
  const std::vector<std::string> trust{"--ca", certificate.certificate_file()};
  const Outcome without = run(witness, trust);
  EXPECT_EQ(without.exit_code, 3) << without.out;
  EXPECT_TRUE(witness.handshakes().empty());
  std::vector<std::string> with = trust;
  with.insert(with.end(), {"--cert", certificate.certificate_file(), "--key", certificate.key_file()});
  expect_all_arrived(run(witness, with));
  ASSERT_EQ(witness.handshakes().size(), 4u);
  EXPECT_EQ(witness.handshakes()[0]["certificate"], "localhost");
  // A key without its certificate, or one that is not there, is found before the start.
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"--key", certificate.key_file()},
        {"--cert", certificate.certificate_file()},
        {"--cert", "/no/such/file", "--key", certificate.key_file()}}) {
    const Outcome outcome = run(witness, wrong);
    EXPECT_EQ(outcome.exit_code, 2) << wrong[0] << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

// ---- permessage-deflate, by python3-websockets and by Node's ws

TEST(Compression, IsAgreedOnInEveryWayAndLosesNothing) {
  for (const std::vector<std::string>& terms :
       {std::vector<std::string>{"--deflate", "yes"},
        {"--deflate", "client_no_context_takeover", "--deflate", "server_no_context_takeover"},
        {"--deflate", "client_max_window_bits", "--deflate", "server_no_context_takeover"}}) {
    const Witness witness(terms);
    const testkit::TemporaryDirectory directory;
    const Outcome outcome =
        run(witness, {"--compress", "--payload", "100..8KiB", "--json", directory.path("r")});
    expect_all_arrived(outcome);
    const Json result = Json::parse(testkit::slurp(directory.path("r")));
    EXPECT_EQ(result["connections"]["compressed"], 4) << outcome.out;
    EXPECT_EQ(result["delivery"]["corrupt"], 0);
    EXPECT_THAT(witness.handshakes()[0]["extensions"].get<std::string>(), HasSubstr("permessage-deflate"));
    EXPECT_THAT(outcome.out, HasSubstr("4 with permessage-deflate"));
  }
}

TEST(Compression, ThatTheTargetDeclinesIsSaid) {
  const Witness witness;
  const Outcome outcome = run(witness, {"--compress"});
  expect_all_arrived(outcome);
  EXPECT_THAT(outcome.out, HasSubstr("did not agree to permessage-deflate"));
}

TEST(Compression, IsNotOfferedUnasked) {
  const Witness witness({"--deflate", "yes"});
  expect_all_arrived(run(witness, {}));
  EXPECT_TRUE(header(witness.handshakes(), "Sec-WebSocket-Extensions").empty());
}

TEST(Compression, ABombClosesTheConnectionAndNothingElse) {
  const Witness witness({"--deflate", "yes", "--bomb", std::to_string(20 << 20)});
  const testkit::TemporaryDirectory directory;
  const Outcome outcome = run(witness, {"--compress", "--drain", "30s", "--json", directory.path("r")});
  EXPECT_EQ(outcome.exit_code, 3) << outcome.out;  // each client that talked was answered with a bomb
  const Json result = Json::parse(testkit::slurp(directory.path("r")));
  EXPECT_GT(result["connections"]["closed_by_target"], 0);
#if !defined(__SANITIZE_ADDRESS__)  // which keeps what is freed
  EXPECT_LT(result["generator"]["rss_bytes"], 200 << 20);
#endif
}

}  // namespace
}  // namespace roomcheck::loadgen
