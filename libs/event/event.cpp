#include "libs/event/event.h"

#include <array>
#include <cstdint>
#include <cstdio>

namespace roomcheck::event {
namespace {

// Refuses a document before it is built when it nests too deep: nlohmann parses iteratively, but destroys and
// dumps recursively, and 100,000 nested arrays end the process.
class DepthCheck final : public nlohmann::json_sax<Event> {
 public:
  explicit DepthCheck(int most) : most_(most) {}
  bool too_deep() const { return depth_ > most_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return ++depth_ <= most_; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return --depth_ >= 0; }
  bool start_array(std::size_t) override { return ++depth_ <= most_; }
  bool end_array() override { return --depth_ >= 0; }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    position_ = position;
    return false;
  }
  std::size_t position() const { return position_; }

 private:
  int most_;
  int depth_ = 0;
  std::size_t position_ = 0;
};

void append_escape(std::string& out, unsigned code) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\u%04x", code & 0xffffU);
  out += text.data();
}

// The code point that starts at text[i]; i moves behind it. REQUIRES: valid UTF-8 (nlohmann has checked).
std::uint32_t next_code_point(std::string_view text, std::size_t& i) {
  const auto octet = [&](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at]));
  };
  const std::uint32_t lead = octet(i);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length == 1 || i + length > text.size()) {
    ++i;
    return lead;
  }
  std::uint32_t point = lead & (0x7fU >> length);
  for (std::size_t k = 1; k < length; ++k) point = (point << 6) | (octet(i + k) & 0x3f);
  i += length;
  return point;
}

void append_value(std::string& out, const Event& value) {
  if (value.is_string()) {
    append_python_json_string(out, value.get_ref<const std::string&>());
  } else if (value.is_object()) {
    out += '{';
    const char* separator = "";
    for (const auto& [key, item] : value.items()) {
      out += separator;
      append_python_json_string(out, key);
      out += ": ";
      append_value(out, item);
      separator = ", ";
    }
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    const char* separator = "";
    for (const Event& item : value) {
      out += separator;
      append_value(out, item);
      separator = ", ";
    }
    out += ']';
  } else {
    out += value.dump();
  }
}

}  // namespace

Result<Event> parse_json(std::string_view text, int max_depth) {
  if (text.substr(0, 3) == "\xef\xbb\xbf")
    return Error{Error::Kind::bad_input, "not JSON: it begins with a byte order mark"};
  DepthCheck check(max_depth);
  if (!Event::sax_parse(text, &check)) {
    if (check.too_deep())
      return Error{Error::Kind::bad_input,
                   "not accepted: nested deeper than " + std::to_string(max_depth) + " levels"};
    return Error{Error::Kind::bad_input,
                 "not JSON: unexpected text at octet " + std::to_string(check.position())};
  }
  return Event::parse(text);
}

void append_python_json_string(std::string& out, std::string_view utf8) {
  out += '"';
  for (std::size_t i = 0; i < utf8.size();) {
    const char c = utf8[i];
    if (c >= ' ' && c <= '~' && c != '"' && c != '\\') {
      out += c;
      ++i;
      continue;
    }
    const std::uint32_t point = next_code_point(utf8, i);
    switch (point) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (point >= 0x10000) append_escape(out, 0xd800 + ((point - 0x10000) >> 10));
        append_escape(out, point >= 0x10000 ? 0xdc00 + ((point - 0x10000) & 0x3ff) : point);
    }
  }
  out += '"';
}

std::string to_python_json(const Event& event) {
  std::string out;
  append_value(out, event);
  return out;
}

Result<std::string> handler_name(const Event& event) {
  const auto bad = [](const std::string& why) { return Error{Error::Kind::bad_input, why}; };
  if (!event.is_object()) return bad("an event is a JSON object with a \"type\"");
  const auto type = event.find("type");
  if (type == event.end() || !type->is_string()) return bad("Incoming message has no 'type' attribute");
  std::string name = type->get<std::string>();
  for (char& c : name)
    if (c == '.') c = '_';
  if (name.empty()) return bad("the event's 'type' is empty");
  if (name.front() == '_') return bad("Malformed type in message (leading underscore)");
  return name;
}

}  // namespace roomcheck::event
