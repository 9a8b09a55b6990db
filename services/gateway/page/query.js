/** The picture that is searched by, which stays in sight. */

import { nameOf } from "./cards.js";
import { byId, h, money } from "./dom.js";

/** A product's picture; small originals come as they are. */
export function showProduct(product) {
  const image = h("img", { alt: `The picture of ${nameOf(product)}`, draggable: false, src: product.thumbnail_url ?? "" });
  image.addEventListener("load", () => shape(image.naturalWidth, image.naturalHeight));
  byId("picture").replaceChildren(image);
  describe(nameOf(product), [product.brand, money(product.price, product.currency)].filter(Boolean).join(" · "));
  byId("crop-start").disabled = !product.image;
}

/** Drawn on a canvas: no address is needed that the page's policy would have to allow. */
export async function showFile(file) {
  const canvas = h("canvas", { role: "img", "aria-label": "Your picture" });
  byId("picture").replaceChildren(canvas);
  describe("Your picture", file.name ?? "");
  byId("crop-start").disabled = false;
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return;
  const scale = Math.min(1, 800 / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  shape(canvas.width, canvas.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
}

/** The stage is exactly as large as the picture, so that a part of one is a part of the other. */
function shape(width, height) {
  byId("stage").style.setProperty("--ratio", width / height);
}

function describe(title, note) {
  byId("query-title").textContent = title;
  byId("query-note").textContent = note;
}
