/** The shop window: state in the address, one render for each state. */

import * as api from "./api.js";
import { card, nameOf, notice, skeletons } from "./cards.js";
import { COLUMN, compare } from "./compare.js";
import * as controls from "./controls.js";
import { cropping } from "./crop.js";
import { byId, h, percent } from "./dom.js";
import { busy, complain, takePictures } from "./intake.js";
import { footnote } from "./meta.js";
import { showFile, showProduct } from "./query.js";
import { fileOf, isWall, read, remember, starting, write } from "./state.js";

const WALL = 48;
const PAGE = 24;

const shelf = byId("shelf");
const known = new Map(); // products seen on this visit, by id
let state = read();
let running = new AbortController();
let more = null;

const showCrop = cropping((crop) => change({ crop }));

/** Where a click leads: another address, and the reader's place at the top of it. */
async function arrive(next) {
  state = next;
  scrollTo({ top: 0 });
  await render();
  byId("results-title").focus({ preventScroll: true });
}

/** Another way to look for the same thing. */
function change(part) {
  state = { ...state, ...part };
  write(state, { replace: true });
  return render({ quietly: true });
}

async function render({ quietly = false } = {}) {
  running.abort();
  const mine = (running = new AbortController());
  more = null;
  byId("more").hidden = true;
  document.body.dataset.view = isWall(state) ? "wall" : "found";
  byId("query").hidden = byId("controls").hidden = isWall(state);
  complain(null);
  // an answer is mostly here before a skeleton could be seen
  const bare = !quietly && state.compare.length < 2; // columns bring skeletons of their own
  const patience = setTimeout(() => bare && shelf.replaceChildren(skeletons(12)), 120);
  shelf.setAttribute("aria-busy", "true");
  try {
    await (isWall(state) ? wall() : found(mine.signal));
  } catch (error) {
    if (error.name === "AbortError" || mine.signal.aborted) return;
    trouble(error);
  } finally {
    clearTimeout(patience);
    if (!mine.signal.aborted) shelf.removeAttribute("aria-busy");
  }
}

async function wall() {
  document.title = "Lookalike";
  byId("results-title").textContent = "Or start from one of ours";
  announce("");
  byId("meta").replaceChildren();
  const page = await api.products(WALL);
  if (!isWall(state)) return;
  if (!page.products.length) {
    shelf.replaceChildren(notice("Nothing in the shop yet", "Bring a catalogue in with “lookalike import”, and it shows up here."));
    return;
  }
  const grid = h("ul", { className: "grid wall" }, cards(page.products, starting({})));
  shelf.replaceChildren(grid);
  offerMore(page.next_cursor, async (cursor) => {
    const next = await api.products(WALL, cursor);
    grid.append(...cards(next.products, starting({})));
    return next.next_cursor;
  });
}

async function found(signal) {
  controls.show(state);
  const query = await subject();
  if (signal.aborted) return;
  const ask = (backend, limit, cursor) => api.search(query, { ...state, backend, limit, cursor, blend: weights() }, signal);
  if (state.compare.length > 1) return sideBySide(ask);
  const answer = await ask(state.backend, PAGE);
  shelve(answer, (cursor) => ask(state.backend, PAGE, cursor));
}

/** What is looked for, shown at the side. */
async function subject() {
  const file = fileOf(state);
  if (file) {
    if (byId("query").dataset.shown !== state.picture) await showFile(file);
    byId("query").dataset.shown = state.picture;
    showCrop(state.crop);
    heading("Your picture");
    return { file, crop: state.crop };
  }
  const product = known.get(state.product) ?? (await api.product(state.product));
  known.set(product.product_id, product);
  if (byId("query").dataset.shown !== product.product_id) showProduct(product);
  byId("query").dataset.shown = product.product_id;
  showCrop(state.crop);
  heading(nameOf(product));
  return { product: product.product_id, sha256: product.image, crop: state.crop };
}

