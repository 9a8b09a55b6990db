/** One query on several backends, in columns: who finds what, and how quickly. */

import { card, notice, skeletons } from "./cards.js";
import { h } from "./dom.js";

export const COLUMN = 12;

/** Asks one after the other, so that no backend's time is spent waiting for another.
 * `ask` takes a backend and how many hits to ask for. */
export async function compare(names, ask, shelf, state) {
  const columns = names.map((name) => h("section", { className: "column", "aria-label": name }, head(name, "asking …"), skeletons(4)));
  shelf.replaceChildren(h("div", { className: "columns" }, ...columns));
  // what is read for the first time is read for all: the first of them is not to pay for it alone
  await ask(names[0], 1).catch(() => null);
  const answers = [];
  for (const [i, name] of names.entries()) {
    const answer = await ask(name, COLUMN).catch((error) => {
      if (error.name === "AbortError") throw error;
      return { error };
    });
    answers.push(answer);
    columns[i].replaceChildren(...filled(name, answer, answers, state));
  }
  marked(columns);
  return answers;
}

function filled(name, answer, answers, state) {
  if (answer.error) return [head(name, ""), notice("No answer", answer.error.message)];
  const first = answers.find((other) => !other.error);
  const milliseconds = `${answer.meta.timings_ms.search.toFixed(1)} ms`;
  const said = answer === first ? `${answer.hits.length} found` : overlap(first, answer);
  const elsewhere = answers.filter((other) => other !== answer && !other.error);
  const cards = answer.hits.map((hit) => {
    const alone = elsewhere.length > 0 && !elsewhere.some((other) => holds(other, hit));
    const shown = card(hit, { state, note: alone ? "only here" : null });
    shown.dataset.product = hit.product_id;
    return shown;
  });
  return [head(name, milliseconds, said), h("ol", { className: "grid" }, ...cards)];
}

function head(name, time, said = "") {
  return h("header", { className: "column-head" }, h("h3", {}, name), h("span", { className: "time" }, time), h("p", { className: "soft" }, said));
}

function overlap(first, answer) {
  const shared = answer.hits.filter((hit) => holds(first, hit)).length;
  return `${shared} of ${answer.hits.length} as in ${first.meta.backend}`;
}

const holds = (answer, { product_id: id }) => answer.hits.some((hit) => hit.product_id === id);

/** The same product lights up in every column. */
function marked(columns) {
  const cards = columns.flatMap((column) => [...column.querySelectorAll("[data-product]")]);
  const light = (event) => {
    const under = event.target.closest("[data-product]")?.dataset.product;
    for (const shown of cards) shown.classList.toggle("same", shown.dataset.product === under);
  };
  for (const column of columns) {
    column.addEventListener("pointerover", light);
    column.addEventListener("focusin", light);
    column.addEventListener("pointerleave", light);
  }
}
