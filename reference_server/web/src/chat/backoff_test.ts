import assert from "node:assert/strict";
import { test } from "node:test";
import { retryDelay } from "./backoff";

test("the delay doubles up to 30 s, for however many attempts", () => {
  assert.deepEqual([0, 1, 2, 5, 6, 50, 5000].map((attempt) => retryDelay(attempt, 0)), [250, 500, 1000, 8000, 15000, 15000, 15000]);
});

test("half of the delay is random", () => {
  assert.equal(retryDelay(3, 0), 2000);
  assert.equal(retryDelay(3, 0.5), 3000);
  assert.ok(retryDelay(3, 1 - 2 ** -53) <= 4000);
});
