#include "libs/channel_layer/hiredis_adapter.h"

#include <hiredis/async.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>

namespace roomcheck::channel_layer {
namespace {

// Waits for the descriptor to be readable or writable as long as hiredis wants it; kept alive by its own
// waits and, until hiredis is done with it, by `self_`.
class Adapter : public std::enable_shared_from_this<Adapter> {
 public:
  Adapter(redisAsyncContext* context, boost::asio::io_context& io)
      : context_(context), descriptor_(io, context->c.fd) {}

  void attach() {
    self_ = shared_from_this();
    context_->ev.data = this;
    context_->ev.addRead = [](void* self) { of(self).want(Direction::read, true); };
    context_->ev.delRead = [](void* self) { of(self).want(Direction::read, false); };
    context_->ev.addWrite = [](void* self) { of(self).want(Direction::write, true); };
    context_->ev.delWrite = [](void* self) { of(self).want(Direction::write, false); };
    context_->ev.cleanup = [](void* self) { of(self).detach(); };
  }

 private:
  enum class Direction { read, write };
  struct State {
    bool wanted = false;
    bool waiting = false;
  };

  static Adapter& of(void* self) { return *static_cast<Adapter*>(self); }
  State& state(Direction direction) { return direction == Direction::read ? read_ : write_; }

  void want(Direction direction, bool wanted) {
    state(direction).wanted = wanted;
    wait(direction);
  }

  void wait(Direction direction) {
    State& now = state(direction);
    if (context_ == nullptr || !now.wanted || now.waiting) return;
    now.waiting = true;
    descriptor_.async_wait(direction == Direction::read ? descriptor_.wait_read : descriptor_.wait_write,
                           [self = shared_from_this(), direction](const boost::system::error_code& code) {
                             State& then = self->state(direction);
                             then.waiting = false;
                             if (code || self->context_ == nullptr || !then.wanted) return;
                             if (direction == Direction::read) {
                               redisAsyncHandleRead(self->context_);  // may end in detach()
                             } else {
                               redisAsyncHandleWrite(self->context_);
                             }
                             self->wait(direction);
                           });
  }

  void detach() {
    context_ = nullptr;
    if (descriptor_.is_open()) descriptor_.release();  // hiredis closes it right after this
    self_.reset();
  }

  redisAsyncContext* context_;  // null once hiredis is done with us
  boost::asio::posix::stream_descriptor descriptor_;
  State read_, write_;
  std::shared_ptr<Adapter> self_;
};

}  // namespace

void attach_to_asio(redisAsyncContext* context, boost::asio::io_context& io) {
  std::make_shared<Adapter>(context, io)->attach();
}

}  // namespace roomcheck::channel_layer
