"use strict";
/* Chapter 6: which numbers share a mean, and what a norm makes of them. */
explorable.start("norm", (box, { block, groups, eps }) => {
  const { make, row, slider, choice, words, arrows, clamp, signed } = explorable;
  const N = block.length, C = block[0].length, P = block[0][0].length;
  const kinds = ["BatchNorm", "LayerNorm", "InstanceNorm", "GroupNorm"];
  const state = (box.state = { x: structuredClone(block), y: null, picked: [0, C - 1, P - 1] });
  const places = block.flatMap((image, n) => image.flatMap((channel, c) => channel.map((_, p) => [n, c, p])));
  const read = (values, [n, c, p]) => values[n][c][p];

  // Numbers whose keys are equal share a mean
  function key([n, c]) {
    const size = C / groups[group.get()];
    return [c, n, [n, c], [n, Math.floor(c / size)]][kind.get()].toString();
  }

  // Mean and standard deviation of numbers; the variance divides by how many they are
  function moments(values) {
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
    return { mean, variance, std: Math.sqrt(variance) };
  }

  // Collect by key, average, write back: the normalised block, and the sets
  function normalise(x) {
    const sets = new Map();
    for (const at of places) sets.set(key(at), [...(sets.get(key(at)) ?? []), read(x, at)]);
    const found = new Map([...sets].map(([k, values]) => [k, { ...moments(values), m: values.length }]));
    const y = structuredClone(x);
    for (const [n, c, p] of places) {
      const { mean, variance } = found.get(key([n, c, p]));
      y[n][c][p] = (x[n][c][p] - mean) / Math.sqrt(variance + eps);
    }
    return { y, sets: found };
  }

  function sayWhich() {
    const [n, c] = state.picked, size = C / groups[group.get()], from = Math.floor(c / size) * size;
    const channels = size === 1 ? `channel ${c + 1}` : `channels ${from + 1} to ${from + size}`;
    return [
      `channel ${c + 1} of all images`,
      `all of image ${n + 1}`,
      `channel ${c + 1} of image ${n + 1}`,
      `${channels} of image ${n + 1}`,
    ][kind.get()];
  }

  function sayMoments() {
    const { mean, std, m } = state.set, x = signed(read(state.x, state.picked), 0, "");
    return `${kinds[kind.get()]} averages over ${sayWhich()}, ${m} numbers: μ = ${signed(mean, 2, "")}, ` +
      `σ = ${std.toFixed(2)}. The framed ${x} becomes ${signed(read(state.y, state.picked))}. `;
  }

  // Of the images beside the framed number's: which come out differently than before it was moved
  function sayChanged() {
    const before = normalise(block).y, differs = (at) => Math.abs(read(before, at) - read(state.y, at)) > 1e-9;
    const images = [...new Set(places.filter(differs).map(([n]) => n + 1))];
    if (!images.length) return "";
    const moved = places.filter((at) => read(block, at) !== read(state.x, at)).map(([n]) => n + 1);
    return `Numbers of image ${[...new Set(moved)].join(", ")} were changed; ` +
      `image ${images.join(", ")} comes out differently.`;
  }

  function update() {
    const { y, sets } = normalise(state.x);
    Object.assign(state, { y, sets, set: sets.get(key(state.picked)) });
    const after = shown.get() === 1, same = key(state.picked);
    places.forEach((at, i) => {
      const [n, c, p] = at, picked = at.join() === state.picked.join(), cell = cells[i];
      cell.textContent = after ? signed(read(y, at), 1, "") : signed(read(state.x, at), 0, "");
      cell.ariaLabel = `image ${n + 1}, channel ${c + 1}, position ${p + 1}: ${cell.textContent}`;
      cell.ariaPressed = key(at) === same;
      cell.tabIndex = picked ? 0 : -1;
      cell.classList.toggle("framed", picked);
    });
    sliderOfGroups.hidden = kind.get() !== 3;
    count.textContent = `${sets.size} means in this block`;
    answer.replaceChildren(make("b", {}, sayMoments()), sayChanged());
  }

  function pick(at) {
    state.picked = at;
    value.set(read(state.x, at));
    update();
  }

  // The arrow keys go through channels and positions, and from the last position into the next image
  function move(right, down) {
    const [n, c, p] = state.picked, column = clamp(n * P + p + right, 0, N * P - 1);
    pick([Math.floor(column / P), clamp(c + down, 0, C - 1), column % P]);
    cells[places.findIndex((at) => at.join() === state.picked.join())].focus();
  }

  const kind = choice(box, "average over", ["batch", "layer", "instance", "group"], update);
  const sliderOfGroups = row(box, "sliders");
  const counts = { min: 0, max: groups.length - 1, value: groups.indexOf(C / 2), show: (i) => String(groups[i]) };
  const group = slider(sliderOfGroups, "groups of channels", counts, update);
  const images = row(box, "images");
  const cell = (at) => make("button", { type: "button", className: "number", onclick: () => pick(at) });
  const cells = places.map(cell);
  for (let n = 0; n < N; n++) {
    const image = row(images, "image");
    image.append(make("p", {}, `image ${n + 1}`));
    const grid = row(image, "cells");
    grid.style.setProperty("--columns", P);
    grid.append(...cells.slice(n * C * P, (n + 1) * C * P));
  }
  const meaning = `Each row is one of ${C} channels, each column one of ${P} positions.`;
  box.append(make("p", { className: "note" }, meaning));
  arrows(images, move);
  const count = make("p", { className: "note" });
  box.append(count);
  const answer = words(box), sliders = row(box, "sliders");
  const range = { min: -9, max: 9, value: 0, show: (v) => signed(v, 0, "") };
  const value = slider(sliders, "the framed number", range, () => {
    const [n, c, p] = state.picked;
    state.x[n][c][p] = value.get();
    update();
  });
  const shown = choice(sliders, "show", ["numbers", "what the norm makes of them"], update);
  pick(state.picked);
});
