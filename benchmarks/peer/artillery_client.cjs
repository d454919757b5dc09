// artillery_client.cjs NODE_MODULES URL MEMBERS: a crowd on Artillery's own runner and ws engine that connects and then
// thinks, until it is ended. The engine takes every frame apart and counts none.
"use strict";
const [, , modules, target, members] = process.argv;
const { runner } = require(modules + "/@artilleryio/int-core").runner;
const arrivals = { arrivalCount: Number(members), duration: Math.ceil(members / 500) };
runner({ config: { target, phases: [arrivals] }, scenarios: [{ engine: "ws", flow: [{ think: "1h" }] }] }, null, {})
  .then((run) => run.run());
