import assert from "node:assert/strict";
import { test } from "node:test";
import { kLongestShown, kTimelineCapacity, Timeline } from "./timeline";

const say = (timeline: Timeline, ...texts: string[]) => {
  for (const text of texts) timeline.add({ kind: "member", prefix: "", text, at: new Date(0) });
};
const texts = (timeline: Timeline) => timeline.items().map((item) => item.text);

test("what arrives is shown together, in order, with ids of its own", () => {
  const timeline = new Timeline();
  say(timeline, "a", "b");
  assert.deepEqual(texts(timeline), []);
  assert.equal(timeline.flush().length, 2);
  say(timeline, "c");
  timeline.flush();
  assert.deepEqual(texts(timeline), ["a", "b", "c"]);
  assert.equal(new Set(timeline.items().map((item) => item.id)).size, 3);
  assert.deepEqual(timeline.flush(), []);
});

test("the newest are kept, in bounded memory, also when nobody draws", () => {
  const timeline = new Timeline();
  say(timeline, "first");
  timeline.flush();
  for (let i = 0; i < 10 * kTimelineCapacity; ++i) say(timeline, String(i));
  assert.equal(timeline.flush().length, kTimelineCapacity);
  assert.equal(texts(timeline).length, kTimelineCapacity);
  assert.equal(texts(timeline).at(-1), String(10 * kTimelineCapacity - 1));
  assert.equal(timeline.forgotten(), 9 * kTimelineCapacity + 1);
});

test("of an enormous message the beginning is shown, and how much more there is", () => {
  const timeline = new Timeline();
  say(timeline, "x".repeat(kLongestShown + 5));
  timeline.flush();
  assert.equal(timeline.items()[0]!.text.length, kLongestShown);
  assert.equal(timeline.items()[0]!.cut, 5);
});
