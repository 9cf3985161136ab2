"use strict";
/* The page: an image goes to the network, numbers come back and are drawn. */

const content = JSON.parse($("data").textContent);
const { classes, images, size: [H, W] } = content;
const stages = ["layer1", "layer2", "layer3", "layer4"];
const tools = ["map", "hole", "cell"];
const state = {
  bytes: null, actual: null,   // the image, H·W·3 bytes, and its class if it is known
  logits: null, maps: {},   // what the network says of it
  tool: "map", x: 8, y: 8, changed: null,   // the marker, and the logits with its change
  stage: 3, target: "predicted", minus: "", opacity: 70,
  where: 0, step: 2, channel: 0,
};

/* ---- The network, in a worker; where none can be started, in the page itself ---- */

const waiting = new Map();
let send;

function startWorker() {
  const code = `${$("code").textContent}\nserve()`;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onmessage = ({ data: { id, answer, error } }) => {
    const [resolve, reject] = waiting.get(id);
    waiting.delete(id);
    if (error) reject(new Error(error));
    else resolve(answer);
  };
  worker.onerror = () => {   // what it was asked is asked again in the page
    startHere();
    for (const [resolve, , ask, about] of waiting.values()) send(ask, about).then(resolve);
    waiting.clear();
  };
  send = (ask, about) => new Promise((resolve, reject) => {
    const id = (send.count = (send.count ?? 0) + 1);
    waiting.set(id, [resolve, reject, ask, about]);
    worker.postMessage({ id, ask, about });
  });
  send("load", content);
}

function startHere() {
  let answers = null;
  send = async (ask, about) => {
    answers ??= answering(content);
    return ask === "load" ? null : answers[ask](about);
  };
}

// While an answer is on its way, only the newest of further wishes is kept
let working = 0;
function atWork(by) {
  working += by;
  document.querySelector("main").setAttribute("aria-busy", working > 0);
}
function newest(work) {
  let busy = false, again = false;
  return async () => {
    if (busy) { again = true; return; }
    busy = true;
    atWork(1);
    try {
      do { again = false; await work(); } while (again);
    } catch (error) {
      say(`The network could not answer (${error.message}). Load the page again.`);
    }
    busy = false;
    atWork(-1);
  };
}

/* ---- What is asked ---- */

const softmax = (logits) => {
  const top = Math.max(...logits), e = [...logits].map((v) => Math.exp(v - top));
  const sum = e.reduce((s, v) => s + v, 0);
  return e.map((v) => v / sum);
};
const energy = (logits) => {
  const top = Math.max(...logits);
  return top + Math.log(logits.reduce((s, v) => s + Math.exp(v - top), 0));
};
const predicted = () => state.logits.indexOf(Math.max(...state.logits));

// "predicted", "actual" or a number in a string: the class's number; "" is no class
function classOf(choice) {
  if (choice === "") return null;
  if (choice === "predicted") return predicted();
  return choice === "actual" ? state.actual ?? predicted() : Number(choice);
}

const target = () => classOf(state.target);
const minus = () => (classOf(state.minus) === target() ? null : classOf(state.minus));

function score() {   // what is explained: one logit, or one less another
  const a = target(), b = minus();
  return classes.map((_, k) => (k === a) - (k === b));
}
const scoreOf = (logits) => score().reduce((s, v, k) => s + v * logits[k], 0);

const see = newest(async () => {
  state.logits = await send("see", { bytes: state.bytes });
  await explain();
  await inside();
});

const explain = newest(async () => {
  state.maps = await send("maps", { score: score() });
  await change();
  show();
});

// What the marker changes: the hole in the image, or the cell of the last stage
const change = newest(async () => {
  const { tool } = state;
  let changed = null;
  if (tool === "hole") changed = await send("logits", { bytes: withHole() });
  const exact = state.stage === stages.length - 1;
  if (tool === "cell" && exact) changed = await send("without", { place: cell() });
  if (tool === state.tool) state.changed = changed;
  show();
});

