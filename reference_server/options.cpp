#include "reference_server/options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "libs/base/result.h"
#include "libs/program/files.h"
#include "libs/program/limits.h"
#include "libs/program/program.h"
#include "libs/websocket/url.h"

namespace roomcheck::reference_server {
namespace {

constexpr std::size_t kControlConnections = 256;    // one request each
constexpr std::size_t kPublicHttpBody = 64 * 1024;  // nothing on the public port reads a body

void parse_address(const std::string& option, const std::string& text, websocket::ServerOptions& out) {
  if (!websocket::split_host_port(text, out.host, out.port))
    throw BadInput(option + " " + text +
                   ": expected HOST:PORT, for example 127.0.0.1:8801 (port 0 takes any free one)");
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.compare(0, 4, "127.") == 0;
}

// Every line that is not empty is a key; what stands in the file is taken literally.
std::vector<std::string> read_keys(const std::string& file) {
  std::vector<std::string> keys;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) keys.push_back(line);
  if (keys.empty())
    throw BadInput("--encryption-key-file " + file +
                   " is empty: expected one key a line, the first encrypts");
  return keys;
}

void complete_redis(Options& options) {
  channel_layer::RedisOptions& redis = options.node.redis;
  if (options.redis_urls.empty())
    if (const char* const url = std::getenv("REDIS_URL"); url != nullptr && *url != '\0')
      options.redis_urls.emplace_back(url);
  if (!options.redis_urls.empty()) redis.hosts.clear();
  for (const std::string& url : options.redis_urls)
    redis.hosts.push_back(channel_layer::parse_redis_url(url));
  const std::string& prefix = options.node.layer.prefix;
  if (prefix.empty() || prefix.size() > 50)
    throw BadInput("--prefix '" + prefix + "': expected 1 to 50 characters, as in Django's `prefix`");
  if (!options.encryption_key_file.empty()) redis.encryption_keys = read_keys(options.encryption_key_file);
  if (options.serializer == "json") redis.serializer = channel_layer::RedisSerializer::json;
  if (options.redis_members == "per-node") redis.members = channel_layer::RedisMembers::per_node;
}

}  // namespace

void add_options(CLI::App& app, Options& options) {
  NodeOptions& node = options.node;
  node.threads = std::max(1U, std::thread::hardware_concurrency());

  app.add_option("--listen", options.listen, "Where rooms are served")
      ->type_name("HOST:PORT")
      ->capture_default_str()
      ->group("Serving");
  app.add_option("--consumer", options.consumer, "The consumer behind /ws/chat/<room>/")
      ->check(CLI::IsMember({"sync", "async", "json", "async-json"}))
      ->capture_default_str()
      ->group("Serving");
  app.add_option("--threads", node.threads, "Event loops")
      ->check(CLI::Range(1, 256))
      ->default_str("cores")
      ->group("Serving");
  app.add_option("--tls-cert", node.server.tls.certificate_file, "Serve wss:// with this certificate chain")
      ->type_name("PEM")
      ->group("Serving");
  app.add_option("--tls-key", node.server.tls.key_file, "The certificate's key")
      ->type_name("PEM")
      ->group("Serving");

  app.add_option("--allowed-origin", node.allowed_origins,
                 "Only web pages of these origins: HOST, .DOMAIN, SCHEME://HOST:PORT or *; repeatable")
      ->type_name("PATTERN")
      ->group("Users");
  app.add_option("--session-secret", options.session_secret,
                 "Django's SECRET_KEY (more lines: its fallbacks): users come from signed-cookie sessions")
      ->type_name("FILE")
      ->group("Users");
  add_duration(app, "--session-age", options.session_age, "Django's SESSION_COOKIE_AGE")->group("Users");
  app.add_option("--session-cookie", node.session_cookie, "Django's SESSION_COOKIE_NAME")
      ->type_name("NAME")
      ->capture_default_str()
      ->group("Users");
  app.add_flag("--login-required", node.login_required, "Refuse the anonymous on every route (403)")
      ->group("Users");

  app.add_option("--control", options.control, "Where the control API listens; 'off' for none")
      ->type_name("HOST:PORT")
      ->capture_default_str()
      ->group("Control");
  app.add_option("--control-token", node.control_token,
                 "What callers must send as 'Authorization: Bearer TOKEN'")
      ->type_name("TOKEN")
      ->group("Control");

  app.add_option("--layer", options.layer, "The channel layer")
      ->check(CLI::IsMember({"memory", "redis", "redis-pubsub"}))
      ->capture_default_str()
      ->group("Channel layer");
  app.add_option("--capacity", node.layer.capacity, "Messages that wait in one channel")
      ->check(CLI::Range(1, 1000000000))
      ->capture_default_str()
      ->group("Channel layer");
  app.add_option("--channel-capacity", options.channel_capacity,
                 "Another capacity for channels whose name matches")
      ->type_name("PATTERN=N")
      ->group("Channel layer");
  add_duration(app, "--expiry", node.layer.expiry, "How long a message waits")->group("Channel layer");
  add_duration(app, "--group-expiry", node.layer.group_expiry,
               "How long a membership lasts that is not renewed")
      ->group("Channel layer");
  app.add_option("--redis-url", options.redis_urls,
                 "A Redis server; repeatable, in the order of Django's `hosts`: each is a shard")
      ->type_name("URL")
      ->default_str("$REDIS_URL or redis://localhost:6379")
      ->group("Redis");
  app.add_option("--prefix", node.layer.prefix, "What all keys and topics begin with")
      ->capture_default_str()
      ->group("Redis");
  app.add_option("--encryption-key-file", options.encryption_key_file,
                 "symmetric_encryption_keys, one a line; the first encrypts")
      ->type_name("FILE")
      ->group("Redis");
  app.add_option("--serializer", options.serializer, "serializer_format")
      ->check(CLI::IsMember({"msgpack", "json"}))
      ->capture_default_str()
      ->group("Redis");
  app.add_option("--random-prefix-length", node.redis.random_prefix_length,
                 "Octets that make equal messages distinct (redis only)")
      ->check(CLI::Range(0, 64))
      ->capture_default_str()
      ->group("Redis");
  app.add_option("--redis-members", options.redis_members,
                 "What stands in a Redis group: every connection, or this node once (redis only)")
      ->check(CLI::IsMember({"per-connection", "per-node"}))
      ->capture_default_str()
      ->group("Redis");

  app.add_option("--max-connections", node.server.max_connections,
                 "Beyond it: HTTP 503; 0 is the limit of open files less 64")
      ->capture_default_str()
      ->group("Limits");
  app.add_option("--max-connections-per-address", node.max_connections_per_address,
                 "Beyond it: HTTP 429; an IPv6 /64 is one address. 0: no such limit")
      ->capture_default_str()
      ->group("Limits");
  add_size(app, "--max-control-body", options.max_control_body,
           "A longer body of a control request is answered 413")
      ->group("Limits");
  add_size(app, "--max-message-size", options.max_message_size, "A longer message is closed 1009")
      ->group("Limits");
  add_size(app, "--send-buffer-limit", options.send_buffer_limit,
           "Unsent bytes of a member; beyond it messages to it are dropped, after 10 s it is closed 1013")
      ->group("Limits");
  add_duration(app, "--handshake-timeout", node.server.handshake_timeout, "For the whole opening handshake")
      ->group("Limits");
  add_duration(app, "--idle-timeout", node.server.idle_timeout,
               "Nothing received: the connection is ended (ping at a third); 0 for never")
      ->group("Limits");

  app.add_option("--mutant", node.mutants, "Break the server on purpose in one point; repeatable")
      ->type_name("NAME[=VALUE]")
      ->group("Mutants");
  app.add_flag("--list-mutants", options.list_mutants, "Print the mutants and end")->group("Mutants");
  app.add_flag("--self-test", options.self_test,
               "Run `conformance --self-test` on this program and its mutants, and end")
      ->group("Mutants");
  app.add_option("--json", options.json, "With --list-mutants: as JSON, to this file (- is stdout)")
      ->type_name("FILE")
      ->group("Mutants");
}

