#include "libs/testkit/redis.h"

#include <csignal>

namespace roomcheck::testkit {

TemporaryRedis::TemporaryRedis() : port_(free_port()) { start(); }

void TemporaryRedis::start() {
  process_ = std::make_unique<Process>(std::vector<std::string>{
      "redis-server", "--bind", "127.0.0.1", "--port", std::to_string(port_), "--unixsocket", socket_path(),
      "--dir", directory_.path(), "--save", "", "--appendonly", "no", "--databases", "16"});
  process_->wait_for("(Ready to accept connections)");
}

void TemporaryRedis::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

std::string TemporaryRedis::url(int database) const {
  return "redis://127.0.0.1:" + std::to_string(port_) + "/" + std::to_string(database);
}

}  // namespace roomcheck::testkit