const inside = newest(async () => {
  const triple = layers[state.where];
  const outputs = await Promise.all(triple.names.map((name) => send("output", { name })));
  state.channel = Math.min(state.channel, outputs[0].c - 1);
  const [conv, norm] = triple.names;
  const kernel = await send("weights", { conv, norm, channel: state.channel });
  showInside(triple, outputs, kernel);
});

/* ---- Hole and cell ---- */

const hole = 16;   // pixels a side, as CutOut has it
const map = () => state.maps[stages[state.stage]];
function markerBox() {   // x, y, width, height in pixels of the image
  if (state.tool === "hole") return [state.x, state.y, Math.min(hole, W), Math.min(hole, H)];
  const w = W / map().w, h = H / map().h;
  return [Math.floor(state.x / w) * w, Math.floor(state.y / h) * h, w, h];
}
function cell() {
  const { w, h } = map();
  return Math.floor((state.y * h) / H) * w + Math.floor((state.x * w) / W);
}

// The image with a hole of the mean colour
function withHole() {
  const bytes = state.bytes.slice(), [x0, y0, w, h] = markerBox();
  for (let y = y0; y < y0 + h; y++)
    for (let x = x0; x < x0 + w; x++)
      bytes.set(content.mean.map((v) => Math.round(255 * v)), 3 * (y * W + x));
  return bytes;
}

// What the map of a stage holds under the hole, cells at its edge in part
function promised({ data, h, w }) {
  const [x0, y0, width, height] = markerBox();
  const inside = (i, n, N, from, length) =>
    Math.max(0, Math.min(((i + 1) * N) / n, from + length) - Math.max((i * N) / n, from)) / (N / n);
  return data.reduce((s, v, i) =>
    s + v * inside(i % w, w, W, x0, width) * inside(Math.floor(i / w), h, H, y0, height), 0);
}

function moveTo(x, y) {
  const [, , w, h] = markerBox(), whole = state.tool === "hole";
  state.x = Math.max(0, Math.min(whole ? W - w : W - 1, x));
  state.y = Math.max(0, Math.min(whole ? H - h : H - 1, y));
  placeMarker();
  change();
}

/* ---- Images: bytes from wherever they come ---- */

function say(sentence) { $("message").textContent = sentence; }

function setImage(bytes, actual = null) {
  Object.assign(state, { bytes, actual });
  const radios = document.querySelectorAll("[name=image]");
  if (actual === null) radios.forEach((radio) => { radio.checked = false; });
  drawImage();
  return see();
}

function pixels(source, w, h, sx, sy, sw, sh) {   // RGBA; what is transparent lies on white
  const canvas = make("canvas", { width: w, height: h });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, w, h);
  Object.assign(context, { imageSmoothingEnabled: true, imageSmoothingQuality: "high" });
  context.drawImage(source, sx, sy, sw, sh, 0, 0, w, h);
  return context.getImageData(0, 0, w, h).data;
}

/* Lanczos, as Pillow shrinks an image: each new pixel is a weighted mean, and the weights
   are a sinc under a window of three lobes, as wide as the image is shrunk. */
function lanczos(n, N) {   // for N pixels from n: [first, weights] of each
  const scale = n / N, wide = Math.max(1, scale);
  const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  return Array.from({ length: N }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - 3 * wide + 0.5));
    const end = Math.min(n, Math.floor(centre + 3 * wide + 0.5));
    const weights = Array.from({ length: end - first }, (_, j) => {
      const x = (first + j - centre + 0.5) / wide;
      return Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
    });
    const sum = weights.reduce((s, v) => s + v, 0);
    return [first, weights.map((v) => v / sum)];
  });
}

// An n×m image of RGBA to H·W·3 bytes: first along the rows, then along the columns
function shrink(rgba, n, m) {
  const across = new Uint8ClampedArray(m * W * 3), out = new Uint8ClampedArray(H * W * 3);
  const mean = (weights, value) =>
    Math.round(weights.reduce((s, v, j) => s + v * value(j), 0));
  for (const [x, [first, weights]] of lanczos(n, W).entries())
    for (let y = 0; y < m; y++)
      for (let c = 0; c < 3; c++)
        across[3 * (y * W + x) + c] =
          mean(weights, (j) => rgba[4 * (y * n + first + j) + c]);
  for (const [y, [first, weights]] of lanczos(m, H).entries())
    for (let x = 0; x < W; x++)
      for (let c = 0; c < 3; c++)
        out[3 * (y * W + x) + c] =
          mean(weights, (j) => across[3 * ((first + j) * W + x) + c]);
  return Uint8Array.from(out);
}