void complete(Options& options) {
  NodeOptions& node = options.node;
  parse_address("--listen", options.listen, node.server);
  node.control_enabled = options.control != "off";
  if (node.control_enabled) {
    parse_address("--control", options.control, node.control);
    node.control.reuse_port = false;
    node.control.max_http_body = options.max_control_body;
    node.control.max_connections = kControlConnections;
    if (!is_loopback(node.control.host) && node.control_token.empty())
      throw BadInput("--control " + options.control +
                     " can be reached from other machines: give a --control-token, or a loopback address");
  }
  if (node.server.tls.certificate_file.empty() != node.server.tls.key_file.empty())
    throw BadInput("--tls-cert and --tls-key go together");
  node.server.max_message_size = options.max_message_size;
  node.server.max_http_body = kPublicHttpBody;
  node.server.send_buffer_limit = options.send_buffer_limit;
  node.chat_consumer = *consumer_kind(options.consumer);
  (void)OriginValidator(node.allowed_origins);  // a pattern that can never match is said before the start
  if (!options.session_secret.empty()) node.session_keys = SessionVerifier::read_keys(options.session_secret);
  node.session_age = std::chrono::duration_cast<std::chrono::seconds>(options.session_age);
  if (node.login_required && node.session_keys.empty())
    throw BadInput("--login-required would refuse everybody: give --session-secret too");
  for (const std::string& text : options.channel_capacity) {
    const std::size_t equals = text.rfind('=');
    std::uint64_t capacity = 0;
    if (equals != text.npos) std::from_chars(text.data() + equals + 1, text.data() + text.size(), capacity);
    if (equals == text.npos || equals == 0 || capacity == 0)
      throw BadInput("--channel-capacity " + text + ": expected PATTERN=N, for example 'specific.*=500'");
    node.layer.channel_capacity.emplace_back(text.substr(0, equals), capacity);
  }
  if (options.layer == "redis") node.layer_kind = LayerKind::redis;
  if (options.layer == "redis-pubsub") node.layer_kind = LayerKind::redis_pubsub;
  if (node.layer_kind != LayerKind::memory) complete_redis(options);
  const std::uint64_t files = raise_open_file_limit();
  if (node.server.max_connections == 0) node.server.max_connections = files > 128 ? files - 64 : 64;
  if (node.server.max_connections + 64 > files)
    require_open_files(node.server.max_connections,
                       "--max-connections " + std::to_string(node.server.max_connections));
}

}  // namespace roomcheck::reference_server
