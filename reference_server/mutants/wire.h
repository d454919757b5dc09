#pragma once
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libs/websocket/raw_client.h"
#include "reference_server/mutants/mutation.h"

namespace roomcheck::reference_server {

class Link;

// What the wire knows of the connections of one path.
struct WireRoom {
  std::vector<Link*> links;  // accepted and not ended, in the order of their 101
  std::set<const Link*> talkers;
  std::set<std::string> left;  // the cookies of those who were here
  std::uint64_t count = 0;     // whatever the mutant counts
  bool marked = false;         // whatever the mutant remembers
};

enum class Then { pass, drop };
inline Then drop_when(bool condition) { return condition ? Then::drop : Then::pass; }

// A mutant of the handshake or of frames: a server that is right stands behind a wire that spoils what
// passes, so that neither libs/websocket nor the server has a line for it.
//
//   client ── request, from_client ──▶ wire ──▶ server (on a loopback port of its own)
//          ◀─ response, from_server ──      ◀──
struct WireMutant {
  Mutant mutant;
  std::function<void(Link&, std::string&head)> request, response;  // of HTTP, up to the empty line
  std::function<Then(Link&, websocket::RawFrame&)> from_client, from_server;
  std::function<void(Link&)> gone;  // the client's TCP connection ended
  std::function<void(Link&)> huge;  // a frame of the client declares more than 64 MiB
};

// One that spoils the frames of one direction, or both.
WireMutant spoils_frames(std::string_view name, std::vector<std::string_view> requirements,
                         std::string_view sentence,
                         std::function<Then(Link&, websocket::RawFrame&)> from_client,
                         std::function<Then(Link&, websocket::RawFrame&)> from_server = nullptr);
bool is_text(const websocket::RawFrame& frame);              // a whole message
websocket::RawFrame text_frame(const std::string& payload);  // of the server
std::string lower(std::string text);                         // ASCII

std::vector<WireMutant> handshake_mutants();
std::vector<WireMutant> transport_mutants();
std::vector<WireMutant> message_mutants();
std::vector<WireMutant> room_mutants();
const std::vector<WireMutant>& wire_mutants();  // all of them

// One client's connection and the one that it gets to the server.
//
// Thread: the loop of the wire.
class Link : public std::enable_shared_from_this<Link> {
 public:
  struct Shared;
  explicit Link(std::shared_ptr<Shared> shared);
  ~Link();
  boost::asio::ip::tcp::socket& client_socket() { return client_.socket; }  // to be accepted
  void start();

  // ---- for mutants
  const std::string& path() const { return path_; }        // of the request, without the query
  const std::string& request() const { return request_; }  // its head
  std::string header(std::string_view name) const;         // of the request
  WireRoom& room();                                        // of its path
  std::map<std::string, WireRoom>& rooms();
  void to_client(const websocket::RawFrame& frame);
  void to_client(const std::string& octets);
  void to_server(const websocket::RawFrame& frame);
  void cut();                                                             // both connections end
  void hold(std::chrono::milliseconds wait, std::function<void()> then);  // what is due to the client waits
  std::size_t waiting() const { return client_.out.size(); }              // for the client to read
  bool peer_is_gone() const;                                              // see Wire::watch
  int pieces() const { return pieces_; }                      // reads that the client's last frame took
  int frames_in_read() const { return frames_in_read_; }      // the client's, of one read: which this is
  bool more_was_read() const { return !client_.in.empty(); }  // behind the client's frame
  void later(std::chrono::milliseconds wait, std::function<void()> call);  // a new one replaces it

  // Whatever a mutant keeps of a link.
  std::uint64_t count = 0;
  bool marked = false;
  bool fin = false;  // the client ended TCP without a close frame
  std::string text;
  std::vector<websocket::RawFrame> held;

 private:
  struct Side {
    explicit Side(boost::asio::io_context& io) : socket(io) {}
    boost::asio::ip::tcp::socket socket;
    std::array<char, 65536> chunk{};
    std::string in;            // not yet understood
    std::string out, writing;  // due, and on its way
    bool ended = false;        // nothing more comes from it
    bool fin_due = false;      // FIN behind what is due
    bool paused = false;       // not read until `out` has gone
    bool held = false;
  };
  void read(Side& from, Side& to);
  void write(Side& to, const std::string& octets);
  void flush(Side& to);
  void understand(Side& from, Side& to);
  bool take_head(Side& from, Side& to);
  void ended(Side& from, Side& to, bool reset);
  void leave();

  const std::shared_ptr<Shared> shared_;
  Side client_, server_;
  boost::asio::steady_timer timer_;
  std::string path_, request_;
  bool request_seen_ = false, response_seen_ = false, joined_ = false, closing_ = false;
  int pieces_ = 0, frames_in_read_ = 0;
  bool opaque_ = false;  // plain HTTP, or frames that cannot be told apart: octets pass as they are
};

// Listens where the server was told to, and hands every connection on to it.
class Wire {
 public:
  // Throws StartFailure.
  Wire(boost::asio::io_context& io, std::vector<const WireMutant*> mutants, const std::string& host,
       std::uint16_t port, std::uint16_t server_port);
  ~Wire();
  std::uint16_t port() const;
  void stop();  // takes no more connections
  // Keeps a TCP connection to another node, HOST:PORT, as soon as that listens, and remembers its end.
  void watch(const std::string& peer);

 private:
  void accept();
  std::shared_ptr<Link::Shared> shared_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::socket peer_;
  boost::asio::steady_timer again_;
  char octet_ = 0;
};

}  // namespace roomcheck::reference_server
