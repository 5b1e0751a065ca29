// What is quicker with a script. Every page works without it.
"use strict";

// The way back is the history's: it restores the place in the list at once.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-back]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const cameFrom = document.referrer.split("#")[0];
  if (cameFrom && cameFrom === link.href.split("#")[0] && history.length > 1) {
    event.preventDefault();
    history.back();
  }
});

// Filters

// Values that this page does not have are on the page of their facet.
async function pageAt(address, signal) {
  const answer = await fetch(address, { signal });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

// A form that finds values by their beginning: at once in the list, then on the server.
function findIn(form) {
  const box = form.closest(".facet") || form.closest("main");
  const input = form.elements.prefix;
  const own = box.querySelector(".facet-rows");
  if (!own) return;
  const note = document.createElement("span");
  note.className = "unseen";
  note.setAttribute("role", "status");
  form.append(note);
  let shown = own;
  let timer = 0;
  let asked = new AbortController();
  const put = (list) => {
    shown.replaceWith(list);
    shown = list;
  };
  const ask = async () => {
    const { signal } = asked;
    try {
      const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
      const page = await pageAt(address, signal);
      const list = page.querySelector(".facet-rows");
      const listed = page.querySelector(".listed");
      if (signal.aborted || !listed) return;
      put(list || document.createElement("ul"));
      note.textContent = listed.firstChild.textContent;
    } catch (error) {
      // Without an answer the list stays as it is; the form can still be sent.
      if (error.name !== "AbortError") note.textContent = "";
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    asked.abort();
    asked = new AbortController();
    const start = folded(input.value);
    put(own);
    for (const row of own.querySelectorAll(".facet-row")) {
      const name = folded(row.querySelector(".facet-value").textContent);
      const kept = row.matches(".selected, .excluded") || name.startsWith(start);
      row.parentElement.hidden = !kept;
    }
    note.textContent = "";
    if (start) timer = setTimeout(ask, 150);
  });
}

function filters() {
  document.querySelectorAll(".facet-find").forEach(findIn);
  const more = document.querySelector(".other-facets");
  if (!more) return;
  more.addEventListener("toggle", async () => {
    const link = more.querySelector(".facet-others > a");
    if (!more.open || !link || more.hasAttribute("aria-busy")) return;
    more.setAttribute("aria-busy", "true");
    try {
      const boxes = (await pageAt(link.href)).querySelector(".facet-boxes");
      if (boxes) link.parentElement.replaceWith(boxes);
    } catch {
      link.hidden = false; // the link leads to the same filters
    }
    more.removeAttribute("aria-busy");
    more.querySelectorAll(".facet-find").forEach(findIn);
  });
}

// Dates: a range of bars, by dragging over them or with two sliders

function dates() {
  const box = document.querySelector(".dates");
  const chart = box && box.querySelector(".chart");
  if (!chart) return;
  const slots = [...chart.querySelectorAll(".slot")];
  const count = slots.length;
  const { base } = box.dataset;

  const picked = document.createElement("p");
  picked.className = "picked";
  picked.hidden = true;
  const link = picked.appendChild(document.createElement("a"));
  box.querySelector(".dates-line").append(picked);

  const slider = (label, value) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "range", min: 0, max: count, autocomplete: "off" });
    input.value = value;
    input.setAttribute("aria-label", label);
    return input;
  };
  const start = slider("First date", 0);
  const end = slider("Last date", count);
  box.querySelector(".range").append(start, end);

  // Mark the bars from one to another; all of them is no choice.
  const pick = (first, last) => {
    const all = first === 0 && last === count - 1;
    start.value = first;
    end.value = last + 1;
    start.setAttribute("aria-valuetext", slots[first].dataset.period);
    end.setAttribute("aria-valuetext", slots[last].dataset.period);
    slots.forEach((slot, n) => {
      const inside = first <= n && n <= last;
      slot.classList.toggle("in", !all && inside);
      slot.classList.toggle("out", !all && !inside);
    });
    const [a, b] = [slots[first].dataset, slots[last].dataset];
    const period = new URLSearchParams({ from: a.first, to: b.last });
    link.href = `${base}${base.includes("?") ? "&" : "?"}${period}`;
    const sum = slots.slice(first, last + 1).reduce((n, slot) => n + Number(slot.dataset.count), 0);
    const name = first === last ? a.period : `${a.period} – ${b.period}`;
    link.textContent = `Show ${name}: ${sum.toLocaleString("en")} ${sum === 1 ? "article" : "articles"}`;
    picked.hidden = all;
    box.classList.toggle("picking", !all);
  };
  const reset = () => pick(0, count - 1);
  reset();
  window.addEventListener("pageshow", reset);

  start.addEventListener("input", () => {
    const first = Math.min(Number(start.value), count - 1);
    pick(first, Math.max(first, Number(end.value) - 1));
  });
  end.addEventListener("input", () => {
    const last = Math.max(Number(end.value) - 1, 0);
    pick(Math.min(Number(start.value), last), last);
  });
  box.querySelector(".range").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !picked.hidden) link.click();
    else if (event.key === "Escape") reset();
    else return;
    event.preventDefault();
  });

  // The bars are one stop for Tab; arrows go from one to the next.
  const bars = [...chart.querySelectorAll("a")];
  const reach = (bar) => bars.forEach((other) => other.setAttribute("tabindex", other === bar ? 0 : -1));
  reach(bars[0]);
  chart.addEventListener("focusin", (event) => reach(event.target.closest("a")));
  chart.addEventListener("keydown", (event) => {
    const at = bars.indexOf(event.target.closest("a"));
    const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bars.length - 1 };
    const next = bars[steps[event.key]];
    if (!next || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    next.focus();
  });

  // Dragging: it begins once the pointer has left the bar, so that a click is a click.
  let from = -1;
  let dragged = false;
  const slotAt = (event) => {
    const { left, width } = chart.getBoundingClientRect();
    return Math.min(Math.max(Math.floor(((event.clientX - left) / width) * count), 0), count - 1);
  };
  chart.addEventListener("dragstart", (event) => event.preventDefault());
  chart.addEventListener("pointerdown", (event) => {
    dragged = false;
    from = event.button === 0 && event.isPrimary ? slotAt(event) : -1;
  });
  chart.addEventListener("pointermove", (event) => {
    if (from < 0) return;
    const to = slotAt(event);
    if (to !== from && !dragged) {
      dragged = true;
      chart.setPointerCapture(event.pointerId);
    }
    if (dragged) pick(Math.min(from, to), Math.max(from, to));
  });
  const drop = () => {
    from = -1;
    dragged = false;
    reset();
  };
  chart.addEventListener("pointerup", (event) => {
    if (from < 0) return;
    from = -1;
    if (!dragged) return;
    event.preventDefault();
    if (picked.hidden) reset();
    else link.click();
  });
  chart.addEventListener("pointercancel", drop);
  chart.addEventListener("click", (event) => dragged && event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && dragged && from >= 0) drop();
  });
}

for (const enhance of [filters, dates]) enhance();
