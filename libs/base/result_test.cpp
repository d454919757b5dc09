#include "libs/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace roomcheck {
namespace {

TEST(Result, HoldsAValue) {
  Result<std::string> r = std::string("x");
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(*r, "x");
}

TEST(Result, HoldsAnError) {
  Result<int> r = Error{Error::Kind::timeout, "no answer within 1 s"};
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().kind, Error::Kind::timeout);
  EXPECT_EQ(r.error().message, "no answer within 1 s");
}

TEST(Result, MovesOutWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> r = std::make_unique<int>(7);
  std::unique_ptr<int> p = std::move(r).value();
  EXPECT_EQ(*p, 7);
}

TEST(Result, OfVoidIsOkUnlessGivenAnError) {
  EXPECT_TRUE(Result<void>().ok());
  EXPECT_FALSE(Result<void>(Error{}).ok());
}

}  // namespace
}  // namespace roomcheck
