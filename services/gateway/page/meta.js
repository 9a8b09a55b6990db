/** How an answer was found, in small print. */

import { h } from "./dom.js";

export function footnote(meta, state) {
  const times = meta.timings_ms;
  const phases = ["decode", "embed", "search", "hydrate"].filter((phase) => times[phase] >= 0.05);
  const parts = [
    `${meta.backend}: ${meta.plan}`,
    `${meta.rows_seen.toLocaleString()} rows looked at`,
    `${times.total.toFixed(1)} ms (${phases.map((phase) => `${phase} ${times[phase].toFixed(1)}`).join(", ")})`,
    `index as of ${new Date(meta.as_of).toLocaleTimeString()}`,
  ];
  const lines = [h("span", {}, parts.join(" · "))];
  if (meta.partial) {
    const failed = meta.shards.failed.length;
    const all = meta.shards.ok + failed;
    lines.push(h("span", { className: "partial" }, `${failed} of ${all} shards did not answer; the rest did.`));
  }
  if (state.product && !state.crop) lines.push(h("code", {}, `GET /v1/products/${state.product}/similar`));
  return lines;
}
