import assert from "node:assert/strict";
import { test } from "node:test";
import { kEchoLimit, kOutboxCapacity, Outbox } from "./outbox";

const states = (outbox: Outbox) => outbox.list().map(({ text, state }) => `${text} ${state}`);

test("what is typed offline waits and is sent in order, once", () => {
  const outbox = new Outbox();
  for (const text of ["a", "b", "c"]) outbox.add(text);
  assert.deepEqual(outbox.take(0), ["a", "b", "c"]);
  assert.deepEqual(outbox.take(1), []);
});

test("the echo ends the wait; the same text from another member does not", () => {
  const outbox = new Outbox();
  outbox.add("a");
  assert.equal(outbox.confirm("a"), false, "not sent yet, so it is another member's");
  outbox.take(0);
  assert.equal(outbox.confirm("b"), false);
  assert.equal(outbox.confirm("a"), true);
  assert.equal(outbox.confirm("a"), false);
  assert.deepEqual(states(outbox), []);
});

test("what was on the way when the connection went is the sender's to decide", () => {
  const outbox = new Outbox();
  outbox.add("sent");
  outbox.take(0);
  outbox.add("typed offline");
  outbox.connectionLost();
  assert.deepEqual(states(outbox), ["sent lost", "typed offline waiting"]);
  assert.deepEqual(outbox.take(1), ["typed offline"]);
  assert.equal(outbox.confirm("sent"), false, "the echo of the old connection cannot come on the new one");
  outbox.sendAgain(1);
  assert.deepEqual(outbox.take(2), ["sent"]);
  outbox.discard(2);
  assert.deepEqual(states(outbox), ["sent sent"]);
});

test("an echo that does not come is said, and still counts when it comes after all", () => {
  const outbox = new Outbox();
  outbox.add("a");
  outbox.take(100);
  assert.equal(outbox.markLate(100 + kEchoLimit - 1), false);
  assert.equal(outbox.markLate(100 + kEchoLimit), true);
  assert.equal(outbox.markLate(100 + kEchoLimit), false);
  assert.deepEqual(states(outbox), ["a late"]);
  assert.equal(outbox.confirm("a"), true);
});

test("it is bounded", () => {
  const outbox = new Outbox();
  for (let i = 0; i < kOutboxCapacity; ++i) assert.equal(outbox.add("x"), true);
  assert.equal(outbox.add("x"), false);
  assert.equal(outbox.list().length, kOutboxCapacity);
});