// The centre square of whatever can be drawn; a large one is first halved by the browser
function centre(source, w, h) {
  if (w === W && h === H) return shrink(pixels(source, w, h, 0, 0, w, h), w, h);
  const side = Math.min(w, h), n = Math.min(side, 1024);
  return shrink(pixels(source, n, n, (w - side) / 2, (h - side) / 2, side, side), n, n);
}

async function open(file) {
  say("");
  atWork(1);
  await read(file);
  atWork(-1);
}

async function read(file) {
  const name = file.name.length > 40 ? `${file.name.slice(0, 40)}…` : file.name;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    say(`${name} can't be read as an image here. Choose a JPEG, a PNG or a WebP; ` +
      "a very large photograph is best made smaller first.");
    return;
  }
  try {
    await setImage(centre(bitmap, bitmap.width, bitmap.height));
  } catch {
    const megapixels = ((bitmap.width * bitmap.height) / 1e6).toFixed(0);
    say(`${name} has ${megapixels} megapixels, too many for this browser. ` +
      "Make it smaller first.");
  } finally {
    bitmap.close();
  }
}

let stream = null;
function stopCamera() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  $("shot").hidden = true;
  $("camera").setAttribute("aria-pressed", false);
}

async function startCamera() {
  say("");
  if (stream) return stopCamera();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    const refused = !navigator.mediaDevices || error.name === "NotAllowedError";
    say(refused
      ? "The browser does not let this page use the camera. Allow it in the address " +
        "bar, or open a photograph instead."
      : "No camera was found. Open a photograph instead.");
    return;
  }
  $("video").srcObject = stream;
  $("shot").hidden = false;
  $("camera").setAttribute("aria-pressed", true);
  await $("video").play();
}

async function shoot() {
  const video = $("video");
  if (!video.videoWidth) return;
  const bytes = centre(video, video.videoWidth, video.videoHeight);
  stopCamera();
  await setImage(bytes);
}

/* ---- Drawing ---- */

const colours = {
  black: "#111111", white: "#ffffff", grey: "#8a8a8a",
  red: "#c62828", orange: "#e08a2c", green: "#3f8f3a",
  blue: "#3d7edb", sky: "#a8cdf0", brown: "#7a4a24",
};
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const within = (v, low, high) => Math.max(low, Math.min(high, v));
const pen = { x: 128, y: 128, down: false, colour: colours.black };
const fromBoard = newest(() => {
  const drawn = $("board").getContext("2d").getImageData(0, 0, 256, 256);
  return setImage(shrink(drawn.data, 256, 256));
});

function stroke(x, y) {
  const context = $("board").getContext("2d");
  Object.assign(context, { strokeStyle: pen.colour, lineWidth: 20, lineCap: "round" });
  context.beginPath();
  context.moveTo(pen.x, pen.y);
  context.lineTo(x, y);
  context.stroke();
  Object.assign(pen, { x, y });
  fromBoard();
}

function clearBoard() {
  const context = $("board").getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, 256, 256);
  fromBoard();
}

function buildBoard() {
  for (const [name, colour] of Object.entries(colours)) {
    const radio = make("input", { type: "radio", name: "colour", ariaLabel: name });
    radio.checked = name === "black";
    radio.onchange = () => { pen.colour = colour; };
    const label = make("label", { title: name }, radio);
    label.style.background = colour;
    $("colours").append(label);
  }
  const board = $("board"), at = (e) => {
    const box = board.getBoundingClientRect();
    return [((e.clientX - box.left) / box.width) * 256, ((e.clientY - box.top) / box.height) * 256];
  };
  board.onpointerdown = (e) => {
    board.setPointerCapture(e.pointerId);
    [pen.x, pen.y] = at(e);
    stroke(pen.x, pen.y);
  };
  board.onpointermove = (e) => { if (e.buttons) stroke(...at(e)); };
  board.onkeydown = (e) => {
    const by = arrows[e.key];
    if (!by && e.key !== " ") return;
    e.preventDefault();
    if (!by) pen.down = !pen.down;
    const [right, down] = by ?? [0, 0];
    const x = within(pen.x + 8 * right, 0, 256), y = within(pen.y + 8 * down, 0, 256);
    if (pen.down) stroke(x, y);
    else Object.assign(pen, { x, y });
  };
}

