#include "reports/model/read.h"

#include "libs/base/result.h"

namespace roomcheck::reports {
namespace {

using json = nlohmann::ordered_json;

// A place in the document: reads fields, and names itself when one is missing or wrong.
class Field {
 public:
  Field(const json& value, const std::string& where, std::string pointer)
      : value_(value), where_(where), pointer_(std::move(pointer)) {}

  Field at(const std::string& key) const {
    if (!value_.is_object() || !value_.contains(key)) fail(pointer_ + "/" + key, "is missing");
    return {value_.at(key), where_, pointer_ + "/" + key};
  }

  template <class T>
  T get() const {
    try {
      return value_.get<T>();
    } catch (const json::exception&) {
      fail(pointer_, "has the wrong type (" + std::string(value_.type_name()) + ")");
    }
  }

  template <class T>
  void read(const std::string& key, T& out) const {
    out = at(key).get<T>();
  }

  bool has(const std::string& key) const { return value_.is_object() && value_.contains(key); }

  // For what was added to a version after its first files were written.
  template <class T>
  void read_if_there(const std::string& key, T& out) const {
    if (has(key)) read(key, out);
  }

  template <class Call>
  void each(Call call) const {
    if (!value_.is_array()) fail(pointer_, "is no list");
    for (std::size_t i = 0; i < value_.size(); ++i)
      call(Field(value_[i], where_, pointer_ + "/" + std::to_string(i)));
  }

  template <class Call>
  void each_member(Call call) const {
    if (!value_.is_object()) fail(pointer_, "is no object");
    for (const auto& [key, value] : value_.items()) call(key, Field(value, where_, pointer_ + "/" + key));
  }

  [[noreturn]] void fail(const std::string& pointer, const std::string& why) const {
    throw BadInput(where_ + ": " + (pointer.empty() ? "the document" : pointer) + " " + why);
  }
  [[noreturn]] void fail(const std::string& why) const { fail(pointer_, why); }

