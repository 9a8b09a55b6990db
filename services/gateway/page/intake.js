/** Every way a picture comes in: chosen, photographed, dropped anywhere, pasted. */

import { byId } from "./dom.js";

export function takePictures(onPicture) {
  for (const input of [byId("file"), byId("camera")]) {
    input.addEventListener("change", () => {
      if (input.files.length) onPicture(input.files[0]);
      input.value = ""; // so that choosing the same file again is a change
    });
  }
  addEventListener("paste", (event) => {
    const [file] = event.clipboardData?.files ?? [];
    if (file) onPicture(file);
  });
  takeDrops(onPicture);
}

export function busy(is) {
  byId("drop").classList.toggle("busy", is);
  byId("drop").setAttribute("aria-busy", String(is));
}

export function complain(text) {
  byId("complaint").textContent = text ?? "";
  byId("complaint").hidden = !text;
}

function takeDrops(onPicture) {
  const veil = byId("veil");
  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0; // enter and leave come for every element that is passed over
  const show = (change) => {
    depth = Math.max(0, depth + change);
    veil.classList.toggle("shown", depth > 0);
  };
  addEventListener("dragenter", (event) => carriesFile(event) && show(1));
  addEventListener("dragleave", (event) => carriesFile(event) && show(-1));
  addEventListener("dragover", (event) => carriesFile(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    show(-depth);
    if (event.dataTransfer.files.length) onPicture(event.dataTransfer.files[0]);
  });
}
