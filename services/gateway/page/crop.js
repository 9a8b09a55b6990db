/** The part of the query picture to search by: dragged, or moved with the keys. */

import { byId } from "./dom.js";

const LEAST = 0.08;
const STEP = 0.04;
const MIDDLE = [0.25, 0.25, 0.5, 0.5];

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

/** Calls `onCrop` with [x, y, width, height] in fractions, or null, once a gesture is over. */
export function cropping(onCrop) {
  const frame = byId("frame");
  const box = byId("crop");
  let current = null;
  let gesture = null;

  function show(crop) {
    current = crop;
    box.hidden = !crop;
    byId("crop-clear").hidden = !crop;
    byId("crop-start").hidden = Boolean(crop);
    byId("crop-hint").hidden = Boolean(crop);
    frame.classList.toggle("cropping", Boolean(crop));
    ["--x", "--y", "--width", "--height"].forEach((name, i) => box.style.setProperty(name, crop?.[i] ?? 0));
  }

  function place(event) {
    const { left, top, width, height } = byId("stage").getBoundingClientRect();
    return [clamp((event.clientX - left) / width, 0, 1), clamp((event.clientY - top) / height, 0, 1)];
  }

  frame.addEventListener("pointerdown", (event) => {
    // a finger on the picture scrolls the page until somebody asks for a part
    if (event.button !== 0 || (event.pointerType !== "mouse" && !current)) return;
    event.preventDefault();
    frame.setPointerCapture(event.pointerId);
    gesture = { from: place(event), before: current, moves: event.target === box };
  });
  frame.addEventListener("pointermove", (event) => {
    if (gesture) show(gesture.moves ? moved(gesture, place(event)) : drawn(gesture.from, place(event)));
  });
  frame.addEventListener("pointerup", () => {
    if (!gesture) return;
    const { before } = gesture;
    gesture = null;
    const tiny = current && (current[2] < LEAST || current[3] < LEAST);
    if (tiny) show(null);
    if (String(before) !== String(current)) onCrop(current);
  });
  frame.addEventListener("pointercancel", () => {
    if (gesture) show(gesture.before);
    gesture = null;
  });

  box.addEventListener("keydown", (event) => {
    const next = byKey(event, current);
    if (next === undefined) return;
    event.preventDefault();
    show(next);
    if (!next) byId("crop-start").focus();
    onCrop(next);
  });
  byId("crop-start").addEventListener("click", () => {
    show([...MIDDLE]);
    box.focus();
    onCrop(current);
  });
  byId("crop-clear").addEventListener("click", () => {
    show(null);
    byId("crop-start").focus();
    onCrop(null);
  });
  return show;
}

function drawn([fromX, fromY], [x, y]) {
  return [Math.min(fromX, x), Math.min(fromY, y), Math.abs(x - fromX), Math.abs(y - fromY)];
}

function moved({ from, before }, [x, y]) {
  const [left, top, width, height] = before;
  return [clamp(left + x - from[0], 0, 1 - width), clamp(top + y - from[1], 0, 1 - height), width, height];
}

/** The crop after a key; null takes it away, undefined means the key is not ours. */
function byKey({ key, shiftKey }, [x, y, width, height]) {
  if (key === "Escape") return null;
  const steps = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
  if (!(key in steps)) return undefined;
  const [dx, dy] = steps[key];
  if (shiftKey) return [x, y, clamp(width + dx, LEAST, 1 - x), clamp(height + dy, LEAST, 1 - y)];
  return [clamp(x + dx, 0, 1 - width), clamp(y + dy, 0, 1 - height), width, height];
}
