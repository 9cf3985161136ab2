"use strict";
/* What the pages share: elements, numbers in words, and a signed map on a canvas. */

const $ = (id) => document.getElementById(id);

// An element; names of classes and layers only ever become text
function make(tag, properties = {}, ...children) {
  const e = Object.assign(document.createElement(tag), properties);
  e.append(...children);
  return e;
}

const percent = (p) =>
  p < 0.001 ? "< 0.1%" : p > 0.999 ? "> 99.9%" : `${(100 * p).toFixed(1)}%`;
const signed = (v, digits = 3) =>
  Math.abs(v) < 1e-6 ? "0" : (v < 0 ? "−" : "+") + Number(Math.abs(v).toPrecision(digits));

// Bilinear: a pixel's centre lies between the centres of two rows and of two columns
function upsample(map, h, w, H, W) {
  const between = (i, n, N) => {
    const at = Math.max(0, ((i + 0.5) * n) / N - 0.5), low = Math.floor(at);
    return [low, Math.min(low + 1, n - 1), at - low];
  };
  const out = new Float64Array(H * W);
  for (let y = 0; y < H; y++) {
    const [y0, y1, fy] = between(y, h, H);
    for (let x = 0; x < W; x++) {
      const [x0, x1, fx] = between(x, w, W);
      const top = map[y0 * w + x0] * (1 - fx) + map[y0 * w + x1] * fx;
      const bottom = map[y1 * w + x0] * (1 - fx) + map[y1 * w + x1] * fx;
      out[y * W + x] = top * (1 - fy) + bottom * fy;
    }
  }
  return out;
}

// The sign is the colour, the size is how much of it covers what lies below
function paint(canvas, values, w, h, top) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim().split(" ").map(Number);
  const up = colour("--for"), down = colour("--against");
  Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d"), pixels = context.createImageData(w, h);
  values.forEach((v, i) => {
    const cover = Math.round(255 * Math.min(1, Math.abs(v) / top));
    pixels.data.set([...(v < 0 ? down : up), cover], 4 * i);
  });
  context.putImageData(pixels, 0, 0);
}

// Under a strong map the image turns grey and pale, or its colours would mix with the map's
function cover(image, opacity) {
  document.documentElement.style.setProperty("--opacity", opacity / 100);
  const grey = Math.min(1, opacity / 50);
  image.style.filter = `grayscale(${grey}) contrast(${1 - 0.35 * grey})`;
}

// A row of radio buttons that looks like one control
function choices(box, name, labels, onchange) {
  for (const [i, [text, small]] of labels.entries())
    box.append(make("label", {},
      make("input", { type: "radio", name, onchange: () => onchange(i) }),
      text, ...(small ? [make("small", {}, small)] : [])));
}

// A bar for each class, which is a button that picks the class
function bars(list, classes, pick) {
  for (const [k, c] of classes.entries())
    list.append(make("li", {}, make("button", { type: "button", onclick: () => pick(k) },
      make("i"), make("span", { className: "class" }, c), make("span", { className: "p" }))));
}

// Probabilities into the bars; `a` is the class that is explained, `b` the one taken off
function fillBars(list, probs, a, b) {
  for (const [k, button] of [...list.querySelectorAll("button")].entries()) {
    button.querySelector("i").style.width = `${100 * probs[k]}%`;
    button.querySelector(".p").textContent = percent(probs[k]);
    button.setAttribute("aria-pressed", k === a);
    if (k === a) button.dataset.role = "for";
    else if (k === b) button.dataset.role = "less";
    else delete button.dataset.role;
  }
}

// What the two colours mean, for class a, or for class a rather than b
function describe(a, b) {
  $("for").textContent = b === undefined ? `For ${a}.` : `For ${a} rather than ${b}.`;
  $("against").textContent = b === undefined ? `Against ${a}.` : `For ${b} rather than ${a}.`;
}

// A class less itself is nothing: where the list offers the class that is explained, the
// entry is switched off, and a choice that has become that class takes nothing off
function notItself(list, classOf, a) {
  for (const option of list.options)
    option.disabled = option.value !== "" && classOf(option.value) === a && !option.selected;
}
const itself = (a) => `Nothing is taken off: both choices are ${a}.`;
