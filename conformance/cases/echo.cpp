#include "conformance/catalog.h"
#include "conformance/context.h"

namespace roomcheck::conformance {

std::vector<Case> echo_cases() {
  return {
      {"echo.replies/one-message",
       "echo.replies",
       Level::must,
       {"echo"},
       "A message on the echo path is answered with the profile's echo text.",
       [](Context& c) {
         const MemberPtr me = c.connect_echo();
         c.hears(me, c.ask_echo(me));
         c.hears(me, c.ask_echo(me, "预警 😀 \" \\ \n"));
       }},
      {"echo.only-self/two-clients-and-a-room",
       "echo.only-self",
       Level::must,
       {"echo"},
       "Nobody else gets an echo, neither on the echo path nor in any room.",
       [](Context& c) {
         const MemberPtr me = c.connect_echo(), other = c.connect_echo(), member = c.join(c.fresh_room());
         c.hears(me, c.ask_echo(me));
         c.hears(other, c.ask_echo(other));  // the fence: nothing came before it
         c.fence(member);
       }},
      {"echo.in-order/twenty-back-to-back",
       "echo.in-order",
       Level::must,
       {"echo"},
       "n messages sent back to back are answered n times in order.",
       [](Context& c) {
         const MemberPtr me = c.connect_echo();
         std::vector<std::string> texts;
         for (int i = 0; i < 20; ++i) texts.push_back(c.ask_echo(me));
         c.all_hear({me}, texts);
       }},
  };
}

}  // namespace roomcheck::conformance
