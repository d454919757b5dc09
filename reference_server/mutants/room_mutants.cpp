// Mutants of who hears what, as far as the wire can tell: it knows each room's connections by their path.
#include <algorithm>

#include "reference_server/mutants/wire.h"

namespace roomcheck::reference_server {
namespace {

using websocket::RawFrame;

constexpr std::string_view kEchoPath = "/ws/chat/";

bool is_room(const Link& link) { return link.path() != kEchoPath && link.path() != "/ws/whoami/"; }

// A message that a member sends, or gets.
bool is_talk(const Link& link, const RawFrame& frame) { return is_text(frame) && is_room(link); }

// Who spoke while alone in the room and then has company does not get its next message back.
WireMutant soloist() {
  return spoils_frames(
      "soloist-left-out", {"broadcast.includes-sender", "connect.nothing-before-101"},
      "Who spoke while alone in its room is left out of its first message to company.",
      [](Link& link, RawFrame& frame) {
        if (!is_talk(link, frame)) return Then::pass;
        if (link.room().links.size() == 1) {
          link.marked = true;
        } else if (std::exchange(link.marked, false)) {
          link.count = 1;
        }
        return Then::pass;
      },
      [](Link& link, RawFrame& frame) {
        return drop_when(is_text(frame) && std::exchange(link.count, 0) == 1);
      });
}

WireMutant doubled_after_leaving() {
  WireMutant out = spoils_frames("doubled-after-leaving", {"groups.rejoin", "groups.join-before-accept"},
                                 "Who joins a room that three have left gets each message twice.", nullptr,
                                 [](Link& link, RawFrame& frame) {
                                   if (link.marked && is_talk(link, frame)) link.to_client(frame);
                                   return Then::pass;
                                 });
  out.response = [](Link& link, std::string&) { link.marked = link.room().count >= 3; };
  out.gone = [](Link& link) { ++link.room().count; };
  return out;
}

WireMutant lost_in_churn() {
  WireMutant out = spoils_frames("lost-in-churn", {"groups.churn-harmless", "connect.nothing-before-101"},
                                 "Every twentieth visitor who hangs up takes a message of the room along.",
                                 [](Link& link, RawFrame& frame) {
                                   if (!is_talk(link, frame) || link.room().count < 20) return Then::pass;
                                   link.room().count = 0;
                                   return Then::drop;
                                 });
  out.gone = [](Link& link) { link.room().count += link.fin ? 1 : 0; };
  return out;
}

WireMutant dead_room() {
  WireMutant out = spoils_frames(
      "dead-room", {"groups.empty-room-reborn"}, "A room that was empty once stays silent.", nullptr,
      [](Link& link, RawFrame& frame) { return drop_when(link.room().marked && is_talk(link, frame)); });
  out.gone = [](Link& link) {
    WireRoom& room = link.room();
    room.marked = room.marked || room.links.size() == 1;
  };
  return out;
}

WireMutant second_replaces_first() {
  WireMutant out = spoils_frames(
      "second-replaces-first", {"groups.one-connection-one-member"},
      "A client's second connection to a room takes the place of its first.", nullptr,
      [](Link& link, RawFrame& frame) { return drop_when(link.marked && is_talk(link, frame)); });
  out.response = [](Link& link, std::string&) {
    if (link.header("Cookie").empty()) return;
    for (Link* other : link.room().links)
      if (other != &link && other->header("Cookie") == link.header("Cookie")) other->marked = true;
  };
  return out;
}

WireMutant first_gets_all() {
  WireMutant out =
      spoils_frames("first-gets-all", {"groups.two-rooms"},
                    "A client with connections in two rooms gets both rooms' messages on the first.", nullptr,
                    [](Link& link, RawFrame& frame) {
                      if (!link.marked || !is_talk(link, frame)) return Then::pass;
                      for (const auto& [path, room] : link.rooms())
                        for (Link* other : room.links)
                          if (!other->marked && is_room(*other) && path != link.path() &&
                              other->header("Cookie") == link.header("Cookie"))
                            other->to_client(frame);
                      return Then::drop;
                    });
  out.response = [](Link& link, std::string&) {
    if (link.header("Cookie").empty()) return;
    for (const auto& [path, room] : link.rooms())
      for (Link* other : room.links)
        if (path != link.path() && is_room(*other) && other->header("Cookie") == link.header("Cookie"))
          link.marked = true;
  };
  return out;
}

// Messages that come while the sender's own are still on their way wait for a pause; of those only so many.
WireMutant small_window() {
  constexpr std::size_t kWindow = 35;
  return spoils_frames(
      "small-window", {"broadcast.burst-within-capacity"},
      "Of what a member says in one burst, 35 messages are kept.",
      [](Link& link, RawFrame& frame) {
        if (!is_talk(link, frame)) return Then::pass;
        if (link.count == 0 && link.held.empty()) {
          ++link.count;  // on its way
          return Then::pass;
        }
        if (link.held.size() < kWindow) link.held.push_back(frame);
        link.later(std::chrono::milliseconds(4), [&link] {
          for (const RawFrame& held : link.held) link.to_server(held);
          link.count += link.held.size();
          link.held.clear();
        });
        return Then::drop;
      },
      [](Link& link, RawFrame& frame) {
        if (is_talk(link, frame) && link.count > 0) --link.count;
        return Then::pass;
      });
}

// Where three are in a room before any of them speaks, the first misses the first word of the third to speak.
WireMutant skips_a_member() {
  return spoils_frames(
      "skips-a-member", {"broadcast.reaches-all"},
      "In a room of three who met in silence, one misses the first message of the third who speaks.",
      [](Link& link, RawFrame& frame) {
        if (!is_talk(link, frame)) return Then::pass;
        WireRoom& room = link.room();
        const bool first_word = room.talkers.insert(&link).second;
        if (first_word && room.talkers.size() == 1) room.marked = room.links.size() == 3;
        if (first_word && room.talkers.size() == 3 && room.marked) room.links.front()->count = 1;
        return Then::pass;
      },
      [](Link& link, RawFrame& frame) {
        return drop_when(is_talk(link, frame) && std::exchange(link.count, 0) == 1);
      });
}

// Long talk in a room of three: each of them got more than thirty short messages.
WireMutant duplicates() {
  return spoils_frames(
      "duplicates", {"broadcast.exactly-once"},
      "In a room of three, a message comes twice once each has got thirty.", nullptr,
      [](Link& link, RawFrame& frame) {
        if (!is_talk(link, frame) || frame.payload.size() > 1000) return Then::pass;
        ++link.count;
        const auto& links = link.room().links;
        if (links.size() == 3 && !link.room().marked &&
            std::all_of(links.begin(), links.end(), [](const Link* l) { return l->count > 30; })) {
          link.room().marked = true;
          link.to_client(frame);
        }
        return Then::pass;
      });
}

// Held until the next one has gone, or until nothing follows.
WireMutant swapped() {
  return spoils_frames(
      "swapped", {"broadcast.sender-order"},
      "In a room of three, the fifteenth message comes after the sixteenth when that is close.", nullptr,
      [](Link& link, RawFrame& frame) {
        if (!is_talk(link, frame) || link.room().links.size() != 3) return Then::pass;
        const auto release = [&link] {
          for (const RawFrame& held : std::exchange(link.held, {})) link.to_client(held);
        };
        if (++link.count == 15) {
          link.held.push_back(frame);
          link.later(std::chrono::milliseconds(50), release);
          return Then::drop;
        }
        if (link.held.empty()) return Then::pass;
        link.to_client(frame);
        release();
        return Then::drop;
      });
}

WireMutant ends_with_peer() {
  WireMutant out = spoils_frames(
      "ends-with-peer", {"cluster.node-death"}, "When the other node dies, members here hear nothing more.",
      nullptr,
      [](Link& link, RawFrame& frame) { return drop_when(link.peer_is_gone() && is_talk(link, frame)); });
  out.mutant.value = "HOST:PORT";
  return out;
}

WireMutant greeting() {
  WireMutant out =
      spoils_frames("greeting", {"connect.silent-join"}, "Who comes back to a room is greeted.", nullptr);
  out.response = [](Link& link, std::string& head) {
    const std::string client = link.header("Cookie");
    if (client.empty() || !is_room(link)) return;
    if (link.room().left.count(client) != 0)
      head += websocket::RawClient::encode(text_frame(R"({"message": "welcome back"})"));
  };
  out.gone = [](Link& link) { link.room().left.insert(link.header("Cookie")); };
  return out;
}

// Where four who are there have spoken.
WireMutant presence() {
  WireMutant out = spoils_frames("presence", {"connect.silent-join"},
                                 "A room in which four have spoken is told who joins it.",
                                 [](Link& link, RawFrame& frame) {
                                   if (is_talk(link, frame)) link.room().talkers.insert(&link);
                                   return Then::pass;
                                 });
  out.response = [](Link& link, std::string&) {
    if (link.room().talkers.size() < 4) return;
    for (Link* other : link.room().links)
      if (other != &link) other->to_client(text_frame(R"({"message": "somebody joined"})"));
  };
  return out;
}

WireMutant target(std::string_view name, std::string_view sentence,
                  std::function<Then(Link&, RawFrame&)> from_client,
                  std::function<Then(Link&, RawFrame&)> from_server) {
  WireMutant out = spoils_frames(name, {}, sentence, std::move(from_client), std::move(from_server));
  out.mutant.kind = Mutant::Kind::target;
  return out;
}

}  // namespace

std::vector<WireMutant> room_mutants() {
  return {
      spoils_frames("echo-to-all", {"echo.only-self"}, "Everybody on the echo path gets every echo.", nullptr,
                    [](Link& link, RawFrame& frame) {
                      if (is_text(frame) && link.path() == kEchoPath)
                        for (Link* other : link.room().links)
                          if (other != &link) other->to_client(frame);
                      return Then::pass;
                    }),
      greeting(),
      presence(),
      doubled_after_leaving(),
      second_replaces_first(),
      first_gets_all(),
      lost_in_churn(),
      dead_room(),
      skips_a_member(),
      soloist(),
      duplicates(),
      swapped(),
      spoils_frames("binary-frames", {"broadcast.text-frame"}, "A text that is a data URL comes as binary.",
                    nullptr,
                    [](Link& link, RawFrame& frame) {
                      if (is_talk(link, frame) && frame.payload.find("data:;base64,") != frame.payload.npos)
                        frame.opcode = 2;
                      return Then::pass;
                    }),
      spoils_frames("extra-key", {"broadcast.text-frame"},
                    "A text that is itself a JSON object leaves one of its keys beside it.", nullptr,
                    [](Link& link, RawFrame& frame) {
                      if (is_talk(link, frame) &&
                          frame.payload.find("{\\\"message\\\"") != frame.payload.npos)
                        frame.payload.insert(frame.payload.size() - 1, ", \"room\": true");
                      return Then::pass;
                    }),
      spoils_frames("torn-in-a-crowd", {"broadcast.concurrent-senders"},
                    "Where four talk, the seventieth message is cut short.",
                    [](Link& link, RawFrame& frame) {
                      if (!is_talk(link, frame)) return Then::pass;
                      WireRoom& room = link.room();
                      room.talkers.insert(&link);
                      if (++room.count == 70 && room.talkers.size() >= 4 && frame.payload.size() > 20)
                        frame.payload.erase(frame.payload.size() - 12, 10);
                      return Then::pass;
                    }),
      spoils_frames("four-hundred", {"broadcast.big-room"},
                    "Only the first 400 members of a room hear anything.", nullptr,
                    [](Link& link, RawFrame& frame) {
                      const auto& links = link.room().links;
                      return drop_when(links.size() > 400 && is_talk(link, frame) &&
                                       std::find(links.begin() + 400, links.end(), &link) != links.end());
                    }),
      small_window(),
      spoils_frames("slow-stops-all", {"broadcast.slow-member-harmless"},
                    "While one member does not read, the others of its room hear nothing.", nullptr,
                    [](Link& link, RawFrame& frame) {
                      const auto& links = link.room().links;
                      return drop_when(is_talk(link, frame) &&
                                       std::any_of(links.begin(), links.end(), [&link](const Link* other) {
                                         return other != &link && other->waiting() > (256u << 10);
                                       }));
                    }),
      spoils_frames("json-kind-differs", {"broadcast.sync-equals-async"},
                    "The JSON consumer's messages have one more key.", nullptr,
                    [](Link& link, RawFrame& frame) {
                      if (is_text(frame) && link.path().compare(0, 9, "/ws/json/") == 0)
                        frame.payload.insert(frame.payload.size() - 1, ", \"kind\": \"json\"");
                      return Then::pass;
                    }),
      ends_with_peer(),
      target("silent", "Accepts every handshake that the right server accepts, and never says a word.",
             nullptr, [](Link&, RawFrame&) { return Then::drop; }),
      target(
          "parrot", "Repeats every message to everybody in every room.",
          [](Link& link, RawFrame& frame) {
            if (frame.opcode > 2) return Then::pass;
            for (const auto& [path, room] : link.rooms())
              for (Link* other : room.links) {
                RawFrame copy = frame;
                copy.masked = false;
                other->to_client(copy);
              }
            return Then::drop;
          },
          nullptr),
  };
}

}  // namespace roomcheck::reference_server
