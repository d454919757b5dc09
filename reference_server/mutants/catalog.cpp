#include <algorithm>
#include <charconv>

#include "libs/base/result.h"
#include "libs/base/units.h"
#include "libs/event/names.h"
#include "reference_server/mutants/mutation.h"
#include "reference_server/mutants/wire.h"

namespace roomcheck::reference_server {

namespace {

// The mutants that are not on the wire: of routes, of what one connection is sent, of the channel layer.
std::vector<Mutant> inner_mutants() {
  using K = Mutant::Kind;
  return {
      {"accept-unknown-path",
       K::spec,
       {"connect.unknown-path-refused"},
       "A path that no route matches is a room.",
       ""},
      {"slash-optional", K::spec, {"connect.path-exact"}, "The trailing slash may be missing.", ""},
      {"query-in-room",
       K::spec,
       {"connect.query-ignored"},
       "The query string is part of the room's name.",
       ""},
      {"long-names-accepted",
       K::spec,
       {"connect.room-name-refused"},
       "Room names of 100 characters or more are cut and accepted.",
       ""},
      {"odd-names-accepted",
       K::spec,
       {"connect.room-name-refused"},
       "Characters outside the rule are replaced and accepted.",
       ""},
      {"short-names-only",
       K::spec,
       {"connect.room-name-accepted"},
       "Room names longer than 50 characters are refused.",
       ""},
      {"hidden-names-refused",
       K::spec,
       {"connect.room-name-accepted"},
       "Room names that begin with a dot are refused.",
       ""},
      {"room-not-decoded",
       K::spec,
       {"connect.room-name-decoded"},
       "Percent-escapes in the room's name are taken literally.",
       ""},
      {"no-echo-route",
       K::spec,
       {"connect.echo-accepted", "echo.replies", "echo.only-self", "echo.in-order"},
       "The echo path is refused.",
       ""},
      {"unasked-subprotocol",
       K::spec,
       {"connect.no-unasked-subprotocol"},
       "A subprotocol is chosen that nobody offered.",
       ""},
      {"echo-wrong-text",
       K::spec,
       {"echo.replies"},
       "The echo leaves out its prefix before a text of several lines.",
       ""},
      {"echo-swapped", K::spec, {"echo.in-order"}, "Each second echo comes before the first.", ""},
      {"late-join",
       K::spec,
       {"groups.join-before-accept"},
       "Where ten have left, the handshake is accepted before the group has the member.",
       ""},
      {"ghost-on-close",
       K::spec,
       {"groups.leave-on-close", "direct.closed-channel"},
       "Who leaves with a close frame stays in the group.",
       ""},
      {"ghost-on-fin",
       K::spec,
       {"groups.leave-on-fin"},
       "Who leaves by the end of TCP stays in the group.",
       ""},
      {"ghost-on-reset",
       K::spec,
       {"groups.leave-on-reset"},
       "Who leaves by a TCP reset stays in the group.",
       ""},
      {"ghost-on-protocol-error",
       K::spec,
       {"groups.leave-on-protocol-error"},
       "Whose connection the server failed stays in the group.",
       ""},
      {"case-folded", K::spec, {"groups.isolation"}, "Rooms that differ only in letter case are one.", ""},
      {"history",
       K::spec,
       {"groups.no-history"},
       "A new member gets the last of five messages or more since anybody joined or left.",
       ""},
      {"no-astral",
       K::spec,
       {"broadcast.unicode"},
       "Characters beyond the Basic Multilingual Plane become question marks.",
       ""},
      {"drops-large", K::spec, {"broadcast.sizes"}, "Messages of 512 KiB or more are not delivered.", ""},
      {"long-channel-names",
       K::spec,
       {"connect.distinct-channel-names"},
       "Channel names are longer than 99 characters.",
       ""},
      {"push-lost-in-talk",
       K::spec,
       {"push.while-members-talk"},
       "The fifth push that comes between members' messages is lost.",
       ""},
      {"push-never-chat",
       K::spec,
       {"push.as-chat-message"},
       "A push of the members' own event type is shown as any other push.",
       ""},
      {"dots-unknown", K::spec, {"push.dotted-type"}, "An event type with dots names no handler.", ""},
      {"push-ignored",
       K::spec,
       {"push.reaches-all"},
       "A push reaches nobody in a room of three or more.",
       ""},
      {"push-everywhere",
       K::spec,
       {"push.isolation"},
       "A push also reaches the room that was opened next.",
       ""},
      {"push-kept", K::spec, {"push.empty-room"}, "A push to an empty room is kept for who joins later.", ""},
      {"push-swapped",
       K::spec,
       {"push.order"},
       "The fifteenth push to a room comes after the sixteenth.",
       ""},
      {"invalid-group-accepted",
       K::spec,
       {"push.invalid-group-refused"},
       "A push to an invalid group name is no error.",
       ""},
      {"direct-to-group",
       K::spec,
       {"direct.only-target", "direct.not-the-group"},
       "A direct send reaches the whole room.",
       ""},
      {"direct-to-another",
       K::spec,
       {"direct.not-the-group", "direct.only-target"},
       "A direct send reaches another member of the room.",
       ""},
      {"direct-falls-back",
       K::spec,
       {"direct.closed-channel"},
       "A direct send to a connection that is gone reaches the next to come.",
       ""},
      {"invalid-channel-accepted",
       K::spec,
       {"direct.invalid-name-refused"},
       "A direct send to a malformed name is no error.",
       ""},
      {"direct-swapped",
       K::spec,
       {"direct.order"},
       "The fifteenth direct send to a channel comes after the sixteenth.",
       ""},
      {"talk-stays-here",
       K::spec,
       {"cluster.broadcast", "cluster.node-death", "cluster.push", "cluster.direct"},
       "What members say reaches only those of their own node.",
       ""},
      {"push-stays-here",
       K::spec,
       {"cluster.push"},
       "A push reaches only members of the node that it was given to.",
       ""},
      {"direct-stays-here",
       K::spec,
       {"cluster.direct"},
       "A direct send reaches only connections of the node that it was given to.",
       ""},
      {"lose", K::load, {}, "Exactly every Nth delivery of a room message is dropped.", "N"},
      {"duplicate", K::load, {}, "Exactly every Nth delivery of a room message is doubled.", "N"},
      {"burn", K::load, {}, "Every delivery of a room message uses up a fixed time of the CPU.", "DURATION"},
      {"reorder", K::load, {}, "Exactly every Nth comes after the next one to the same member.", "N"},
      {"delay", K::load, {}, "Every delivery of a room message is delayed by a fixed time.", "DURATION"},
      {"member-delay", K::load, {}, "Member i of five gets everything after i times this.", "DURATION"},
      {"stall", K::load, {}, "Nothing is delivered for LENGTH at the end of each PERIOD.", "LENGTH/PERIOD"},
      {"serves", K::load, {}, "At most N deliveries of room messages a second, in order.", "N"},
  };
}

}  // namespace

const std::vector<Mutant>& all_mutants() {
  static const std::vector<Mutant> all = [] {
    std::vector<Mutant> out = inner_mutants();
    for (const WireMutant& m : wire_mutants()) out.push_back(m.mutant);
    return out;
  }();
  return all;
}

std::string_view to_string(Mutant::Kind kind) {
  return kind == Mutant::Kind::spec ? "spec" : kind == Mutant::Kind::load ? "load" : "target";
}

Mutation::Mutation(const std::vector<std::string>& choices) {
  for (const std::string& choice : choices) {
    const std::size_t equals = choice.find('=');
    const std::string name = choice.substr(0, equals);
    const std::string value = equals == choice.npos ? "" : choice.substr(equals + 1);
    const auto& all = all_mutants();
    const auto known = std::find_if(all.begin(), all.end(), [&](const Mutant& m) { return m.name == name; });
    if (known == all.end())
      throw BadInput("--mutant " + choice + ": there is no mutant \"" + name +
                     "\" (--list-mutants names them)");
    if (known->value.empty() != value.empty())
      throw BadInput("--mutant " + choice + ": expected " + name +
                     (known->value.empty() ? "" : "=" + std::string(known->value)));
    chosen_.emplace_back(name, value);
    for (const WireMutant& m : wire_mutants())
      if (m.mutant.name == name) wire_.push_back(&m);
    if (known->value == "N" && number(name) == 0)
      throw BadInput("--mutant " + choice + ": N is a whole number from 1 on");
    if (known->value == "DURATION") (void)parse_duration(value);
    if (known->value == "LENGTH/PERIOD") {
      const std::size_t slash = value.find('/');
      if (slash == value.npos)
        throw BadInput("--mutant " + choice + ": expected LENGTH/PERIOD, such as 1s/5s");
      load_plan_.stall = parse_duration(value.substr(0, slash));
      load_plan_.stall_period = parse_duration(value.substr(slash + 1));
      if (load_plan_.stall.count() <= 0 || load_plan_.stall_period <= load_plan_.stall)
        throw BadInput("--mutant " + choice + ": a stall is above 0 and shorter than its period");
    }
  }
  load_plan_.lose = number("lose");
  load_plan_.duplicate = number("duplicate");
  load_plan_.reorder = number("reorder");
  load_plan_.serves = number("serves");
  load_plan_.delay = duration("delay");
  if (has("burn")) load_plan_.burn = duration("burn");
  load_plan_.member_delay = duration("member-delay");
  load_ = std::make_unique<LoadMutants>(load_plan_);
}

bool Mutation::has(std::string_view name) const {
  return std::any_of(chosen_.begin(), chosen_.end(),
                     [&](const auto& choice) { return choice.first == name; });
}

std::uint64_t Mutation::number(std::string_view name) const {
  std::uint64_t out = 0;
  for (const auto& [known, value] : chosen_)
    if (known == name) std::from_chars(value.data(), value.data() + value.size(), out);
  return out;
}

Nanoseconds Mutation::duration(std::string_view name) const {
  for (const auto& [known, value] : chosen_)
    if (known == name) return parse_duration(value);
  return Nanoseconds(0);
}

std::optional<Route> Mutation::reroute(const websocket::Request& request, std::optional<Route> route,
                                       ConsumerKind chat_consumer) const {
  const std::string raw_path = request.target.substr(0, request.target.find('?'));
  if (!route && has("slash-optional")) route = reference_server::route(request.path + "/", chat_consumer);
  if (!route && has("accept-unknown-path") && request.path.back() == '/' &&
      lower(request.path).find("/ws/") != 0)
    route = Route{Route::Kind::room, chat_consumer, "unknown"};
  if (!route) return route;
  if (has("no-echo-route") && route->kind == Route::Kind::echo) return std::nullopt;
  if (route->kind == Route::Kind::echo) return route;

  std::string& room = route->room;
  if (has("room-not-decoded") && raw_path != request.path && event::check_group_name(room).ok())
    if (const auto literal = reference_server::route(raw_path, chat_consumer)) {
      room = literal->room;
      std::replace(room.begin(), room.end(), '%', '.');
    }
  if (has("query-in-room") && !request.query.empty()) room += ".query";
  if (has("long-names-accepted") && room.size() > 99) room.resize(99);
  if (has("short-names-only") && room.size() > 50) return std::nullopt;
  if (has("hidden-names-refused") && room.front() == '.') return std::nullopt;
  if (has("odd-names-accepted") && room.size() < 100)
    for (char& c : room)
      if (!event::check_group_name(std::string(1, c)).ok()) c = '_';
  if (has("case-folded")) room = lower(room);
  return route;
}

bool Mutation::keeps_ghost(const websocket::CloseInfo& info) const {
  if (info.code != 1006) return has("ghost-on-close");
  if (info.reason == "the connection ended") return has("ghost-on-fin");
  return info.reason.find("reset") != std::string::npos ? has("ghost-on-reset")
                                                        : has("ghost-on-protocol-error");
}

std::unique_ptr<Wire> Mutation::listen(boost::asio::io_context& io, const std::string& host,
                                       std::uint16_t port, std::uint16_t server_port) const {
  if (!on_the_wire()) return nullptr;
  auto wire = std::make_unique<Wire>(io, wire_, host, port, server_port);
  for (const auto& [name, value] : chosen_)
    if (name == "ends-with-peer") wire->watch(value);
  return wire;
}

}  // namespace roomcheck::reference_server
