#include <initializer_list>

#include "libs/base/result.h"
#include "reports/model/plain.h"

namespace roomcheck::reports {
namespace {

std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

class Rows {
 public:
  explicit Rows(const std::string& heads) : text_(heads + "\r\n") {}

  void add(std::initializer_list<std::string> texts, std::initializer_list<std::int64_t> numbers) {
    std::string line;
    for (const std::string& text : texts) line += (line.empty() ? "" : ",") + field(text);
    for (const std::int64_t number : numbers) line += (line.empty() ? "" : ",") + std::to_string(number);
    text_ += line + "\r\n";
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::int64_t number(std::uint64_t n) { return static_cast<std::int64_t>(n); }

std::string series(const LoadResult& r) {
  Rows rows("phase,at_ns,members,sent,delivered,p50_ns,p99_ns,max_ns");
  for (const Second& s : r.series)
    rows.add({s.phase},
             {s.at_ns, number(s.members), number(s.sent), number(s.delivered), s.p50_ns, s.p99_ns, s.max_ns});
  return rows.take();
}

std::string latency(const LoadResult& r) {
  Rows rows("latency,counted_from,count,min_ns,mean_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns");
  const auto add = [&](const std::string& name, const char* from, const stats::Histogram& h) {
    rows.add({name, from},
             {number(h.count()), h.min().count(), h.mean().count(), h.quantile(.5).count(),
              h.quantile(.9).count(), h.quantile(.99).count(), h.quantile(.999).count(), h.max().count()});
  };
  for (const auto& [name, l] : r.latency) {
    add(name, "corrected", l.corrected);
    add(name, "uncorrected", l.uncorrected);
  }
  return rows.take();
}

std::string rooms(const LoadResult& r) {
  Rows rows("room,members,expected,delivered,lost,p50_ns,p99_ns,max_ns");
  for (const RoomResult& room : r.rooms)
    rows.add({room.room}, {number(room.members), number(room.expected), number(room.delivered),
                           number(room.lost), room.p50_ns, room.p99_ns, room.max_ns});
  return rows.take();
}

std::string cases(const ConformanceResult& r) {
  Rows rows("id,requirement,section,level,verdict,message,deviation,duration_ns");
  for (const CaseResult& c : r.cases)
    rows.add({c.id, c.requirement, c.section, std::string(to_string(c.level)),
              std::string(to_string(c.verdict)), c.message, c.deviation},
             {c.duration_ns});
  return rows.take();
}

}  // namespace

std::string to_csv(const AnyResult& result, const std::string& table) {
  if (const auto* load = std::get_if<LoadResult>(&result)) {
    if (table.empty() || table == "series") return series(*load);
    if (table == "latency") return latency(*load);
    if (table == "rooms") return rooms(*load);
    throw BadInput("--table " + table + ": a load result has series, latency and rooms");
  }
  if (table.empty() || table == "cases") return cases(std::get<ConformanceResult>(result));
  throw BadInput("--table " + table + ": a conformance result has cases");
}

}  // namespace roomcheck::reports
