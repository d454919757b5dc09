import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, type ConnectionState } from "./connection";
import { World } from "./world";

function connect() {
  const world = new World();
  const states: ConnectionState[] = [];
  const messages: unknown[] = [];
  const connection = new Connection(
    "ws://a/ws/chat/r/",
    { onState: (state) => states.push(state), onMessage: (data) => messages.push(data) },
    world,
  );
  const wait = () => {
    const state = states.at(-1)!;
    assert.ok(state.kind === "waiting", state.kind);
    return state;
  };
  return { world, connection, messages, wait, kinds: () => states.map((state) => state.kind) };
}

test("opens, and carries messages both ways", () => {
  const { world, connection, messages, kinds } = connect();
  connection.start();
  world.opens();
  connection.send("up");
  world.says("down");
  assert.deepEqual(kinds(), ["connecting", "open"]);
  assert.deepEqual(world.socket.sent, ["up"]);
  assert.deepEqual(messages, ["down"]);
});

test("tries again with growing delays while the server is away", () => {
  const { world, connection, kinds, wait } = connect();
  connection.start();
  const delays: number[] = [];
  for (let i = 0; i < 8; ++i) {
    world.closes();
    assert.equal(wait().attempt, i + 1);
    delays.push(wait().until - world.time);
    world.until(wait().until);
  }
  assert.deepEqual(delays, [250, 500, 1000, 2000, 4000, 8000, 15000, 15000]);
  assert.equal(world.sockets.length, 9);
  world.opens();
  assert.equal(kinds().at(-1), "open");
});

test("a server that closes at once is not hammered; one that held is tried again soon", () => {
  const { world, connection, wait } = connect();
  connection.start();
  for (const [held, delay] of [[0, 250], [4999, 500], [4999, 1000], [5000, 250]] as const) {
    world.opens();
    world.until(world.time + held);
    world.closes();
    assert.equal(wait().until - world.time, delay, `after ${held} ms`);
    world.until(wait().until);
  }
});

test("stop() is for good: no timer, no attempt, no handler is left", () => {
  for (const when of ["connecting", "open", "waiting"]) {
    const { world, connection, kinds } = connect();
    connection.start();
    if (when === "open") world.opens();
    if (when === "waiting") world.closes();
    connection.stop();
    assert.equal(world.timers.length, 0, when);
    assert.equal(world.socket.closed, true, when);
    assert.equal(world.socket.onclose, null, when);
    assert.equal(kinds().at(-1), "stopped", when);
    world.until(1e9);
    assert.equal(world.sockets.length, 1, when);
  }
});

test("start() ends a wait, and does nothing while connecting or open", () => {
  const { world, connection } = connect();
  connection.start();
  connection.start();
  assert.equal(world.sockets.length, 1);
  world.closes();
  connection.start();
  assert.equal(world.sockets.length, 2);
  world.opens();
  connection.start();
  world.until(1e6);
  assert.equal(world.sockets.length, 2);
});

test("an attempt that gets no answer is given up and tried again", () => {
  const { world, connection, wait } = connect();
  connection.start();
  world.until(10_000);
  assert.equal(world.socket.closed, true);
  assert.equal(wait().attempt, 1);
});

test("an address that the browser refuses is as a server that is away", () => {
  const { world, connection, kinds } = connect();
  world.refuses = true;
  connection.start();
  assert.deepEqual(kinds(), ["connecting", "waiting"]);
});