function toggleBoard() {
  const open = $("drawing").hidden;
  $("drawing").hidden = !open;
  $("draw").setAttribute("aria-pressed", open);
  if (open) { say(""); clearBoard(); $("board").focus(); }
}

/* ---- From numbers to the page ---- */

function drawImage() {
  const canvas = $("image"), context = canvas.getContext("2d");
  const image = context.createImageData(W, H);
  for (let i = 0; i < H * W; i++)
    image.data.set([...state.bytes.slice(3 * i, 3 * i + 3), 255], 4 * i);
  context.putImageData(image, 0, 0);
}

function placeMarker() {
  const marker = $("marker");
  $("stage").dataset.tool = state.tool;
  marker.hidden = state.tool === "map" || !map();
  if (marker.hidden) return;
  const [x, y, w, h] = markerBox(), share = (v, n) => `${(100 * v) / n}%`;
  const place = { left: share(x, W), top: share(y, H) };
  const size = { width: share(w, W), height: share(h, H) };
  const colour = `rgb(${content.mean.map((v) => 255 * v)})`;
  const background = state.tool === "hole" ? colour : "none";
  Object.assign(marker.style, { ...place, ...size, background });
  marker.setAttribute("aria-label", state.tool === "hole"
    ? `Hole of ${w}×${h} pixels at column ${x}, row ${y}: arrow keys move it`
    : `Cell in column ${x / w + 1}, row ${y / h + 1} of the map: arrow keys move to another`);
}

const words = () => {
  const a = classes[target()], b = classes[minus()];
  return b === undefined ? a : `${a} less ${b}`;
};
const number = (v) => signed(v, 4);
const largest = (values) => values.reduce((m, v) => Math.max(m, Math.abs(v)), 0) || 1;

// What the marker changes in the score: from, to, and by how much
function changeInWords() {
  const from = scoreOf(state.logits), to = scoreOf(state.changed);
  return `from ${number(from)} to ${number(to)}: ${number(to - from)}`;
}

function mapInWords(name, what, last) {
  const sum = map().data.reduce((s, v) => s + v, 0);
  const bias = score().reduce((s, v, k) => s + v * content.bias[k], 0);
  const adds = `The ${what} is ${number(scoreOf(state.logits))}. ` +
    `The map of ${name} adds up to ${number(sum)}, `;
  if (last) return `${adds}and with the bias ${number(bias)} to that.`;
  return `${adds}which is not that: only the last stage's map is a sum.`;
}

function holeInWords(name, what) {
  const held = promised(map());
  return `Under the hole, the map of ${name} holds ${number(held)}. ` +
    `With the hole, the ${what} goes ${changeInWords()}. ` +
    `If a hole took away just what the map holds there, it would be ${number(-held)}.`;
}

function cellInWords(name, what, last) {
  const value = number(map().data[cell()]);
  if (!last) return `The map of ${name} has ${value} here. ` +
    `What it adds to the logit can only be said at ${stages.at(-1)}.`;
  if (!state.changed) return "…";
  return `This cell adds ${value} to the ${what}. With its activations set to zero, ` +
    `in all channels, that goes ${changeInWords()}.`;
}

function facts() {
  const name = stages[state.stage], last = state.stage === stages.length - 1;
  const what = minus() === null ? `logit of ${words()}` : `difference ${words()}`;
  if (state.tool === "cell") return cellInWords(name, what, last);
  if (state.tool === "map") return mapInWords(name, what, last);
  return state.changed ? holeInWords(name, what) : "…";
}

