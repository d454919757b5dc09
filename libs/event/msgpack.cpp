#include "libs/event/msgpack.h"

#include <array>
#include <cstring>

namespace roomcheck::event {
namespace {

constexpr int kMaxDepth = 512;

// nlohmann writes a float64 that float32 can hold as float32 (0xca). msgpack-python reads both alike, but
// channels_redis writes float64 always, and we promise its bytes: so numbers are written here and the rest is
// nlohmann's.
void append(std::string& out, const Event& value);

void append_header(std::string& out, std::size_t size, unsigned fix, std::size_t fix_most, unsigned code16) {
  const auto put = [&out](std::size_t octet) { out += static_cast<char>(octet & 0xff); };
  if (size <= fix_most) {
    put(fix | size);
    return;
  }
  const int octets = size <= 0xffff ? 2 : 4;
  put(octets == 2 ? code16 : code16 + 1);
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) put(size >> shift);
}

void append(std::string& out, const Event& value) {
  if (value.is_object()) {
    append_header(out, value.size(), 0x80, 15, 0xde);
    for (const auto& [key, item] : value.items()) {
      append(out, Event(key));
      append(out, item);
    }
  } else if (value.is_array()) {
    append_header(out, value.size(), 0x90, 15, 0xdc);
    for (const Event& item : value) append(out, item);
  } else if (value.is_number_float()) {
    const double number = value.get<double>();
    std::uint64_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    out += '\xcb';
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>((bits >> shift) & 0xff);
  } else {
    Event::to_msgpack(value, out);
  }
}

Error bad(const std::string& why) {
  return Error{Error::Kind::bad_input, "not a channel-layer message: " + why};
}

// Builds the value, refusing what nests too deep.
class Limit final : public nlohmann::json_sax<Event> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return ++depth_ <= kMaxDepth; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return --depth_ >= 0; }
  bool start_array(std::size_t) override { return ++depth_ <= kMaxDepth; }
  bool end_array() override { return --depth_ >= 0; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  int depth_ = 0;
};

bool has_bad_string(const Event& value) {
  if (value.is_string()) {
    // nlohmann checks UTF-8 only when it dumps; a strict dump throws.
    try {
      (void)value.dump();
    } catch (const nlohmann::json::exception&) {
      return true;
    }
  }
  if (!value.is_structured()) return false;
  for (const auto& [key, item] : value.items())
    if ((value.is_object() && has_bad_string(Event(key))) || has_bad_string(item)) return true;
  return false;
}

}  // namespace

std::string to_msgpack(const Event& event) {
  std::string out;
  append(out, event);
  return out;
}

Result<Event> from_msgpack(std::string_view bytes) {
  Limit limit;
  if (!Event::sax_parse(bytes, &limit, Event::input_format_t::msgpack))
    return bad("malformed MessagePack, a key that is no string, trailing octets, or nested too deep");
  Event out = Event::from_msgpack(bytes, true, false);
  if (!out.is_object()) return bad("the top level is no map");
  if (has_bad_string(out)) return bad("a string is no valid UTF-8");
  return out;
}

}  // namespace roomcheck::event
