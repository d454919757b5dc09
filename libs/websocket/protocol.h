#pragma once
// The only place that names websocketpp: its protocol core (opening handshake, frames, masking, UTF-8, close
// payloads), configured small. Included by the sources of this folder only.
#include <websocketpp/close.hpp>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/core.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/message_buffer/message.hpp>
#include <websocketpp/processors/hybi13.hpp>

#include <openssl/rand.h>
#include <algorithm>
#include <memory>

namespace roomcheck::websocket::protocol {

// Masks and keys must be unpredictable to the network (RFC 6455, 10.3): OpenSSL's generator.
struct Random {
  std::uint32_t operator()() {
    std::uint32_t out = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&out), sizeof out);
    return out;
  }
};

// websocketpp reserves what a frame header declares; a peer may declare the whole limit and send nothing.
template <class M>
class Messages : public std::enable_shared_from_this<Messages<M>> {
 public:
  using ptr = std::shared_ptr<Messages>;
  using weak_ptr = std::weak_ptr<Messages>;
  using message_ptr = typename M::ptr;
  message_ptr get_message() { return std::make_shared<M>(this->shared_from_this()); }
  message_ptr get_message(websocketpp::frame::opcode::value opcode, std::size_t size) {
    return std::make_shared<M>(this->shared_from_this(), opcode, std::min<std::size_t>(size, 16384));
  }
  bool recycle(M*) { return false; }
};

struct Config : websocketpp::config::core {
  using type = Config;
  using concurrency_type = websocketpp::concurrency::none;
  using elog_type = websocketpp::log::stub;
  using alog_type = websocketpp::log::stub;
  using rng_type = Random;
  using message_type = websocketpp::message_buffer::message<Messages>;
  using con_msg_manager_type = Messages<message_type>;
  static const bool enable_extensions =
      false;  // permessage-deflate has no limit on what it inflates to (0.8.2)
};

// One for each thread: it only makes messages.
inline const std::shared_ptr<Config::con_msg_manager_type>& messages() {
  static thread_local const auto manager = std::make_shared<Config::con_msg_manager_type>();
  return manager;
}

constexpr unsigned kFin = 0x80, kReserved = 0x70, kCompressed = 0x40;  // of a frame's first octet

using Processor = websocketpp::processor::hybi13<Config>;
using MessagePtr = Config::message_type::ptr;
using HttpRequest = Config::request_type;
using HttpResponse = Config::response_type;

}  // namespace roomcheck::websocket::protocol
