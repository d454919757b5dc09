#include "libs/program/program.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "libs/base/result.h"
#include "libs/base/units.h"
#include "libs/program/files.h"
#include "libs/program/limits.h"

namespace roomcheck {
namespace {

using namespace std::chrono_literals;

// A little program with one duration option.
struct Outcome {
  int exit_code;
  std::string err;
};

Outcome run(std::vector<std::string> words, std::chrono::nanoseconds& wait,
            const std::function<ExitCode()>& body) {
  CLI::App app("A test program", "little");
  add_duration(app, "--wait-time", wait, "How long");
  words.insert(words.begin(), "little");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  testing::internal::CaptureStderr();
  const int code = run_program(app, static_cast<int>(argv.size()), argv.data(), body);
  spdlog::drop("little");
  return {code, testing::internal::GetCapturedStderr()};
}

TEST(RunProgram, ReturnsWhatTheBodyReturns) {
  auto wait = 1ns;
  EXPECT_EQ(run({"--wait-time", "2s"}, wait, [] { return ExitCode::verdict_bad; }).exit_code, 1);
  EXPECT_EQ(wait, 2s);
}

TEST(RunProgram, TakesOptionsFromTheEnvironment) {
  auto wait = 1ns;
  ::setenv("ROOMCHECK_WAIT_TIME", "3s", 1);
  EXPECT_EQ(run({}, wait, [] { return ExitCode::good; }).exit_code, 0);
  ::unsetenv("ROOMCHECK_WAIT_TIME");
  EXPECT_EQ(wait, 3s);
}

TEST(RunProgram, SaysOneSentenceForAnUnknownOption) {
  auto wait = 1ns;
  const Outcome outcome = run({"--wiat-time", "2s"}, wait, [] { return ExitCode::good; });
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("--wiat-time"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("--help"), std::string::npos) << outcome.err;
}

TEST(RunProgram, NamesTheOptionOfABadValueAndTheForms) {
  auto wait = 1ns;
  const Outcome outcome = run({"--wait-time", "soon"}, wait, [] { return ExitCode::good; });
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("--wait-time"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("250ms"), std::string::npos) << outcome.err;
}

TEST(RunProgram, MapsFailuresToExitCodes) {
  auto wait = 1ns;
  EXPECT_EQ(run({}, wait, []() -> ExitCode { throw BadInput("x"); }).exit_code, 2);
  EXPECT_EQ(run({}, wait, []() -> ExitCode { throw StartFailure("x"); }).exit_code, 3);
  EXPECT_EQ(run({}, wait, []() -> ExitCode { throw std::logic_error("x"); }).exit_code, 3);
}

TEST(CommandLine, QuotesForAShell) {
  std::string a = "prog", b = "--room=a b", c = "it's";
  char* argv[] = {a.data(), b.data(), c.data()};
  EXPECT_EQ(command_line(3, argv), "prog '--room=a b' 'it'\\''s'");
}

TEST(WriteFile, LeavesNothingBehindWhereItCannotWrite) {
  EXPECT_THROW(write_file("/nonexistent/result.json", "x"), StartFailure);
}

TEST(WriteFile, ReplacesAtomically) {
  const std::string path = testing::TempDir() + "roomcheck_write_" + std::to_string(::getpid());
  write_file(path, "one");
  write_file(path, "two");
  EXPECT_EQ(read_file(path), "two");
  ::unlink(path.c_str());
  EXPECT_THROW(read_file(path), BadInput);
}

class WriteFileIn : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      out.push_back(entry.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }
  void SetUp() override {
    directory_ = testing::TempDir() + "roomcheck_files_XXXXXX";
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

 private:
  std::string directory_;
};

// A disk that is full looks to a program as a file that may not grow: write() stores a part, then fails.
TEST_F(WriteFileIn, AFullDiskIsOneSentenceAndWhatWasThereStays) {
  write_file(path("result.json"), "the old one");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto disposition = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string said;
  try {
    write_file(path("result.json"), std::string(5000, 'x'));
  } catch (const StartFailure& e) {
    said = e.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, disposition);
  EXPECT_EQ(said, "cannot write " + path("result.json") + ": File too large");
  EXPECT_EQ(read_file(path("result.json")), "the old one");
  EXPECT_EQ(names(), std::vector<std::string>{"result.json"});
}

TEST_F(WriteFileIn, FollowsALinkAndKeepsIt) {
  write_file(path("real"), "one");
  std::filesystem::create_symlink("real", path("link"));
  write_file(path("link"), "two");
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(read_file(path("real")), "two");
}

TEST_F(WriteFileIn, WritesIntoADeviceAndNeverReplacesIt) {
  std::filesystem::create_symlink("/dev/full", path("full"));
  std::filesystem::create_symlink("/dev/null", path("null"));
  EXPECT_THROW(write_file(path("full"), "x"), StartFailure);
  write_file(path("null"), "x");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
  EXPECT_TRUE(std::filesystem::is_character_file(path("null")));
}

TEST_F(WriteFileIn, SaysBeforeTheRunThatTheResultHasNoPlace) {
  EXPECT_THROW(require_writable("--json", path("nowhere/result.json")), BadInput);
  require_writable("--json", path("result.json"));
  require_writable("--json", "/dev/null");
  require_writable("--json", "-");
  EXPECT_TRUE(names().empty()) << "the question left a file behind";
}

TEST(OpenFiles, SaysTheRemedyBeforeAnythingIsOpened) {
  try {
    require_open_files(1u << 30, "5 clients");
    FAIL() << "a billion sockets were granted";
  } catch (const BadInput& e) {
    EXPECT_NE(std::string(e.what()).find("ulimit -Hn"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace roomcheck
