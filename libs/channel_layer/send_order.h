#pragma once
#include <deque>
#include <functional>
#include <memory>

namespace roomcheck::channel_layer {

// Lets what is sent go in the order in which it was asked for, although some of it first has to ask Redis who
// is to get it.
//
// Thread: one. Capacity: bounded by the replies that are outstanding (RedisConnection::kMostPending).
class SendOrder {
 public:
  using Send = std::function<void()>;
  using Place = std::function<void(Send)>;  // to be called once; an empty Send gives the place up

  // Goes as soon as everything before it has gone.
  void push(Send send) {
    if (places_.empty()) return send();
    places_.push_back(std::make_shared<Entry>(Entry{true, std::move(send)}));
  }

  // Keeps a place for something that is not known yet.
  Place reserve() {
    auto entry = std::make_shared<Entry>();
    places_.push_back(entry);
    return [this, entry](Send send) {
      entry->known = true;
      entry->send = std::move(send);
      while (!places_.empty() && places_.front()->known) {
        const auto next = std::move(places_.front());
        places_.pop_front();
        if (next->send) next->send();
      }
    };
  }

 private:
  struct Entry {
    bool known = false;
    Send send;
  };
  std::deque<std::shared_ptr<Entry>> places_;
};

}  // namespace roomcheck::channel_layer
