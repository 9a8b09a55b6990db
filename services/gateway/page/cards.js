/** Products as they stand on the shelf. */

import { bar, h, money, percent } from "./dom.js";
import { address, starting } from "./state.js";

const SPACE_WORDS = { content: "Shape", style: "Style", colour: "Colour" };

/** Shops may send no titles: then the category and the id have to do. */
export function nameOf(product) {
  return product.title || [product.category?.at(-1), product.product_id].filter(Boolean).join(" · ");
}

/** A card leads to its product; `note` is a short remark on the picture. */
export function card(product, { state = starting({}), note = null, lazy = true } = {}) {
  const next = { ...state, product: product.product_id, picture: null, crop: null };
  return h(
    "li",
    { className: "card" },
    h(
      "a",
      { href: address(next) },
      h("span", { className: "shot" }, photo(product, lazy), note && h("span", { className: "note" }, note), spaces(product.spaces)),
      likeness(product.similarity),
      h("span", { className: "words" }, h("span", { className: "title" }, nameOf(product)), subtitle(product), priceLine(product)),
    ),
  );
}

export function skeletons(count) {
  const blank = () =>
    h("li", { className: "card skeleton" }, h("span", { className: "shot" }), h("span", { className: "line" }), h("span", { className: "line short" }));
  return h("ul", { className: "grid", "aria-hidden": "true" }, Array.from({ length: count }, blank));
}

export function notice(title, text, ...actions) {
  return h("div", { className: "notice" }, h("p", { className: "notice-title" }, title), h("p", {}, text), h("p", {}, ...actions));
}

export function photo(product, lazy = true) {
  const image = h("img", { alt: "", width: 256, height: 256, decoding: "async", loading: lazy ? "lazy" : "eager" });
  image.addEventListener("error", () => image.classList.add("missing"), { once: true });
  if (product.thumbnail_url) image.src = product.thumbnail_url;
  else image.classList.add("missing");
  return image;
}

function subtitle({ title, brand, category }) {
  const words = brand || (title && category?.at(-1)) || category?.at(-2);
  return words ? h("span", { className: "brand-name soft" }, words) : null;
}

function priceLine({ price, currency, in_stock: inStock }) {
  const parts = [];
  if (price !== null && price !== undefined) parts.push(h("span", { className: "price" }, money(price, currency)));
  if (inStock === true) parts.push(h("span", { className: "stock in" }, "In stock"));
  if (inStock === false) parts.push(h("span", { className: "stock out" }, "Sold out"));
  return parts.length ? h("span", { className: "price-line" }, ...parts) : null;
}

function likeness(similarity) {
  if (similarity === undefined) return null;
  return h(
    "span",
    { className: "likeness" },
    bar(similarity),
    h("span", { className: "percent" }, percent(similarity), h("span", { className: "unseen" }, " alike")),
  );
}

function spaces(found) {
  const known = Object.entries(SPACE_WORDS).filter(([space]) => found?.[space] !== undefined);
  if (!known.length) return null;
  const rows = known.map(([space, word]) =>
    h("span", { className: "space" }, h("span", {}, word), bar(found[space]), h("span", { className: "percent" }, percent(found[space]))),
  );
  return h("span", { className: "spaces" }, ...rows);
}
