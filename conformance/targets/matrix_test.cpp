// Every way to deploy the seed's Django app: servers x layers x kinds of consumers. Takes many minutes:
// ci/test --full.
#include "conformance/targets/judge.h"

namespace roomcheck::testkit {
namespace {

class Matrix : public testing::TestWithParam<std::tuple<const char*, const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(Django, Matrix,
                         testing::Combine(testing::Values("daphne", "uvicorn-websockets", "uvicorn-wsproto"),
                                          testing::Values("memory", "core", "pubsub"),
                                          testing::Values("sync", "async", "json")),
                         [](const auto& way) {
                           std::string name = std::string(std::get<0>(way.param)) + "_" +
                                              std::get<1>(way.param) + "_" + std::get<2>(way.param);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST_P(Matrix, PassesButForWhatIsKnown) {
  const auto [server, layer, consumer] = GetParam();
  expect_conformance(Deployment{server, layer, consumer});
}

}  // namespace
}  // namespace roomcheck::testkit
