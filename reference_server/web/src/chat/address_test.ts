import assert from "node:assert/strict";
import { test } from "node:test";
import { roomUrl, serverOf } from "./address";

test("without ?server= the rooms are where the page is", () => {
  assert.deepEqual(serverOf(null, { protocol: "http:", host: "a:1" }), { base: "ws://a:1" });
  assert.deepEqual(serverOf(null, { protocol: "https:", host: "a" }), { base: "wss://a" });
});

test("another server is a ws:// or wss:// address, perhaps behind a path", () => {
  const page = { protocol: "http:", host: "a" };
  assert.deepEqual(serverOf("ws://127.0.0.1:8000/", page), { base: "ws://127.0.0.1:8000" });
  assert.deepEqual(serverOf("wss://chat.example.org/chat", page), { base: "wss://chat.example.org/chat" });
  for (const wrong of ["", "127.0.0.1:8000", "http://a", "ws://", "ws://a b", "ws://a;b", "ws://a/?x", "ws://a/#x", "ws://[::1]:8", "ws://u@a"])
    assert.deepEqual(serverOf(wrong, page), { fault: wrong });
});

test("a room's address is the seed's", () => {
  assert.equal(roomUrl("ws://a:1", "myroom"), "ws://a:1/ws/chat/myroom/");
});
