"use strict";
/* What the explorables of the chapters share. A chapter's page holds an element try-NAME and
   loads this file, then NAME.data.js, which a cell of the chapter has written, then NAME.js.
   Without scripts the page keeps what it has: the chapter's own figure, above. */

const explorable = {
  data: {}, // NAME -> the chapter's numbers

  // Call build(box, numbers) for the chapter's element
  start(name, build) {
    const box = document.getElementById(`try-${name}`);
    box.replaceChildren();
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Try it");
    build(box, explorable.data[name]);
  },

  // An element; what is text stays text
  make(tag, properties = {}, ...children) {
    const e = Object.assign(document.createElement(tag), properties);
    e.append(...children);
    return e;
  },

  // A box for other elements
  row(box, className) {
    const e = explorable.make("div", { className });
    box.append(e);
    return e;
  },

  // A slider with its name and its value in words: show(number)
  slider(box, name, { min, max, step = 1, value, show = String }, oninput) {
    const { make } = explorable;
    const said = make("span"); // no <output>: the label would be its own
    const input = make("input", { type: "range", min, max, step, value });
    const say = () => {
      said.textContent = show(Number(input.value));
      input.setAttribute("aria-valuetext", said.textContent);
    };
    input.addEventListener("input", () => {
      say();
      oninput();
    });
    const set = (v) => {
      input.value = v;
      say();
    };
    box.append(make("label", { className: "slider" }, make("span", {}, name, " ", said), input));
    say();
    return { get: () => Number(input.value), set, input };
  },

  // One of several: radio buttons that look like one control, counted from 0
  choice(box, name, labels, onchange) {
    const { make } = explorable;
    const group = `${box.closest("[id]").id} ${name}`;
    const input = (_, i) => make("input", { type: "radio", name: group, checked: i === 0, onchange });
    const inputs = labels.map(input);
    const row = make("div", { className: "choice" });
    row.append(...inputs.map((e, i) => make("label", {}, e, make("span", {}, labels[i]))));
    box.append(make("fieldset", {}, make("legend", {}, name), row));
    const set = (i) => {
      inputs[i].checked = true;
    };
    return { get: () => inputs.findIndex((e) => e.checked), set, inputs };
  },

  button(box, text, onclick) {
    const button = explorable.make("button", { type: "button", onclick }, text);
    box.append(button);
    return button;
  },

  // Words that a screen reader says when they change
  words(box) {
    const p = explorable.make("p", { className: "words" });
    p.setAttribute("aria-live", "polite");
    box.append(p);
    return p;
  },

  // A part of a drawing
  shape(tag, attributes = {}, ...children) {
    const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
    e.append(...children);
    return e;
  },

  // A line through points [x, y]
  line(points, className) {
    const ends = points.map((p) => p.map((v) => v.toFixed(2)).join(" "));
    return explorable.shape("path", { class: className, d: `M${ends.join("L")}` });
  },

  text: (x, y, what, attributes) => explorable.shape("text", { x, y, ...attributes }, String(what)),

  // A drawing as wide as its box: draw(width) gives [height, shapes], anew for each width
  drawing(box, attributes, draw) {
    const svg = explorable.shape("svg", { tabindex: 0, ...attributes });
    box.append(svg);
    let width = 0;
    const redraw = () => {
      if (!width) return;
      const [height, shapes] = draw(width);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.replaceChildren(...shapes);
    };
    const measure = () => {
      const changed = svg.clientWidth !== width;
      width = svg.clientWidth;
      if (changed) redraw();
    };
    new ResizeObserver(measure).observe(svg);
    return { svg, redraw };
  },

  // The bytes behind a text in base64, and an image of n pixels a side as an address
  bytes: (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)),
  address(pixels, n) {
    const canvas = explorable.make("canvas", { width: n, height: n });
    const context = canvas.getContext("2d");
    const image = context.createImageData(n, n);
    for (let i = 0; i < n * n; i++) image.data.set([...pixels.subarray(3 * i, 3 * i + 3), 255], 4 * i);
    context.putImageData(image, 0, 0);
    return canvas.toDataURL();
  },

  // Mouse, pen or finger on an element: at(x, y, event) in its pixels, also while it is dragged.
  // A finger drags handles alone: elsewhere it scrolls the page.
  pointer(element, at) {
    const tell = (e) => {
      const { left, top } = element.getBoundingClientRect();
      at(e.clientX - left, e.clientY - top, e);
    };
    element.addEventListener("pointerdown", (e) => {
      const scrolls = e.pointerType === "touch" && !e.target.matches(".handle");
      if (!scrolls) element.setPointerCapture(e.pointerId);
      element.focus({ preventScroll: true });
      tell(e);
    });
    const holds = (e) => e.target.matches(".handle") && e.preventDefault(); // no scrolling
    element.addEventListener("touchstart", holds, { passive: false });
    element.addEventListener("pointermove", (e) => {
      if (element.hasPointerCapture(e.pointerId)) tell(e);
    });
  },

  // The arrow keys on an element: move(right, down), each -1, 0 or 1
  arrows(element, move) {
    const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    element.addEventListener("keydown", (e) => {
      if (!keys[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      move(...keys[e.key]);
    });
  },

  // The value of a drawing that works like a slider, for screen readers
  tell(svg, value, words) {
    svg.setAttribute("aria-valuenow", value);
    svg.setAttribute("aria-valuetext", words);
  },

  // A square on a drawing that is dragged, or moved by the arrow keys: corner is its [row, column],
  // each in 0..most, in units of which the drawing is so many wide
  movable(svg, corner, most, units, onmove) {
    const { pointer, arrows, clamp } = explorable;
    let from = null;
    const put = (y, x) => {
      corner.splice(0, 2, ...[y, x].map((v) => clamp(Math.round(v), 0, most)));
      onmove();
    };
    pointer(svg, (px, py, e) => {
      const unit = svg.clientWidth / units;
      if (e.type === "pointerdown") from = [corner[0] - py / unit, corner[1] - px / unit];
      else put(from[0] + py / unit, from[1] + px / unit);
    });
    arrows(svg, (right, down) => put(corner[0] + down, corner[1] + right));
  },

  clamp: (v, low, high) => Math.min(Math.max(v, low), high),

  // -1.5 becomes −1.50, and 1.5 becomes +1.50 where a plus is asked for
  signed(v, digits = 2, plus = "+") {
    const text = Math.abs(v).toFixed(digits);
    if (Number(text) === 0) return text;
    return (v < 0 ? "−" : plus) + text;
  },
};
