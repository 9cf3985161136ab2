"use strict";
/* A residual network in plain JavaScript: forward, backward, and Grad-CAM.

   It computes what PyTorch computes with the same weights; chapter 70 of the book
   explains it. A tensor is an object {c, h, w, data}: c channels of h rows of w
   numbers, in the order in which PyTorch keeps one image. Numbers have 64 bits, as
   JavaScript counts anyway. Nothing here touches the page: a worker runs it. */

function tensor(c, h, w, data = new Float64Array(c * h * w)) {
  return { c, h, w, data };
}

/* ---- A product of two matrices: nearly all of the work ----

   a has m rows of k numbers, b has n rows of k numbers, and entry (i, j) of the
   result is the dot product of row i of a and row j of b. Fetching a number costs
   more than multiplying it, so two rows of a meet four rows of b at once: six
   numbers are fetched for eight products, and a processor keeps the eight sums in
   its registers. */

function dot(a, i, b, j, k) {
  let sum = 0;
  for (let t = 0; t < k; t++) sum += a[i * k + t] * b[j * k + t];
  return sum;
}

function twoByFour(a, i, b, j, k, out, n) {
  let s00 = 0, s01 = 0, s02 = 0, s03 = 0;
  let s10 = 0, s11 = 0, s12 = 0, s13 = 0;
  let a0 = i * k, a1 = a0 + k;
  let b0 = j * k, b1 = b0 + k, b2 = b1 + k, b3 = b2 + k;
  for (let t = 0; t < k; t++) {
    const u = a[a0++], v = a[a1++];
    const p = b[b0++], q = b[b1++], r = b[b2++], s = b[b3++];
    s00 += u * p; s01 += u * q; s02 += u * r; s03 += u * s;
    s10 += v * p; s11 += v * q; s12 += v * r; s13 += v * s;
  }
  const top = i * n + j, low = top + n;
  out[top] = s00; out[top + 1] = s01; out[top + 2] = s02; out[top + 3] = s03;
  out[low] = s10; out[low + 1] = s11; out[low + 2] = s12; out[low + 3] = s13;
}

function product(a, b, m, n, k) {
  const out = new Float64Array(m * n);
  const evenM = m - (m % 2), fourN = n - (n % 4);
  for (let j = 0; j < fourN; j += 4)
    for (let i = 0; i < evenM; i += 2) twoByFour(a, i, b, j, k, out, n);
  for (let i = 0; i < m; i++) {   // the rows and columns that are left over
    const first = i < evenM ? fourN : 0;
    for (let j = first; j < n; j++) out[i * n + j] = dot(a, i, b, j, k);
  }
  return out;
}

function transpose(a, m, n) {   // m rows of n numbers become n rows of m
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) out[j * m + i] = a[i * n + j];
  return out;
}

/* ---- Convolution, the plain way ----

   `eachCopy` goes through what the kernel sees at each place. Forward, that is
   copied into a row of numbers, with zeros where the kernel hangs over the edge
   (padding); a convolution is then rows of weights times rows of the image. On
   the way back, each number of the rows is added to where it was copied from. */

// Calls copy(index in the rows, index in the image)
function eachCopy(x, { size, stride }, copy) {
  const pad = (size - 1) / 2;
  let at = 0;
  for (let top = -pad; top < x.h - pad; top += stride)
    for (let left = -pad; left < x.w - pad; left += stride)
      for (let c = 0; c < x.c; c++)
        for (let i = top; i < top + size; i++)
          for (let j = left; j < left + size; j++, at++)
            if (i >= 0 && i < x.h && j >= 0 && j < x.w)
              copy(at, (c * x.h + i) * x.w + j);
}

class Conv {
  constructor({ shape: [out, inside, size], data }, stride) {
    Object.assign(this, { out, inside, size, stride, weight: data });
    this.k = data.length / out;   // weights per output channel
    this.turned = transpose(data, out, this.k);
  }

  forward(x) {
    const h = Math.ceil(x.h / this.stride), w = Math.ceil(x.w / this.stride);
    const rows = new Float64Array(h * w * this.k);
    eachCopy(x, this, (at, place) => { rows[at] = x.data[place]; });
    const data = product(this.weight, rows, this.out, h * w, this.k);
    return tensor(this.out, h, w, data);
  }

  backward(x, g) {   // g: the gradient at the output; result: the gradient at x
    const places = g.h * g.w, back = tensor(x.c, x.h, x.w);
    const byPlace = transpose(g.data, g.c, places);
    const rows = product(byPlace, this.turned, places, this.k, g.c);
    eachCopy(x, this, (at, place) => { back.data[place] += rows[at]; });
    return back;
  }
}