function drawSmallMaps() {   // of all stages, each on its own scale
  for (const [i, canvas] of [...document.querySelectorAll("#layers canvas")].entries()) {
    const { data, h, w } = state.maps[stages[i]];
    paint(canvas, data, w, h, largest(data));
  }
}

function drawMap() {
  const { data, h, w } = map();
  const top = largest(data);
  if (state.tool === "cell") paint($("map"), data, w, h, top);
  else paint($("map"), upsample(data, h, w, H, W), W, H, top);
  cover($("image"), state.opacity);
  $("map").setAttribute("aria-label", `Map of ${stages[state.stage]} for ${words()}`);
  $("low").textContent = signed(-top);
  $("high").textContent = signed(top);
  describe(classes[target()], classes[minus()]);
}

function drawBars() {
  const before = softmax(state.logits), probs = state.changed ? softmax(state.changed) : before;
  fillBars($("bars"), probs, target(), minus());
  for (const [k, e] of [...document.querySelectorAll("#bars .before")].entries())
    Object.assign(e, { hidden: !state.changed }).style.width = `${100 * before[k]}%`;
  const change = state.tool === "hole" ? "hole" : "cell at zero";
  $("probabilities").textContent = "Probability of each class" +
    (state.changed ? ` with the ${change}; the line marks it without` : "");
}

function show() {
  if (!map()) return;
  const k = predicted(), probs = softmax(state.logits);
  $("predicted").textContent = classes[k];
  $("sure").textContent = percent(probs[k]);
  $("truth").hidden = state.actual === null;
  $("actual").textContent = classes[state.actual] ?? "";
  const own = state.actual === null;
  const label = own ? "Your image" : `Image of the class ${classes[state.actual]}`;
  $("image").setAttribute("aria-label", label);
  $("always").textContent = `It knows these ${classes.length} classes alone and ` +
    "always answers with one of them, whatever the image shows. Its largest logit is " +
    `${number(state.logits[k])}; the logarithm of the sum of all exp(logit), often ` +
    `taken for a measure of how familiar an image is, is ${number(energy(state.logits))}.`;
  document.querySelectorAll("[name=tool]")[tools.indexOf(state.tool)].checked = true;
  document.querySelectorAll("[name=layer]")[state.stage].checked = true;
  for (const id of ["target", "minus", "opacity"]) $(id).value = state[id];
  notItself($("minus"), classOf, target());
  $("percent").textContent = `${state.opacity}%`;
  placeMarker();
  drawMap();
  drawSmallMaps();
  drawBars();
  const same = state.minus !== "" && minus() === null;
  $("facts").textContent = facts() + (same ? ` ${itself(words())}` : "");
}

/* ---- Look inside: convolution, norm, ReLU ---- */

function layerTriples() {
  const triples = [{ title: "stem", names: ["conv1", "norm1", "relu1"] }];
  for (const [block, , shortcut] of content.network.blocks) {
    const inBlock = (...parts) => parts.map((part) => `${block}.${part}`);
    const add = (title, names) => triples.push({ title: `${block}, ${title}`, names });
    add("first convolution", inBlock("conv1", "norm1", "relu1"));
    add("second convolution", [...inBlock("conv2", "norm2"), block]);
    if (shortcut) add("shortcut", [...inBlock("shortcut.0", "shortcut.1"), block]);
  }
  return triples;
}
const layers = layerTriples();
function stepNames({ names }) {
  const last = names[2].includes("relu") ? "ReLU" : "plus the other road, ReLU";
  return ["convolution", content.norm, last];
}

function spread(values) {
  const mean = values.reduce((s, v) => s + v, 0) / values.length;
  const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}
const inWords = (values) => {
  const { mean, deviation } = spread(values);
  return `mean ${signed(mean)}, standard deviation ${Number(deviation.toPrecision(3))}`;
};
const plane = ({ data, h, w }, c) => data.slice(c * h * w, (c + 1) * h * w);

const normed = {   // what the norm does, in words
  LayerNorm: "LayerNorm brings them to mean 0 and deviation 1, all channels together;",
  GroupNorm: "GroupNorm brings each group of channels to mean 0 and deviation 1;",
  BatchNorm: "BatchNorm uses a mean and a deviation per channel, kept from training;",
}[content.norm] + " then each channel is multiplied by a gain of its own and gets a bias.";

