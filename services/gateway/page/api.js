/** The gateway's API as this page uses it, with the publishable key that came with the page. */

const KEY = document.querySelector('meta[name="search-key"]').content;

/** What went wrong, in the server's words (RFC 9457). */
export class Problem extends Error {
  constructor({ title, detail, status, code }) {
    super(detail || title);
    this.title = title;
    this.status = status;
    this.code = code;
  }
}

export async function search(query, options, signal) {
  const spelled = parameters(query, options);
  if (spelled && query.file) {
    const headers = { "Content-Type": query.file.type || "application/octet-stream" };
    const sent = { method: "POST", body: query.file, headers, signal };
    return call(`/v1/search/image?${spelled}`, sent);
  }
  if (spelled && !query.crop) {
    return call(`/v1/products/${encodeURIComponent(query.product)}/similar?${spelled}`, { signal });
  }
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify(await searchBody(query, options));
  const answer = await call("/v1/search", { method: "POST", body, headers, signal });
  // a part of a product's picture looks most like that product, which is no news
  const hits = answer.hits.filter((hit) => hit.product_id !== query.product);
  return { ...answer, hits };
}

/** One page of the shop's products. */
export function products(limit, cursor) {
  const query = new URLSearchParams({ limit });
  if (cursor) query.set("cursor", cursor);
  return call(`/v1/products?${query}`);
}

export async function product(id) {
  const { products: found } = await call(`/v1/products?${new URLSearchParams({ id })}`);
  if (found.length) return found[0];
  throw new Problem({ title: "There is no such thing", detail: `There is no product “${id}” here.`, status: 404 });
}

export const backends = async () => (await call("/v1/backends")).backends;
export const categories = async () => (await call("/v1/categories")).categories;

async function call(path, { headers = {}, ...sent } = {}) {
  let response;
  try {
    response = await fetch(path, { ...sent, headers: { ...headers, Authorization: `Bearer ${KEY}` } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "No answer", detail: "The shop cannot be reached. Is it still running?" });
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  throw new Problem({ title: `The shop answered ${response.status}.`, ...body });
}

/** Options as a query string; null where only a body can say them. */
function parameters(query, options) {
  if (options.category.some((name) => name.includes("/"))) return null;
  const spelled = new URLSearchParams({ ...options.blend, backend: options.backend, limit: options.limit });
  const given = {
    category: options.category.join("/"),
    min_price: options.minPrice,
    max_price: options.maxPrice,
    in_stock: options.inStock ? "true" : null,
    cursor: options.cursor,
    crop: query.file && query.crop ? query.crop.join(",") : null,
  };
  for (const [name, value] of Object.entries(given)) {
    if (value !== null && value !== undefined && value !== "") spelled.set(name, value);
  }
  return spelled;
}

async function searchBody(query, options) {
  const { blend, backend, limit, cursor } = options;
  const filter = conditions(options);
  return { query: await part(query), blend, backend, limit, cursor, filter: filter.length ? { and: filter } : null };
}

async function part({ product: id, file, sha256, crop }) {
  if (!file && !crop) return { products: [{ id }] };
  const [x, y, width, height] = crop ?? [];
  const where = crop ? { x, y, width, height } : null;
  return { image: file ? { base64: await base64(file), crop: where } : { sha256, crop: where } };
}

function conditions({ category, minPrice, maxPrice, inStock }) {
  const parts = [];
  if (category.length) parts.push({ field: "category", under: category });
  if (inStock) parts.push({ field: "in_stock", eq: true });
  if (minPrice !== null) parts.push({ field: "price", gte: minPrice });
  if (maxPrice !== null) parts.push({ field: "price", lte: maxPrice });
  return parts;
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Problem({ title: "The picture cannot be read." }));
    reader.readAsDataURL(file);
  });
}
