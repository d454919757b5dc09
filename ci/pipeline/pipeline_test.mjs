// The pipelines' files do what they say: every command in them is run, in their order, with the package unpacked instead of installed.
// node pipeline_test.mjs SOURCE_DIR BIN_DIR PACKAGE.deb MODULES_DIR WORK_DIR
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";

const [source, bin, deb, modules, work] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const { parse } = require("yaml");
const { validateAction, validateWorkflow } = require("@action-validator/core");
const Ajv = require("ajv/dist/2020");

const text = (path) => readFileSync(join(source, path), "utf8");
const freePort = () => new Promise((resolve) => { const server = createServer().listen(0, "127.0.0.1", () => { const { port } = server.address(); server.close(() => resolve(port)); }); });
// The files name fixed ports; here others may have them.
const ports = async () => { const [a, b] = [await freePort(), await freePort()]; return (s) => String(s).replaceAll("8801", a).replaceAll("8802", b); };
const folder = (name) => { const path = join(work, name); rmSync(path, { recursive: true, force: true }); mkdirSync(path, { recursive: true }); return path; };
const bash = (script, cwd, env) => spawnSync("bash", ["-eo", "pipefail", "-c", script], { cwd, encoding: "utf8", env: { ...clean, ...env }, timeout: 240_000 });
// Nothing of the outer pipeline's, should there be one.
const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(GITHUB|CI|ROOMCHECK|UNPACK)_?/.test(name)));
// A load run on a busy machine may say that it is not to be believed (4); that is not the pipeline's fault.
const goodOrBusy = (run, what) => assert.ok([0, 4].includes(run.status), `${what} ended with ${run.status}\n${run.stdout}\n${run.stderr}`);

const schema = (name) => new Ajv({ allErrors: true }).compile(JSON.parse(text(`reports/model/${name}.schema.json`)));
const results = (out) => {
  for (const file of ["conformance.json", "load.json", "report.html", "summary.md", "junit/conformance.xml", "junit/load.xml"]) assert.ok(existsSync(join(out, file)), "no " + file);
  for (const [file, name] of [["conformance.json", "conformance_result"], ["load.json", "load_result"]]) {
    const validate = schema(name);
    assert.ok(validate(JSON.parse(readFileSync(join(out, file), "utf8"))), file + ": " + JSON.stringify(validate.errors));
  }
};

// What a runner does with a composite action: inputs with their defaults, steps in order, files for what steps hand on.
const runAction = (given, cwd, environment) => {
  const action = parse(text("ci/github/action.yml"));
  for (const [name, input] of Object.entries(action.inputs)) assert.ok(!input.required || given[name] !== undefined, `the example gives no ${name}`);
  for (const name of Object.keys(given)) assert.ok(action.inputs[name], `the action has no input ${name}`);
  const inputs = Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, given[name] ?? input.default]));
  const fill = (value) => String(value).replace(/\$\{\{ *([a-z_.]+) *\}\}/g, (_, path) => {
    if (path === "github.action_path") return join(source, "ci/github");
    assert.ok(path.startsWith("inputs.") && path.slice(7) in inputs, "unknown expression " + path);
    return inputs[path.slice(7)];
  });
  const files = { GITHUB_PATH: join(cwd, "github_path"), GITHUB_STEP_SUMMARY: join(cwd, "github_summary") };
  for (const file of Object.values(files)) writeFileSync(file, "");
  let failed = null, printed = "";
  for (const step of action.runs.steps) {
    if (step.uses) {
      assert.equal(step.if, "always()", "artifacts are kept also of a red run");
      assert.ok(existsSync(join(cwd, fill(step.with.path))), "nothing to upload");
      continue;
    }
    if (failed !== null) continue;
    const added = readFileSync(files.GITHUB_PATH, "utf8").trim().split("\n").filter(Boolean).reverse();
    const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, fill(value)]));
    const run = bash(step.run, cwd, { ...env, ...files, ...environment, PATH: [...added, clean.PATH].join(":"), GITHUB_ACTIONS: "true" });
    printed += run.stdout + run.stderr;
    if (run.status !== 0) failed = run.status;
  }
  return { status: failed ?? 0, stdout: printed, stderr: "", summary: readFileSync(files.GITHUB_STEP_SUMMARY, "utf8") };
};
const exampleInputs = (port) => {
  const workflow = parse(text("ci/github/example.yml"));
  const step = workflow.jobs.roomcheck.steps.find((s) => s.uses === "./roomcheck/ci/github");
  return Object.fromEntries(Object.entries(step.with).map(([name, value]) => [name, port(value)]));
};