// A grid of all channels, which are radio buttons
function showChannels({ c, h, w, data }) {
  const box = document.querySelector(".channels"), top = largest(data);
  const focused = box.contains(document.activeElement);
  if (box.children.length !== c) box.replaceChildren(...Array.from({ length: c }, (_, k) => {
    const radio = make("input", { type: "radio", name: "channel", ariaLabel: `channel ${k}` });
    radio.onchange = () => set({ channel: k }, inside);
    return make("label", {}, radio, make("canvas"));
  }));
  for (const [k, label] of [...box.children].entries())
    paint(label.lastChild, plane({ data, h, w }, k), w, h, top);
  const radio = box.children[state.channel].firstChild;
  radio.checked = true;
  if (focused) radio.focus();
}

// One channel after each of the three steps
function showSteps(outputs, names) {
  document.querySelector(".three").replaceChildren(...outputs.map((x, i) => {
    const values = plane(x, state.channel), top = largest(values);
    const canvas = make("canvas", { role: "img", ariaLabel: `after ${names[i]}` });
    paint(canvas, values, x.w, x.h, top);
    const text = `${names[i]}: ${inWords(values)}, up to ${signed(top)}`;
    return make("div", {}, canvas, make("p", {}, text));
  }));
}

function showKernel(kernel) {
  $("kernel").textContent = `Its kernel: ${kernel.c} × ${kernel.h}×${kernel.w} weights, ` +
    "one square for each channel that it reads; orange adds, blue takes off.";
  const top = largest(kernel.data);
  $("kernels").replaceChildren(...Array.from({ length: kernel.c }, (_, k) => {
    const canvas = make("canvas", { role: "img", ariaLabel: `weights for channel ${k}` });
    paint(canvas, plane(kernel, k), kernel.w, kernel.h, top);
    return canvas;
  }));
}

function showInside(triple, outputs, { kernel, gain, bias }) {
  const { c, h, w } = outputs[state.step], names = stepNames(triple);
  document.querySelectorAll("[name=step]")[state.step].checked = true;
  names.forEach((text, i) => { $("steps").children[i].lastChild.textContent = text; });
  $("statistics").textContent = `${c} channels of ${h}×${w}. ` +
    `All values after the convolution: ${inWords(outputs[0].data)}. ${normed}`;
  $("channel").textContent =
    `Channel ${state.channel}: gain ${signed(gain)}, bias ${signed(bias)}`;
  showChannels(outputs[state.step]);
  showSteps(outputs, names);
  showKernel(kernel);
}

/* ---- The controls ---- */

const set = (part, act) => { Object.assign(state, part); act(); };

let picked = 0;
async function pick(i) {
  say("");
  atWork(1);
  const image = new Image(), turn = ++picked;
  image.src = `data:image/png;base64,${images[i].png}`;
  await image.decode();
  atWork(-1);
  if (turn !== picked) return;   // another was picked meanwhile
  document.querySelectorAll("[name=image]")[i].checked = true;
  history.replaceState(null, "", `#image=${i + 1}`);
  await setImage(centre(image, W, H), images[i].actual);
}

function buildStage() {
  const stage = $("stage"), marker = $("marker");
  let grip = null;   // where the marker was taken hold of
  const at = (e) => {
    const box = stage.getBoundingClientRect();
    const x = (e.clientX - box.left) / box.width, y = (e.clientY - box.top) / box.height;
    return [Math.floor(x * W), Math.floor(y * H)];
  };
  stage.onpointerdown = (e) => {
    if (state.tool === "map" || !map()) return;
    const [px, py] = at(e), [x, y, w, h] = markerBox();
    const inside = px >= x && px < x + w && py >= y && py < y + h;
    grip = inside ? [px - x, py - y] : [w / 2, h / 2];
    if (state.tool === "cell") grip = [0, 0];
    stage.setPointerCapture(e.pointerId);
    moveTo(px - grip[0], py - grip[1]);
    marker.focus({ preventScroll: true });
    e.preventDefault();
  };
  stage.onpointermove = (e) => {
    if (!grip) return;
    const [px, py] = at(e);
    moveTo(px - grip[0], py - grip[1]);
  };
  stage.onpointerup = stage.onpointercancel = () => { grip = null; };
  marker.onkeydown = (e) => {
    const by = arrows[e.key];
    if (!by) return;
    const [x, y, w, h] = markerBox(), whole = state.tool === "hole";
    moveTo(whole ? x + by[0] : x + by[0] * w, whole ? y + by[1] : y + by[1] * h);
    e.preventDefault();
  };
}

