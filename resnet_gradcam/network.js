"use strict";
/* A residual network in plain JavaScript: forward, backward, and Grad-CAM.

   It computes what PyTorch computes with the same weights; chapter 25 of the book
   explains it. A tensor is an object {c, h, w, data}: c channels of h rows of w numbers,
   in the order in which PyTorch keeps one image. Numbers have 64 bits, as JavaScript
   counts anyway. Nothing here touches the page: a worker runs the same text. */

const tensor = (c, h, w, data = new Float64Array(c * h * w)) => ({ c, h, w, data });

/* ---- A product of two matrices: nearly all of the work ----

   a has m rows of k numbers, b has n rows of k numbers, and entry (i, j) of the result
   is the dot product of row i of a and row j of b. Fetching a number costs more than
   multiplying it, so two rows of a meet four rows of b at once: six numbers are fetched
   for eight products, and eight sums fit into the registers of a processor. */

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
  for (let i = 0; i < m; i++)   // the rows and columns that are left over
    for (let j = i < evenM ? fourN : 0; j < n; j++) out[i * n + j] = dot(a, i, b, j, k);
  return out;
}

function transpose(a, m, n) {   // m rows of n numbers become n rows of m
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) out[j * m + i] = a[i * n + j];
  return out;
}

/* ---- Convolution ----

   `unfold` writes what the kernel sees at each place into a row of numbers, with zeros
   where it hangs over the edge (padding). A convolution is then a product: rows of
   weights times rows of the unfolded image. `fold` is the way back, for a gradient: it
   adds each number of the rows to the place that `unfold` had taken it from. */

function eachCopy(x, { size, stride }, copy) {   // copy(index in rows, index in image)
  const pad = (size - 1) / 2;
  let at = 0;
  for (let top = -pad; top < x.h - pad; top += stride)
    for (let left = -pad; left < x.w - pad; left += stride)
      for (let c = 0; c < x.c; c++)
        for (let i = top; i < top + size; i++)
          for (let j = left; j < left + size; j++, at++)
            if (i >= 0 && i < x.h && j >= 0 && j < x.w) copy(at, (c * x.h + i) * x.w + j);
}

class Conv {
  constructor({ shape: [out, , size], data }, stride) {   // out × in × size × size
    Object.assign(this, { out, size, stride, weight: data, k: data.length / out });
    this.turned = transpose(data, out, this.k);
  }

  forward(x) {
    const h = Math.ceil(x.h / this.stride), w = Math.ceil(x.w / this.stride);
    const rows = new Float64Array(h * w * this.k);
    eachCopy(x, this, (at, place) => { rows[at] = x.data[place]; });
    return tensor(this.out, h, w, product(this.weight, rows, this.out, h * w, this.k));
  }

  backward(x, g) {   // g: the gradient at the output; result: the gradient at x
    const places = g.h * g.w, back = tensor(x.c, x.h, x.w);
    const byPlace = transpose(g.data, g.c, places);
    const rows = product(byPlace, this.turned, places, this.k, g.c);
    eachCopy(x, this, (at, place) => { back.data[place] += rows[at]; });
    return back;
  }
}

/* ---- Norm ----

   y = gain · (x − mean) / √(variance + ε) + bias, with a gain and a bias per channel.
   LayerNorm takes mean and variance from all channels (one group), GroupNorm from some.
   BatchNorm has kept them from training, per channel: then they don't depend on x. */

const epsilon = 1e-5;

function moments(data, start, end) {
  let sum = 0, squares = 0;
  for (let i = start; i < end; i++) sum += data[i];
  const mean = sum / (end - start);
  for (let i = start; i < end; i++) squares += (data[i] - mean) ** 2;
  return { mean, variance: squares / (end - start) };
}

