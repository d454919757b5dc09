// Every way to deploy the seed's Django app (servers x layers x kinds of consumers) and our own server
// (layers x kinds of consumers x nodes). Takes many minutes: ci/test --full, where each part is a test of its
// own.
#include "conformance/targets/judge.h"

namespace roomcheck::testkit {
namespace {

std::string name_of(const Words& way) {
  std::string name;
  for (const std::string& word : way) name += (name.empty() ? "" : "_") + word;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

class Django : public testing::TestWithParam<std::tuple<const char*, const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(
    Matrix, Django,
    testing::Combine(testing::Values("daphne", "uvicorn-websockets", "uvicorn-wsproto"),
                     testing::Values("memory", "core", "pubsub"), testing::Values("sync", "async", "json")),
    [](const auto& way) {
      return name_of({std::get<0>(way.param), std::get<1>(way.param), std::get<2>(way.param)});
    });

TEST_P(Django, PassesButForWhatIsKnown) {
  const auto [server, layer, consumer] = GetParam();
  expect_conformance(Deployment{server, layer, consumer});
}

class OurOwn : public testing::TestWithParam<std::tuple<const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(Matrix, OurOwn,
                         testing::Combine(testing::Values("memory", "core", "pubsub"),
                                          testing::Values("sync", "async", "json", "async-json")),
                         [](const auto& way) {
                           return name_of({"own", std::get<0>(way.param), std::get<1>(way.param)});
                         });

TEST_P(OurOwn, Passes) {
  const auto [layer, consumer] = GetParam();
  expect_conformance_of_our_own(layer, consumer, 1);
  if (std::string(layer) != "memory") expect_conformance_of_our_own(layer, consumer, 2);
}

}  // namespace
}  // namespace roomcheck::testkit
