// The chat page in a real browser: node browser_test.mjs REFERENCE_SERVER LAYERCTL CHROMIUM PAGE_BUILD_DIR [NAME]
// NAME runs only the tests whose name has it. Leaves what it saw as PAGE_BUILD_DIR/shots/*.png.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startDjango, startReference, startReferenceOnRedis } from "./browser_targets.mjs";

const [program, layerctl, executablePath, directory, only = ""] = process.argv.slice(2);
const require = createRequire(join(directory, "package.json"));
const { chromium } = require("playwright-core");
const axe = require("axe-core");
const source = join(dirname(fileURLToPath(import.meta.url)), "../..");
const shots = join(directory, "shots");
mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
const reference = await startReference(program);

// A window of its own. close() says what went wrong in it: console errors, exceptions, requests to another host; `expected`
// are the console errors that the test itself brings about.
async function openWindow(target, { room, query = {}, expected = null, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 900, height: 700 }, locale: "zh-CN", ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const wrong = [];
  const hosts = [target.page, target.page.replace("http", "ws"), target.query.server ?? target.page, query.server ?? target.page];
  const look = (url) => hosts.some((host) => url.startsWith(host + "/")) || wrong.push("request: " + url);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !expected?.test(message.text())) wrong.push("console: " + message.text());
  });
  page.on("pageerror", (error) => wrong.push("exception: " + error.message));
  page.on("request", (request) => look(request.url()));
  page.on("websocket", (socket) => look(socket.url()));
  await page.goto(target.page + "/?" + new URLSearchParams({ ...(room && { room }), ...target.query, ...query }));
  const english = options.locale === "en-US";
  const field = page.getByRole("textbox", { name: english ? "Message" : "消息内容", exact: true });
  const window = {
    page,
    field,
    said: (kind) => page.locator(`.message.${kind}:not(.outgoing) .bubble`),
    outgoing: page.locator(".outgoing"),
    state: (text) => page.locator(".state", { hasText: text }).waitFor(),
    open: () => window.state(english ? "Connected" : "已连接"),
    say: async (text) => {
      await field.fill(text);
      await field.press("Enter");
    },
    sees: (kind, text) => window.said(kind).getByText(text, { exact: true }).waitFor(),
    shot: (name) => page.screenshot({ path: join(shots, name + ".png") }),
    close: async () => {
      await context.close();
      assert.deepEqual(wrong, []);
    },
  };
  return window;
}

let rooms = 0;
const freshRoom = (name) => `${name}-${++rooms}`;
async function eventually(is) {
  const limit = performance.now() + 15_000;
  while (!(await is())) assert.ok(performance.now() < limit, `never: ${is}`);
}
const kOffline = /WebSocket connection to .* failed|ERR_CONNECTION_(REFUSED|RESET)/; // Chromium's own words, whenever a server is away

// What a room is for, against any target.
const conversation = (name, start) => async () => {
  const target = await start();
  try {
    const room = freshRoom("talk");
    const alice = await openWindow(target, { room });
    await alice.open();
    const bob = await openWindow({ ...target, page: target.otherPage ?? target.page }, { room });
    const carol = await openWindow(target, { room: freshRoom("elsewhere") });
    await Promise.all([bob.open(), carol.open()]);
    await alice.page.locator(".quiet", { hasText: "有成员加入" }).waitFor(); // the seed's greeting of bob

    await alice.say("你好, Bob");
    await alice.sees("own", "你好, Bob");
    await bob.sees("member", "你好, Bob");
    await bob.field.fill("你好!");
    await bob.page.getByRole("button", { name: "发送" }).click();
    await bob.sees("own", "你好!");
    await alice.sees("member", "你好!");
    await alice.outgoing.waitFor({ state: "detached" });

    await target.push(room, "预警信息推送");
    await Promise.all([alice.sees("push", "预警信息推送"), bob.sees("push", "预警信息推送")]);

    // Bob's channel is the one that is new when bob joins again.
    const before = await target.channels(room);
    await bob.page.reload();
    await bob.open();
    await alice.page.locator(".quiet", { hasText: "有成员加入" }).nth(1).waitFor();
    const channel = (await target.channels(room)).find((one) => !before.includes(one));
    await target.direct(channel, "just you");
    await bob.sees("direct", "just you");
    await target.push(room, "fence");
    await alice.sees("push", "fence");
    assert.equal(await alice.said("direct").count(), 0, "a direct send is for one window");

    await carol.say("alone");
    await carol.sees("own", "alone");
    assert.deepEqual(await carol.page.locator(".bubble").allInnerTexts(), ["alone"], "another room sees nothing");

    await alice.shot(name + "-alice");
    await bob.shot(name + "-bob");
    for (const window of [alice, bob, carol]) await window.close();
  } finally {
    if (target !== reference) await target.stop();
  }
};

