#include "loadgen/probe.h"

#include <gtest/gtest.h>

namespace roomcheck::loadgen {
namespace {

using Found = ProbeFormat::Found;

const Probe kProbe{49, 3, 0xfedcba98, 1'234'567'890'123'456'789};

std::string wire(std::string_view text) {
  return "{\"message\": \"预警信息2：预警信息1：" + std::string(text) + "\"}";
}

TEST(Probe, IsFoundInsideTheAnswerAsItWasWritten) {
  const ProbeFormat format(0xdeadbeef, 7, 100);
  EXPECT_EQ(format.text(kProbe).size(), 100u);
  Probe probe;
  ASSERT_EQ(format.find(wire(format.text(kProbe)), probe), Found::ours);
  EXPECT_EQ(probe.room, 49u);
  EXPECT_EQ(probe.sender, 3u);
  EXPECT_EQ(probe.sequence, 0xfedcba98u);
  EXPECT_EQ(probe.intended_ns, 1'234'567'890'123'456'789);
}

TEST(Probe, MayBeTheWholeText) {
  const ProbeFormat format(1, 0, ProbeFormat::kSize);
  Probe probe;
  EXPECT_EQ(format.find(format.text(kProbe), probe), Found::ours);
}

TEST(Probe, AMessageWithoutAMarkIsNotOne) {
  const ProbeFormat format(1, 0, 100);
  Probe probe;
  EXPECT_EQ(format.find("", probe), Found::nothing);
  EXPECT_EQ(format.find(wire("hello ~rc"), probe), Found::nothing);
}

TEST(Probe, AnyDamagedOctetIsNoticed) {
  const ProbeFormat format(0x12345678, 1, 80);
  const std::string text = format.text(kProbe);
  Probe probe;
  for (std::size_t i = 4; i < text.size(); ++i)
    for (const char other : {'a', 'q', '0', 'Z', ' '}) {
      std::string damaged = text;
      if (damaged[i] == other) continue;
      damaged[i] = other;
      ASSERT_EQ(format.find(wire(damaged), probe), Found::damaged) << i << other;
    }
}

TEST(Probe, ATruncatedTextIsDamaged) {
  const ProbeFormat format(1, 0, 100);
  const std::string text = format.text(kProbe);
  Probe probe;
  for (std::size_t size = 4; size < text.size(); ++size)
    ASSERT_EQ(format.find(text.substr(0, size), probe), Found::damaged) << size;
}

TEST(Probe, TheReceiverKnowsTheSizeOfEachMessage) {
  const ProbeFormat format(1, 0, PayloadSizes::parse("64..2KiB"));
  for (std::uint32_t sequence = 0; sequence < 100; ++sequence) {
    const std::string text = format.text({5, 0, sequence, 1});
    Probe probe;
    ASSERT_EQ(format.find(wire(text), probe), Found::ours);
    if (text.size() > 64) {
      ASSERT_EQ(format.find(text.substr(0, text.size() - 1), probe), Found::damaged);
    }
  }
}

TEST(Probe, AnotherRunAndAnotherProcessAreStrangers) {
  Probe probe;
  const std::string text = ProbeFormat(1, 1, 100).text(kProbe);
  EXPECT_EQ(ProbeFormat(2, 1, 100).find(text, probe), Found::stranger);
  EXPECT_EQ(ProbeFormat(1, 2, 100).find(text, probe), Found::stranger);
}

}  // namespace
}  // namespace roomcheck::loadgen
