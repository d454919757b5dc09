import assert from "node:assert/strict";
import { test } from "node:test";
import { faultOf } from "./room_name";

test("every name that Channels takes is taken", () => {
  for (const name of ["myroom", "a", "A-b_c.9", ".", "..", "x".repeat(99)]) assert.equal(faultOf(name), null, name);
});

test("a name that Channels refuses is explained by its first fault", () => {
  assert.deepEqual(faultOf(""), { kind: "empty" });
  assert.deepEqual(faultOf("x".repeat(100)), { kind: "too-long", length: 100 });
  for (const [name, character] of [["my room", " "], ["房间", "房"], ["a😀", "😀"], ["a/b", "/"], ["a\n", "\n"], ["١", "١"], ["a%20", "%"]] as const)
    assert.deepEqual(faultOf(name), { kind: "character", character });
});
