#include "ci/house/includes.h"

#include <algorithm>
#include <map>
#include <set>

#include "libs/base/regex.h"

namespace roomcheck::house {
namespace {

using Rooms = std::set<std::string, std::less<>>;

// A room is the folder that a rule speaks of: libs/x, reports/model, or a program.
std::string room_of(std::string_view path) {
  const std::size_t first = path.find('/');
  const std::string_view top = path.substr(0, first);
  if (first == path.npos) return std::string(top);
  if (top != "libs" && !(top == "reports" && path.substr(first + 1, 6) == "model/")) return std::string(top);
  return std::string(path.substr(0, path.find('/', first + 1)));
}

const Rooms kLibs{"libs/base",  "libs/event",  "libs/websocket", "libs/channel_layer",
                  "libs/stats", "libs/target", "libs/program"};

Rooms with(Rooms rooms, const Rooms& more) {
  rooms.insert(more.begin(), more.end());
  return rooms;
}

// base <- event <- channel_layer <- target, base <- websocket <- target, base <- stats <- reports/model; the
// programs may include every lib, loadgen and conformance also reports/model.
const std::map<std::string, Rooms, std::less<>>& allowed() {
  static const std::map<std::string, Rooms, std::less<>> rules{
      {"libs/base", {}},
      {"libs/program", {"libs/base"}},
      {"libs/event", {"libs/base"}},
      {"libs/websocket", {"libs/base"}},
      {"libs/stats", {"libs/base"}},
      {"libs/channel_layer", {"libs/base", "libs/event"}},
      {"libs/target", {"libs/base", "libs/event", "libs/channel_layer", "libs/websocket"}},
      {"libs/testkit", kLibs},
      {"reports/model", {"libs/base", "libs/stats"}},
      {"reports", {"libs/base", "libs/stats", "libs/program", "reports/model"}},
      {"reference_server", kLibs},
      {"layerctl", kLibs},
      {"loadgen", with(kLibs, {"reports/model"})},
      {"conformance", with(kLibs, {"reports/model"})},
      {"ci", {"libs/base"}},
      {"benchmarks", {}},  // the baselines owe us nothing
      {"fuzz", with(kLibs, {"reference_server", "loadgen", "reports/model"})},
  };
  return rules;
}

// Who makes a CLI::App, beside the options.cpp of each program.
const Rooms kCommandLines{"conformance/app.cpp", "layerctl/layerctl.cpp",
                          "loadgen/main.cpp",    "reference_server/server.cpp",
                          "reports/report.cpp",  "reports/compare/command.cpp"};

// Third-party headers with one door each: the first directory of <...>, and where it may stand.
bool door_open(std::string_view header, std::string_view path, std::string_view room) {
  const bool is_header = path.size() > 2 && path.substr(path.size() - 2) == ".h";
  const std::string_view top = header.substr(0, header.find('/'));
  if (top == "websocketpp") return room == "libs/websocket" || path == "benchmarks/websocketpp_plain.cpp";
  if (top == "hiredis") return room == "libs/channel_layer";
  if (top == "CLI")
    return !is_header && (room == "libs/program" || path.find("/options.cpp") != path.npos ||
                          kCommandLines.count(path) != 0);
  if (top == "nlohmann" && is_header)
    return room == "libs/event" || room == "libs/target" || room == "reports/model";
  return true;
}

}  // namespace

std::vector<std::string> wrong_includes(std::string_view path, std::string_view text) {
  static const Regex kInclude(R"((?:^|\n)[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"])");
  std::vector<std::string> out;
  const std::string room = room_of(path);
  const bool is_test = path.find("_test.") != path.npos || path.find("_bench.") != path.npos ||
                       path.rfind("conformance/targets/", 0) == 0;  // real servers, started by tests only
  const auto rule = allowed().find(room);
  if (rule == allowed().end())
    return {std::string(path) + ": the room " + room + " has no rule in ci/house/includes.cpp"};

  for (const Regex::Match& include : kInclude.all(text)) {
    const std::string& header = include[2];
    if (include[1] == "<") {
      if (!door_open(header, path, room))
        out.push_back(std::string(path) + " includes <" + header + ">, which has its door elsewhere");
      continue;
    }
    if (header.find('/') == header.npos) continue;  // generated, in the same folder
    const std::string other = room_of(header);
    if (other == room) continue;
    if (other == "libs/testkit" && (is_test || room == "libs/testkit")) continue;
    if (rule->second.count(other) == 0)
      out.push_back(std::string(path) + " includes " + header + ": " + room + " may not look at " + other);
  }
  return out;
}

}  // namespace roomcheck::house
