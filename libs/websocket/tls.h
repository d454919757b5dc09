#pragma once
#include <string>

namespace roomcheck::websocket {

// How a client trusts a server (wss://).
struct ClientTls {
  std::string ca_file;           // PEM; empty: the system's
  std::string certificate_file;  // PEM client certificate; empty: none
  std::string key_file;
  std::string server_name;  // SNI and verified name; empty: the URL's host
  bool verify = true;       // false only by --insecure
};

// What a server shows.
struct ServerTls {
  std::string certificate_file;  // PEM chain
  std::string key_file;          // PEM

  bool enabled() const { return !certificate_file.empty(); }
};

}  // namespace roomcheck::websocket
