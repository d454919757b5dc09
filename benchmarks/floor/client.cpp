// floor_client: the cheapest crowd that one thread and epoll can be. Drives any room server of one dialect
// and counts; prints one line of JSON. It is the baseline for loadgen, and the same load on every server that
// ci/bench compares.
//
//   floor_client --port P [--path /ws/chat/bench/] [--message '{"msg": "..."}'] --members N
//                (--rounds R [--window W] | --rate R --seconds S [--warmup S] | --idle) [--pid
//                PID-OF-THE-SERVER]
//
// --rounds: the first member sends W messages in one write, and again when all W x N deliveries have come
// (closed loop: the cost of a delivery, not a latency under load). --rate: a message every 1/R seconds,
// whatever comes back (the load that loadgen makes); those of the warm-up do not count.
// --idle: only connects; memory and connects per second.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/floor/wire.h"

namespace roomcheck::floor {
namespace {

struct Options {
  std::map<std::string, std::string> given;
  std::string text(const std::string& name, const std::string& otherwise) const {
    const auto found = given.find(name);
    return found == given.end() ? otherwise : found->second;
  }
  double number(const std::string& name, double otherwise = 0) const {
    const auto found = given.find(name);
    return found == given.end() ? otherwise : std::atof(found->second.c_str());
  }
};

class Crowd {
 public:
  explicit Crowd(const Options& options)
      : options_(options), epoll_(::epoll_create1(EPOLL_CLOEXEC)), message_(frame(message(options), true)) {}

  // Blocking, one after the other: the pair of a connect and an accept costs what it costs, nothing overlaps.
  void connect(std::size_t members) {
    const std::string request =
        "GET " + options_.text("path", "/ws/chat/bench/") +
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const auto port = static_cast<std::uint16_t>(options_.number("port"));
    for (std::size_t i = 0; i < members; ++i) {
      const int fd = connect_to(port);
      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
      std::string answer;
      while (answer.find("\r\n\r\n") == answer.npos) {
        const ssize_t n = ::recv(fd, buffer_, sizeof buffer_, 0);
        if (n <= 0) die("the server closed member " + std::to_string(i) + " during its handshake");
        answer.append(buffer_, static_cast<std::size_t>(n));
      }
      if (answer.compare(9, 3, "101") != 0)
        die("the server refused member " + std::to_string(i) + ": " + answer.substr(0, 40));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.fd = fd;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
      fds_.push_back(fd);
    }
  }