function shelve(answer, following) {
  byId("meta").replaceChildren(...footnote(answer.meta, state));
  if (!answer.hits.length) {
    const reset = h("button", { type: "button", className: "button" }, "Clear the filters");
    reset.addEventListener("click", () => change({ category: [], minPrice: null, maxPrice: null, inStock: false }));
    shelf.replaceChildren(notice("Nothing here looks like it", "No product passes these filters.", reset));
    return announce("No products found");
  }
  const grid = h("ol", { className: "grid" }, cards(answer.hits, kept()));
  shelf.replaceChildren(grid);
  announce(`${answer.hits.length} products, the nearest ${percent(answer.hits[0].similarity)} alike`);
  offerMore(answer.next_cursor, async (cursor) => {
    const next = await following(cursor);
    grid.append(...cards(next.hits, kept()));
    return next.next_cursor;
  });
}

async function sideBySide(ask) {
  byId("meta").replaceChildren();
  const answers = await compare(state.compare, ask, shelf, kept());
  for (const { hits = [] } of answers) for (const hit of hits) known.set(hit.product_id, hit);
  const plans = answers.filter(({ meta }) => meta).map(({ meta }) => `${meta.backend}: ${meta.plan}`);
  byId("meta").replaceChildren(
    h("span", {}, plans.join(" · ")),
    h("span", {}, "Asked one after the other; the times are those of the search alone."),
  );
  announce(`The ${COLUMN} nearest by ${state.compare.length} backends`);
}

function offerMore(cursor, fetchNext) {
  byId("more").hidden = !cursor;
  more = cursor && (async () => offerMore(await fetchNext(cursor), fetchNext));
}

const cards = (products, from) =>
  products.map((product, i) => {
    known.set(product.product_id, product);
    return card(product, { state: from, lazy: i >= 12 });
  });

/** How one looks stays when one goes from product to product; filters do not. */
const kept = () => starting({ backend: state.backend, compare: state.compare, blend: state.blend });

const weights = () => Object.fromEntries(Object.entries(state.blend).map(([space, weight]) => [space, weight / 100]));

function heading(subject) {
  document.title = `${subject} – Lookalike`;
  byId("results-title").textContent = "Products that look like it";
}

const announce = (text) => (byId("announcer").textContent = text);

function trouble(problem) {
  const again = h("button", { type: "button", className: "button" }, "Try again");
  again.addEventListener("click", () => render());
  const title = problem instanceof api.Problem ? problem.title : "Something broke on this page";
  shelf.replaceChildren(notice(title, problem.message, again));
  byId("meta").replaceChildren();
  announce("");
}

/** A picture is shown once it was understood: what is on the screen is not lost to a wrong file. */
async function searchBy(file) {
  complain(null);
  busy(true);
  try {
    await api.search({ file }, { ...starting({}), limit: 1, cursor: null, blend: weights() });
    const next = starting({ picture: remember(file), backend: state.backend, blend: state.blend });
    write(next);
    await arrive(next);
  } catch (problem) {
    const another = [415, 422].includes(problem.status) ? " Choose a JPEG, PNG or WebP picture." : "";
    complain(problem.message + another);
  } finally {
    busy(false);
  }
}

/** Links stay within the page, unless somebody wants them in another tab. */
function follow(event) {
  const link = event.target.closest("a[href]");
  if (link?.classList.contains("skip")) {
    event.preventDefault(); // a fragment would be another history entry, which knows no picture
    byId("results-title").focus();
    return;
  }
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !plain || !(link.closest(".card") || "home" in link.dataset)) return;
  event.preventDefault();
  history.pushState({}, "", link.href);
  arrive(read());
}

async function start() {
  takePictures(searchBy);
  controls.controls(change);
  document.addEventListener("click", follow);
  byId("more").addEventListener("click", () => more?.().catch(trouble));
  addEventListener("popstate", () => {
    state = read();
    render();
  });
  byId("refine").open = matchMedia("(min-width: 861px)").matches;
  const offers = Promise.all([api.backends(), api.categories()]).then(([backends, categories]) => {
    controls.offer(backends, categories);
    if (!isWall(state)) controls.show(state);
  });
  await Promise.allSettled([render(), offers]);
}

start();