/* ---- Convolution with fewer products (Winograd; Lavin & Gray, 2016) ----

   A 3×3 kernel at 4×4 places takes 144 products. With a change of basis 36 do: one
   basis for the 6×6 numbers that the kernel sees there, one for the kernel; then a
   product number by number; then a third basis, in which 4×4 results are left. The
   sums over channels are taken before that, so all is 36 products of matrices. Exact
   but for rounding. It needs stride 1.

   A basis is changed in place, in a tile of 6×6 numbers: along the columns, then
   along the rows. These are the matrices of the paper, written out. */

function ofImage(t, at, n) {   // six numbers, n apart
  const a = t[at], b = t[at + n], c = t[at + 2 * n];
  const d = t[at + 3 * n], e = t[at + 4 * n], f = t[at + 5 * n];
  t[at] = 4 * a - 5 * c + e;
  t[at + n] = d + e - 4 * (b + c);
  t[at + 2 * n] = e - d + 4 * (b - c);
  t[at + 3 * n] = e - c + 2 * (d - b);
  t[at + 4 * n] = e - c - 2 * (d - b);
  t[at + 5 * n] = 4 * b - 5 * d + f;
}

function ofKernel(t, at, n) {   // three numbers become six
  const a = t[at], b = t[at + n], c = t[at + 2 * n];
  t[at] = a / 4;
  t[at + n] = -(a + b + c) / 6;
  t[at + 2 * n] = -(a - b + c) / 6;
  t[at + 3 * n] = a / 24 + b / 12 + c / 6;
  t[at + 4 * n] = a / 24 - b / 12 + c / 6;
  t[at + 5 * n] = c;
}

function ofResult(t, at, n) {   // six numbers become four
  const a = t[at], b = t[at + n], c = t[at + 2 * n];
  const d = t[at + 3 * n], e = t[at + 4 * n], f = t[at + 5 * n];
  t[at] = a + b + c + d + e;
  t[at + n] = b - c + 2 * (d - e);
  t[at + 2 * n] = b + c + 4 * (d + e);
  t[at + 3 * n] = b - c + 8 * (d - e) + f;
}

function changeBasis(change, tile) {
  for (let i = 0; i < 6; i++) change(tile, i, 6);
  for (let i = 0; i < 6; i++) change(tile, 6 * i, 1);
}

// Kernels, out × in × 3 × 3, as 36 matrices, out × in. Turned: for the way back, in
// which input and output change places and each kernel is rotated by 180°
function kernelMatrices(weight, out, inside, turned) {
  const n = out * inside, matrices = new Float64Array(36 * n);
  const tile = new Float64Array(36);
  for (let i = 0; i < n; i++) {
    const o = Math.floor(i / inside), c = i % inside;
    tile.fill(0);
    for (let j = 0; j < 9; j++) {
      const from = 9 * i + (turned ? 8 - j : j);
      tile[6 * Math.floor(j / 3) + (j % 3)] = weight[from];
    }
    changeBasis(ofKernel, tile);
    const at = turned ? c * out + o : i;
    for (let f = 0; f < 36; f++) matrices[f * n + at] = tile[f];
  }
  return matrices;
}

function winograd({ c, h, w, data }, kernels, out) {
  const across = Math.ceil(w / 4), tiles = Math.ceil(h / 4) * across;
  const corner = (t) => [4 * Math.floor(t / across), 4 * (t % across)];
  const tile = new Float64Array(36);
  const step = tiles * c + 8;   // the 8 keeps them apart in the processor's cache
  const image = new Float64Array(36 * step);
  for (let t = 0; t < tiles; t++) {
    const [top, left] = corner(t);
    for (let k = 0; k < c; k++) {
      for (let i = 0; i < 6; i++)
        for (let j = 0; j < 6; j++) {
          const y = top + i - 1, x = left + j - 1;
          const inside = y >= 0 && y < h && x >= 0 && x < w;
          tile[6 * i + j] = inside ? data[(k * h + y) * w + x] : 0;
        }
      changeBasis(ofImage, tile);
      for (let f = 0; f < 36; f++) image[f * step + t * c + k] = tile[f];
    }
  }
  const products = [];   // 36 times: a row per output channel, a number per tile
  for (let f = 0; f < 36; f++) {
    const a = kernels.subarray(f * out * c, (f + 1) * out * c);
    const b = image.subarray(f * step, f * step + tiles * c);
    products.push(product(a, b, out, tiles, c));
  }
  const result = tensor(out, h, w);
  for (let k = 0; k < out; k++)
    for (let t = 0; t < tiles; t++) {
      const [top, left] = corner(t);
      for (let f = 0; f < 36; f++) tile[f] = products[f][k * tiles + t];
      changeBasis(ofResult, tile);
      for (let i = 0; i < 4 && top + i < h; i++)
        for (let j = 0; j < 4 && left + j < w; j++)
          result.data[(k * h + top + i) * w + left + j] = tile[6 * i + j];
    }
  return result;
}

