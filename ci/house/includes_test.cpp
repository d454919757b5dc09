#include "ci/house/includes.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "libs/testkit/paths.h"

namespace roomcheck::house {
namespace {

namespace fs = std::filesystem;

TEST(Includes, PointTheRightWayInEveryFile) {
  int files = 0;
  for (const char* top : {"libs", "reference_server", "layerctl", "loadgen", "conformance", "reports", "ci",
                          "benchmarks", "fuzz"}) {
    for (auto it = fs::recursive_directory_iterator(fs::path(testkit::source_dir()) / top);
         it != fs::recursive_directory_iterator(); ++it) {
      if (it->path().filename() == "node_modules") it.disable_recursion_pending();
      if (it->path().extension() != ".h" && it->path().extension() != ".cpp") continue;
      ++files;
      std::ifstream in(it->path());
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      const std::string path = fs::relative(it->path(), testkit::source_dir()).generic_string();
      for (const std::string& sentence : wrong_includes(path, text)) ADD_FAILURE() << sentence;
    }
  }
  EXPECT_GT(files, 50) << "the walk found too little to mean anything";
}

TEST(WrongIncludes, SeesALibraryThatLooksUp) {
  EXPECT_EQ(wrong_includes("libs/base/a.h", "#include \"libs/event/event.h\"\n").size(), 1u);
  EXPECT_EQ(
      wrong_includes("libs/websocket/a.h", "#pragma once\n#include \"libs/channel_layer/memory.h\"\n").size(),
      1u);
  EXPECT_TRUE(wrong_includes("libs/target/a.h", "#include \"libs/channel_layer/memory.h\"\n").empty());
}

TEST(WrongIncludes, SeesProgramsThatMeetOffTheSocket) {
  EXPECT_EQ(wrong_includes("loadgen/a.cpp", "#include \"reference_server/server.h\"\n").size(), 1u);
  EXPECT_EQ(wrong_includes("conformance/cases/a.cpp", "#include \"loadgen/probe.h\"\n").size(), 1u);
  EXPECT_EQ(wrong_includes("reference_server/a.cpp", "#include \"reports/model/read.h\"\n").size(), 1u);
  EXPECT_EQ(wrong_includes("loadgen/a.cpp", "#include \"reports/render/html.h\"\n").size(), 1u);
  EXPECT_TRUE(wrong_includes("loadgen/a.cpp", "#include \"reports/model/read.h\"\n").empty());
}

TEST(WrongIncludes, KeepsTheTestKitOutOfProducts) {
  EXPECT_EQ(wrong_includes("loadgen/a.cpp", "#include \"libs/testkit/process.h\"\n").size(), 1u);
  EXPECT_TRUE(wrong_includes("loadgen/a_test.cpp", "#include \"libs/testkit/process.h\"\n").empty());
}

TEST(WrongIncludes, KeepsOneDoorForEachThirdParty) {
  EXPECT_EQ(wrong_includes("loadgen/a.cpp", "#include <websocketpp/server.hpp>\n").size(), 1u);
  EXPECT_EQ(wrong_includes("reference_server/a.cpp", "#include <hiredis/async.h>\n").size(), 1u);
  EXPECT_EQ(wrong_includes("loadgen/ledger.cpp", "#include <CLI/CLI.hpp>\n").size(), 1u);
  EXPECT_EQ(wrong_includes("loadgen/options.h", "#include <CLI/CLI.hpp>\n").size(), 1u);
  EXPECT_EQ(wrong_includes("loadgen/options.cpp", "#include <CLI/CLI.hpp>\n").size(), 0u);
  EXPECT_EQ(wrong_includes("loadgen/main.cpp", "#include <CLI/CLI.hpp>\n").size(), 0u);
  EXPECT_EQ(wrong_includes("libs/websocket/a.h", "#include <nlohmann/json.hpp>\n").size(), 1u);
  EXPECT_TRUE(wrong_includes("libs/websocket/a.cpp", "#include <nlohmann/json.hpp>\n").empty());
  EXPECT_TRUE(wrong_includes("libs/websocket/a.cpp", "  #  include <websocketpp/server.hpp>\n").empty());
}

}  // namespace
}  // namespace roomcheck::house