function buildDrop() {
  document.ondragover = (e) => { e.preventDefault(); document.body.classList.add("over"); };
  document.ondragleave = (e) => { if (!e.relatedTarget) document.body.classList.remove("over"); };
  document.ondrop = (e) => {
    e.preventDefault();
    document.body.classList.remove("over");
    const file = e.dataTransfer.files[0];
    if (file) open(file);
    else say("That was no file. Save the image first, then drop the file.");
  };
  document.onpaste = (e) => { if (e.clipboardData.files[0]) open(e.clipboardData.files[0]); };
  $("file").onchange = () => {
    if ($("file").files[0]) open($("file").files[0]);
    $("file").value = "";   // the same file may be chosen again
  };
}

function buildImages() {
  for (const [i, { png, actual }] of images.entries()) {
    const radio = make("input", { type: "radio", name: "image", onchange: () => pick(i) });
    const alt = `${i + 1}: ${classes[actual]}`;
    const image = make("img", { src: `data:image/png;base64,${png}`, alt });
    document.querySelector(".thumbs").append(make("label", { title: alt }, radio, image));
  }
}

function buildChoices() {
  const pickTool = (i) => set({ tool: tools[i], changed: null }, () => moveTo(state.x, state.y));
  choices($("tools"), "tool", [["look"], ["drag a hole"], ["read a cell"]], pickTool);
  const pickStage = (i) => set({ stage: i, changed: null }, change);
  choices($("layers"), "layer", stages.map((name) => [name]), pickStage);
  for (const label of $("layers").children) label.append(make("canvas"));
  const steps = stepNames(layers[0]).map((name) => [name]);
  choices($("steps"), "step", steps, (i) => set({ step: i }, inside));
}

function buildClasses() {
  const options = (list, first) => {
    for (const [value, text] of first) list.append(make("option", { value }, text));
    for (const [k, c] of classes.entries())
      list.append(make("option", { value: String(k) }, c));
  };
  const roles = [["predicted", "the predicted class"]];
  if (images.length) roles.push(["actual", "the actual class"]);
  options($("target"), roles);
  options($("minus"), [["", "nothing"], ...roles]);
  for (const id of ["target", "minus"])
    $(id).onchange = () => set({ [id]: $(id).value }, explain);
  bars($("bars"), classes, (k) => set({ target: String(k) }, explain));
  for (const button of document.querySelectorAll("#bars button"))
    button.append(make("i", { className: "before" }));
}

function build() {
  document.title = document.querySelector("h1").textContent = content.title;
  $("network").textContent = content.about;
  for (const id of ["image", "map"]) Object.assign($(id), { width: W, height: H });
  buildImages();
  buildChoices();
  buildClasses();
  for (const [i, { title }] of layers.entries())
    $("where").append(make("option", { value: i }, title));
  $("where").onchange = () => set({ where: Number($("where").value) }, inside);
  $("opacity").oninput = () => set({ opacity: Number($("opacity").value) }, show);
  $("controls").onsubmit = () => false;
  const buttons = { camera: startCamera, shoot, stop: stopCamera, draw: toggleBoard };
  for (const [id, act] of Object.entries({ ...buttons, clear: clearBoard }))
    $(id).onclick = act;
  buildStage();
  buildBoard();
  buildDrop();
  document.querySelector("main").hidden = false;
}

build();
try { startWorker(); } catch { startHere(); }   // some browsers refuse workers to local files
const first = Number(new URLSearchParams(location.hash.slice(1)).get("image"));
if (images.length) pick(images[first - 1] ? first - 1 : 0);
else toggleBoard();
