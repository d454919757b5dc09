#include "reference_server/mutants/load_mutants.h"

#include <boost/asio/steady_timer.hpp>
#include <ctime>
#include <queue>
#include <string>

#include "reference_server/mutants/wrapped_connection.h"

namespace roomcheck::reference_server {

using websocket::Connection;
using websocket::ConnectionPtr;

namespace {

constexpr std::size_t kMostHeld = 1'000'000;
constexpr std::uint32_t kMemberDelays = 5;
constexpr Nanoseconds kLongestHold = std::chrono::seconds(1);  // of a message that waits to be overtaken

Nanoseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

// Exactly so much in the mean, for on a busy machine the time on the wall says little. Reading that clock is
// a system call of some hundred nanoseconds: what the last reading went beyond is taken off the next time.
void burn_cpu(Nanoseconds burn) {
  static thread_local Nanoseconds owed{0};
  owed += burn;
  for (Nanoseconds last = thread_cpu_time(); owed.count() > 0;) {
    const Nanoseconds now = thread_cpu_time();
    owed -= now - last;
    last = now;
  }
}

}  // namespace

// A room member's connection whose deliveries are held, dropped, doubled, overtaken.
class LoadMutants::Held final : public WrappedConnection, public std::enable_shared_from_this<Held> {
 public:
  Held(ConnectionPtr inner, LoadMutants& mutants, Waiting& waiting, std::uint32_t member)
      : WrappedConnection(std::move(inner)), mutants_(mutants), waiting_(waiting), member_(member) {}

  Sent send_text(std::string_view payload) override;
  Sent send(const websocket::PreparedText& text) override { return send_text(text.payload()); }

  void leave(std::uint64_t number, Nanoseconds arrived, const std::string& payload);
  void leave_overtaken(std::uint64_t number);

 private:
  LoadMutants& mutants_;
  Waiting& waiting_;
  const std::uint32_t member_;
  std::string to_be_overtaken_;
  std::uint64_t to_be_overtaken_number_ = 0;
};

// What waits on one loop, by the time when it is due; ends with the loop.
class LoadMutants::Waiting final : public boost::asio::execution_context::service {
 public:
  using key_type = Waiting;
  static boost::asio::execution_context::id id;

  struct Item {
    Nanoseconds due;
    std::uint64_t order;  // equal due: first come, first served
    std::shared_ptr<Held> connection;
    std::uint64_t number;
    Nanoseconds arrived;
    std::string payload;  // empty: the one that waits to be overtaken
    bool operator<(const Item& other) const {
      return std::tie(due, order) > std::tie(other.due, other.order);
    }
  };

  explicit Waiting(boost::asio::execution_context& context)
      : service(context), timer_(static_cast<boost::asio::io_context&>(context)) {}

  bool full() const { return items_.size() >= kMostHeld; }
  bool empty() const { return items_.empty(); }
  void add(Item item) {
    item.order = ++order_;
    items_.push(std::move(item));
    arm();
  }

 private:
  void shutdown() override { items_ = {}; }

  void arm() {
    if (items_.empty() || (armed_ && items_.top().due >= armed_for_)) return;
    armed_ = true;
    armed_for_ = items_.top().due;
    timer_.expires_at(std::chrono::steady_clock::time_point(armed_for_));
    timer_.async_wait([this](const boost::system::error_code& code) {
      if (code) return;
      armed_ = false;
      release();
      arm();
    });
  }

  void release() {
    const Nanoseconds now = steady_clock().now();
    while (!items_.empty() && items_.top().due <= now) {
      const Item item = items_.top();
      items_.pop();
      if (item.payload.empty()) {
        item.connection->leave_overtaken(item.number);
      } else {
        item.connection->leave(item.number, item.arrived, item.payload);
      }
    }
  }

  boost::asio::steady_timer timer_;
  std::priority_queue<Item> items_;
  std::uint64_t order_ = 0;
  bool armed_ = false;
  Nanoseconds armed_for_{0};
};

boost::asio::execution_context::id LoadMutants::Waiting::id;

LoadMutants::LoadMutants(const LoadPlan& plan) : plan_(plan) {}

ConnectionPtr LoadMutants::wrap(ConnectionPtr connection, boost::asio::io_context& io) {
  return std::make_shared<Held>(std::move(connection), *this, boost::asio::use_service<Waiting>(io),
                                members_++);
}

// When a delivery that has arrived leaves.
Nanoseconds LoadMutants::due(Nanoseconds at, std::uint32_t member) {
  const std::lock_guard lock(mu_);
  if (first_.count() < 0) first_ = at;
  Nanoseconds out = at + plan_.delay +
                    plan_.member_delay * (plan_.member_delay.count() > 0 ? member % kMemberDelays + 1 : 0);
  if (plan_.stall.count() > 0) {
    const Nanoseconds into = (out - first_) % plan_.stall_period;
    if (into >= plan_.stall_period - plan_.stall) out += plan_.stall_period - into;
  }
  if (plan_.serves > 0) {
    out = std::max(out, next_slot_);
    next_slot_ = out + Nanoseconds(1'000'000'000 / static_cast<std::int64_t>(plan_.serves));
  }
  return out;
}

Connection::Sent LoadMutants::Held::send_text(std::string_view payload) {
  LoadStats& stats = mutants_.stats_;
  const LoadPlan& plan = mutants_.plan_;
  const std::uint64_t number = ++stats.deliveries;
  if ((plan.lose > 0 && number % plan.lose == 0) || waiting_.full()) {
    ++stats.lost;
    return Sent::accepted;
  }
  const Nanoseconds now = steady_clock().now();
  const Nanoseconds due = mutants_.due(now, member_);
  if (due <= now && waiting_.empty()) {
    leave(number, now, std::string(payload));
  } else {
    waiting_.add({due, 0, shared_from_this(), number, now, std::string(payload)});
  }
  return Sent::accepted;
}

void LoadMutants::Held::leave(std::uint64_t number, Nanoseconds arrived, const std::string& payload) {
  LoadStats& stats = mutants_.stats_;
  const LoadPlan& plan = mutants_.plan_;
  if (plan.reorder > 0 && number % plan.reorder == 0 && to_be_overtaken_.empty()) {
    to_be_overtaken_ = payload;
    to_be_overtaken_number_ = number;
    waiting_.add({steady_clock().now() + kLongestHold, 0, shared_from_this(), number, arrived, {}});
    return;
  }
  if (plan.burn) burn_cpu(*plan.burn);
  const Nanoseconds now = steady_clock().now();
  {
    const std::lock_guard lock(stats.mu);
    stats.held.record(now - arrived);
    if (plan.serves > 0) {
      // A gap belongs to the limit only while something waited.
      const Nanoseconds slot(1'000'000'000 / static_cast<std::int64_t>(plan.serves));
      if (now - arrived > slot && stats.last_left.count() > 0) {
        ++stats.served;
        stats.serving += now - stats.last_left;
      }
      stats.last_left = now;
    }
  }
  inner_->send_text(payload);
  if (plan.duplicate > 0 && number % plan.duplicate == 0) {
    ++stats.duplicated;
    inner_->send_text(payload);
  }
  if (to_be_overtaken_.empty()) return;
  ++stats.reordered;
  inner_->send_text(to_be_overtaken_);
  to_be_overtaken_.clear();
}

void LoadMutants::Held::leave_overtaken(std::uint64_t number) {
  if (to_be_overtaken_.empty() || to_be_overtaken_number_ != number) return;  // it was
  inner_->send_text(to_be_overtaken_);
  to_be_overtaken_.clear();
}

}  // namespace roomcheck::reference_server