class Norm {
  constructor(gain, bias, groups, kept) {   // kept: {mean, variance} per channel, or null
    Object.assign(this, { gain, bias, groups: kept ? gain.length : groups, kept });
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

  /* Mean and variance depend on x too. With z = (x − mean) / deviation and u = gain · g,
     the gradient is (u − mean(u) − z · mean(u · z)) / deviation (chapter 6). */
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
      const n = this.kept ? Infinity : end - start;   // what was kept has no gradient
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
const relu = (x) => likeIt(x, x.data.map((v) => Math.max(v, 0)));
const reluBackward = (y, g) => likeIt(g, g.data.map((v, i) => (y.data[i] > 0 ? v : 0)));
const add = (x, y) => likeIt(x, x.data.map((v, i) => v + y.data[i]));

/* ---- The block: relu(shortcut(x) + norm(conv(relu(norm(conv(x)))))) ----

   `seen` is a Map of all outputs by PyTorch's names. The way back needs them, and the
   page shows them. Two roads lead from the block's output back to its input, so their
   gradients are added. */

class Block {
  constructor(name, layer) {
    this.name = name;
    for (const part of ["conv1", "norm1", "conv2", "norm2"]) this[part] = layer(part);
    this.conv0 = layer("shortcut.0");   // null where the shortcut is the identity
    this.norm0 = layer("shortcut.1");
  }

  forward(x, seen) {
    const keep = (part, value) => {
      seen.set(part ? `${this.name}.${part}` : this.name, value);
      return value;
    };
    let out = keep("norm1", this.norm1.forward(keep("conv1", this.conv1.forward(x))));
    out = keep("conv2", this.conv2.forward(keep("relu1", relu(out))));
    out = keep("norm2", this.norm2.forward(out));
    if (!this.conv0) return keep("", relu(add(out, x)));
    const short = keep("shortcut.0", this.conv0.forward(x));
    return keep("", relu(add(out, keep("shortcut.1", this.norm0.forward(short)))));
  }

  backward(x, g, seen) {
    const at = (part) => seen.get(`${this.name}.${part}`);
    g = reluBackward(seen.get(this.name), g);
    let long = this.conv2.backward(at("relu1"), this.norm2.backward(at("conv2"), g));
    long = this.norm1.backward(at("conv1"), reluBackward(at("relu1"), long));
    long = this.conv1.backward(x, long);
    if (!this.conv0) return add(long, g);
    const short = this.norm0.backward(at("shortcut.0"), g);
    return add(long, this.conv0.backward(x, short));
  }
}

/* ---- The network: a stem, four stages of blocks, the mean over the places, a linear
   layer ---- */

class Network {
  constructor({ tensors, blocks, groups }) {
    const read = (name) => (tensors[name] ? unpack(tensors[name]) : null);
    const norm = (name) => {
      const [gain, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
        .map((part) => read(`${name}.${part}`)?.data);
      return gain ? new Norm(gain, bias, groups, mean && { mean, variance }) : null;
    };
    const layer = (name, stride) => {
      const weight = read(`${name}.weight`);
      return weight?.shape.length === 4 ? new Conv(weight, stride) : norm(name);
    };
    this.conv1 = layer("conv1", 1);
    this.norm1 = norm("norm1");
    this.blocks = blocks.map(([name, stride]) => {   // the stride is of the first conv
      const strided = (part) => (part === "conv1" || part === "shortcut.0" ? stride : 1);
      return new Block(name, (part) => layer(`${name}.${part}`, strided(part)));
    });
    this.fc = read("fc.weight");
    this.bias = read("fc.bias").data;
  }

  layer(name) {   // a convolution or norm by its name, "conv1" or "layer2.0.norm1"
    const block = this.blocks.find((b) => name.startsWith(`${b.name}.`));
    const part = name.slice(block ? block.name.length + 1 : 0);
    const inShortcut = { "shortcut.0": "conv0", "shortcut.1": "norm0" };
    return (block ?? this)[inShortcut[part] ?? part];
  }

  // x: 3×h×w, normalised. Returns all outputs by name; "layer4", a stage, is the output
  // of its last block, and "fc" holds the logits.
  forward(x) {
    const seen = new Map([["input", x]]);
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

  /* A score is a sum Σ score[k] · logit[k]: one class has a 1 and zeros, a difference of
     two a 1 and a −1. In that sum each channel's mean has one weight. */
  channelWeights(score) {
    const weights = new Float64Array(this.fc.shape[1]);
    for (let c = 0; c < weights.length; c++)
      for (let k = 0; k < score.length; k++)
        weights[c] += score[k] * this.fc.data[k * weights.length + c];
    return weights;
  }

  /* The closed form for the last stage: the score, less its bias, not yet added up
     (chapter 12). Entry (i, j) is what that place adds to it. No gradient is needed. */
  invoice(a, score) {
    const area = a.h * a.w, map = tensor(1, a.h, a.w), weights = this.channelWeights(score);
    a.data.forEach((v, i) => {
      map.data[i % area] += (weights[Math.floor(i / area)] * v) / area;
    });
    return map;
  }

  // The maps of a score at all stages, {layer1: map, …}: the last by the closed form,
  // the others by Grad-CAM, from the last block back to the end of the first stage
  maps(seen, score) {
    const stages = this.blocks.map((block) => block.name.split(".")[0]);
    const last = seen.get(stages.at(-1)), area = last.h * last.w;
    const maps = { [stages.at(-1)]: this.invoice(last, score) };
    const weights = this.channelWeights(score);
    let g = likeIt(last, last.data.map((_, i) => weights[Math.floor(i / area)] / area));
    for (let i = stages.length - 1; stages[i] !== stages[0]; i--) {
      const before = seen.get(this.blocks[i - 1].name);
      g = this.blocks[i].backward(before, g, seen);
      if (stages[i - 1] !== stages[i]) maps[stages[i - 1]] = gradCam(before, g);
    }
    return maps;
  }
}

// Grad-CAM before the ReLU: each channel is weighted by its mean gradient (chapter 13)
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

   Weights of a convolution come as whole numbers of 8 bits and a step per output
   channel; everything else as numbers of 32 bits. */

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer;
}

function unpack({ shape, whole, step, float }) {
  if (float) return { shape, data: Float64Array.from(new Float32Array(bytesOf(float))) };
  const q = new Int8Array(bytesOf(whole)), steps = new Float32Array(bytesOf(step));
  const each = q.length / shape[0];
  return { shape, data: Float64Array.from(q, (v, i) => v * steps[Math.floor(i / each)]) };
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

   One question at a time, answered from the image that was seen last. A worker answers
   them beside the page, so that the page never stands still. */

function answering({ network: parts, size: [h, w], mean, std }) {
  const network = new Network(parts), last = network.blocks.at(-1).name;
  const run = (bytes) => network.forward(normalise(bytes, h, w, mean, std));
  const sizes = ({ c, h, w }, name) => ({ name, c, h, w });
  let seen;
  return {
    // A new image: its logits, and the name and size of all outputs
    see({ bytes }) {
      seen = run(bytes);
      const outputs = [...seen].filter(([, x]) => x.c).map(([name, x]) => sizes(x, name));
      return { logits: seen.get("fc"), outputs };
    },
    maps: ({ score }) => network.maps(seen, score),
    output: ({ name }) => seen.get(name),
    // The logits of another image, such as the same with a hole; what was seen stays
    logits: ({ bytes }) => run(bytes).get("fc"),
    // The logits when the last stage's output is zero at one place, in all channels
    without({ place }) {
      const a = seen.get(last), area = a.h * a.w;
      return network.head(likeIt(a, a.data.map((v, i) => (i % area === place ? 0 : v))));
    },
    // What belongs to one channel: its kernel, in × size × size, its gain and its bias
    weights({ conv, norm, channel }) {
      const { size, k, weight } = network.layer(conv), { gain, bias } = network.layer(norm);
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
