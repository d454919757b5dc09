// A build without mutants is whole, and says so when one is asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/result.h"
#include "reference_server/mutants/mutation.h"
#include "reference_server/node.h"

namespace roomcheck::reference_server {
namespace {

TEST(WithoutMutants, OneThatIsAskedForIsBadInputWithTheRemedy) {
  EXPECT_TRUE(all_mutants().empty());
  NodeOptions options;
  options.mutants = {"duplicates"};
  try {
    const Node node(options);
    FAIL() << "it was made";
  } catch (const BadInput& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("ROOMCHECK_MUTANTS=ON"));
  }
}

TEST(WithoutMutants, TheServerListens) {
  NodeOptions options;
  const Node node(options);
  EXPECT_NE(node.port(), 0);
}

}  // namespace
}  // namespace roomcheck::reference_server