 private:
  const json& value_;
  const std::string& where_;
  std::string pointer_;
};

template <class Enum>
Enum parse_enum(const Field& field, std::initializer_list<Enum> all) {
  const auto text = field.get<std::string>();
  for (const Enum e : all)
    if (to_string(e) == text) return e;
  field.fail("is \"" + text + "\", which this version does not know");
}

ConformanceResult parse_conformance(const Field& root) {
  ConformanceResult out;
  root.read("started", out.started);
  root.read("command", out.command);
  root.read("versions", out.versions);
  root.read("target", out.target);
  root.read("profile", out.profile);
  root.read("control", out.control);
  root.read("seed", out.seed);
  root.read("verdict", out.verdict);
  root.at("cases").each([&](const Field& field) {
    CaseResult c;
    field.read("id", c.id);
    field.read("requirement", c.requirement);
    field.read("section", c.section);
    c.level = parse_enum(field.at("level"), {Level::must, Level::should, Level::info});
    c.verdict = parse_enum(
        field.at("verdict"),
        {Verdict::pass, Verdict::fail, Verdict::crash, Verdict::known_deviation, Verdict::unexpected_pass,
         Verdict::skipped, Verdict::could_not_test, Verdict::harness_error, Verdict::informational});
    field.read("message", c.message);
    field.read("expected", c.expected);
    field.read("actual", c.actual);
    field.read("sentence", c.sentence);
    field.read_if_there("look_at", c.look_at);
    field.read_if_there("deviation", c.deviation);
    field.read("duration_ns", c.duration_ns);
    field.read("transcript", c.transcript);
    out.cases.push_back(std::move(c));
  });
  return out;
}

stats::Histogram parse_histogram(const Field& field) {
  Result<stats::Histogram> out = stats::Histogram::decode(field.at("histogram").get<std::string>());
  if (!out.ok()) field.at("histogram").fail("cannot be decoded: " + out.error().message);
  const auto ns = [&field](const char* key) {
    const Nanoseconds time(field.at(key).get<std::int64_t>());
    if (time.count() < 0) field.at(key).fail("is negative, and no latency is");
    return time;
  };
  out->restore_exact(ns("min_ns"), ns("max_ns"), ns("mean_ns"));
  return std::move(out).value();
}

Delivery parse_delivery(const Field& delivery) {
  Delivery out;
  delivery.read("expected", out.expected);
  delivery.read("delivered", out.delivered);
  delivery.read("lost", out.lost);
  delivery.read("duplicated", out.duplicated);
  delivery.read("reordered", out.reordered);
  delivery.read("foreign", out.foreign);
  delivery.read("corrupt", out.corrupt);
  delivery.read("late", out.late);
  delivery.read("in_flight_members", out.in_flight_members);
  delivery.at("offenders").each([&](const Field& field) {
    Delivery::Offender o;
    field.read("kind", o.kind);
    field.read("room", o.room);
    field.read("sender", o.sender);
    field.read("sequence", o.sequence);
    field.read("member", o.member);
    out.offenders.push_back(std::move(o));
  });
  return out;
}

LoadResult parse_load(const Field& root) {
  LoadResult out;
  root.read("started", out.started);
  root.read("command", out.command);
  root.read("versions", out.versions);
  root.read("environment", out.environment);
  root.read("target", out.target);
  root.read("profile", out.profile);
  root.read("scenario", out.scenario);
  root.read("seed", out.seed);
  if (root.has("shard")) {
    root.at("shard").read("index", out.shard.index);
    root.at("shard").read("count", out.shard.count);
    root.at("shard").read_if_there("run", out.shard.run);
  }
  root.read("duration_ns", out.duration_ns);
  root.read("valid", out.valid);
  root.read("invalid_because", out.invalid_because);
  root.read("failed_because", out.failed_because);

  out.delivery = parse_delivery(root.at("delivery"));

  root.at("latency").each_member([&](const std::string& name, const Field& field) {
    out.latency[name] = {parse_histogram(field.at("corrected")), parse_histogram(field.at("uncorrected"))};
  });

  const Field sends = root.at("sends");
  sends.read("intended", out.sends.intended);
  sends.read("sent", out.sends.sent);
  sends.read("late", out.sends.late);
  sends.read("dropped", out.sends.dropped);
  sends.read_if_there("refused", out.sends.refused);
  sends.read_if_there("lag_p99_ns", out.sends.lag_p99_ns);
  sends.read_if_there("due_at_end", out.sends.due_at_end);

  const Field connections = root.at("connections");
  connections.read("attempted", out.connections.attempted);
  connections.read("opened", out.connections.opened);
  connections.read("failed", out.connections.failed);
  connections.read("closed_by_target", out.connections.closed_by_target);
  connections.read_if_there("left", out.connections.left);
  connections.read_if_there("reconnected", out.connections.reconnected);
  connections.read_if_there("compressed", out.connections.compressed);
  connections.read_if_there("slow_readers", out.connections.slow_readers);
  connections.read_if_there("slow_delivered", out.connections.slow_delivered);
  connections.read("by_error", out.connections.by_error);

  const Field generator = root.at("generator");
  generator.read("cpu_ns", out.generator.cpu_ns);
  generator.read("cpu_per_delivery_ns", out.generator.cpu_per_delivery_ns);
  generator.read("busiest_thread", out.generator.busiest_thread);
  if (generator.has("threads"))
    generator.at("threads").each([&](const Field& field) {
      LoadResult::Generator::Thread t;
      field.read("cpu_ns", t.cpu_ns);
      field.read("busiest", t.busiest);
      out.generator.threads.push_back(t);
    });
  generator.read_if_there("queue_samples", out.generator.queue_samples);
  generator.read_if_there("queue_samples_unread", out.generator.queue_samples_unread);
  generator.read_if_there("queue_unread_max_bytes", out.generator.queue_unread_max_bytes);
  generator.read_if_there("queue_unsent_max_bytes", out.generator.queue_unsent_max_bytes);
  out.generator.loop_lag = parse_histogram(generator.at("loop_lag"));
  if (generator.has("client_lag")) {
    out.generator.client_lag = ClientLag{};
    out.generator.client_lag->lag = parse_histogram(generator.at("client_lag"));
    generator.read("inexact_receive_times", out.generator.client_lag->inexact);
  }
  generator.read("refused_samples", out.generator.refused_samples);
  generator.read("rss_bytes", out.generator.rss_bytes);
  generator.read_if_there("rss_growth_bytes", out.generator.rss_growth_bytes);

  if (root.has("target_process")) {
    const Field process = root.at("target_process");
    out.target_process = LoadResult::TargetProcess{};  // clang 14 knows no emplace() of it
    process.read("cpu_ns", out.target_process->cpu_ns);
    process.read("cpu_per_delivery_ns", out.target_process->cpu_per_delivery_ns);
    process.read_if_there("rss_bytes", out.target_process->rss_bytes);
    process.read_if_there("rss_growth_bytes", out.target_process->rss_growth_bytes);
  }

  root.at("series").each([&](const Field& field) {
    Second s;
    field.read("at_ns", s.at_ns);
    field.read("phase", s.phase);
    field.read("members", s.members);
    field.read("sent", s.sent);
    field.read("delivered", s.delivered);
    field.read("p50_ns", s.p50_ns);
    field.read("p99_ns", s.p99_ns);
    field.read("max_ns", s.max_ns);
    field.read_if_there("histogram", s.histogram);
    field.read_if_there("rss_bytes", s.rss_bytes);
    field.read_if_there("target_rss_bytes", s.target_rss_bytes);
    out.series.push_back(std::move(s));
  });
  if (root.has("events"))
    root.at("events").each([&](const Field& field) {
      Event e;
      field.read("at_ns", e.at_ns);
      field.read("kind", e.kind);
      field.read("text", e.text);
      out.events.push_back(std::move(e));
    });
  root.at("rooms").each([&](const Field& field) {
    RoomResult r;
    field.read("room", r.room);
    field.read("members", r.members);
    field.read("expected", r.expected);
    field.read("delivered", r.delivered);
    field.read("lost", r.lost);
    field.read("p50_ns", r.p50_ns);
    field.read("p99_ns", r.p99_ns);
    field.read("max_ns", r.max_ns);
    out.rooms.push_back(std::move(r));
  });
  if (root.has("workloads"))
    root.at("workloads").each([&](const Field& field) {
      WorkloadResult w;
      field.read("name", w.name);
      field.read("workload", w.workload);
      field.read("intended", w.intended);
      field.read("sent", w.sent);
      w.delivery = parse_delivery(field.at("delivery"));
      out.workloads.push_back(std::move(w));
    });
  if (root.has("stages"))
    root.at("stages").each([&](const Field& field) {
      StageResult s;
      field.read("name", s.name);
      field.read("sent", s.sent);
      field.read("delivered", s.delivered);
      field.read("p50_ns", s.p50_ns);
      field.read("p99_ns", s.p99_ns);
      field.read("max_ns", s.max_ns);
      out.stages.push_back(std::move(s));
    });
  if (root.has("room_sizes"))
    root.at("room_sizes").each([&](const Field& field) {
      SizeClassResult c;
      field.read("members", c.members);
      field.read("rooms", c.rooms);
      field.read("delivered", c.delivered);
      field.read("p50_ns", c.p50_ns);
      field.read("p99_ns", c.p99_ns);
      field.read("first_p50_ns", c.first_p50_ns);
      field.read("last_p50_ns", c.last_p50_ns);
      field.read("last_p99_ns", c.last_p99_ns);
      out.room_sizes.push_back(c);
    });
  if (root.has("streams_sent"))
    root.at("streams_sent").each([&](const Field& field) {
      StreamSent s;
      field.read("room", s.room);
      field.read("first", s.first);
      field.read("end", s.end);
      field.read("refused", s.refused);
      out.streams_sent.push_back(std::move(s));
    });
  if (root.has("streams_received"))
    root.at("streams_received").each([&](const Field& field) {
      StreamReceived s;
      field.read("room", s.room);
      field.read("origin", s.origin);
      field.read("workload", s.workload);
      field.read("from_start", s.from_start);
      field.read("begins", s.begins);
      field.read("to_end", s.to_end);
      field.read("ends", s.ends);
      field.read("apart", s.apart);
      field.read("delivered", s.delivered);
      out.streams_received.push_back(std::move(s));
    });
  root.at("thresholds").each([&](const Field& field) {
    Threshold t;
    field.read("expression", t.expression);
    field.read("value", t.value);
    field.read("passed", t.passed);
    out.thresholds.push_back(std::move(t));
  });
  return out;
}

}  // namespace

AnyResult parse_result(std::string_view json_text, const std::string& where) {
  json document;
  try {
    document = json::parse(json_text);
  } catch (const json::exception&) {
    throw BadInput(where +
                   ": not JSON, or cut off: expected a result file of conformance or loadgen (--json FILE)");
  }
  const Field root(document, where, "");
  const auto schema = root.at("schema").get<std::string>();
  if (schema == ConformanceResult::kSchema) return parse_conformance(root);
  if (schema == LoadResult::kSchema) return parse_load(root);
  root.at("schema").fail("is \"" + schema + "\": this version reads " +
                         std::string(ConformanceResult::kSchema) + " and " +
                         std::string(LoadResult::kSchema));
}

}  // namespace roomcheck::reports
