"use strict";
// Bytes of a string of base64 that was deflated.
async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The page's packed genes (report/gene_pack.py): unpacked a chunk at a time, when a gene of it is asked for.
function packedGenes(packed) {
  const place = new Map(packed.names.map((name, number) => [name, number]));
  const waiting = new Map();
  const maps = new Map();

  const n = packed.order.length;

  function decode(bytes, offset, top, levels) {
    const part = bytes.slice(offset, offset + n * (top === -1 ? 2 : 1));
    const raw = top === -1 ? new Uint16Array(part.buffer) : part;
    const missing = top === -1 ? 65535 : 255;
    const step = Math.log1p(top) / levels;
    const values = Array(n);
    raw.forEach((level, row) => { values[packed.order[row]] = level === missing ? null : top > 0 ? Math.expm1(level * step) : level; });
    return values;
  }

  async function unpack(chunk) {
    const bytes = await inflated(packed.chunks[chunk]);
    const levels = packed.levels[chunk];
    const start = packed.genes.slice(0, chunk).reduce((sum, genes) => sum + genes, 0);
    let offset = 0;
    for (const kind of ["measured", "denoised"]) {
      for (let number = start; number < start + packed.genes[chunk]; number += 1) {
        const top = packed[kind][number];
        const at = offset;
        const gene = packed.names[number];
        if (!maps.has(gene)) maps.set(gene, {});
        maps.get(gene)[kind] = () => (top === null ? Array(n).fill(null) : decode(bytes, at, top, levels));
        if (top !== null) offset += n * (top === -1 ? 2 : 1);
      }
    }
  }

  // The same colours as map_parts.colour_axis gives: 0 to the gene's limit, logarithmic, ticks at round values.
  function axis(gene) {
    const high = packed.highs[place.get(gene)];
    let ticks = [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000].filter((value) => value <= high);
    if (ticks.length < 3) ticks = [...new Set([0, 0.25, 0.5, 1].map((share) => Number((share * high).toPrecision(2))))];
    return { cmin: 0, cmax: Math.log1p(high), tickvals: ticks.map(Math.log1p), ticktext: ticks.map((value) => value.toLocaleString("en")) };
  }

  return {
    names: packed.names,
    has: (gene) => place.has(gene),
    isDenoised: (gene) => packed.denoised[place.get(gene)] !== null,
    ready: (gene) => maps.has(gene),
    load(gene) {
      let chunk = 0;
      for (let end = packed.genes[0]; end <= place.get(gene); end += packed.genes[chunk]) chunk += 1;
      if (!waiting.has(chunk)) waiting.set(chunk, unpack(chunk));
      return waiting.get(chunk);
    },
    map: (kind, gene) => maps.get(gene)[kind](),
    axis,
  };
}

// A box to type a gene into, after the combobox pattern of WAI-ARIA: arrow keys, Enter, Escape; nothing typed: groups.
function geneSearch(box, names, groups, choose) {
  const input = box.querySelector("input");
  const list = box.querySelector("[role=listbox]");
  const note = box.querySelector("[role=status]");
  const most = 80;
  const sorted = [...names].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  let current = groups[0][1][0];
  let options = [];
  let active = -1;

  function matches(typed) {
    const wanted = typed.toLowerCase();
    const rank = (name) => {
      const at = name.toLowerCase().indexOf(wanted);
      return at < 0 ? 3 : name.length === wanted.length ? 0 : at === 0 ? 1 : 2;
    };
    return [0, 1, 2].flatMap((wantedRank) => sorted.filter((name) => rank(name) === wantedRank));
  }

  function mark(number) {
    if (options[active]) options[active].setAttribute("aria-selected", "false");
    active = number;
    const option = options[active];
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  }

  function item(text, role, name) {
    const line = document.createElement("li");
    line.textContent = text;
    line.setAttribute("role", role);
    if (name !== undefined) {
      line.id = `${list.id}-${options.length}`;
      line.dataset.name = name;
      options.push(line);
    }
    list.append(line);
  }

  function open(typed) {
    list.replaceChildren();
    options = [];
    active = -1;
    note.textContent = "";
    if (typed) {
      const found = matches(typed);
      found.slice(0, most).forEach((name) => item(name, "option", name));
      if (found.length > most) item(`${found.length - most} more: keep typing`, "presentation");
      if (!found.length) note.textContent = `No gene matches “${typed}” among the ${names.length.toLocaleString("en")} genes of this page. See “Gene missing?” below.`;
    } else {
      for (const [heading, genes] of groups) {
        item(heading, "presentation");
        genes.forEach((name) => item(name, "option", name));
      }
      item(`Type to search all ${names.length.toLocaleString("en")} genes`, "presentation");
    }
    list.hidden = !list.children.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (typed) mark(options.length ? 0 : -1);
  }

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function take(name) {
    current = name;
    input.value = name;
    note.textContent = "";
    close();
    choose(name);
  }

  input.addEventListener("focus", () => {
    input.select();
    open("");
  });
  input.addEventListener("click", () => list.hidden && open(""));
  input.addEventListener("input", () => open(input.value.trim()));
  input.addEventListener("blur", () => {
    if (note.textContent === "") input.value = current;
    close();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open("");
      if (options.length) mark((active + (event.key === "ArrowDown" ? 1 : options.length - (active < 0 ? 0 : 1))) % options.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!list.hidden && options[active]) take(options[active].dataset.name);
    } else if (event.key === "Escape") {
      input.value = current;
      note.textContent = "";
      close();
    }
  });
  // before the box loses the focus
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) take(option.dataset.name);
  });
  return { take, get current() { return current; } };
}
