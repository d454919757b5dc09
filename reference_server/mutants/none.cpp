// A build without mutants (ROOMCHECK_MUTANTS=OFF): no Mutation can be made, so nothing else is ever called.
#include "libs/base/result.h"
#include "reference_server/mutants/wire.h"

namespace roomcheck::reference_server {

const std::vector<Mutant>& all_mutants() {
  static const std::vector<Mutant> none;
  return none;
}
std::string_view to_string(Mutant::Kind) { return "spec"; }

Mutation::Mutation(const std::vector<std::string>& choices) {
  throw BadInput("--mutant " + choices.front() +
                 ": this build has no mutants; configure with -DROOMCHECK_MUTANTS=ON");
}
bool Mutation::has(std::string_view) const { return false; }
std::optional<Route> Mutation::reroute(const websocket::Request&, std::optional<Route> route,
                                       ConsumerKind) const {
  return route;
}
bool Mutation::keeps_ghost(const websocket::CloseInfo&) const { return false; }
websocket::ConnectionPtr Mutation::wrap(websocket::ConnectionPtr connection, const Route&,
                                        boost::asio::io_context&) const {
  return connection;
}
std::unique_ptr<channel_layer::ChannelLayer> Mutation::wrap(
    std::unique_ptr<channel_layer::ChannelLayer> layer, boost::asio::io_context&) const {
  return layer;
}
std::unique_ptr<Wire> Mutation::listen(boost::asio::io_context&, const std::string&, std::uint16_t,
                                       std::uint16_t) const {
  return nullptr;
}

Wire::~Wire() = default;
std::uint16_t Wire::port() const { return 0; }
void Wire::stop() {}

}  // namespace roomcheck::reference_server
