/** Blend, filters and backends: a form that shows a state and tells its changes. */

import { byId, debounced, h } from "./dom.js";
import { EVEN, SPACES, sameBlend, starting } from "./state.js";

const PRESETS = {
  Balanced: EVEN,
  Shape: { content: 100, style: 0, colour: 0 },
  Style: { content: 0, style: 100, colour: 0 },
  Colour: { content: 0, style: 0, colour: 100 },
};
const ABOUT = {
  auto: "The quickest that is ready",
  exact: "Compares with every product",
  faiss: "Graph over the same vectors",
  annoy: "Forest of trees, from files",
  elasticsearch: "kNN in a cluster",
};
const MOST_COLUMNS = 3;

const form = byId("controls");
let offered = [];

export function controls(onChange) {
  byId("presets").append(...Object.entries(PRESETS).map(([name, blend]) => preset(name, blend, onChange)));
  const slowly = debounced(onChange, 180);
  form.addEventListener("input", (event) => {
    if (event.target.type === "range") outputs();
    const typed = event.target.type === "range" || event.target.type === "number";
    (typed ? slowly : onChange)(spoken(event.target));
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("reset").addEventListener("click", () => {
    const { blend, category, minPrice, maxPrice, inStock, backend, compare } = starting({});
    onChange({ blend, category, minPrice, maxPrice, inStock, backend, compare });
  });
}

export function offer(backends, categories) {
  offered = backends;
  byId("category").append(...options(categories, 0));
}

export const configured = () => offered.filter(usable).map(({ name }) => name);

/** Makes the form say what the state says. */
export function show(state) {
  const fields = form.elements;
  for (const space of SPACES) fields[space].value = state.blend[space];
  outputs();
  for (const button of byId("presets").children) {
    button.setAttribute("aria-pressed", String(sameBlend(PRESETS[button.textContent], state.blend)));
  }
  fields.category.value = JSON.stringify(state.category);
  // what is being typed is left alone: 1. is on its way to 1.5
  if (document.activeElement !== fields.min_price) fields.min_price.value = state.minPrice ?? "";
  if (document.activeElement !== fields.max_price) fields.max_price.value = state.maxPrice ?? "";
  fields.in_stock.checked = state.inStock;
  fields.side_by_side.checked = state.compare.length > 0;
  fields.side_by_side.disabled = configured().length < 2;
  showBackends(state);
}

/** What a field's change says of the state. */
function spoken({ name, value, checked }) {
  const fields = form.elements;
  const price = (text) => (text === "" ? null : Number(text));
  switch (name) {
    case "category":
      return { category: JSON.parse(value) };
    case "min_price":
    case "max_price":
      return { minPrice: price(fields.min_price.value), maxPrice: price(fields.max_price.value) };
    case "in_stock":
      return { inStock: checked };
    case "side_by_side":
      return { compare: checked ? configured().slice(0, MOST_COLUMNS) : [] };
    case "backend":
      return { backend: value };
    case "compare":
      return { compare: [...form.querySelectorAll("input[name=compare]:checked")].map((box) => box.value) };
    default:
      return { blend: Object.fromEntries(SPACES.map((space) => [space, Number(fields[space].value)])) };
  }
}

function preset(name, blend, onChange) {
  const button = h("button", { type: "button", className: "preset" }, name);
  button.addEventListener("click", () => onChange({ blend: { ...blend } }));
  return button;
}

function outputs() {
  for (const output of form.querySelectorAll("output")) {
    output.value = form.elements[output.getAttribute("for")].value;
  }
}

function options(categories, depth) {
  return categories.flatMap(({ name, path, products, children }) => [
    h("option", { value: JSON.stringify(path) }, `${"\u2003".repeat(depth)}${name} (${products})`),
    ...options(children, depth + 1),
  ]);
}

const usable = (backend) => backend.configured && backend.healthy;

/** Radio buttons; side by side they become boxes to tick, two or three of them. */
function showBackends(state) {
  const focused = form.contains(document.activeElement) && document.activeElement.value;
  const inFocus = document.activeElement?.closest("#backends") && focused;
  const comparing = state.compare.length > 0;
  const listed = comparing ? offered : [{ name: "auto", configured: true, healthy: true }, ...offered];
  const rows = listed.map((backend) => (comparing ? box(backend, state) : radio(backend, state)));
  byId("backends").replaceChildren(...rows);
  if (inFocus) byId("backends").querySelector(`input[value="${focused}"]`)?.focus();
}

function radio(backend, state) {
  return row(backend, { type: "radio", name: "backend", checked: backend.name === state.backend, disabled: !usable(backend) });
}

function box(backend, { compare }) {
  const checked = compare.includes(backend.name);
  const fixed = checked ? compare.length <= 2 : compare.length >= MOST_COLUMNS;
  return row(backend, { type: "checkbox", name: "compare", checked, disabled: !usable(backend) || fixed });
}

function row(backend, properties) {
  const off = !usable(backend);
  const reason = off ? backend.reason || "Not available at the moment." : ABOUT[backend.name];
  const id = `backend-${backend.name}`;
  return h(
    "label",
    { className: off ? "backend off" : "backend", title: off ? reason : "" },
    h("input", { ...properties, value: backend.name, "aria-describedby": id }),
    h("span", { className: "backend-name" }, backend.name),
    h("span", { className: "backend-about soft", id }, reason),
  );
}
