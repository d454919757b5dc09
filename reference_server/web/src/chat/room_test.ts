import assert from "node:assert/strict";
import { test } from "node:test";
import { Room, type View } from "./room";
import { World } from "./world";

function join() {
  const world = new World();
  const views: View[] = [];
  const room = new Room("ws://a/ws/chat/r/", (view) => views.push(view), world);
  room.start();
  return {
    world,
    room,
    views,
    view: () => views.at(-1)!,
    // What a member sent comes back with the seed's prefixes.
    echo: (text: string) => world.says(JSON.stringify({ message: "预警信息2：预警信息1：" + text })),
    items: () => {
      world.until(world.time + 50);
      return views.at(-1)!.items.map(({ kind, text }) => (text ? `${kind} ${text}` : kind));
    },
  };
}

const msg = (text: string) => JSON.stringify({ msg: text });

test("greets as the seed does, then sends what was typed before", () => {
  const { world, room, items, echo, view } = join();
  room.post("early");
  assert.deepEqual(view().outgoing.map((out) => out.state), ["waiting"]);
  world.opens();
  assert.deepEqual(world.socket.sent, [msg("连接成功!"), msg("early")]);
  echo("连接成功!");
  echo("early");
  assert.deepEqual(items(), ["own-greeting 连接成功!", "own early"]);
  assert.deepEqual(view().outgoing, []);
});

test("own messages are known by their echo, each once", () => {
  const { world, room, items, echo } = join();
  world.opens();
  echo("连接成功!");
  echo("连接成功!");
  room.post("hi");
  echo("hi");
  echo("hi");
  assert.deepEqual(items(), ["own-greeting 连接成功!", "greeting 连接成功!", "own hi", "member hi"]);
});

test("after a loss: greets again, says that there is a gap, sends what was typed meanwhile, asks about what was on the way", () => {
  const { world, room, items, view } = join();
  world.opens();
  room.post("on the way");
  world.closes();
  room.post("offline");
  assert.deepEqual(view().outgoing.map((out) => out.state), ["lost", "waiting"]);
  world.until(world.time + 500);
  world.opens();
  assert.deepEqual(world.socket.sent, [msg("连接成功!"), msg("offline")]);
  assert.deepEqual(items(), ["gap"]);
  room.sendAgain(view().outgoing[0]!.id);
  assert.equal(world.socket.sent.at(-1), msg("on the way"));
});

test("an echo that never comes is said", () => {
  const { world, room, view } = join();
  world.opens();
  room.post("x");
  world.until(world.time + 10_000);
  assert.equal(view().outgoing[0]!.state, "late");
  assert.equal(room.hasUnsent(), true);
  room.discard(view().outgoing[0]!.id);
  assert.equal(room.hasUnsent(), false);
});

test("a thousand messages are drawn once, and the newest stay", () => {
  const { world, views, echo, view } = join();
  world.opens();
  const before = views.length;
  for (let i = 0; i < 1000; ++i) echo(String(i));
  world.until(world.time + 50);
  assert.equal(views.length, before + 1);
  assert.equal(view().items.at(-1)!.text, "999");
  assert.equal(view().items.length + view().forgotten, 1000);
});
