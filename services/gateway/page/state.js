/** What the page shows, as the address says it: so links, reload and Back work. */

export const SPACES = ["content", "style", "colour"];
export const EVEN = { content: 80, style: 10, colour: 10 };

/** Pictures of this visit; an address cannot hold one, so history entries name them. */
const pictures = new Map();

export function remember(file) {
  const id = crypto.randomUUID();
  pictures.set(id, file);
  return id;
}

export function read() {
  const said = new URLSearchParams(location.search);
  const kept = pictures.has(history.state?.picture) ? history.state.picture : null;
  return {
    product: kept ? null : said.get("product"),
    picture: kept,
    crop: crop(said.get("crop")),
    backend: said.get("backend") ?? "auto",
    compare: said.getAll("compare"),
    blend: blend(said.get("blend")),
    category: said.getAll("category"),
    minPrice: number(said.get("min_price")),
    maxPrice: number(said.get("max_price")),
    inStock: said.get("in_stock") === "true",
  };
}

/** The state of an address that says nothing but what to look for. */
export const starting = (subject) => ({
  product: null,
  picture: null,
  crop: null,
  backend: "auto",
  compare: [],
  blend: { ...EVEN },
  category: [],
  minPrice: null,
  maxPrice: null,
  inStock: false,
  ...subject,
});

export const isWall = (state) => !state.product && !state.picture;
export const fileOf = (state) => pictures.get(state.picture) ?? null;

export function write(state, { replace = false } = {}) {
  const action = replace ? "replaceState" : "pushState";
  history[action]({ picture: state.picture }, "", address(state));
}

export function address(state) {
  const said = new URLSearchParams();
  if (state.product) said.set("product", state.product);
  if (state.crop) said.set("crop", state.crop.map((side) => +side.toFixed(4)).join(","));
  if (state.backend !== "auto") said.set("backend", state.backend);
  for (const name of state.compare) said.append("compare", name);
  if (!sameBlend(state.blend, EVEN)) said.set("blend", SPACES.map((s) => state.blend[s]).join(","));
  for (const name of state.category) said.append("category", name);
  if (state.minPrice !== null) said.set("min_price", state.minPrice);
  if (state.maxPrice !== null) said.set("max_price", state.maxPrice);
  if (state.inStock) said.set("in_stock", "true");
  const spelled = said.toString();
  return spelled ? `/?${spelled}` : "/";
}

export const sameBlend = (one, other) => SPACES.every((space) => one[space] === other[space]);

function blend(text) {
  const numbers = (text ?? "").split(",").map(Number);
  if (numbers.length !== SPACES.length || !numbers.every((n) => n >= 0 && n <= 100)) return { ...EVEN };
  return text ? Object.fromEntries(SPACES.map((space, i) => [space, numbers[i]])) : { ...EVEN };
}

function crop(text) {
  const sides = (text ?? "").split(",").map(Number);
  return text && sides.length === 4 && sides.every((side) => side >= 0 && side <= 1) ? sides : null;
}

function number(text) {
  const value = Number(text);
  return text && Number.isFinite(value) ? value : null;
}
