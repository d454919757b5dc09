// What a server sends to a client as compressed messages. The first octet says what was agreed to; after it
// each message is an octet with its length, and so many octets: later ones may refer to earlier ones.
#include "fuzz/fuzz.h"
#include "libs/websocket/deflate.h"

using namespace roomcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  using Outcome = websocket::Deflate::Outcome;
  constexpr std::size_t kLimit = 64 * 1024;
  std::string_view left = fuzz::text(data, size);
  websocket::DeflateTerms terms;
  terms.client_keeps_context = terms.server_keeps_context = left[0] % 2 == 0;
  (void)websocket::parse_deflate_answer(left);
  left.remove_prefix(1);
  websocket::Deflate received(terms), sent(terms), echoed(terms);
  while (!left.empty()) {
    const std::string_view payload = left.substr(1, static_cast<unsigned char>(left[0]));
    left.remove_prefix(1 + payload.size());
    std::string message;
    const Outcome outcome = received.inflate(payload, kLimit, message);
    fuzz::promise(message.size() <= kLimit, "a message never grows beyond its limit");
    if (outcome != Outcome::good) return 0;  // the connection ends
    std::string again;
    fuzz::promise(echoed.inflate(sent.compress(message), kLimit, again) == Outcome::good && again == message,
                  "what is compressed inflates to what it was");
  }
  return 0;
}