  void say(std::size_t times) {
    std::string bytes;
    for (std::size_t i = 0; i < times; ++i) bytes += message_;
    if (::send(fds_[0], bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
      die("the sender's message was not taken");
  }

  // Reads what there is until `deliveries` frames have come since the start, or `until` is past.
  void listen(std::uint64_t deliveries, std::int64_t until) {
    epoll_event events[512];
    while (delivered_ < deliveries) {
      const std::int64_t left = until - now_ns();
      if (left <= 0) return;
      const int n = ::epoll_wait(epoll_, events, 512,
                                 static_cast<int>(std::min<std::int64_t>(left / 1'000'000 + 1, 1000)));
      for (int i = 0; i < n; ++i) count(events[i].data.fd);
    }
  }

  std::uint64_t delivered() const { return delivered_; }
  std::size_t size() const { return fds_.size(); }

 private:
  static std::string message(const Options& options) {
    return options.text("message", "{\"msg\": \"" + std::string(100, 'x') + "\"}");
  }

  // Frames of one read; a frame cut by the end of the read is remembered by how much of it is missing.
  void count(int fd) {
    const ssize_t n = ::recv(fd, buffer_, sizeof buffer_, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) die("the server closed a member");
    if (static_cast<std::size_t>(fd) >= rest_.size()) rest_.resize(static_cast<std::size_t>(fd) + 1);
    std::string& rest = rest_[static_cast<std::size_t>(fd)];
    const char* bytes = buffer_;
    auto size = static_cast<std::size_t>(n);
    if (!rest.empty()) {
      rest.append(buffer_, size);
      bytes = rest.data();
      size = rest.size();
    }
    std::size_t at = 0;
    for (FrameSize found; whole_frame(bytes + at, size - at, found); at += found.header + found.payload)
      if ((bytes[at] & 0x0f) == 1) ++delivered_;
    rest = std::string(bytes + at, size - at);
  }

  const Options& options_;
  const int epoll_;
  const std::string message_;
  std::vector<int> fds_;
  std::vector<std::string> rest_;  // by descriptor
  std::uint64_t delivered_ = 0;
  char buffer_[65536];
};

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLimit = 30 * kSecond;  // for one round

int run(const Options& options) {
  raise_open_file_limit();
  const int server = static_cast<int>(options.number("pid"));
  const auto members = static_cast<std::size_t>(options.number("members", 1000));
  static Crowd crowd(options);
  const std::int64_t server_rss = server != 0 ? rss_bytes_of(server) : 0, own_rss = rss_bytes_of(::getpid());
  const std::int64_t connecting = now_ns();
  crowd.connect(members);
  const std::int64_t connected = now_ns();

  std::vector<std::int64_t> last;  // of each round: from the send to the last delivery
  std::int64_t server_cpu = 0, own_cpu = 0, began = 0;
  const auto begin = [&] {
    server_cpu = server != 0 ? cpu_ns_of(server) : 0;
    own_cpu = cpu_ns_of(::getpid());
    began = now_ns();
  };
  std::uint64_t before = 0;
  if (options.given.count("rate") != 0) {
    const double rate = options.number("rate"), seconds = options.number("seconds", 5);
    const auto say = [&](double for_seconds) {
      const auto total = static_cast<std::uint64_t>(rate * for_seconds);
      before = crowd.delivered();
      begin();
      for (std::uint64_t i = 0; i < total; ++i) {
        const std::int64_t due = began + static_cast<std::int64_t>(static_cast<double>(i) * 1e9 / rate);
        crowd.listen(UINT64_MAX, due);
        crowd.say(1);
      }
      crowd.listen(before + total * members, now_ns() + kLimit);
      if (crowd.delivered() != before + total * members) die("deliveries are missing");
    };
    if (const double warmup = options.number("warmup"); warmup > 0) say(warmup);
    say(seconds);
  } else if (options.given.count("idle") == 0) {
    const auto window = static_cast<std::uint64_t>(options.number("window", 1));
    const auto rounds = static_cast<std::uint64_t>(options.number("rounds", 300));
    const auto round = [&] {
      const std::int64_t sent = now_ns();
      const std::uint64_t want = crowd.delivered() + window * members;
      crowd.say(window);
      crowd.listen(want, sent + kLimit);
      if (crowd.delivered() < want) die("deliveries are missing");
      last.push_back(now_ns() - sent);
    };
    for (std::uint64_t i = 0; i < std::max<std::uint64_t>(1, rounds / 20); ++i) round();  // warm-up
    last.clear();
    before = crowd.delivered();
    begin();
    for (std::uint64_t i = 0; i < rounds; ++i) round();
  } else {
    begin();
  }
  const std::int64_t ended = now_ns();
  const std::uint64_t deliveries = crowd.delivered() - before;
  const double each = deliveries == 0 ? 1.0 : static_cast<double>(deliveries);
  std::sort(last.begin(), last.end());
  std::printf(
      "{\"members\": %zu, \"deliveries\": %llu, \"server_cpu_per_delivery_ns\": %.1f, "
      "\"client_cpu_per_delivery_ns\": %.1f, "
      "\"deliveries_per_second\": %.0f, \"last_p50_ns\": %lld, \"last_p99_ns\": %lld, "
      "\"connects_per_second\": %.0f, "
      "\"server_rss_per_connection\": %.1f, \"client_rss_per_connection\": %.1f}\n",
      members, static_cast<unsigned long long>(deliveries),
      server != 0 ? static_cast<double>(cpu_ns_of(server) - server_cpu) / each : 0.0,
      static_cast<double>(cpu_ns_of(::getpid()) - own_cpu) / each,
      each / (static_cast<double>(ended - began) / 1e9),
      static_cast<long long>(last.empty() ? 0 : last[last.size() / 2]),
      static_cast<long long>(last.empty() ? 0 : last[last.size() * 99 / 100]),
      static_cast<double>(members) / (static_cast<double>(connected - connecting) / 1e9),
      server != 0 ? static_cast<double>(rss_bytes_of(server) - server_rss) / static_cast<double>(members)
                  : 0.0,
      static_cast<double>(rss_bytes_of(::getpid()) - own_rss) / static_cast<double>(members));
  return 0;
}

}  // namespace
}  // namespace roomcheck::floor

int main(int argc, char** argv) {
  roomcheck::floor::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.compare(0, 2, "--") != 0) roomcheck::floor::die("floor_client: unexpected " + word);
    const bool flag = word == "--idle" || i + 1 == argc;
    options.given[word.substr(2)] = flag ? "" : argv[++i];
  }
  if (options.given.count("port") == 0) roomcheck::floor::die("floor_client: --port is missing");
  return roomcheck::floor::run(options);
}
