// Reads a V2 log with HdrHistogram's own reader and prints, for each tag, what the histograms of that tag together say.
//   node read_log.cjs NODE_MODULES LOG
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const [, , modules, file] = process.argv;
const hdr = require(join(modules, "hdr-histogram-js"));

const reader = new hdr.HistogramLogReader(readFileSync(file, "utf8"));
const byTag = {};
for (let h = reader.nextIntervalHistogram(); h; h = reader.nextIntervalHistogram()) {
  if (byTag[h.tag]) byTag[h.tag].add(h);
  else byTag[h.tag] = h;
}
const out = {};
for (const [tag, h] of Object.entries(byTag))
  out[tag] = {
    count: h.totalCount,
    p50_ns: h.getValueAtPercentile(50),
    p99_ns: h.getValueAtPercentile(99),
    p999_ns: h.getValueAtPercentile(99.9),
  };
process.stdout.write(JSON.stringify(out));
