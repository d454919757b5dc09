// The page in a real browser: node browser_test.mjs REPORT REPORT_SAMPLES CHROMIUM WEB_BUILD_DIR
// Leaves what it saw as WEB_BUILD_DIR/*.png and page.pdf.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [report, samples, executablePath, directory] = process.argv.slice(2);
const { chromium } = createRequire(join(directory, "package.json"))("playwright-core");

const at = (name) => join(directory, name);
execFileSync(samples, [directory]);
execFileSync(report, ["html", ...["load", "conformance", "invalid", "passed"].map((name) => at(name + ".json")), "-o", at("page.html")]);
execFileSync(report, ["matrix", "reference=" + at("conformance.json"), "tutorial=" + at("partial.json"), "mine=" + at("passed.json"), "-o", at("matrix.html")]);
const compare = () => {
  const side = (word) => Array.from({ length: 6 }, (_, i) => at(`${word}${i}.json`));
  try {
    execFileSync(report, ["compare", "--base", ...side("base"), "--new", ...side("slow"), "--html", at("compare.html")], { stdio: "ignore" });
  } catch (error) {
    assert.equal(error.status, 1, "a regression");
  }
};
compare();
execFileSync(report, ["html", at("idle.json"), "-o", at("idle.html")]);

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });

const open = async (options, file = "page.html") => {
  const url = pathToFileURL(at(file)).href;
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) wrong.push("console: " + message.text()); });
  page.on("pageerror", (error) => wrong.push("exception: " + error.message));
  page.on("request", (request) => { if (request.url() !== url && !request.url().startsWith("data:")) wrong.push("request: " + request.url()); });
  await page.goto(url);
  return { page, close: async () => { await context.close(); assert.deepEqual(wrong, []); } };
};

