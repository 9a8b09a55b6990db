/** An element with properties and children; names with a dash and `role` become attributes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** A bar's length goes through the CSSOM: the page's policy forbids style attributes. */
export function bar(share, className = "bar") {
  const fill = h("span", { className: "fill" });
  fill.style.setProperty("--share", Math.max(0, Math.min(1, share)).toFixed(3));
  return h("span", { className, "aria-hidden": "true" }, fill);
}

export const percent = (share) => `${Math.round(Math.max(0, share) * 100)}%`;

export function money(price, currency) {
  if (price === null || price === undefined) return "";
  if (!currency) return price.toFixed(2);
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(price);
  } catch {
    return `${price.toFixed(2)} ${currency}`; // a currency that the browser does not know
  }
}

export function debounced(action, milliseconds) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), milliseconds);
  };
}