class FastConv extends Conv {
  constructor(weight) {
    super(weight, 1);
    this.ahead = kernelMatrices(this.weight, this.out, this.inside, false);
    this.back = kernelMatrices(this.weight, this.out, this.inside, true);
  }

  forward(x) { return winograd(x, this.ahead, this.out); }
  backward(x, g) { return winograd(g, this.back, x.c); }
}

/* ---- Norm ----

   y = gain · (x − mean) / √(variance + ε) + bias, gain and bias per channel.
   LayerNorm takes mean and variance from all channels (one group), GroupNorm from
   some. BatchNorm has kept them from training, per channel. */

const epsilon = 1e-5;

function moments(data, start, end) {
  let sum = 0, squares = 0;
  for (let i = start; i < end; i++) sum += data[i];
  const mean = sum / (end - start);
  for (let i = start; i < end; i++) squares += (data[i] - mean) ** 2;
  return { mean, variance: squares / (end - start) };
}

class Norm {
  constructor(gain, bias, groups, kept) {   // kept: {mean, variance}, or nothing
    Object.assign(this, { gain, bias, groups, kept });
    if (kept) this.groups = gain.length;
  }

  eachGroup(x, visit) {   // visit(start, end, mean, 1 / standard deviation)
    const length = x.data.length / this.groups;
    for (let n = 0, start = 0; n < this.groups; n++, start += length) {
      const { mean, variance } = this.kept
        ? { mean: this.kept.mean[n], variance: this.kept.variance[n] }
        : moments(x.data, start, start + length);
      visit(start, start + length, mean, 1 / Math.sqrt(variance + epsilon));
    }
  }

  forward(x) {
    const out = tensor(x.c, x.h, x.w), area = x.h * x.w;
    this.eachGroup(x, (start, end, mean, scale) => {
      for (let i = start; i < end; i++) {
        const c = Math.floor(i / area);
        out.data[i] = this.gain[c] * (x.data[i] - mean) * scale + this.bias[c];
      }
    });
    return out;
  }

  /* Mean and variance depend on x too. With z = (x − mean) / deviation and
     u = gain · g, the gradient is (u − mean(u) − z · mean(u · z)) / deviation.
     What was kept from training has no gradient: then it is u / deviation. */
  backward(x, g) {
    const out = tensor(x.c, x.h, x.w), area = x.h * x.w;
    this.eachGroup(x, (start, end, mean, scale) => {
      let sum = 0, along = 0;
      for (let i = start; i < end; i++) {
        const u = this.gain[Math.floor(i / area)] * g.data[i];
        out.data[i] = u;
        sum += u;
        along += u * (x.data[i] - mean) * scale;
      }
      const n = this.kept ? Infinity : end - start;
      for (let i = start; i < end; i++) {
        const z = (x.data[i] - mean) * scale;
        out.data[i] = scale * (out.data[i] - sum / n - (z * along) / n);
      }
    });
    return out;
  }
}

/* ---- ReLU and sum ---- */

const likeIt = (x, data) => tensor(x.c, x.h, x.w, data);
function relu(x) {
  const out = new Float64Array(x.data.length);
  for (let i = 0; i < out.length; i++) out[i] = x.data[i] > 0 ? x.data[i] : 0;
  return likeIt(x, out);
}

function reluBackward(y, g) {   // y: the output of the ReLU
  const out = new Float64Array(g.data.length);
  for (let i = 0; i < out.length; i++) out[i] = y.data[i] > 0 ? g.data[i] : 0;
  return likeIt(g, out);
}

function add(x, y) {
  const out = new Float64Array(x.data.length);
  for (let i = 0; i < out.length; i++) out[i] = x.data[i] + y.data[i];
  return likeIt(x, out);
}

/* ---- The block: relu(shortcut(x) + norm(conv(relu(norm(conv(x)))))) ----

   `seen` is a Map of all outputs by PyTorch's names. The way back needs them, and
   the page shows them. Two roads lead from the block's output back to its input,
   so their gradients are added. */

