#include "layerctl/options.h"

#include <CLI/CLI.hpp>

#include "libs/program/program.h"

namespace roomcheck::layerctl {

void add_options(CLI::App& app, Options& o) {
  app.add_option("--layer", o.layer, "The channel layer: channels_redis core or pubsub")
      ->check(CLI::IsMember({"redis", "redis-pubsub"}))
      ->capture_default_str()
      ->group("Where");
  app.add_option("--redis-url", o.redis_url,
                 "A Redis server; repeatable: shards, in the order of Django's hosts "
                 "[$REDIS_URL, else redis://localhost:6379]")
      ->type_name("URL")
      ->group("Where");
  app.add_option("--prefix", o.prefix, "As in Django's CHANNEL_LAYERS")
      ->capture_default_str()
      ->group("Where");
  app.add_option("--capacity", o.capacity, "Messages that wait in one channel")
      ->check(CLI::Range(1, 1000000000))
      ->capture_default_str()
      ->group("Where");
  add_duration(app, "--expiry", o.expiry, "How long a message waits")->group("Where");
  add_duration(app, "--group-expiry", o.group_expiry, "How long a membership lasts")->group("Where");
  app.add_option("--encryption-key-file", o.encryption_key_file,
                 "A line of it is one of Django's symmetric_encryption_keys")
      ->type_name("FILE")
      ->group("Where");
  app.add_option("--serializer", o.serializer, "As in Django's CHANNEL_LAYERS")
      ->check(CLI::IsMember({"msgpack", "json"}))
      ->capture_default_str()
      ->group("Where");
  app.add_option("--random-prefix-length", o.random_prefix_length, "As in Django's CHANNEL_LAYERS")
      ->check(CLI::Range(0, 64))
      ->capture_default_str()
      ->group("Where");
  app.add_option("--control", o.control, "Ask a control instead of a layer (see conformance --help)")
      ->type_name("ADDRESS")
      ->group("Where");
  app.add_option("--control-token", o.control_token, "Sent as 'Authorization: Bearer TOKEN'")
      ->type_name("TOKEN")
      ->group("Where");
  add_duration(app, "--limit", o.limit, "Time for an operation, and for all that is to be received")
      ->group("Where");

  app.require_subcommand(1);
  const auto verb = [&](const std::string& name, const std::string& help) {
    CLI::App* sub = app.add_subcommand(name, help);
    sub->callback([&o, name] { o.verb = name; });
    sub->fallthrough();  // the options above may also follow the verb
    return sub;
  };
  const char* kEvent = "A JSON object; - takes one from each line of stdin";
  CLI::App* sub = verb("send", "Send an event to one channel");
  sub->add_option("CHANNEL", o.name, "Its name")->required();
  sub->add_option("JSON", o.argument, kEvent)->required();
  sub = verb("receive", "Print the next events of a channel, a line each");
  sub->add_option("CHANNEL", o.name, "Its name")->required();
  sub->add_option("--count", o.count, "How many to wait for; 0 for all until the limit")
      ->capture_default_str();
  sub = verb("group-add", "Make a channel a member of a group");
  sub->add_option("GROUP", o.name, "Its name")->required();
  sub->add_option("CHANNEL", o.argument, "The member")->required();
  sub = verb("group-discard", "End a channel's membership of a group");
  sub->add_option("GROUP", o.name, "Its name")->required();
  sub->add_option("CHANNEL", o.argument, "The member")->required();
  sub = verb("group-send", "Send an event to every member of a group");
  sub->add_option("GROUP", o.name, "Its name")->required();
  sub->add_option("JSON", o.argument, kEvent)->required();
  sub = verb("members", "Print the members of a group, a line each");
  sub->add_option("GROUP", o.name, "Its name")->required();
  sub = verb("push", "Put a text into a room, as the seed's push_msg does");
  sub->add_option("ROOM", o.name, "Its name")->required();
  sub->add_option("TEXT", o.argument, "What its members read")->required();
  sub->add_option("--profile", o.profile, "What the room speaks: seed, channels-tutorial, or a file")
      ->capture_default_str();
  sub->add_option("--set", o.set, "Replace one field of the profile; repeatable")->type_name("FIELD=VALUE");
  verb("flush", "Remove all messages and memberships of the prefix");
}

}  // namespace roomcheck::layerctl
