"use strict";
/* Chapter 8: crop, rotate and cut out, on one image by hand and on a batch by chance. */
explorable.start("augment", (box, { images, picture, size, padding, hole, degrees, colour, presets }) => {
  const { make, row, slider, choice, button, words, shape, drawing, movable } = explorable;
  const { tell, signed, bytes, address } = explorable;
  const originals = images.map(bytes), padded = size + 2 * padding, last = size - hole;
  const steps = { crop: [padding, padding], angle: 0, hole: [last - 3, last - 3] }; // [row, column]
  const state = (box.state = { steps, result: null, draws: [], batch: [], drawn: 0, untouched: 0 });

  // Where index i of a mirrored row of `size` pixels is found
  const mirror = (i) => size - 1 - Math.abs(size - 1 - Math.abs(i));

  // The window of a padded image, n pixels a side, whose corner is at [row, column]
  function crop(image, [top, left], n = size) {
    const out = new Uint8Array(3 * n * n);
    for (let y = 0; y < n; y++)
      for (let x = 0; x < n; x++) {
        const from = 3 * (mirror(y + top - padding) * size + mirror(x + left - padding));
        out.set(image.subarray(from, from + 3), 3 * (y * n + x));
      }
    return out;
  }

  // The value between pixels, at u to the right and v down, of one colour
  function sample(image, u, v, k) {
    const x = Math.floor(u), y = Math.floor(v), a = u - x, b = v - y;
    const p = (y, x) => image[3 * (mirror(y) * size + mirror(x)) + k];
    const upper = (1 - a) * p(y, x) + a * p(y, x + 1), lower = (1 - a) * p(y + 1, x) + a * p(y + 1, x + 1);
    return (1 - b) * upper + b * lower;
  }

  // Each pixel asks where it comes from, on the way back about the centre
  function rotate(image, angle) {
    if (!angle) return image;
    const turn = (angle * Math.PI) / 180, c = Math.cos(turn), s = Math.sin(turn);
    const out = new Uint8Array(image.length), middle = (size - 1) / 2;
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const u = c * (x - middle) - s * (y - middle) + middle, v = s * (x - middle) + c * (y - middle) + middle;
        for (let k = 0; k < 3; k++) out[3 * (y * size + x) + k] = Math.round(sample(image, u, v, k));
      }
    return out;
  }

  function cutOut(image, corner) {
    if (!corner) return image;
    const out = image.slice(), [top, left] = corner;
    for (let y = top; y < top + hole; y++)
      for (let x = left; x < left + hole; x++) out.set(colour, 3 * (y * size + x));
    return out;
  }

  const apply = (image, { crop: corner, angle, hole: at }) => cutOut(rotate(crop(image, corner), angle), at);

  // What chance does to one image, with a preset's probabilities; a step not taken changes nothing
  function drawSteps({ crop_p, rotate_p, cutout_p }) {
    const whole = (n) => Math.floor(n * Math.random()), places = 2 * padding + 1;
    const taken = { crop: Math.random() < crop_p, rotate: Math.random() < rotate_p, hole: Math.random() < cutout_p };
    return {
      taken,
      crop: taken.crop ? [whole(places), whole(places)] : [padding, padding],
      angle: taken.rotate ? degrees * (2 * Math.random() - 1) : 0,
      hole: taken.hole ? [whole(last + 1), whole(last + 1)] : null,
    };
  }

  function nextBatch() {
    const p = Object.values(presets)[preset.get()];
    const untouched = ({ taken }) => !Object.values(taken).some(Boolean);
    state.draws = originals.map(() => drawSteps(p));
    state.batch = originals.map((image, i) => apply(image, state.draws[i]));
    state.drawn += originals.length;
    state.untouched += state.draws.filter(untouched).length;
    const expected = Object.values(p).reduce((product, each) => product * (1 - each), 1);
    const percent = (share) => `${(100 * share).toFixed(0)}%`, share = percent(state.untouched / state.drawn);
    tally.replaceChildren(make("b", {}, `Untouched so far: ${state.untouched} of ${state.drawn}, ${share}. `),
      `The product of the probabilities says ${percent(expected)}.`);
    batch.redraw();
  }

  const image = (pixels, n, x, y, width) =>
    shape("image", { href: address(pixels, n), x, y, width, height: width, preserveAspectRatio: "none" });
  const frame = ([top, left], n, unit, className) =>
    shape("rect", { class: className, x: left * unit, y: top * unit, width: n * unit, height: n * unit });

  function drawWhole(width) {
    const whole = image(crop(originals[picture], [0, 0], padded), padded, 0, 0, width), unit = width / padded;
    return [width, [whole, frame([padding, padding], size, unit, "edge"), frame(steps.crop, size, unit, "handle")]];
  }

  function drawResult(width) {
    const shapes = [image(state.result, size, 0, 0, width)];
    if (covered.checked) shapes.push(frame(steps.hole, hole, width / size, "handle"));
    return [width, shapes];
  }

  function drawBatch(width) {
    const columns = width < 480 ? 4 : 8, each = width / columns;
    const at = (i) => [(i % columns) * each, Math.floor(i / columns) * each];
    const shapes = state.batch.map((pixels, i) => image(pixels, size, ...at(i), each - 4));
    return [each * Math.ceil(shapes.length / columns), shapes];
  }

  function update() {
    steps.angle = angle.get();
    state.result = apply(originals[picture], { ...steps, hole: covered.checked && steps.hole });
    const [dy, dx] = steps.crop.map((v) => padding - v), [top, left] = steps.hole;
    const moved = `${signed(dy, 0)} pixels down, ${signed(dx, 0)} to the right`;
    const place = `a hole at row ${top}, column ${left}`;
    tell(whole.svg, dy, moved);
    tell(result.svg, top, place);
    const hidden = covered.checked ? place : "no hole";
    answer.textContent = `Shifted by ${moved}; rotated by ${signed(steps.angle, 1)}°; ${hidden}.`;
    whole.redraw();
    result.redraw();
  }

  const columns = row(box, "columns pair"), left = row(columns, ""), right = row(columns, "");
  left.append(make("p", { className: "note" }, "The padded image: move the frame"));
  const ofFrame = { role: "slider", "aria-label": "Frame of the crop. The arrow keys move it" };
  const shifts = { "aria-valuemin": -padding, "aria-valuemax": padding };
  const whole = drawing(left, { ...ofFrame, ...shifts }, drawWhole);
  right.append(make("p", { className: "note" }, "What the network sees: move the hole"));
  const ofHole = { role: "slider", "aria-label": "The hole. The arrow keys move it" };
  const rows = { "aria-valuemin": 0, "aria-valuemax": last };
  const result = drawing(right, { ...ofHole, ...rows }, drawResult);
  const answer = words(box), sliders = row(box, "sliders");
  const angles = { min: -degrees, max: degrees, step: 0.5, value: 0, show: (v) => `${signed(v, 1)}°` };
  const angle = slider(sliders, "rotation", angles, update);
  const covered = make("input", { type: "checkbox", checked: true, onchange: update });
  sliders.append(make("label", { className: "check" }, covered, " a hole"));
  movable(whole.svg, steps.crop, 2 * padding, padded, update);
  movable(result.svg, steps.hole, last, size, update);
  const preset = choice(box, "a batch, with the probabilities of", Object.keys(presets), () => {
    Object.assign(state, { drawn: 0, untouched: 0 });
    nextBatch();
  });
  const name = "A batch of images, each changed by chance";
  const batch = drawing(box, { role: "img", tabindex: -1, "aria-label": name }, drawBatch);
  const tally = words(box);
  button(row(box, "buttons"), "Draw the next batch", nextBatch);
  update();
  nextBatch();
});
