import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode } from "./envelope";

const frame = (message: unknown) => JSON.stringify({ message });

test("what a member sent, what was sent to one channel and what was pushed are told apart by the seed's prefixes", () => {
  assert.deepEqual(decode(frame("预警信息2：预警信息1：hi")), { kind: "member", prefix: "预警信息2：预警信息1：", text: "hi" });
  assert.deepEqual(decode(frame("预警信息2：just you")), { kind: "direct", prefix: "预警信息2：", text: "just you" });
  assert.deepEqual(decode(frame("预警信息推送")), { kind: "push", prefix: "", text: "预警信息推送" });
});

test("a member cannot pass for a push or a direct send by what it types", () => {
  for (const typed of ["预警信息2：x", "预警信息2：预警信息1：x", ""])
    assert.deepEqual(decode(frame("预警信息2：预警信息1：" + typed)), { kind: "member", prefix: "预警信息2：预警信息1：", text: typed });
});

test("a pushed value that is no text is shown as JSON", () => {
  assert.equal(decode('{"message": {"b": 1, "a": [null]}}').text, '{"b":1,"a":[null]}');
  assert.equal(decode('{"message": 0}').text, "0");
});

test("a frame that is not the envelope is shown as it came", () => {
  for (const data of ["", "hello", "null", "[]", "{}", '{"message": NaN}', '{"msg": "x"}'])
    assert.deepEqual(decode(data), { kind: "unreadable", prefix: "", text: data });
  assert.equal(decode(new ArrayBuffer(3)).kind, "unreadable");
});

test("half an emoji does not reach the server", () => {
  assert.equal(encode("a\ud83d"), '{"msg":"a\ufffd"}');
  assert.equal(encode('😀"'), '{"msg":"😀\\""}');
});
