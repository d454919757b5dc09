// websocketpp as its examples use it (config::asio, one send(string) for each member), the other baseline of
// ci/bench. One room, as floor_server. Its logs are off and TCP_NODELAY is on, as anybody would do.
#include <boost/asio/ip/tcp.hpp>
#include <cstdio>
#include <memory>
#include <set>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

int main() {
  using Server = websocketpp::server<websocketpp::config::asio>;
  using Handle = websocketpp::connection_hdl;
  Server server;
  std::set<Handle, std::owner_less<Handle>> members;
  server.clear_access_channels(websocketpp::log::alevel::all);
  server.clear_error_channels(websocketpp::log::elevel::all);
  server.init_asio();
  server.set_tcp_post_init_handler([&server](Handle handle) {
    server.get_con_from_hdl(handle)->get_raw_socket().set_option(boost::asio::ip::tcp::no_delay(true));
  });
  server.set_open_handler([&members](Handle handle) { members.insert(handle); });
  server.set_close_handler([&members](Handle handle) { members.erase(handle); });
  server.set_message_handler([&](Handle, const Server::message_ptr& message) {
    for (const Handle& member : members) server.send(member, message->get_payload(), message->get_opcode());
  });
  server.set_listen_backlog(4096);
  server.listen(boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  server.start_accept();
  boost::system::error_code code;
  std::printf("websocketpp_plain: listening on ws://127.0.0.1:%u/\n",
              unsigned{server.get_local_endpoint(code).port()});
  std::fflush(stdout);
  server.run();
}