const tests = {
  "the GitHub files pass the linter, and it would find a mistake": () => {
    assert.deepEqual(validateAction(text("ci/github/action.yml")).errors, []);
    assert.deepEqual(validateWorkflow(text("ci/github/example.yml")).errors, []);
    assert.notDeepEqual(validateAction(text("ci/github/action.yml").replace("using: composite", "using: magic")).errors, []);
    assert.notDeepEqual(validateWorkflow(text("ci/github/example.yml").replace("runs-on:", "runs-of:")).errors, []);
  },

  "the GitHub example passes, step by step": async () => {
    const cwd = folder("github");
    const run = runAction({ ...exampleInputs(await ports()), package: deb }, cwd, { UNPACK_TO: join(cwd, "unpacked") });
    goodOrBusy(run, "the action");
    results(join(cwd, "roomcheck-out"));
    assert.match(run.summary, /### .* Conformance: (PASSED|PARTIAL)/);
    assert.match(run.summary, /### .* Load: /);
  },

  "a server that sends twice is red, annotated and still uploaded": async () => {
    const cwd = folder("github_red");
    for (const more of ["", " --annotate github"]) {
      const inputs = exampleInputs(await ports());
      const run = runAction({ ...inputs, start: inputs.start + " --mutant duplicates", conformance: "--filter 'broadcast.*'" + more, load: "no", package: deb }, cwd, { UNPACK_TO: join(cwd, "unpacked") });
      assert.equal(run.status, 1, run.stdout);
      assert.match(run.summary, /### ❌ Conformance: FAILED/);
      const titles = run.stdout.split("\n").filter((line) => line.startsWith("::error")).map((line) => /title=[^:,]*?(\w[^ :,]*\/[^ :,]*)/.exec(line)[1]);  // the case, however the rest is said
      assert.ok(titles.some((title) => title.includes("broadcast.exactly-once")), titles.join(", "));
      assert.equal(new Set(titles).size, titles.length, "each once: " + titles.join(", "));
    }
  },

  "the GitLab example passes, line by line": async () => {
    const cwd = folder("gitlab"), port = await ports();
    const template = parse(text("ci/gitlab/roomcheck.yml"))[".roomcheck"], example = parse(text("ci/gitlab/example.yml"));
    assert.equal(example.rooms.extends, ".roomcheck");
    assert.equal(example.include[0].local, "roomcheck/ci/gitlab/roomcheck.yml");
    for (const name of Object.keys(example.rooms.variables)) assert.ok(name in template.variables, `the template has no ${name}`);
    const variables = Object.fromEntries(Object.entries({ ...template.variables, ...example.rooms.variables, CHECKOUT: source, PACKAGE: deb }).map(([n, v]) => [n, port(v)]));
    goodOrBusy(bash(template.script.join("\n"), cwd, { ...variables, UNPACK_TO: join(cwd, "unpacked") }), "the script");
    results(join(cwd, "roomcheck-out"));
    for (const path of template.artifacts.paths) assert.ok(existsSync(join(cwd, path)), "no " + path);
    assert.ok(existsSync(join(cwd, template.artifacts.reports.junit.replace("*", "load"))), "no JUnit where the template says");
  },

  "the plain shell recipe of docs/PIPELINES.md passes": async () => {
    const cwd = folder("shell"), port = await ports();
    const recipe = /^## A plain shell\n[^]*?```sh\n([^]*?)```/m.exec(text("docs/PIPELINES.md"))[1];
    goodOrBusy(bash(`dpkg-deb -x '${deb}' unpacked\nPATH=$PWD/unpacked/usr/bin:$PATH\n${port(recipe)}`, cwd, {}), "the recipe");
    results(join(cwd, "roomcheck-out"));
  },

  "the Kubernetes Job is one, and its pods make one run": async () => {
    const { Job } = require("kubernetes-models/batch/v1/Job");
    const job = parse(text("ci/kubernetes/job.yaml")), { spec } = job, [container] = spec.template.spec.containers;
    new Job(job).validate();
    assert.throws(() => new Job({ ...job, spec: { ...spec, completionMode: "Sorted" } }).validate(), /completionMode/, "the schema finds a mistake");
    assert.equal(spec.parallelism, spec.completions, "the pods wait for each other");
    assert.equal(spec.completionMode, "Indexed");
    assert.ok(container.args.includes(`--shard=rank/${spec.completions}`), "the shards are the Job's completions");
    const cwd = folder("kubernetes"), port = await freePort(), redis = await freePort();
    const started = [spawn("redis-server", ["--port", redis, "--bind", "127.0.0.1", "--save", "", "--dir", cwd], { stdio: "ignore" }),
      spawn(join(bin, "reference_server"), ["--listen", `127.0.0.1:${port}`, "--control", "127.0.0.1:0"], { stdio: "ignore" })];
    try {
      const there = { "ws://room-server:8801": `ws://127.0.0.1:${port}`, "redis:6379": `127.0.0.1:${redis}`, "/results/": cwd + "/", "clients=40000": "clients=40", "rooms=400": "rooms=4", "duration=60s": "duration=1s", "rate=400": "rate=40" };
      const pod = (index) => new Promise((resolve) => {
        const variables = { JOB_COMPLETION_INDEX: String(index), RUN: "uid-of-the-job" };  // which the Job's controller and RUN's fieldRef give
        const args = container.args.map((arg) => Object.entries(there).reduce((a, [from, to]) => a.replace(from, to), arg).replace(/\$\((\w+)\)/g, (_, name) => variables[name]));
        const run = spawn(join(bin, "loadgen"), [...container.command.slice(1), ...args], { env: { ...clean, ...variables } });
        let said = "";
        for (const stream of [run.stdout, run.stderr]) stream.on("data", (data) => (said += data));
        run.on("close", (status) => resolve({ status, stdout: said, stderr: "" }));
      });
      for (let wait = 0; wait < 100 && bash(`exec 3<>/dev/tcp/127.0.0.1/${port} && exec 4<>/dev/tcp/127.0.0.1/${redis}`, cwd, {}).status !== 0; ++wait) await new Promise((resolve) => setTimeout(resolve, 100));
      for (const run of await Promise.all([...Array(spec.completions).keys()].map(pod))) goodOrBusy(run, "a pod");
      const merge = bash(`'${bin}/report' merge ${cwd}/shard-*.json -o all.json`, cwd, {});
      assert.equal(merge.status, 0, merge.stderr);
      const all = JSON.parse(readFileSync(join(cwd, "all.json"), "utf8"));
      assert.equal(all.connections.opened, 40);
      assert.equal(all.delivery.expected, all.sends.sent * 10);
      assert.equal(all.delivery.lost, 0);
    } finally {
      for (const child of started) child.kill();
    }
  },

  "check says what is wrong with its options and with a target that ends": () => {
    const cwd = folder("wrong");
    const check = (options) => bash(`${source}/ci/pipeline/check ${options}`, cwd, { ROOMCHECK_BIN: bin });
    assert.equal(check("--target http://x").status, 2);
    assert.equal(check("--nonsense").status, 2);
    assert.equal(check("--out").status, 2);
    const ended = check("--target ws://127.0.0.1:1 --start 'echo no such module >&2; exit 5'");
    assert.equal(ended.status, 3);
    assert.match(ended.stderr, /no such module/);
    assert.equal(check("--target ws://127.0.0.1:1 --conformance no --load '--clients 1 --rooms 1'").status, 3, "nobody listens");
  },

  "compare-to-main puts both sides under load, in pairs, and leaves the verdict to report": () => {
    const out = folder("compare");
    for (const turns of ["", "1"]) {
      const run = bash(`${source}/ci/compare-to-main`, source, { COMPARE_OUT: out, COMPARE_PAIRS: "1", COMPARE_BASE_BIN: bin, COMPARE_NEW_BIN: bin, COMPARE_IN_TURNS: turns,
        COMPARE_LOAD: "--clients 20 --rooms 2 --rate 20 --warmup 0s --duration 1s" });
      assert.equal(run.status, 4, "one pair can tell nothing\n" + run.stdout + run.stderr);
      for (const file of ["base-1.json", "new-1.json", "compare.html", "compare.md", "comparison.json"]) assert.ok(existsSync(join(out, file)), "no " + file);
      const [comparison, base, fresh] = ["comparison.json", "base-1.json", "new-1.json"].map((file) => JSON.parse(readFileSync(join(out, file), "utf8")));
      assert.equal(comparison.can_tell, false);
      assert.equal(comparison.paired, true);
      assert.notEqual(base.target, fresh.target, "each side has a server of its own");
      for (const side of [base, fresh]) assert.ok(side.target_process.cpu_per_delivery_ns > 0, "the server's CPU time is in the result");
    }
    // The command of docs/PIPELINES.md, on these.
    const command = /^```\n(report compare [^]*?)```/m.exec(text("docs/PIPELINES.md"))[1];
    const recipe = bash(`PATH='${bin}':$PATH\nfor f in base-*.json; do cp $f main-\${f#base-}; done; for f in new-*.json; do cp $f branch-\${f#new-}; done\n${command}`, out, {});
    assert.equal(recipe.status, 4, recipe.stdout + recipe.stderr);
    assert.match(recipe.stdout, /CANNOT TELL/);
    const broken = bash(`${source}/ci/compare-to-main`, source, { COMPARE_OUT: out, COMPARE_PAIRS: "1", COMPARE_BASE_BIN: bin, COMPARE_NEW_BIN: bin, COMPARE_NEW_ARGS: "--mutant none" });
    assert.equal(broken.status, 3, "a server that does not start\n" + broken.stdout + broken.stderr);
  },
};

const only = process.env.PIPELINE_TEST;
let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  if (only && !name.includes(only)) continue;
  try {
    await test();
    console.log("ok      " + name);
  } catch (error) {
    ++failed;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}
process.exitCode = failed ? 1 : 0;
