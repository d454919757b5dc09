// ws_client.cjs NODE_MODULES URL MEMBERS RATE WARM-UP SECONDS MESSAGE: a crowd on the npm package ws that only counts; the first
// member says MESSAGE, RATE times a second, for both times. Prints the CPU time of a delivery received after the warm-up as
// JSON, for ci/bench --peers.
"use strict";
const [, , modules, url, members, rate, warmUp, seconds, message] = process.argv;
const { WebSocket } = require(modules + "/ws");
let delivered = 0;

function join() {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on("message", () => { ++delivered; });
    socket.on("open", () => resolve(socket));
    socket.on("error", reject);
  });
}

// Open loop: the schedule does not wait for what comes back.
async function say(crowd, forSeconds) {
  const total = Math.round(rate * forSeconds), expected = delivered + total * members, began = process.hrtime.bigint();
  let sent = 0;
  await new Promise((resolve) => {
    const sayWhatIsDue = () => {
      const due = Math.min(total, Math.floor(Number(process.hrtime.bigint() - began) / 1e9 * rate) + 1);
      for (; sent < due; ++sent) crowd[0].send(message);
      if (sent === total) resolve();
      else setTimeout(sayWhatIsDue, 1000 / rate / 2);
    };
    sayWhatIsDue();
  });
  const limit = Date.now() + 30000;
  while (delivered < expected && Date.now() < limit) await new Promise((resolve) => setTimeout(resolve, 5));
  if (delivered !== expected) throw new Error(`${expected - delivered} of ${total * members} deliveries did not come`);
}

async function main() {
  const crowd = [];
  while (crowd.length < members)  // fifty at once: the listener's queue is short
    crowd.push(...await Promise.all(Array.from({ length: Math.min(50, members - crowd.length) }, join)));
  await say(crowd, warmUp);
  const before = delivered, cpu = process.cpuUsage();
  await say(crowd, seconds);
  const used = process.cpuUsage(cpu);
  process.stdout.write(JSON.stringify({ cpu_per_delivery_ns: (used.user + used.system) * 1000 / (delivered - before) }) + "\n");
  process.exit(0);
}

main().catch((error) => {
  process.stderr.write(`ws_client: ${error.message}\n`);
  process.exit(1);
});