class Block {
  constructor(name, layer) {
    this.name = name;
    for (const part of ["conv1", "norm1", "conv2", "norm2"])
      this[part] = layer(part);
    this.conv0 = layer("shortcut.0");   // null where the shortcut is the identity
    this.norm0 = layer("shortcut.1");
  }

  forward(x, seen) {
    const keep = (part, value) => {
      seen.set(`${this.name}.${part}`, value);
      return value;
    };
    let long = keep("conv1", this.conv1.forward(x));
    long = keep("relu1", relu(keep("norm1", this.norm1.forward(long))));
    long = keep("conv2", this.conv2.forward(long));
    long = keep("norm2", this.norm2.forward(long));
    let short = x;
    if (this.conv0) {
      short = keep("shortcut.0", this.conv0.forward(x));
      short = keep("shortcut.1", this.norm0.forward(short));
    }
    const out = relu(add(long, short));
    seen.set(this.name, out);
    return out;
  }

  backward(x, g, seen) {
    const at = (part) => seen.get(`${this.name}.${part}`);
    g = reluBackward(seen.get(this.name), g);
    let long = this.norm2.backward(at("conv2"), g);
    long = this.conv2.backward(at("relu1"), long);
    long = this.norm1.backward(at("conv1"), reluBackward(at("relu1"), long));
    long = this.conv1.backward(x, long);
    if (!this.conv0) return add(long, g);
    const short = this.norm0.backward(at("shortcut.0"), g);
    return add(long, this.conv0.backward(x, short));
  }
}

/* ---- The network: a stem, four stages of blocks, a mean, a linear layer ---- */

class Network {
  constructor({ tensors, blocks, groups }) {
    const read = (name) => (tensors[name] ? unpack(tensors[name]) : null);
    const norm = (name) => {
      const [gain, bias, mean, variance] =
        ["weight", "bias", "running_mean", "running_var"]
          .map((part) => read(`${name}.${part}`)?.data);
      if (!gain) return null;
      return new Norm(gain, bias, groups, mean && { mean, variance });
    };
    const layer = (name, stride) => {
      const weight = read(`${name}.weight`);
      if (weight?.shape.length !== 4) return norm(name);
      const fast = stride === 1 && weight.shape[2] === 3;
      return fast ? new FastConv(weight) : new Conv(weight, stride);
    };
    this.conv1 = layer("conv1", 1);
    this.norm1 = norm("norm1");
    this.blocks = blocks.map(([name, stride]) => {
      const strided = ["conv1", "shortcut.0"];   // the others have stride 1
      return new Block(name, (part) =>
        layer(`${name}.${part}`, strided.includes(part) ? stride : 1));
    });
    this.fc = read("fc.weight");
    this.bias = read("fc.bias").data;
  }

  layer(name) {   // a convolution or norm: "conv1", "layer2.0.norm1"
    const block = this.blocks.find((b) => name.startsWith(`${b.name}.`));
    const part = name.slice(block ? block.name.length + 1 : 0);
    const inShortcut = { "shortcut.0": "conv0", "shortcut.1": "norm0" };
    return (block ?? this)[inShortcut[part] ?? part];
  }

  // x: 3×h×w, normalised. Returns all outputs by name; a stage, "layer4", is the
  // output of its last block, and "fc" holds the logits
  forward(x) {
    const seen = new Map();
    seen.set("conv1", this.conv1.forward(x));
    seen.set("norm1", this.norm1.forward(seen.get("conv1")));
    seen.set("relu1", relu(seen.get("norm1")));
    let out = seen.get("relu1");
    for (const block of this.blocks) {
      out = block.forward(out, seen);
      seen.set(block.name.split(".")[0], out);
    }
    seen.set("fc", this.head(out));
    return seen;
  }

  head({ c, h, w, data }) {   // mean over the places, then the linear layer
    const means = new Float64Array(c);
    data.forEach((v, i) => { means[Math.floor(i / (h * w))] += v / (h * w); });
    return this.bias.map((b, k) => b + dot(this.fc.data, k, means, 0, c));
  }

  /* A score is a sum Σ score[k] · logit[k]: one class has a 1 and zeros, a
     difference of two a 1 and a −1. In it, each channel's mean has one weight. */
  channelWeights(score) {
    const weights = new Float64Array(this.fc.shape[1]);
    for (let c = 0; c < weights.length; c++)
      for (let k = 0; k < score.length; k++)
        weights[c] += score[k] * this.fc.data[k * weights.length + c];
    return weights;
  }

