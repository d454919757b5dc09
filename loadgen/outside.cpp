#include "loadgen/outside.h"

namespace roomcheck::loadgen {

Outside::Outside(std::unique_ptr<target::Control> control, websocket::Reactor& loop)
    : control_(std::move(control)),
      lists_members_(control_->knows_members()),
      loop_(loop),
      thread_([this] { run(); }) {}

Outside::~Outside() {
  {
    const std::lock_guard lock(mu_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool Outside::submit(Call call, Done done) {
  {
    const std::lock_guard lock(mu_);
    if (waiting_.size() >= kCapacity) return false;
    waiting_.emplace_back(std::move(call), std::move(done));
  }
  changed_.notify_one();
  return true;
}

void Outside::run() {
  while (true) {
    std::unique_lock lock(mu_);
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto [call, done] = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    loop_.post([done = std::move(done), answer = make(call)] { done(answer); });
  }
}

Outside::Answer Outside::make(const Call& call) {
  Answer out;
  out.began = steady_clock().now();
  if (call.kind == Call::Kind::nothing) return out;
  if (call.kind == Call::Kind::members || call.kind == Call::Kind::groups) {
    out.members = call.kind == Call::Kind::members ? control_->members(call.address)
                                                   : control_->groups_with(call.address);
    return out;
  }
  if (call.kind == Call::Kind::channel_of) {
    try {
      const Result<std::string> channel = control_->channel_of(call.address, call.join);
      out.members = channel.ok() ? Result(std::vector{*channel}) : channel.error();
    } catch (const std::exception& e) {
      out.members = Error{Error::Kind::system, e.what()};
    }
    return out;
  }
  const Result<event::Event> event = event::parse_json(call.event);
  const Result<void> result = !event.ok() ? Result<void>(event.error())
                              : call.kind == Call::Kind::channel_send
                                  ? control_->channel_send(call.address, *event)
                                  : control_->group_send(call.address, *event);
  if (!result.ok()) out.members = result.error();
  return out;
}

}  // namespace roomcheck::loadgen
