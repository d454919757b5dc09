// loadtest.cjs NODE_MODULES URL CLIENTS SECONDS: what the npm package loadtest says of a room, as JSON.
"use strict";
const [, , modules, url, clients, seconds] = process.argv;
import(modules + "/loadtest/index.js").then(async ({ loadTest }) => {
  const result = await loadTest({
    url,
    concurrency: Number(clients),
    maxSeconds: Number(seconds),
    quiet: true,
    requestGenerator: (options, params, request) => request().write(JSON.stringify({ msg: "x".repeat(100) })),
  });
  process.stdout.write("\n" + JSON.stringify({
    requests: result.totalRequests, errors: result.totalErrors,
    p50: result.percentiles["50"], p90: result.percentiles["90"], p99: result.percentiles["99"], max: result.maxLatencyMs,
  }) + "\n");
  process.exit(0);
});
