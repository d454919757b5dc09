#include "layerctl/bus.h"
#include "libs/target/control.h"

namespace roomcheck::layerctl {
namespace {

class ControlBus final : public Bus {
 public:
  explicit ControlBus(std::unique_ptr<target::Control> control) : control_(std::move(control)) {}

  Result<void> send(const std::string& channel, const event::Event& event) override {
    return control_->channel_send(channel, event);
  }
  Result<event::Event> group_send(const std::string& group, const event::Event& event) override {
    const Result<void> sent = control_->group_send(group, event);
    if (!sent.ok()) return sent.error();
    return event::Event::object();  // a control does not tell how many it reached
  }
  Result<std::vector<std::string>> members(const std::string& group) override {
    return control_->members(group);
  }
  Result<void> receive(const std::string&, std::uint64_t, const Receiver&) override {
    return cannot("receive");
  }
  Result<void> group_add(const std::string&, const std::string&) override { return cannot("group-add"); }
  Result<void> group_discard(const std::string&, const std::string&) override {
    return cannot("group-discard");
  }
  Result<void> flush() override { return cannot("flush"); }

 private:
  Error cannot(const std::string& verb) const {
    return {Error::Kind::unsupported, verb + " is not possible through the control " + control_->describe() +
                                          ": give the layer itself (--layer, --redis-url)"};
  }
  std::unique_ptr<target::Control> control_;
};

}  // namespace

std::unique_ptr<Bus> make_control_bus(const Options& options) {
  return std::make_unique<ControlBus>(
      target::make_control(options.control, options.control_token, options.limit));
}

}  // namespace roomcheck::layerctl
