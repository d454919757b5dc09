// Draws the charts from the JSON beside them and sorts tables. Without it the page still says everything, in tables.
(() => {
  "use strict";

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const trim = (n) => (n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(2));
  const time = (ms) => {
    if (ms == null) return "–";
    if (ms >= 1000) return trim(ms / 1000) + " s";
    return ms >= 1 ? trim(ms) + " ms" : trim(ms * 1000) + " us";
  };
  const tickTime = (ms) => {
    if (ms == null) return "";
    const short = (n) => String(+n.toPrecision(3));
    return ms >= 1000 ? short(ms / 1000) + " s" : ms >= 1 || ms === 0 ? short(ms) + " ms" : short(ms * 1000) + " us";
  };
  const count = (n) => (n == null ? "–" : n.toLocaleString("en-US"));
  const tickCount = (n) => (n >= 1e6 ? +(n / 1e6).toPrecision(3) + " M" : n >= 1e4 ? +(n / 1e3).toPrecision(3) + " k" : count(n));
  // 2 nines is the 99th percentile.
  const percentile = (nines) => {
    if (nines == null) return "–";
    const digits = Math.max(0, Math.ceil(nines - 1e-9) - 2);
    return (100 * (1 - Math.pow(10, -nines))).toFixed(digits + (Number.isInteger(nines) ? 0 : 1)) + " %";
  };

  const axis = (more) => ({
    stroke: () => colour("--quiet"), font: "12px system-ui, sans-serif",
    grid: { stroke: () => colour("--line"), width: 1 }, ticks: { stroke: () => colour("--line"), width: 1, size: 4 }, ...more,
  });

  // The phases of the run, as bands behind the curves, and what happened in it, as lines.
  const bands = ({ phases, events = [] }) => ({
    hooks: {
      drawClear: (u) => {
        const { ctx } = u, ratio = devicePixelRatio;
        ctx.save();
        ctx.beginPath();
        ctx.rect(u.bbox.left, u.bbox.top - 20 * ratio, u.bbox.width, u.bbox.height + 20 * ratio);
        ctx.clip();
        ctx.font = `${11 * ratio}px system-ui, sans-serif`;
        ctx.textAlign = "left";
        ctx.textBaseline = "bottom";
        phases.forEach((phase, i) => {
          const from = u.valToPos(phase.from, "x", true), to = u.valToPos(phase.to, "x", true);
          if (i % 2 === 0) {
            ctx.fillStyle = colour("--band");
            ctx.fillRect(from, u.bbox.top, to - from, u.bbox.height);
          }
          if (ctx.measureText(phase.name).width > to - from) return;
          ctx.fillStyle = colour("--quiet");
          ctx.fillText(phase.name, from + 2 * ratio, u.bbox.top - 3 * ratio);
        });
        ctx.restore();
      },
      draw: (u) => {
        const { ctx } = u, ratio = devicePixelRatio;
        ctx.save();
        ctx.strokeStyle = ctx.fillStyle = colour("--event");
        ctx.lineWidth = ratio;
        ctx.font = `${11 * ratio}px system-ui, sans-serif`;
        ctx.textAlign = "left";  // the axes leave theirs behind
        ctx.textBaseline = "alphabetic";
        const rows = [-Infinity, -Infinity, -Infinity];  // where each row of labels is free from
        for (const event of events) {
          const x = Math.round(u.valToPos(event.at, "x", true)) + .5;
          if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
          ctx.setLineDash([4 * ratio, 3 * ratio]);
          ctx.beginPath();
          ctx.moveTo(x, u.bbox.top);
          ctx.lineTo(x, u.bbox.top + u.bbox.height);
          ctx.stroke();
          const text = event.text.length > 40 ? event.text.slice(0, 39) + "…" : event.text;
          const width = ctx.measureText(text).width, left = x + 4 * ratio + width < u.bbox.left + u.bbox.width;
          const from = left ? x + 4 * ratio : x - 4 * ratio - width;
          const row = rows.findIndex((free) => from >= free);
          if (row < 0 || from < u.bbox.left) continue;  // the list below has it
          const y = u.bbox.top + (12 + 13 * row) * ratio;
          ctx.setLineDash([]);
          ctx.strokeStyle = colour("--page");  // legible also on what is drawn there
          ctx.lineWidth = 3 * ratio;
          ctx.strokeText(text, from, y);
          ctx.strokeStyle = colour("--event");
          ctx.lineWidth = ratio;
          ctx.fillText(text, from, y);
          rows[row] = from + width + 4 * ratio;
        }
        ctx.restore();
      },
    },
  });

  const logarithmic = (values) => {
    let low = Infinity, high = 0;
    for (const row of values) for (const v of row) if (v > 0) { low = Math.min(low, v); high = Math.max(high, v); }
    if (high === 0) return [1, 10];
    return [Math.pow(10, Math.floor(Math.log10(low))), Math.pow(10, Math.ceil(Math.log10(high * 1.0001)))];
  };

  const settings = {
    percentiles: (chart) => ({
      scales: { x: { time: false }, y: { range: (u, low, high) => [0, high * 1.05] } },
      axes: [
        axis({ size: 34, splits: (u) => Array.from({ length: Math.floor(u.scales.x.max + 1e-9) + 1 }, (_, i) => i), values: (u, at) => at.map((n) => percentile(n).replace(" ", "")) }),
        axis({ size: 64, values: (u, at) => at.map(tickTime) }),
      ],
      x: { label: "percentile", value: (u, v) => percentile(v) }, value: (u, v) => time(v),
    }),
    latency: (chart) => ({
      scales: { x: { time: false, range: () => span(chart) }, y: { distr: 3, range: () => logarithmic(chart.series.map((s) => s.values)) } },
      axes: [axis({ size: 34, values: (u, at) => at.map((s) => s + " s") }),
             axis({ size: 64, values: (u, at) => at.map((ms) => (ms != null && Math.abs(Math.log10(ms) - Math.round(Math.log10(ms))) < 1e-6 ? tickTime(ms) : "")) })],
      x: { label: "at", value: (u, v) => (v == null ? "–" : v + " s") }, value: (u, v) => time(v),
      plugins: [bands(chart)],
    }),
    members: (chart) => ({
      scales: { x: { time: false, range: () => span(chart) }, y: { range: (u, low, high) => [0, (high || 1) * 1.15] } },
      axes: [axis({ size: 34, values: (u, at) => at.map((s) => s + " s") }), axis({ size: 64, values: (u, at) => at.map(tickCount) })],
      x: { label: "at", value: (u, v) => (v == null ? "–" : v + " s") }, value: (u, v) => count(v),
      plugins: [bands(chart)],
    }),
    memory: (chart) => ({
      scales: { x: { time: false, range: () => span(chart) }, y: { range: (u, low, high) => [0, (high || 1) * 1.15] } },
      axes: [axis({ size: 34, values: (u, at) => at.map((s) => s + " s") }), axis({ size: 64, values: (u, at) => at.map((mib) => +mib.toPrecision(3) + " MiB") })],
      x: { label: "at", value: (u, v) => (v == null ? "–" : v + " s") }, value: (u, v) => (v == null ? "–" : trim(v) + " MiB"),
      plugins: [bands(chart)],
    }),
    heat: (chart) => {
      const low = chart.edges[0], high = chart.edges[chart.edges.length - 1];
      const total = chart.x.map(() => 0), fullest = chart.x.map(() => null), best = chart.x.map(() => 0);
      let most = 1;
      for (const [i, band, n] of chart.cells) {
        most = Math.max(most, n);
        total[i] += n;
        if (n > best[i]) { best[i] = n; fullest[i] = band; }
      }
      chart.series = [{ label: "deliveries", values: total.map((n) => n || null) }, { label: "most took", values: fullest.map((band) => (band == null ? null : chart.edges[band])) }];
      const step = chart.x.length > 1 ? chart.x[1] - chart.x[0] : 1;
      return {
        scales: { x: { time: false, range: () => span(chart) }, y: { distr: 3, range: () => [low, high] } },
        axes: [axis({ size: 34, values: (u, at) => at.map((s) => s + " s") }),
               axis({ size: 64, grid: { show: false }, values: (u, at) => at.map((ms) => (ms != null && Math.abs(Math.log10(ms) - Math.round(Math.log10(ms))) < 1e-6 ? tickTime(ms) : "")) })],
        x: { label: "at", value: (u, v) => (v == null ? "–" : v + " s") },
        value: (u, v, series) => (series === 1 ? count(v) : v == null ? "–" : time(v) + " or a bit more"), hidden: true,
        plugins: [bands(chart), { hooks: { drawAxes: (u) => {
          const { ctx } = u;
          ctx.save();
          ctx.fillStyle = colour("--heat");
          for (const [i, band, n] of chart.cells) {
            const left = Math.round(u.valToPos(chart.x[i], "x", true)), right = Math.round(u.valToPos(chart.x[i] + step, "x", true));
            const bottom = Math.round(u.valToPos(chart.edges[band], "y", true)), top = Math.round(u.valToPos(chart.edges[band + 1], "y", true));
            ctx.globalAlpha = .08 + .92 * Math.log(1 + n) / Math.log(1 + most);
            ctx.fillRect(left, top, right - left, bottom - top);
          }
          ctx.restore();
        } } }],
      };
    },
    // The left scale is taller, or the two curves would lie on each other: each message is delivered equally often.
    rate: (chart) => ({
      scales: { x: { time: false, range: () => span(chart) }, y: { range: (u, low, high) => [0, (high || 1) * 1.6] }, right: { range: (u, low, high) => [0, (high || 1) * 1.08] } },
      axes: [axis({ size: 34, values: (u, at) => at.map((s) => s + " s") }), axis({ size: 56, values: (u, at) => at.map(tickCount) }),
             axis({ scale: "right", side: 1, size: 56, values: (u, at) => at.map(tickCount), grid: { show: false } })],
      x: { label: "at", value: (u, v) => (v == null ? "–" : v + " s") }, value: (u, v) => count(v), right: 1,
      plugins: [bands(chart)],
    }),
  };
  const span = (chart) => {
    const last = chart.phases[chart.phases.length - 1];
    return [chart.phases[0].from, Math.max(last.to, chart.phases[0].from + 1)];
  };

  const plots = [];
  const draw = (box) => {
    const chart = JSON.parse(document.getElementById(box.dataset.chart).textContent);
    const { x, value, right, hidden, ...options } = settings[chart.kind](chart);
    const few = chart.x.length < 3;
    const plot = new uPlot({
      width: box.clientWidth, height: 270, padding: [chart.phases ? 20 : 10, 14, 0, 0], cursor: { drag: { x: false, y: false } }, ...options,
      legend: { markers: { width: 0, fill: (u, i) => `var(--series-${chart.series[i - 1].colour || i})` } },
      series: [x, ...chart.series.map((s, i) => ({
        label: s.label, value, scale: i === right ? "right" : "y", stroke: () => colour("--series-" + (s.colour || i + 1)),
        width: hidden ? 0 : s.form === "thin" ? .6 : 1.75, alpha: s.form === "thin" ? .55 : 1, points: { show: few && !hidden },
        dash: s.form === "dashed" ? [6, 4] : undefined, class: s.form === "thin" ? "thin" : undefined,
      }))],
    }, [chart.x, ...chart.series.map((s) => s.values)], box);
    plots.push({ plot, box });
    new ResizeObserver(() => { if (!paper && box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height: 270 }); }).observe(box);
  };

  let paper = false;
  if (window.uPlot) document.querySelectorAll(".chart").forEach(draw);
  const redraw = () => plots.forEach(({ plot }) => plot.redraw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  // Paper is white, as wide as itself, and cannot unfold what failed.
  const unfolded = [];
  addEventListener("beforeprint", () => {
    paper = true;
    document.documentElement.dataset.paper = "";
    document.querySelectorAll(".cases details:not([open]), .cells details:not([open])").forEach((d) => { d.open = true; unfolded.push(d); });
    plots.forEach(({ plot }) => plot.setSize({ width: 660, height: 270 }));
    redraw();
  });
  addEventListener("afterprint", () => {
    paper = false;
    delete document.documentElement.dataset.paper;
    unfolded.splice(0).forEach((d) => { d.open = false; });
    plots.forEach(({ plot, box }) => plot.setSize({ width: box.clientWidth, height: 270 }));
    redraw();
  });

  // A matrix cell unfolds what happened right under its row; a second click puts it back where it stands without scripts.
  document.documentElement.classList.add("scripted");
  const homes = new Map();
  const fold = (row) => { const detail = row.querySelector("details.cell"); homes.get(detail.id).append(detail); row.remove(); };
  document.querySelectorAll("table.matrix td.m a").forEach((link) => link.addEventListener("click", (event) => {
    event.preventDefault();
    const row = link.closest("tr"), id = link.hash.slice(1), detail = document.getElementById(id);
    const open = detail.closest("tr.unfolded");
    const below = row.nextElementSibling;
    if (below && below.classList.contains("unfolded")) fold(below);
    if (open) return;
    homes.set(id, detail.parentElement);
    const under = document.createElement("tr");
    under.className = "unfolded";
    const cell = under.insertCell();
    cell.colSpan = row.cells.length;
    cell.append(detail);
    detail.open = true;
    row.after(under);
  }));
  const differ = document.getElementById("differ");
  if (differ) differ.addEventListener("change", () => {
    document.querySelectorAll("tr.unfolded").forEach(fold);
    document.querySelector("table.matrix").classList.toggle("differ", differ.checked);
  });
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") target.open = true;

  document.querySelectorAll("table.sortable").forEach((table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => head.firstChild.addEventListener("click", () => {
      const key = (row) => row.cells[column].dataset.sort;
      const numbers = key(table.tBodies[0].rows[0]) !== undefined;
      // The interesting end first: the largest number, the first name.
      const first = numbers ? "descending" : "ascending";
      const direction = head.getAttribute("aria-sort") === first ? (numbers ? "ascending" : "descending") : first;
      const sign = direction === "ascending" ? 1 : -1;
      const rows = [...table.tBodies[0].rows].sort((a, b) => sign * (numbers ? key(a) - key(b)
        : a.cells[column].textContent.localeCompare(b.cells[column].textContent, "en", { numeric: true })));
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", direction);
      table.tBodies[0].append(...rows);
    }));
  });
})();