  /* The closed form for the last stage: the score, less its bias, not yet added
     up (chapter 12). Each number is what its place adds; no gradient is needed. */
  invoice(a, score) {
    const area = a.h * a.w, map = tensor(1, a.h, a.w);
    const weights = this.channelWeights(score);
    a.data.forEach((v, i) => {
      map.data[i % area] += (weights[Math.floor(i / area)] * v) / area;
    });
    return map;
  }

  // The maps of a score at all stages, {layer1: map, …}: the last by the closed
  // form, the others by Grad-CAM, block by block back to the end of the first stage
  maps(seen, score) {
    const stages = this.blocks.map((block) => block.name.split(".")[0]);
    const last = seen.get(stages.at(-1)), area = last.h * last.w;
    const maps = { [stages.at(-1)]: this.invoice(last, score) };
    const weights = this.channelWeights(score);
    let g = tensor(last.c, last.h, last.w);
    for (let c = 0; c < g.c; c++)
      g.data.fill(weights[c] / area, c * area, (c + 1) * area);
    for (let i = stages.length - 1; stages[i] !== stages[0]; i--) {
      const before = seen.get(this.blocks[i - 1].name);
      g = this.blocks[i].backward(before, g, seen);
      if (stages[i - 1] !== stages[i]) maps[stages[i - 1]] = gradCam(before, g);
    }
    return maps;
  }
}

// Grad-CAM before the ReLU: each channel times its mean gradient (chapter 13)
function gradCam(a, g) {
  const area = a.h * a.w, map = tensor(1, a.h, a.w);
  for (let c = 0; c < a.c; c++) {
    let weight = 0;
    for (let i = 0; i < area; i++) weight += g.data[c * area + i] / area;
    for (let i = 0; i < area; i++) map.data[i] += weight * a.data[c * area + i];
  }
  return map;
}

/* ---- From the page's text to numbers ----

   Weights of kernels come as whole numbers of 8 bits and a step per output
   channel; everything else as numbers of 32 bits. */

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer;
}

function unpack({ shape, whole, step, float }) {
  if (float) {
    const data = Float64Array.from(new Float32Array(bytesOf(float)));
    return { shape, data };
  }
  const q = new Int8Array(bytesOf(whole)), each = q.length / shape[0];
  const steps = new Float32Array(bytesOf(step));
  const data = Float64Array.from(q, (v, i) => v * steps[Math.floor(i / each)]);
  return { shape, data };
}

// h×w×3 bytes of an image -> 3×h×w numbers, normalised as in training
function normalise(bytes, h, w, mean, std) {
  const x = tensor(3, h, w), area = h * w;
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < area; i++)
      x.data[c * area + i] = (bytes[3 * i + c] / 255 - mean[c]) / std[c];
  return x;
}

/* ---- What a page may ask ----

   One question at a time, answered from the image that was seen last. A worker
   answers beside the page, so that the page never stands still. */

function answering({ network: parts, size: [h, w], mean, std }) {
  const network = new Network(parts), last = network.blocks.at(-1).name;
  const run = (bytes) => network.forward(normalise(bytes, h, w, mean, std));
  let seen;
  return {
    see({ bytes }) {   // a new image
      seen = run(bytes);
      return seen.get("fc");
    },
    maps: ({ score }) => network.maps(seen, score),
    output: ({ name }) => seen.get(name),
    // The logits of another image, such as the same with a hole
    logits: ({ bytes }) => run(bytes).get("fc"),
    // The logits when the last stage's output is zero at one place, in all channels
    without({ place }) {
      const a = seen.get(last), data = a.data.slice();
      for (let i = place; i < data.length; i += a.h * a.w) data[i] = 0;
      return network.head(tensor(a.c, a.h, a.w, data));
    },
    // What belongs to a channel: its kernel, in × size × size, its gain, its bias
    weights({ conv, norm, channel }) {
      const { size, k, weight } = network.layer(conv);
      const { gain, bias } = network.layer(norm);
      const kernel = weight.slice(channel * k, (channel + 1) * k);
      return {
        kernel: tensor(k / size ** 2, size, size, kernel),
        gain: gain[channel],
        bias: bias[channel],
      };
    },
  };
}

function serve() {   // in a worker: the first message brings the network
  let answers;
  onmessage = ({ data: { id, ask, about } }) => {
    try {
      if (ask === "load") answers = answering(about);
      postMessage({ id, answer: ask === "load" ? null : answers[ask](about) });
    } catch (error) {
      postMessage({ id, error: String(error) });
    }
  };
}