const tests = {
  "two windows talk, a third room hears nothing, push and direct arrive: memory": conversation("memory", () => reference),
  "the same on two nodes that share a Redis": conversation("redis", () => startReferenceOnRedis(program, layerctl)),
  "the same against Django Channels on Redis": conversation("django", () => startDjango(source, reference, layerctl)),

  "opens the seed's room, and another by name": async () => {
    const window = await openWindow(reference);
    await window.open();
    assert.equal(await window.page.locator(".room-hint").innerText(), reference.page.replace("http", "ws") + "/ws/chat/myroom/");
    await window.shot("empty");
    const name = window.page.getByRole("textbox", { name: "房间" });
    await name.fill("other");
    await name.press("Enter");
    await window.page.waitForURL(/room=other/);
    await window.open();
    await window.say("here");
    await window.sees("own", "here");
    assert.equal((await reference.channels("other")).length, 1);
    await eventually(async () => (await reference.channels("myroom")).length === 0); // the room that was left
    await window.page.goBack();
    await window.page.locator(".room-hint", { hasText: "/ws/chat/myroom/" }).waitFor();
    await window.open();
    await window.close();
  },

  "a wrong room name is explained, and never tried": async () => {
    const window = await openWindow(reference, { room: "我的房间" });
    await window.page.getByRole("alert").getByText("不能有“我”").waitFor();
    await window.shot("wrong-name");
    const name = window.page.getByRole("textbox", { name: "房间" });
    await name.fill("a b");
    await window.page.locator(".room-hint.wrong", { hasText: "空格" }).waitFor();
    assert.equal(await name.getAttribute("aria-invalid"), "true");
    assert.equal(await window.page.getByRole("button", { name: "进入" }).isDisabled(), true);
    await name.fill("x".repeat(100));
    await window.page.locator(".room-hint.wrong", { hasText: "100" }).waitFor();
    await name.fill("good");
    await name.press("Enter");
    await window.open();
    await window.close(); // and no console error: no handshake was refused
  },

  "what is said never becomes HTML, raw text shows the prefixes": async () => {
    const room = freshRoom("html");
    const window = await openWindow(reference, { room });
    await window.open();
    const evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><b>{{ 1 + 1 }}</b>';
    await window.say(evil);
    await window.sees("own", evil);
    await reference.push(room, evil);
    await window.sees("push", evil);
    await window.page.getByRole("switch", { name: "原文" }).press("Space");
    await window.sees("own", "预警信息2：预警信息1：" + evil);
    assert.equal(await window.page.locator(".scroll img, .scroll script, .scroll b").count(), 0);
    assert.equal(await window.page.evaluate(() => window.hacked), undefined);
    await window.shot("raw");
    await window.close();
  },

  "the policy forbids other hosts, inline script and HTML from text": async () => {
    const window = await openWindow(reference, { expected: /Content Security Policy|TrustedHTML|Trusted/ });
    await window.open();
    const outcome = await window.page.evaluate(async () => {
      const violations = [];
      document.addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
      const attempt = async (run) => { try { await run(); } catch { /* what was violated is what counts */ } };
      await attempt(() => fetch("http://127.0.0.2:1/"));
      await attempt(() => new WebSocket("ws://127.0.0.2:1/"));
      await attempt(() => (document.body.innerHTML = "<b>x</b>"));
      const script = document.createElement("script");
      await attempt(() => ((script.textContent = "window.hacked = 1"), document.body.append(script)));
      document.body.setAttribute("style", "color: red");
      while (new Set(violations).size < 3) await new Promise((resolve) => setTimeout(resolve, 10));
      return { violations: [...new Set(violations)].sort(), hacked: window.hacked, bold: document.querySelector("body > b") !== null };
    });
    assert.deepEqual(outcome, { violations: ["connect-src", "require-trusted-types-for", "style-src-attr"], hacked: undefined, bold: false });
    await window.close();
  },

  "Enter sends, Shift+Enter and Enter inside a Chinese word do not": async () => {
    const window = await openWindow(reference, { room: freshRoom("keys") });
    await window.open();
    await window.field.fill("一行");
    await window.field.press("Shift+Enter");
    await window.page.keyboard.type("二行");
    await window.field.evaluate((element) => {
      for (const how of [{ isComposing: true }, { keyCode: 229 }])
        element.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...how }));
    });
    assert.equal(await window.field.inputValue(), "一行\n二行");
    await window.field.press("Enter");
    await window.sees("own", "一行\n二行");
    assert.equal(await window.field.inputValue(), "");
    await window.say("   ");
    await window.say("last");
    await window.sees("own", "last");
    assert.deepEqual(await window.page.locator(".bubble").allInnerTexts(), ["一行\n二行", "last"], "a blank message is not sent");
    await window.close();
  },

  "the server restarts: both windows come back by themselves, what was typed meanwhile arrives": async () => {
    let server = await startReference(program);
    try {
      const room = freshRoom("restart");
      const alice = await openWindow(server, { room, expected: kOffline });
      const bob = await openWindow(server, { room, expected: kOffline });
      await Promise.all([alice.open(), bob.open()]);
      await server.stop();
      await Promise.all([alice.state("已断开"), bob.state("已断开")]);
      await alice.say("写于离线时");
      await alice.say("第二条");
      await alice.outgoing.filter({ hasText: "连接后发送" }).nth(1).waitFor();
      await alice.shot("offline");
      server = await startReference(program, [], server.ports);
      await Promise.all([alice.open(), bob.open()]);
      await bob.say("回来了");
      await alice.sees("member", "回来了");
      await alice.sees("own", "写于离线时");
      await alice.page.getByText("房间不保存历史").waitFor();
      assert.equal(await alice.outgoing.count(), 0);
      assert.deepEqual(await alice.said("own").allInnerTexts(), ["写于离线时", "第二条"], "in order, once");
      await alice.shot("back");
      await alice.close();
      await bob.close();
    } finally {
      await server.stop();
    }
  },

  "a server that swallows messages: the sender is told, nothing is sent twice unasked": async () => {
    // Accepts and never echoes: what a crash between receive and broadcast looks like.
    const server = await startReference(program, ["--mutant", "lose=1"]);
    try {
      const window = await openWindow(server, { room: freshRoom("lost"), expected: kOffline });
      await window.open();
      await window.say("到了吗?");
      await window.outgoing.filter({ hasText: "发送中" }).waitFor();
      await server.stop();
      await window.outgoing.filter({ hasText: "可能没有送达" }).waitFor();
      await window.shot("lost");
      await window.page.getByRole("button", { name: "重发" }).click();
      await window.outgoing.filter({ hasText: "连接后发送" }).waitFor();
      await window.close();
    } finally {
      await server.stop();
    }
  },

  "attempts to connect end when the room is left": async () => {
    const attempts = [];
    const closed = createServer().on("upgrade", (request, socket) => {
      attempts.push(request.url.split("/")[3]);
      socket.end("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    });
    await once(closed.listen(0, "127.0.0.1"), "listening");
    const server = `ws://127.0.0.1:${closed.address().port}`;
    const count = (room) => attempts.filter((one) => one === room).length;
    const reach = async (room, wanted) => {
      while (count(room) < wanted) await once(closed, "upgrade", { signal: AbortSignal.timeout(30_000) });
    };
    try {
      const window = await openWindow(reference, { room: "first", query: { server }, expected: /WebSocket connection to .* failed|503/ });
      await reach("first", 2);
      const name = window.page.getByRole("textbox", { name: "房间" });
      await name.fill("second");
      await name.press("Enter");
      await reach("second", 1);
      const before = count("first");
      // The second room's delays begin anew, and four of them last longer than the first's next one could.
      await reach("second", 5);
      assert.equal(count("first"), before);
      await window.page.getByText("会继续重试").waitFor();
      await window.shot("unreachable");
      await window.close();
    } finally {
      closed.closeAllConnections();
      closed.close();
    }
  },

  "a page that is put aside leaves the room, and joins again when it returns": async () => {
    const room = freshRoom("aside");
    const window = await openWindow(reference, { room });
    await window.open();
    const tell = (type) => window.page.evaluate((name) => dispatchEvent(new PageTransitionEvent(name, { persisted: true })), type);
    await tell("pagehide");
    await window.state("未连接");
    await eventually(async () => (await reference.channels(room)).length === 0);
    await tell("pageshow");
    await window.open();
    assert.equal((await reference.channels(room)).length, 1);
    await window.close();
  },

  "what waits to be sent stays with its room, and the browser asks before it is lost": async () => {
    let server = await startReference(program);
    try {
      const [room, elsewhere] = [freshRoom("waiting"), freshRoom("elsewhere")];
      const window = await openWindow(server, { room, expected: kOffline });
      await window.open();
      await server.stop();
      await window.state("已断开");
      await window.say("给这个房间的");
      await window.outgoing.waitFor();
      const name = window.page.getByRole("textbox", { name: "房间" });
      await name.fill(elsewhere);
      await name.press("Enter");
      await window.outgoing.waitFor({ state: "detached" });
      const asked = window.page.waitForEvent("dialog");
      await window.page.close({ runBeforeUnload: true });
      assert.equal((await asked).type(), "beforeunload");
      await (await asked).dismiss();
      await window.page.goBack();
      await window.outgoing.getByText("给这个房间的").waitFor();
      server = await startReference(program, [], server.ports);
      await window.sees("own", "给这个房间的");
      await window.close();
    } finally {
      await server.stop();
    }
  },

  "200 messages a second do not freeze it": async () => {
    const room = freshRoom("flood");
    const window = await openWindow(reference, { room });
    const crowd = await openWindow(reference, { room: "crowd" });
    await Promise.all([window.open(), crowd.open()]);
    const cdp = await window.page.context().newCDPSession(window.page);
    await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
    const cpu = async () => (await cdp.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value;
    const began = { cpu: await cpu(), time: performance.now() };

    const kMessages = 1000;
    const flood = crowd.page.evaluate(
      async ([url, total]) => {
        const sockets = await Promise.all(
          [1, 2, 3, 4].map(() => new Promise((resolve) => { const socket = new WebSocket(url); socket.onopen = () => resolve(socket); })),
        );
        const start = performance.now();
        for (let sent = 0; sent < total; ) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          for (const due = Math.min(total, Math.floor((performance.now() - start) / 5)); sent < due; ++sent)
            sockets[sent % 4].send(JSON.stringify({ msg: `message ${sent} 第${sent}条` }));
        }
        window.flooded = true;
        return (performance.now() - start) / 1000;
      },
      [reference.page.replace("http", "ws") + `/ws/chat/${room}/`, kMessages],
    );
    await window.page.locator(".scroll").evaluate((list) => {
      window.draws = 0; // an observer is called once for all changes that were made together
      new MutationObserver(() => ++window.draws).observe(list, { childList: true, subtree: true });
    });
    await window.said("member").nth(50).waitFor();
    await window.say("能打字吗?");
    await window.sees("own", "能打字吗?");
    assert.equal(await crowd.page.evaluate(() => window.flooded), undefined, "the flood was still going when the answer was seen");
    await window.shot("flood");
    const seconds = await flood;
    await window.said("member").getByText(`message ${kMessages - 1} `).waitFor();
    const share = (await cpu() - began.cpu) / ((performance.now() - began.time) / 1000);
    const draws = await window.page.evaluate(() => window.draws);
    console.log(`        ${kMessages} messages in ${seconds.toFixed(1)} s: drawn ${draws} times, ${(share * 100).toFixed(0)} % of the page's thread`);
    assert.ok(draws < kMessages / 3, `drawn ${draws} times`);
    assert.ok(share < 0.8, `the page's thread was busy ${(share * 100).toFixed(0)} % of the time`);
    const rows = await window.page.locator(".scroll li").count();
    assert.ok(rows <= 501, `${rows} rows`);
    assert.equal(await window.page.getByText("条消息不再显示").count(), 1);
    const gap = await window.page.locator(".scroll").evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight);
    assert.ok(gap < 40, "the newest is in view");
    await window.close();
    await crowd.close();
  },

  "who has scrolled up stays there, and is told of what is new": async () => {
    const room = freshRoom("scroll");
    const window = await openWindow(reference, { room, locale: "en-US" });
    await window.open();
    for (let i = 0; i < 30; ++i) await reference.push(room, `line ${i}`);
    await window.sees("push", "line 29");
    await window.page.locator(".scroll").evaluate((list) => list.scrollTo(0, 0));
    await window.page.locator(".scroll").evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    await reference.push(room, "unread");
    const button = window.page.getByRole("button", { name: "1 new message" });
    await button.waitFor();
    assert.equal(await window.page.locator(".scroll").evaluate((list) => list.scrollTop), 0);
    await window.shot("scrolled");
    await button.click();
    await button.waitFor({ state: "detached" });
    const unread = await window.said("push").getByText("unread").boundingBox();
    assert.ok(unread.y < 700, "in view");
    await window.close();
  },

  "speaks English and Chinese, and to a screen reader": async () => {
    const room = freshRoom("language");
    const window = await openWindow(reference, { room, locale: "en-US" });
    await window.open();
    const { page } = window;
    const spoken = page.locator("main > [role=status]");
    await reference.push(room, "hear me");
    await spoken.getByText("Push: hear me").waitFor();
    await page.getByRole("log", { name: "Messages" }).getByText("hear me").waitFor();
    await page.getByRole("textbox", { name: "Room" }).waitFor();
    await page.getByRole("status").getByText("Connected").waitFor();
    const order = [];
    await page.locator("h1").click();
    for (let i = 0; i < 6; ++i) {
      await page.keyboard.press("Tab");
      order.push(await page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.innerText));
    }
    assert.deepEqual(order.slice(0, 5), ["中文", "Room", "Raw text", "Messages", "Message"], "by keyboard");
    assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
    await window.shot("english");
    await page.getByRole("button", { name: "中文" }).click();
    await page.getByRole("heading", { name: "聊天室" }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
    await page.reload();
    await page.getByRole("heading", { name: "聊天室" }).waitFor();
    await window.close();
  },

  "keeps the accessibility rules that a program can check": async () => {
    for (const colorScheme of ["light", "dark"]) {
      // axe-core brings styles of its own, which the page's policy would refuse.
      const window = await openWindow(reference, { room: freshRoom("axe"), colorScheme, bypassCSP: true });
      await window.open();
      await window.say("x");
      await window.sees("own", "x");
      const room = new URL(window.page.url()).searchParams.get("room");
      await reference.push(room, "push");
      await window.sees("push", "push");
      for (const channel of await reference.channels(room)) await reference.direct(channel, "direct");
      await window.sees("direct", "direct");
      const audit = async () => {
        const { violations, passes } = await window.page.evaluate("axe.run()");
        assert.notEqual(passes.length, 0);
        return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`));
      };
      await window.page.evaluate(axe.source);
      assert.deepEqual(await audit(), [], colorScheme);
      const name = window.page.getByRole("textbox", { name: "房间" });
      await name.fill("a b");
      await window.page.locator(".room-hint.wrong").waitFor();
      assert.deepEqual(await audit(), [], colorScheme + ", a wrong name");
      await window.close();
    }
  },

  "fits a phone": async () => {
    const room = freshRoom("a-rather-long-name-of-a-room-on-a-phone.".repeat(2));
    const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
    const window = await openWindow(reference, { room, ...phone });
    const friend = await openWindow(reference, { room });
    await Promise.all([window.open(), friend.open()]);
    await friend.say("在手机上也好看吗?");
    await window.say("很好!" + "verylongword".repeat(12));
    await window.sees("member", "在手机上也好看吗?");
    await reference.push(room, "推送：今晚 8 点维护");
    await window.sees("push", "推送：今晚 8 点维护");
    const width = await window.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `the page is ${width} wide`);
    await window.shot("phone");
    await window.close();
    await friend.close();
  },

  "is dark where dark is wished": async () => {
    const room = freshRoom("dark");
    const window = await openWindow(reference, { room, colorScheme: "dark" });
    await window.open();
    await window.say("晚上好");
    await window.sees("own", "晚上好");
    await reference.push(room, "推送");
    await window.sees("push", "推送");
    for (const channel of await reference.channels(room)) await reference.direct(channel, "只给你");
    await window.sees("direct", "只给你");
    assert.notEqual(await window.page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(238, 241, 246)");
    await window.shot("dark");
    await window.close();
  },

  "a wrong ?server= is explained": async () => {
    const window = await openWindow(reference, { query: { server: "127.0.0.1:8000" } });
    await window.page.getByRole("alert").getByText("ws://").waitFor();
    await window.shot("wrong-server");
    await window.close();
  },
};

const chosen = Object.entries(tests).filter(([name]) => name.includes(only));
assert.notEqual(chosen.length, 0, `no test's name has "${only}"`);
let failed = 0;
async function run([name, test]) {
  const began = performance.now();
  const took = () => `(${((performance.now() - began) / 1000).toFixed(1)} s)`;
  try {
    await test();
    console.log(`ok      ${name} ${took()}`);
  } catch (error) {
    ++failed;
    console.log(`FAILED  ${name} ${took()}\n${error.stack}`);
  }
}
// Two at a time: most of a test is waiting.
const lane = async () => {
  while (chosen.length > 0) await run(chosen.shift());
};
await Promise.all([lane(), lane()]);
await browser.close();
await reference.stop();
process.exitCode = failed ? 1 : 0;
