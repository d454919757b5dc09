// Servers for the browser test: each is started on free ports of its own, and ends what it started.
// A target has `page` (where the page is), `otherPage` (the same rooms on another node, where there is one), `query` (what the
// address needs), push(room, text), direct(channel, text), channels(room) and stop().
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

// Starts a program and waits until it prints `ready` (stdout or stderr); returns the match and how to end it.
async function start(command, args, ready, options = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  let said = "";
  const match = await new Promise((resolve, reject) => {
    const hear = (data) => {
      said += data;
      const found = said.match(ready);
      if (found) resolve(found);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`${command} ended with ${code}: ${said}`)));
  });
  return { match, stop };
}

export async function startRedis() {
  const port = await freePort();
  const { stop } = await start("redis-server", ["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--appendonly", "no"], /Ready to accept/);
  return { url: `redis://127.0.0.1:${port}/0`, stop };
}

// The reference server; `ports` of an earlier one bring it back where it was.
export async function startReference(program, args = [], ports = { listen: 0, control: 0 }) {
  const { match, stop } = await start(
    program,
    ["--listen", `127.0.0.1:${ports.listen}`, "--control", `127.0.0.1:${ports.control}`, ...args],
    /listening on ws:\/\/127\.0\.0\.1:(\d+).*control on http:\/\/127\.0\.0\.1:(\d+)/,
  );
  const [, listen, control] = match;
  const call = async (path, body) => {
    const response = await fetch(`http://127.0.0.1:${control}${path}`, body ? { method: "POST", body: JSON.stringify(body) } : {});
    assert.equal(response.status, 200, `${path}: ${response.status}`);
    return response.json();
  };
  return {
    page: `http://127.0.0.1:${listen}`,
    query: {},
    ports: { listen, control },
    push: (room, text) => call(`/groups/${room}/send`, { type: "chat_push_message", message: text }),
    direct: (channel, text) => call(`/channels/${encodeURIComponent(channel)}/send`, { type: "chat_message", message: text }),
    channels: async (room) => (await call(`/groups/${room}/channels`)).channels,
    stop,
  };
}

// What reaches a room from outside, through its Redis: layerctl, which knows nothing of the servers behind it.
function fromOutside(layerctl, redis) {
  const call = (...words) => {
    const { status, stdout, stderr } = spawnSync(layerctl, ["--redis-url", redis.url, ...words], { encoding: "utf8" });
    assert.equal(status, 0, `layerctl ${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  return {
    push: (room, text) => call("push", room, text),
    direct: (channel, text) => call("send", channel, JSON.stringify({ type: "chat_message", message: text })),
    channels: (room) =>
      call("members", room)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).channel),
  };
}

// Two nodes of the reference server that share a Redis, which is all they have in common.
export async function startReferenceOnRedis(program, layerctl) {
  const redis = await startRedis();
  const layer = ["--layer", "redis", "--redis-url", redis.url];
  const [node, other] = await Promise.all([startReference(program, layer), startReference(program, layer)]);
  return {
    ...node,
    ...fromOutside(layerctl, redis),
    otherPage: other.page,
    stop: async () => {
      await Promise.all([node.stop(), other.stop()]);
      await redis.stop();
    },
  };
}

// The seed's Django app on uvicorn and channels_redis; the page comes from `reference`.
export async function startDjango(source, reference, layerctl) {
  const redis = await startRedis();
  const port = await freePort();
  const env = {
    ...process.env,
    PYTHONPATH: `${source}/conformance/targets/django`,
    PYTHONDONTWRITEBYTECODE: "1",
    CHANNEL_LAYER: "core",
    CHAT_CONSUMER: "async",
    REDIS_URL: redis.url,
  };
  const uvicorn = ["-m", "uvicorn", "--host", "127.0.0.1", "--port", String(port), "--ws", "websockets", "mychat.asgi:application"];
  const app = await start("/usr/bin/python3", uvicorn, /Uvicorn running on/, { env });
  return {
    ...fromOutside(layerctl, redis),
    page: reference.page,
    query: { server: `ws://127.0.0.1:${port}` },
    stop: async () => {
      await app.stop();
      await redis.stop();
    },
  };
}
