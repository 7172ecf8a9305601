(() => {
  const source = document.getElementById("page-data");
  const page = source ? JSON.parse(source.textContent) : { store: {}, charts: {}, pickers: {}, genes: null };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const touch = matchMedia("(pointer: coarse)").matches;
  const chosen = {};
  const drawn = new Set();
  let printing = false;
  const genes = page.genes ? packedGenes(page.genes) : null;

  // Arrays of the store: numbers are 16-bit levels (value = low + step * level, the highest level: missing).
  const decoded = new Map();
  function array(key) {
    if (!decoded.has(key)) {
      let value = page.store[key];
      if (value && value.step !== undefined) {
        const bytes = value.bytes || Uint8Array.from(atob(value.u16), (letter) => letter.charCodeAt(0));
        const { low, step } = value;
        value = Array.from(new Uint16Array(bytes.buffer), (level) => (level === 65535 ? null : low + step * level));
      }
      decoded.set(key, value);
    }
    return decoded.get(key);
  }

  // Deflated arrays are unpacked before the first chart: nothing that is drawn later has to wait for them.
  async function unpackStore() {
    for (const value of Object.values(page.store)) if (value && value.deflated) value.bytes = await inflated(value.deflated);
  }

  // An item stands for {ref: key}, and perhaps: times a number; as "log1p"; equals n (1 where it is n); only spots where an array is n;
  // at the places that an array of row numbers names (nothing where it names none); in rows of so many columns.
  function referred(item, gene) {
    const [kind, named] = item.ref.split(":");
    const isPacked = named === "$gene" && genes && genes.has(gene) && genes.ready(gene) && !((`${kind}:${gene}`) in page.store);
    let value = isPacked ? genes.map(kind, gene) : array(item.ref.replace("$gene", () => gene));
    if (item.times !== undefined) value = value.map((number) => (number === null ? null : item.times * number));
    if (item.as === "log1p") value = value.map((number) => (number === null ? null : Math.log1p(number)));
    if (item.equals !== undefined) value = value.map((number) => (number === item.equals ? 1 : null));
    if (item.where !== undefined) {
      const classes = array(item.where);
      value = value.filter((_, row) => classes[row] === item.is);
    }
    if (item.at !== undefined) value = array(item.at).map((row) => (row === null ? null : value[row]));
    if (item.columns) {
      const rows = [];
      for (let start = 0; start < value.length; start += item.columns) rows.push(value.slice(start, start + item.columns));
      value = rows;
    }
    return value;
  }

  // A fresh copy of a chart with references, theme colours and the chosen gene filled in: plotly changes what it draws.
  function filled(item, gene, ink) {
    if (typeof item === "string") return ink[item] ?? item;
    if (Array.isArray(item)) return item.map((part) => filled(part, gene, ink));
    if (item === null || typeof item !== "object") return item;
    if (item.ref !== undefined) return referred(item, gene);
    return Object.fromEntries(Object.entries(item).map(([name, part]) => [name, filled(part, gene, ink)]));
  }

  function inks() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    if (printing) return { $ink: "#1b2733", $grid: "#e3e8ed", $muted: "#5a6875", $ground: "#ffffff" };
    const ink = { $ink: colour("--ink"), $grid: colour("--grid"), $muted: colour("--muted"), $ground: colour("--ground") };
    return dark.matches ? { ...ink, "#0072B2": "#5ab0e8", "#D55E00": "#ff8f5c" } : ink;
  }

  function isUnderlaid(plot, layout) {
    const box = plot.closest("[role=tabpanel]").querySelector("[data-underlay]");
    return Boolean(page.underlay && box && box.checked && !printing && layout.meta && layout.meta.map && !layout.images);
  }

  function themed(layout, ink) {
    const axis = { gridcolor: ink.$grid, zerolinecolor: ink.$grid, linecolor: ink.$muted, automargin: true };
    const result = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
      dragmode: touch ? false : layout.meta && layout.meta.map ? "pan" : "zoom",
      font: { family: "system-ui, sans-serif", size: 12, color: ink.$ink },
      margin: { l: 50, r: 10, t: 10, b: 40 },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: ink.$muted, activecolor: ink.$ink },
      hoverlabel: { bgcolor: ink.$ground, bordercolor: ink.$muted, font: { color: ink.$ink } },
      ...layout,
    };
    for (const name of ["xaxis", "yaxis", "yaxis2"]) if (name in layout || name !== "yaxis2") result[name] = { ...axis, ...layout[name] };
    return result;
  }

  const settings = {
    responsive: true, displaylogo: false, scrollZoom: false,
    // Named one by one: plotly's own set has a button that sends the chart elsewhere.
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
    displayModeBar: touch ? false : "hover",
  };

  // Spots keep their size in micrometres: the marker follows the zoom.
  function sizeSpots(plot) {
    const { meta } = plot.layout;
    const axis = plot._fullLayout && plot._fullLayout.xaxis;
    if (!meta || !meta.spot || !axis) return;
    const size = Math.max(1.5, Math.abs(axis.d2p(meta.spot) - axis.d2p(0)));
    const disks = plot.data.flatMap((trace, number) => (trace.type === "scatter" ? [number] : []));
    if (disks.length && Math.abs((plot.spotSize || 0) - size) > 0.05) {
      plot.spotSize = size;
      Plotly.restyle(plot, { "marker.size": size }, disks);
    }
  }

  // Plotly paints a spot without a number dark grey, which reads as a low value.
  function hideMissing(trace) {
    const colours = trace.marker && trace.marker.color;
    if (Array.isArray(colours) && colours.includes(null)) {
      trace.marker.opacity = colours.map((colour) => (colour === null ? 0 : 1));
    }
  }

  function pickerOf(id) {
    return Object.values(page.pickers).find((picker) => picker.charts.includes(id));
  }

  // Draws at once where it can: a page about to be printed does not wait.
  function draw(plot) {
    const picker = pickerOf(plot.dataset.chart);
    if (!window.Plotly) return plotly.then(() => draw(plot));
    if (picker && picker.packed && !genes.ready(chosen[picker.id])) return genes.load(chosen[picker.id]).then(() => draw(plot));
    return drawNow(plot, picker);
  }

  function drawNow(plot, picker) {
    const id = plot.dataset.chart;
    const ink = inks();
    const gene = picker ? chosen[picker.id] : "";
    // Maps keep a light ground in the dark: both ends of the colours, and dark classes, are lost on black. So do bars of
    // classes, which have the colours of the map.
    const meta = page.charts[id].layout.meta || {};
    const onLight = dark.matches && !printing && (meta.map || meta.classes);
    const chart = filled(page.charts[id], gene, onLight ? { $ink: "#1b2733", $muted: "#5a6875" } : ink);
    const layout = themed(chart.layout, onLight ? { ...ink, $grid: "#c3ccd4" } : ink);
    if (onLight) layout.plot_bgcolor = "#dde3e9";
    if (isUnderlaid(plot, layout)) {
      layout.images = [filled(page.underlay, gene, ink)];
      for (const trace of chart.data) trace.opacity = 0.6;
    }
    chart.data.forEach(hideMissing);
    if (picker && picker.packed) {
      const { cmin, cmax, tickvals, ticktext } = genes.axis(gene);
      layout.coloraxis = { ...layout.coloraxis, cmin, cmax, colorbar: { ...layout.coloraxis.colorbar, tickvals, ticktext } };
      if (id.endsWith("-denoised") && !genes.isDenoised(gene)) {
        const text = "Not denoised.<br>Add it with --genes_of_interest";
        layout.annotations = [...(layout.annotations || []), { text, showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5, font: { size: 14, color: onLight ? "#1b2733" : ink.$ink } }];
      }
    } else if (picker) layout.coloraxis = { ...layout.coloraxis, ...filled(picker.axes[`${id}:${gene}`] ?? picker.axes[gene], gene, ink) };
    // Paper has a width of its own, and a chart that fits itself to its box would do so too late.
    if (printing) Object.assign(layout, { width: plot.clientWidth, height: plot.clientHeight });
    if (document.documentElement.classList.contains("print-one")) {
      layout.font = { ...layout.font, size: 8 };
      if (layout.legend) {
        layout.legend = { ...layout.legend, font: { size: 7 }, entrywidth: 62, itemwidth: 30 };
        layout.showlegend = chart.data.length > 1 && chart.data.length < 13;
      }
      // the edge of a spot of two pixels would hide its colour
      for (const trace of chart.data) if (trace.marker) trace.marker.line = { width: 0 };
    }
    plot.spotSize = 0;
    const first = !drawn.has(plot);
    drawn.add(plot);
    return Plotly.react(plot, chart.data, layout, settings).then(() => {
      sizeSpots(plot);
      if (first) {
        plot.on("plotly_relayout", () => {
          sizeSpots(plot);
          zoomTogether(plot);
        });
        if (layout.meta && layout.meta.genes) plot.on("plotly_click", ({ points }) => showGene(points[0].customdata));
      }
      plot.dataset.drawn = gene || "yes";
      if (gene) plot.closest("figure").querySelector("figcaption strong").dataset.gene = gene;
    });
  }

  function tabs() {
    const links = [...document.querySelectorAll("[role=tab]")];
    const show = (id, focus) => {
      for (const link of links) {
        const active = link.getAttribute("aria-controls") === id;
        link.setAttribute("aria-selected", String(active));
        link.tabIndex = active ? 0 : -1;
        document.getElementById(link.getAttribute("aria-controls")).hidden = !active;
        if (active && focus) link.focus();
        if (active) link.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
    };
    const wanted = () => {
      const link = links.find((candidate) => candidate.hash === location.hash) || links[0];
      return link.getAttribute("aria-controls");
    };
    links.forEach((link, number) => {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        show(link.getAttribute("aria-controls"));
        try {
          history.replaceState(null, "", link.hash);
        } catch (error) {
          if (error.name !== "SecurityError") throw error; // a previewer's sandbox has no address to change
        }
      });
      link.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step) show(links[(number + step + links.length) % links.length].getAttribute("aria-controls"), true);
      });
    });
    addEventListener("hashchange", () => show(wanted()));
    show(wanted());
  }

  function pickers() {
    for (const select of document.querySelectorAll("[data-picker]")) {
      const id = select.dataset.picker;
      chosen[id] = select.value;
      select.addEventListener("change", () => {
        chosen[id] = select.value;
        for (const plot of drawn) if (page.pickers[id].charts.includes(plot.dataset.chart)) draw(plot);
      });
    }
  }

  // Genes anywhere on the page lead to their maps; those that the page does not hold stay words.
  let search = null;
  function showGene(gene) {
    if (!genes || !genes.has(gene) || !search) return;
    search.take(gene);
    const box = document.querySelector("[data-genes]");
    document.getElementById(`tab-${box.closest("[role=tabpanel]").id}`).click();
    box.scrollIntoView({ block: "start" });
  }

  function geneSearches() {
    for (const box of document.querySelectorAll("[data-genes]")) {
      const picker = page.pickers[box.dataset.genes];
      chosen[picker.id] = picker.groups[0][1][0];
      genes.load(chosen[picker.id]); // printing does not wait for it
      search = geneSearch(box, genes.names, picker.groups, (gene) => {
        chosen[picker.id] = gene;
        for (const plot of drawn) if (picker.charts.includes(plot.dataset.chart)) draw(plot);
      });
    }
    for (const button of document.querySelectorAll("button[data-gene]")) {
      if (genes && genes.has(button.dataset.gene)) button.addEventListener("click", () => showGene(button.dataset.gene));
      else button.replaceWith(button.textContent);
    }
  }

  // Plotly's code stands in the page deflated, which leaves its room to the genes.
  async function startPlotly() {
    const packed = document.getElementById("plotly");
    if (!packed) return;
    await unpackStore();
    const code = new TextDecoder().decode(await inflated(packed.textContent));
    const script = document.createElement("script");
    script.textContent = code;
    document.head.append(script);
  }

  // Two maps that show the same place: the one over the other with an edge between them, and one zoom for both.
  function swipes() {
    for (const box of document.querySelectorAll("[data-swipe]")) {
      const swipe = document.getElementById(box.dataset.swipe);
      const edge = swipe.querySelector(".swipe-edge");
      const range = edge.querySelector("input");
      const move = () => swipe.style.setProperty("--edge", `${range.value}%`);
      range.addEventListener("input", move);
      box.addEventListener("change", () => {
        swipe.classList.toggle("over", box.checked);
        edge.hidden = !box.checked;
        for (const plot of swipe.querySelectorAll("[data-chart]")) if (drawn.has(plot)) Plotly.Plots.resize(plot).then(() => sizeSpots(plot));
      });
      move();
    }
  }

  function zoomTogether(plot) {
    const swipe = plot.closest(".swipe");
    const other = swipe && [...swipe.querySelectorAll("[data-chart]")].find((candidate) => candidate !== plot);
    if (!other || !drawn.has(other)) return;
    const here = ["xaxis", "yaxis"].map((axis) => plot.layout[axis].range);
    const there = ["xaxis", "yaxis"].map((axis) => other.layout[axis].range);
    if (String(here) !== String(there)) Plotly.relayout(other, { "xaxis.range": [...here[0]], "yaxis.range": [...here[1]] });
  }

  const canInflate = "DecompressionStream" in window;
  document.querySelectorAll(".needs-newer-browser").forEach((line) => { line.hidden = canInflate; });
  const plotly = canInflate ? startPlotly() : new Promise(() => {});
  pickers();
  geneSearches();
  swipes();
  const plots = [...document.querySelectorAll("[data-chart]")];
  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) if (isIntersecting && !drawn.has(target)) draw(target);
    },
    { rootMargin: "300px" },
  );
  plots.forEach((plot) => near.observe(plot));
  tabs();
  dark.addEventListener("change", () => drawn.forEach(draw));
  for (const box of document.querySelectorAll("[data-underlay]")) {
    box.addEventListener("change", () => {
      const part = box.closest("[role=tabpanel]");
      drawn.forEach((plot) => { if (part.contains(plot)) draw(plot); });
    });
  }

  // Printed is one page with the verdict, the key numbers and the main maps; all parts if they are asked for.
  const summary = document.getElementById("print-summary");
  const moved = [];
  let printAll = false;
  function gather() {
    for (const id of summary.dataset.charts.split(" ")) {
      const figure = document.getElementById(`chart-${id}`);
      const place = document.createComment(id);
      figure.replaceWith(place);
      summary.append(figure);
      moved.push([place, figure]);
    }
    summary.hidden = false;
  }
  for (const [id, all] of [["print-one", false], ["print-all", true]]) {
    const button = document.getElementById(id);
    if (button) button.addEventListener("click", () => { printAll = all; print(); });
  }
  addEventListener("beforeprint", () => {
    const one = !printAll && Boolean(summary);
    printing = true;
    document.documentElement.classList.add("printing", one ? "print-one" : "print-all");
    document.querySelectorAll("main > section").forEach((section, number) => {
      section.dataset.was = section.hidden;
      section.hidden = one && number > 0;
    });
    document.querySelectorAll(one ? "details.part" : "details.part, details.passed").forEach((part) => { part.dataset.was = part.open; part.open = true; });
    if (one) gather();
    plots.filter((plot) => !one || summary.contains(plot)).forEach(draw);
  });
  addEventListener("afterprint", () => {
    printing = printAll = false;
    document.documentElement.classList.remove("printing", "print-all", "print-one");
    for (const [place, figure] of moved.splice(0)) place.replaceWith(figure);
    if (summary) summary.hidden = true;
    document.querySelectorAll("main > section").forEach((section) => { section.hidden = section.dataset.was === "true"; });
    document.querySelectorAll("details[data-was]").forEach((part) => {
      part.open = part.dataset.was === "true";
      delete part.dataset.was;
    });
    drawn.forEach(draw);
  });
})();
