#include "layerctl/layerctl.h"

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <iostream>

#include "layerctl/bus.h"
#include "layerctl/options.h"
#include "libs/program/program.h"
#include "libs/target/profile.h"

namespace roomcheck::layerctl {
namespace {

constexpr const char* kExamples = R"(Examples:
  layerctl send test_channel '{"site": "redis://localhost:6379"}'
  layerctl receive test_channel
  layerctl push myroom '预警信息推送'
  layerctl --redis-url redis://10.0.0.5:6379/1 members myroom
  tail -f events.jsonl | layerctl group-send myroom -
  layerctl --layer redis-pubsub receive news --count 0 --limit 1h | jq .text

Prints a JSON object a line. Exit codes: 0 done, 1 nothing came or the channel is full, 2 bad input, 3 Redis or the
control failed.)";

void print(const event::Event& line) { std::cout << line.dump() << '\n' << std::flush; }

event::Event parse(const std::string& text, const std::string& where) {
  Result<event::Event> event = event::parse_json(text);
  if (!event.ok()) throw BadInput(where + " is not JSON: " + event.error().message);
  if (!event->is_object()) throw BadInput(where + ": an event is a JSON object, not " + text.substr(0, 100));
  return std::move(event).value();
}

// Calls `send` with the argument, or with each line of stdin when it is "-". Blank lines are skipped.
Result<void> each_event(const std::string& argument,
                        const std::function<Result<void>(const event::Event&)>& send) {
  if (argument != "-") return send(parse(argument, "JSON"));
  std::string line;
  for (int number = 1; std::getline(std::cin, line); ++number) {
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const Result<void> sent = send(parse(line, "stdin:" + std::to_string(number)));
    if (!sent.ok()) return sent;
  }
  return {};
}

Result<void> group_send(Bus& bus, const std::string& group, const event::Event& event) {
  const Result<event::Event> answer = bus.group_send(group, event);
  if (!answer.ok()) return answer.error();
  print(*answer);
  return {};
}

Result<void> push(Bus& bus, const Options& o) {
  const target::Profile profile = target::with_overrides(target::load_profile(o.profile), o.set);
  if (!profile.push) throw BadInput("--profile " + o.profile + " does not say what a push is (field push)");
  return group_send(bus, profile.group_of(o.name), profile.push->event.render_json(o.argument));
}

Result<void> members(Bus& bus, const std::string& group) {
  const Result<std::vector<std::string>> names = bus.members(group);
  if (!names.ok()) return names.error();
  for (const std::string& name : *names) print({{"channel", name}});
  return {};
}

Result<void> receive(Bus& bus, const Options& o) {
  std::uint64_t got = 0;
  const Result<void> outcome = bus.receive(o.name, o.count, [&got](const event::Event& event) {
    print(event);
    ++got;
  });
  const bool ended_as_asked =
      !outcome.ok() && outcome.error().kind == Error::Kind::timeout && o.count == 0 && got > 0;
  return ended_as_asked ? Result<void>() : outcome;
}

Result<void> perform(Bus& bus, const Options& o) {
  if (o.verb == "send")
    return each_event(o.argument, [&](const event::Event& event) { return bus.send(o.name, event); });
  if (o.verb == "group-send")
    return each_event(o.argument, [&](const event::Event& event) { return group_send(bus, o.name, event); });
  if (o.verb == "receive") return receive(bus, o);
  if (o.verb == "group-add") return bus.group_add(o.name, o.argument);
  if (o.verb == "group-discard") return bus.group_discard(o.name, o.argument);
  if (o.verb == "members") return members(bus, o.name);
  if (o.verb == "push") return push(bus, o);
  return bus.flush();
}

ExitCode exit_code(const Options& o, Error::Kind kind) {
  switch (kind) {
    case Error::Kind::bad_input:
    case Error::Kind::unsupported:
      return ExitCode::usage;
    case Error::Kind::full:
      return ExitCode::verdict_bad;
    case Error::Kind::timeout:
      return o.verb == "receive" ? ExitCode::verdict_bad : ExitCode::failed;
    default:
      return ExitCode::failed;
  }
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app("The channel layer from a shell: sends, receives, groups, as Channels does.", "layerctl");
  app.footer(kExamples);
  Options options;
  add_options(app, options);
  return run_program(app, argc, argv, [&] {
    // What goes wrong is said once, as our own last sentence, unless somebody wants the layer's words too.
    if (app.get_option("--log-level")->count() == 0) spdlog::set_level(spdlog::level::err);
    const std::unique_ptr<Bus> bus =
        options.control.empty() ? make_layer_bus(options) : make_control_bus(options);
    const Result<void> outcome = perform(*bus, options);
    if (outcome.ok()) return ExitCode::good;
    std::cerr << "layerctl: " << outcome.error().message << '\n';
    return exit_code(options, outcome.error().kind);
  });
}

}  // namespace roomcheck::layerctl
