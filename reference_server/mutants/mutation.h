#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/channel_layer/channel_layer.h"
#include "libs/websocket/connection.h"
#include "libs/websocket/http.h"
#include "reference_server/mutants/load_mutants.h"
#include "reference_server/routing.h"

namespace roomcheck::reference_server {

class Wire;
struct WireMutant;

// One way to break the server on purpose.
struct Mutant {
  enum class Kind {
    spec,   // breaks one requirement of docs/SPEC.md
    load,   // breaks a number exactly, for load generators
    target  // breaks nearly everything: no suite may call it good
  };
  std::string_view name;
  Kind kind;
  // What it breaks (spec only): the first is what it is for, the others cannot but follow from it.
  std::vector<std::string_view> requirements;
  std::string_view sentence;
  std::string_view value;  // "" or what stands behind the "=", e.g. "N"
};

const std::vector<Mutant>& all_mutants();
std::string_view to_string(Mutant::Kind kind);

// The chosen mutants. A healthy server has none of this: the decorators are put around its parts only when a
// mutant is chosen, and its own code asks nothing but whether there is a Mutation.
//
// Thread: constant after construction; the statistics are atomic.
class Mutation {
 public:
  // `choices` are NAME or NAME=VALUE. Throws BadInput naming the choice and the remedy.
  explicit Mutation(const std::vector<std::string>& choices);

  bool has(std::string_view name) const;
  std::uint64_t number(std::string_view name) const;  // its value
  Nanoseconds duration(std::string_view name) const;

  // The route that a broken server takes.
  std::optional<Route> reroute(const websocket::Request& request, std::optional<Route> route,
                               ConsumerKind chat_consumer) const;
  std::string subprotocol() const { return has("unasked-subprotocol") ? "chat" : ""; }
  bool keeps_ghost(const websocket::CloseInfo& info) const;

  // Mutants of the handshake and of frames stand between the clients and the server, which then listens on
  // `server_port`; null when none is chosen. Throws StartFailure.
  bool on_the_wire() const { return !wire_.empty(); }
  std::unique_ptr<Wire> listen(boost::asio::io_context& io, const std::string& host, std::uint16_t port,
                               std::uint16_t server_port) const;

  websocket::ConnectionPtr wrap(websocket::ConnectionPtr connection, const Route& route,
                                boost::asio::io_context& io) const;
  std::unique_ptr<channel_layer::ChannelLayer> wrap(std::unique_ptr<channel_layer::ChannelLayer> layer,
                                                    boost::asio::io_context& io) const;

  LoadStats& stats() const { return load_->stats(); }

 private:
  std::vector<std::pair<std::string, std::string>> chosen_;
  std::vector<const WireMutant*> wire_;
  LoadPlan load_plan_;
  std::unique_ptr<LoadMutants> load_;  // always there: a mutant of any kind has statistics
};

}  // namespace roomcheck::reference_server
