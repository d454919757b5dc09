// The suite's options as people use them: what it forgives, what it runs, what it writes.
#include "conformance/judge_test.h"

namespace roomcheck::conformance {
namespace {

// ---- known deviations

class KnownDeviations : public testing::Test {
 protected:
  Outcome judged(const Reference& target, const std::string& lines) {
    return target.judged({"--filter", "broadcast.exactly-once/*", "--filter", "echo.*", "--known-deviations",
                          directory_.write("known.txt", lines), "--json", "-"});
  }
  TemporaryDirectory directory_;
  const Reference right_;
};

TEST_F(KnownDeviations, AreNoFailuresAndCarryTheirReason) {
  const Reference broken({"--mutant", "duplicates"});
  for (const char* word : {"always", "sometimes"}) {
    const Outcome outcome = judged(
        broken, std::string("# mine\n\nbroadcast.exactly-once/* ") + word + "   it stutters (issue 7)  \n");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
    const json result = result_of(outcome);
    EXPECT_EQ(result["summary"]["known_deviation"], 1) << result["summary"];
    for (const json& c : result["cases"])
      EXPECT_EQ(c["deviation"], c["verdict"] == "known_deviation" ? "it stutters (issue 7)" : "");
  }
}

TEST_F(KnownDeviations, OfAlwaysThatPassFailTheRun) {
  const Outcome always = judged(right_, "broadcast.exactly-once/* always it stutters");
  EXPECT_EQ(always.exit_code, 1);
  EXPECT_EQ(result_of(always)["summary"]["unexpected_pass"], 1);
  EXPECT_THAT(always.out, HasSubstr("known.txt:1 says that it always deviates (it stutters)"));
  EXPECT_EQ(judged(right_, "broadcast.exactly-once/* sometimes it stutters when pressed").exit_code, 0);
}

TEST_F(KnownDeviations, ThatAreWronglyWrittenAreNamedByLine) {
  const std::pair<const char*, const char*> kCases[] = {
      {"# c\nechoes.* always why", "known.txt:2: echoes.* matches no case"},
      {"echo.* never why",
       "known.txt:1: after the case must come \"always\" or \"sometimes\", not \"never\""},
      {"echo.*", "known.txt:1: after the case"},
      {"echo.* always  ", "known.txt:1: the reason is missing"},
      {"echo.* always why\necho.replies/* always why",
       "known.txt:2: every case that echo.replies/* matches is taken"},
  };
  for (const auto& [lines, says] : kCases) {
    const Outcome outcome = judged(right_, lines);
    EXPECT_EQ(outcome.exit_code, 2) << lines;
    EXPECT_THAT(outcome.err, HasSubstr(says));
  }
  EXPECT_EQ(right_.judged({"--known-deviations", "/nowhere"}).exit_code, 2);
}

// ---- which cases, how often, in which order

TEST(Jobs, ManyAtATimeSayTheSameInTheSameOrder) {
  const Reference target;
  const Words words{"--filter", "[egb]*", "--json", "-"};
  std::vector<std::string> one, eight;
  const json by_one = result_of(target.judged(words));
  for (const json& c : by_one["cases"]) one.push_back(c["id"]);
  const Outcome outcome = target.judged(words + Words{"--jobs", "8"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
  const json by_eight = result_of(outcome);
  for (const json& c : by_eight["cases"]) eight.push_back(c["id"]);
  EXPECT_GT(one.size(), 20u);
  EXPECT_EQ(one, eight);
}

TEST(Repeat, RunsEveryRoundAndCountsTheBadOnes) {
  const Reference target({"--mutant", "duplicates"});
  const Outcome outcome =
      target.judged({"--filter", "broadcast.exactly-once/*", "--filter", "echo.replies/*", "--repeat", "3"});
  EXPECT_EQ(outcome.exit_code, 1);
  std::size_t printed = 0;
  for (std::size_t at = 0; (at = outcome.out.find("\nfail ", at)) != outcome.out.npos; ++at) ++printed;
  EXPECT_GE(printed, 2u) << outcome.out;
  const json result =
      result_of(target.judged({"--filter", "broadcast.exactly-once/*", "--repeat", "3", "--json", "-"}));
  EXPECT_EQ(result["cases"].size(), 1u);
  EXPECT_THAT(result["cases"][0]["message"], HasSubstr("(in 3 of 3 rounds)"));
}

TEST(Shard, TogetherTheyAreEveryCaseOnce) {
  std::vector<std::string> all;
  std::multiset<std::string> parts;
  const json listed = result_of(run({"--list", "--json", "-"}));
  for (const json& c : listed) all.push_back(c["id"]);
  for (const char* part : {"1/3", "2/3", "3/3"}) {
    const json some = result_of(run({"--list", "--json", "-", "--shard", part}));
    EXPECT_NEAR(static_cast<double>(some.size()), static_cast<double>(all.size()) / 3, 1);
    for (const json& c : some) parts.insert(c["id"]);
  }
  EXPECT_GT(all.size(), 60u);
  EXPECT_EQ(parts, std::multiset<std::string>(all.begin(), all.end()));
}

TEST(FailFast, EndsAfterTheFirstFailureAndSaysWhatWasNotRun) {
  const Reference target({"--mutant", "duplicates"});
  const Outcome outcome =
      target.judged({"--filter", "broadcast.*", "--filter", "push.*", "--fail-fast", "--json", "-"});
  EXPECT_EQ(outcome.exit_code, 1);
  const json result = result_of(outcome);
  EXPECT_EQ(result["summary"]["fail"], 1);
  EXPECT_EQ(result["cases"].back()["verdict"], "fail");
  EXPECT_THAT(outcome.err, HasSubstr("cases were not run"));
}

// ---- --check

TEST(Check, SaysThatARightProfileIsRight) {
  const Reference target;
  const Outcome outcome = target.judged({"--check"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
  for (const char* field :
       {"room.path", "room.receive", "join_barrier", "echo", "push", "direct", "bad_message"})
    EXPECT_THAT(outcome.out, HasSubstr(std::string("right      ") + field));
}

TEST(Check, NamesTheWrongPartAndWhatWasSeenInstead) {
  const Reference target;
  const struct {
    const char* set;
    const char* field;
    const char* seen;
  } kCases[] = {
      {"room.path=/wrong/{room}/", "room.path", "HTTP 404"},
      {R"(room.send={"text": "{text}"})", "room.send", "a close frame 1011"},
      {R"(room.receive={"message": "{text}"})", "room.receive", "u9884"},
      {"room.name_max=120", "room.name_pattern", "name_max = 120"},
      {"greeting=welcome", "greeting", "nothing within the limit"},
      {"echo.path=/nobody/", "echo.path", "HTTP 404"},
      {R"(echo.receive={"message": "{text}"})", "echo.receive", "uff1a"},
      {R"(push.receive={"message": "pushed {text}"})", "push", "came {\"message\": "},
      {"group=chat_{room}", "push", "is \"group\" right?"},
      {"bad_message=ignore", "bad_message", "this is \"close\""},
  };
  for (const auto& [set, field, seen] : kCases) {
    const Outcome outcome = target.judged({"--check", "--set", set, "--timeout-scale", "0.5"});
    EXPECT_EQ(outcome.exit_code, 1) << set << outcome.out << outcome.err;
    std::string line;
    for (std::istringstream lines(outcome.out); std::getline(lines, line);)
      if (line.rfind("WRONG      " + std::string(field) + " ", 0) == 0) break;
    EXPECT_THAT(line, AllOf(StartsWith("WRONG      " + std::string(field)), HasSubstr(seen))) << set << "\n"
                                                                                              << outcome.out;
  }
  EXPECT_EQ(run({"--check", "--target", "ws://127.0.0.1:" + std::to_string(testkit::free_port())}).exit_code,
            3);
}

// A whole run of failures would say no more than its first message, and later.
TEST(Check, IsDoneByItselfWhenNoMemberHearsItself) {
  const Reference target;
  for (const auto& [set, says] :
       {std::pair(R"(room.send={"text": "{text}"})", "then came a close frame 1011"),
        std::pair(R"(room.receive={"text": "{text}"})", R"(expected {"text":)")}) {
    const Outcome outcome = target.judged({"--set", set});
    EXPECT_EQ(outcome.exit_code, 3) << outcome.out;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot be judged"), HasSubstr(says)));
  }
}

// ---- what it writes

TEST(Written, EverythingAPipelineWants) {
  const Reference target({"--mutant", "duplicates"});
  const TemporaryDirectory directory;
  const Outcome outcome =
      target.judged({"--filter", "broadcast.exactly-once/*", "--filter", "echo.replies/*", "--html",
                     directory.path("r.html"), "--junit", directory.path("r.xml"), "--trace",
                     directory.path("trace"), "--annotate", "github", "--durations", "1"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("::error title=fail broadcast.exactly-once/"));
  EXPECT_THAT(outcome.out, HasSubstr("%0Aexpected: "));
  EXPECT_THAT(outcome.out, HasSubstr("look at   "));
  EXPECT_THAT(outcome.out, HasSubstr("\nslowest:\n"));
  EXPECT_THAT(testkit::slurp(directory.path("r.xml")),
              AllOf(HasSubstr("<property name=\"requirement\" value=\"echo.replies\"/>"),
                    HasSubstr("<property name=\"section\" value=\"echo\"/>"),
                    HasSubstr("<property name=\"level\" value=\"MUST\"/>")));
  const std::string page = testkit::slurp(directory.path("r.html"));
  for (const char* part : {"<details", "What to look at", "Transcript"})
    EXPECT_NE(page.find(part), page.npos) << part;
  std::size_t traces = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path("trace"))) {
    if (!entry.is_regular_file()) continue;
    ++traces;
    EXPECT_THAT(testkit::slurp(entry.path()), AllOf(HasSubstr(" > GET /ws/chat/"), HasSubstr(" < text(")));
  }
  EXPECT_EQ(traces, 2u) << "one a case, also of what passed";
}

TEST(Written, ResultsWithEveryKindOfVerdictFollowTheirSchema) {
  constexpr const char* kValidate =
      "import json, sys, jsonschema\n"
      "schema = json.load(open(sys.argv[1]))\n"
      "jsonschema.Draft202012Validator.check_schema(schema)\n"
      "jsonschema.validate(json.load(open(sys.argv[2])), schema)\n";
  const TemporaryDirectory directory;
  const std::string schema = testkit::source_dir() + "/reports/model/conformance_result.schema.json";
  const std::string port = std::to_string(testkit::free_port());
  const std::string known =
      directory.write("known.txt", "messages.bad-json/empty-text always never heard of it");
  const Outcome outcome =
      run(kSeedRoomsOnly + Words{"--target", "ws://127.0.0.1:" + port, "--start", fragile("0 no-empty-texts"),
                                 "--filter", "messages.[bd]*", "--filter", "broadcast.empty-text/*",
                                 "--filter", "push.order/*", "--known-deviations", known, "--json", "-"});
  json result = result_of(outcome);
  for (const char* verdict : {"pass", "fail", "crash", "unexpected_pass", "skipped", "informational"})
    EXPECT_EQ(result["summary"].count(verdict), 1u) << verdict << outcome.out;
  const auto valid = [&] {
    return testkit::run(
        {testkit::python(), "-c", kValidate, schema, directory.write("r.json", result.dump())});
  };
  EXPECT_EQ(valid().exit_code, 0) << valid().err;
  result["cases"][0]["verdict"] = "splendid";
  EXPECT_NE(valid().exit_code, 0);
}

TEST(Written, BadInputIsOneSentence) {
  const std::string nobody = "ws://127.0.0.1:1";
  const std::pair<Words, const char*> kCases[] = {
      {{"--shard", "0/3"}, "--shard 0/3: expected I/N"},
      {{"--shard", "1/2x"}, "--shard 1/2x: expected I/N"},
      {{"--jobs", "0"}, "--jobs"},
      {{"--repeat", "0"}, "--repeat"},
      {{"--observe", "soon"}, "--observe"},
      {{"--annotate", "jenkins"}, "--annotate"},
      {{"--trace", "/proc/no/such"}, "--trace /proc/no/such: no directory that can be written to"},
      {{"--json", "-", "--junit", "-"}, "only one of them can go to stdout"},
      {{"--json", "-", "--annotate", "github"}, "only one of them can go to stdout"},
      {{"--start", "a", "--start", "b"}, "--start is given 2 times and --target 1 times"},
  };
  for (const auto& [words, says] : kCases) {
    const Outcome outcome = run(Words{"--target", nobody} + words);
    EXPECT_EQ(outcome.exit_code, 2) << says << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(says));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

// ---- targets behind TLS, headers, cookies, a prefix

TEST(Tls, ATestAuthorityIsTrustedWhenItIsGiven) {
  const testkit::Certificate certificate;
  const Reference target({"--tls-cert", certificate.certificate_file(), "--tls-key", certificate.key_file()},
                         "wss");
  const Words some{"--filter", "connect.room*", "--filter", "broadcast.[eir]*", "--filter", "transport.*"};
  const Outcome trusted = target.judged(some + Words{"--ca", certificate.certificate_file()});
  EXPECT_EQ(trusted.exit_code, 0) << trusted.out << trusted.err;
  EXPECT_EQ(target.judged(some + Words{"--set", "tls_ca=" + certificate.certificate_file()}).exit_code, 0);
  EXPECT_EQ(target.judged(some + Words{"--insecure"}).exit_code, 0);
  const Outcome untrusted = target.judged(some);
  EXPECT_EQ(untrusted.exit_code, 3);
  EXPECT_THAT(untrusted.err, HasSubstr("TLS"));
}

TEST(Headers, GoWithEveryHandshake) {
  const Reference target({"--allowed-origin", "example.com"});
  const Words some{"--filter", "connect.*", "--filter", "echo.*"};
  EXPECT_THAT(target.judged(some).err, HasSubstr("HTTP 403"));
  const Outcome outcome =
      target.judged(some + Words{"--set", R"(headers={"Origin": "https://example.com"})"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

// A session cookie as Django signs it, so many seconds ago.
std::string django_session(const std::string& key, int age, const std::string& user) {
  constexpr const char* kSign = R"py(
import sys, time
from django.conf import settings
from django.core import signing
settings.configure(SECRET_KEY=sys.argv[1])
now = time.time() - int(sys.argv[2])
signing.time.time = lambda: now
print(signing.dumps({"_auth_user_id": sys.argv[3], "_auth_user_backend": "b", "_auth_user_hash": "h"}, key=sys.argv[1],
                    salt="django.contrib.sessions.backends.signed_cookies", compress=True), end="")
)py";
  const Outcome outcome = testkit::run({testkit::python(), "-c", kSign, key, std::to_string(age), user});
  if (outcome.exit_code != 0) throw std::runtime_error(outcome.err);
  return "sessionid=" + outcome.out;
}

TEST(Sessions, AreJudgedWithCookiesFromTheEnvironment) {
  const TemporaryDirectory directory;
  const Reference target(
      {"--session-secret", directory.write("key", "the key"), "--allowed-origin", "example.com"});
  const std::map<std::string, std::string> environment{
      {"ROOMCHECK_AUTH_SESSION", django_session("the key", 5, "7")},
      {"ROOMCHECK_AUTH_USER", "7"},
      {"ROOMCHECK_AUTH_EXPIRED", django_session("the key", 40 * 86400, "7")}};
  const Words words{testkit::bin_dir() + "/conformance",
                    "--target",
                    target.ws,
                    "--control",
                    target.control,
                    "--set",
                    R"(capabilities=["echo", "push", "direct", "events", "auth", "origin"])"};
  const auto judged = [&](const Words& more, std::map<std::string, std::string> with = {}) {
    with.insert(environment.begin(), environment.end());
    return testkit::run(words + more, with, std::chrono::seconds(100));
  };
  const Outcome check = judged({"--check"});
  EXPECT_EQ(check.exit_code, 0) << check.out << check.err;
  EXPECT_THAT(check.out,
              AllOf(HasSubstr("right      auth.private_path"), HasSubstr("right      origin.missing")));
  const Words some{"--filter", "auth.*", "--filter", "origin.*", "--filter", "echo.*", "--json", "-"};
  const Outcome outcome = judged(some);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  EXPECT_EQ(result_of(outcome)["summary"].count("skipped"), 0u) << outcome.out;
  // A cookie that was promised to be expired and is not: somebody, where nobody should be.
  const Outcome valid = judged(some, {{"ROOMCHECK_AUTH_EXPIRED", django_session("the key", 5, "7")}});
  EXPECT_EQ(valid.exit_code, 1) << valid.out;
  EXPECT_EQ(verdicts(result_of(valid)).at("auth.bad-session/expired"), "fail");
}

TEST(Cookies, OfTheProfileOpenATargetThatWantsALogin) {
  const TemporaryDirectory directory;
  const Reference target({"--session-secret", directory.write("key", "the key"), "--login-required"});
  const Words some{"--filter", "broadcast.[eir]*", "--filter", "echo.*"};
  EXPECT_EQ(target.judged(some).exit_code, 3);
  const Outcome outcome =
      target.judged(some + Words{"--set", "cookies=" + django_session("the key", 5, "7")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

TEST(Docs, NameOnlyOptionsThatExist) {
  const std::string help = run({"--help"}).out,
                    docs = testkit::slurp(testkit::source_dir() + "/docs/CONFORMANCE.md");
  std::set<std::string> named;
  for (const Regex::Match& option : Regex("`(--[a-z-]+)").all(docs)) named.insert(option[1]);
  EXPECT_GT(named.size(), 20u);
  for (const std::string& name : named)
    EXPECT_TRUE(name == "--gtest" || help.find("  " + name) != help.npos) << name;
}

TEST(Prefix, OfTheTargetsAddressStandsBeforeEveryPath) {
  const Reference target;
  const Outcome outcome = run({"--target", target.ws + "/ws/", "--control", target.control, "--set",
                               "room.path=/chat/{room}/", "--set", "echo.path=/chat/", "--filter",
                               "connect.room*", "--filter", "echo.*", "--filter", "push.reaches*"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

}  // namespace
}  // namespace roomcheck::conformance