const tests = {
  "draws every chart, in colour": async () => {
    const { page, close } = await open();
    // Two load runs with seven charts each, and both side by side.
    assert.equal(await page.locator("figure canvas").count(), 15);
    const wrong = await page.locator("figure .chart").evaluateAll((all) => all.filter((box) => {
      const canvas = box.querySelector("canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const seen = new Set();
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
      const blue = seen.has(0x2563c4), orange = seen.has(0xc8601a);
      if (box.dataset.chart.includes("heat")) {
        let painted = 0;
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 0 && data[i + 2] - data[i] > 60) ++painted;
        return painted < 5000;
      }
      return !blue || (!orange && !box.dataset.chart.includes("members"));
    }).map((box) => box.dataset.chart));
    assert.deepEqual(wrong, [], "charts without their curves");
    for (const name of ["heat", "latency", "memory", "members"])
      await page.locator(`#r1-over-time figure:has([data-chart=r1-${name}-data])`).screenshot({ path: at(`chart_${name}.png`) });
    await page.locator("#r1-members").screenshot({ path: at("chart_room.png") });
    await page.locator("section").first().screenshot({ path: at("side_by_side.png") });
    await page.setViewportSize({ width: 1100, height: 1400 });
    await page.locator("#r1").screenshot({ path: at("first.png"), clip: undefined });
    await page.screenshot({ path: at("light.png"), fullPage: true });
    await close();
  },

  "names the events at their lines, whole": async () => {
    const { page, close } = await open();
    await page.addInitScript(() => {
      window.drawn = [];
      const { fillText } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        window.drawn.push({ text, x, y, align: this.textAlign, width: this.measureText(text).width, canvas: this.canvas.width });
        return fillText.call(this, text, x, y);
      };
    });
    await page.reload();
    const labels = (await page.evaluate(() => window.drawn)).filter((d) => d.text.includes("a third of the rooms"));
    assert.ok(labels.length >= 4, "on each chart over time: " + labels.length);
    for (const { align, x, width, canvas } of labels) assert.ok(align === "left" && x >= 0 && x + width <= canvas, JSON.stringify(labels));
    await close();
  },

  "says the verdicts first": async () => {
    const { page, close } = await open();
    assert.deepEqual(await page.locator("h2").allInnerTexts(), ["FAILED", "FAILED", "NOT TO BE BELIEVED", "PASSED"]);
    await close();
  },

  "a failed case unfolds": async () => {
    const { page, close } = await open();
    const summary = page.locator("#r2 summary", { hasText: "member c did not get the message" });
    const transcript = page.locator("#r2 pre", { hasText: "+2000.9 ms" });
    assert.equal(await transcript.isVisible(), false);
    await summary.click();
    assert.equal(await transcript.isVisible(), true);
    await page.locator("#r2").screenshot({ path: at("conformance.png") });
    await close();
  },

  "rooms sort by a click, both ways": async () => {
    const { page, close } = await open();
    const first = () => page.locator("#r1 table.sortable tbody tr:first-child td:first-child").innerText();
    const click = (name) => page.locator("#r1 table.sortable").getByRole("button", { name, exact: true }).click();
    await click("Lost");
    assert.equal(await first(), "room-17");
    await click("Room");
    assert.equal(await first(), "room-00");
    await click("Room");
    assert.equal(await first(), "room-99");
    await close();
  },

  "is dark where dark is wished, also when that changes": async () => {
    const { page, close } = await open({ colorScheme: "dark" });
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await background();
    await page.screenshot({ path: at("dark.png"), fullPage: true });
    await page.emulateMedia({ colorScheme: "light" });
    assert.equal(await background(), "rgb(255, 255, 255)");
    assert.notEqual(dark, "rgb(255, 255, 255)");
    await close();
  },

  "fits a phone, also unfolded": async () => {
    const { page, close } = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
    const width = () => page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok((await width()) <= 390, `the page is ${await width()} wide`);
    await page.screenshot({ path: at("phone.png"), fullPage: true });
    await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
    assert.ok((await width()) <= 390, `unfolded, the page is ${await width()} wide`);
    await page.locator("#r2").screenshot({ path: at("phone_conformance.png") });
    await close();
  },

  "a cell of the matrix unfolds its transcript under its row, and folds again": async () => {
    const { page, close } = await open({}, "matrix.html");
    await page.screenshot({ path: at("matrix.png"), fullPage: true });
    const row = page.locator("table.matrix tr", { hasText: "broadcast.reaches-all" }).first();
    const transcript = page.locator("table.matrix pre", { hasText: "+2000.9 ms" });
    assert.equal(await transcript.count(), 0);
    await row.getByRole("link", { name: "reference: fail" }).click();
    assert.equal(await transcript.isVisible(), true);
    await page.screenshot({ path: at("matrix_unfolded.png"), fullPage: true });
    await row.getByRole("link", { name: "reference: fail" }).click();
    assert.equal(await transcript.count(), 0);
    await close();
  },

  "the matrix shows only where they differ, when asked": async () => {
    const { page, close } = await open({}, "matrix.html");
    const rows = () => page.locator("table.matrix tbody tr:not(.group):visible").count();
    const all = await rows();
    await page.getByLabel("only where they differ").check();
    const some = await rows();
    assert.ok(some > 0 && some < all, `${some} of ${all}`);
    await close();
  },

  "the matrix fits a phone and is dark in the dark": async () => {
    const { page, close } = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, colorScheme: "dark" }, "matrix.html");
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 390, `the page is ${width} wide`);
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
    await page.screenshot({ path: at("matrix_phone.png"), fullPage: true });
    await close();
  },

  "the matrix says everything without scripts": async () => {
    const { page, close } = await open({ javaScriptEnabled: false }, "matrix.html");
    await page.locator(".cells summary", { hasText: "broadcast.reaches-all" }).first().click();
    assert.equal(await page.locator("pre", { hasText: "+2000.9 ms" }).first().isVisible(), true);
    await close();
  },

  "a comparison overlays the curves of both sides and draws the intervals": async () => {
    const { page, close } = await open({}, "compare.html");
    assert.equal(await page.locator("h2").innerText(), "WORSE");
    assert.equal(await page.locator("figure canvas").count(), 2);
    assert.ok((await page.locator("svg.interval.bad circle").count()) > 0);
    assert.equal(await page.locator(".u-legend .u-series:visible").count(), 6, "x, BASE and NEW of two charts; the single runs are not in the legend");
    await page.screenshot({ path: at("compare.png"), fullPage: true });
    await close();
  },

  "a comparison fits a phone": async () => {
    const { page, close } = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }, "compare.html");
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 390, `the page is ${width} wide`);
    await close();
  },

  "charts follow the width of the window": async () => {
    const { page, close } = await open();
    await page.setViewportSize({ width: 390, height: 800 });
    await page.waitForFunction(() => [...document.querySelectorAll("figure canvas")].every((c) => c.clientWidth < 390));
    await close();
  },

  "draws a run of one idle second": async () => {
    const { page, close } = await open({}, "idle.html");
    assert.equal(await page.locator("figure canvas").count(), 4);
    await close();
  },

  "prints, in light": async () => {
    const { page, close } = await open({ colorScheme: "dark" });
    await page.pdf({ path: at("page.pdf"), printBackground: true });
    await close();
  },

  "says everything without scripts": async () => {
    const { page, close } = await open({ javaScriptEnabled: false });
    assert.equal(await page.locator("h2").first().innerText(), "FAILED");
    await page.locator("summary", { hasText: "Data of this chart" }).first().click();
    assert.equal(await page.locator("td", { hasText: "99.999" }).first().isVisible(), true);
    await close();
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log("ok      " + name);
  } catch (error) {
    ++failed;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}
await browser.close();
process.exitCode = failed ? 1 : 0;
