// A signature drawn by finger, pen or mouse on [data-sign]; sent as PNG in the field "signature" when the form is sent.
// Without this script the form stays hidden and the page says where to sign instead.
"use strict";
(() => {
  const form = document.querySelector("[data-sign]");
  const pad = form && form.querySelector("canvas");
  const pen = pad && pad.getContext && pad.getContext("2d");
  if (!pen) return;
  const told = form.querySelector("[data-unsigned]");
  let length = 0, last = null;
  form.hidden = false;

  function clear() {
    pen.fillStyle = "white";
    pen.fillRect(0, 0, pad.width, pad.height);
    Object.assign(pen, { strokeStyle: "black", lineWidth: 5, lineCap: "round", lineJoin: "round" });
    length = 0;
    last = null;
  }

  function place(event) {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) * pad.width / box.width, (event.clientY - box.top) * pad.height / box.height];
  }

  function draw(event) {
    if (!last) return;
    event.preventDefault();
    const here = place(event);
    pen.beginPath();
    pen.moveTo(...last);
    pen.lineTo(...here);
    pen.stroke();
    length += Math.hypot(here[0] - last[0], here[1] - last[1]);
    last = here;
  }

  pad.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    last = place(event);
    told.hidden = true;
  });
  pad.addEventListener("pointermove", draw);
  // a stroke that ends fast is no fling: the browser would take the next tap for one that stops it
  for (const kind of ["touchstart", "touchmove", "touchend"]) {
    pad.addEventListener(kind, (event) => event.preventDefault(), { passive: false });
  }
  for (const ending of ["pointerup", "pointercancel"]) pad.addEventListener(ending, () => { last = null; });
  form.querySelector("[data-clear]").addEventListener("click", clear);
  form.addEventListener("submit", (event) => {
    if (length < 40) {
      event.preventDefault();
      told.hidden = false;
      return;
    }
    form.elements.signature.value = pad.toDataURL("image/png");
  });
  clear();
})();
