"use strict";
/* Chapter 10: ReduceLROnPlateau on accuracies that the reader moves. */
explorable.start("plateau", (box, { sequences, thresholds, eps }) => {
  const { make, row, slider, button, words, shape, line, text, drawing, pointer, arrows, tell, clamp } = explorable;
  const state = (box.state = { sequence: sequences[0], metric: [], epoch: 1, decisions: [] });
  const percent = (v) => `${v.toFixed(2)}%`;
  const show = (lr) => Number(lr.toPrecision(2)).toExponential();

  // What the rule decides after each epoch, with PyTorch's arithmetic
  function decide(metric, lr, factor, patience, threshold) {
    let best = -Infinity, bestEpoch = 0, count = 0;
    return metric.map((value, i) => {
      const before = { value, lr, best, bestEpoch, bar: best * (threshold + 1) };
      const isBest = value > before.bar;
      if (isBest) [best, bestEpoch] = [value, i + 1];
      count = isBest ? 0 : count + 1;
      const decision = { ...before, count, tooMany: count > patience };
      if (decision.tooMany) count = 0;
      if (decision.tooMany && lr - lr * factor > eps) lr *= factor; // PyTorch ignores less
      return { ...decision, next: lr };
    });
  }

  function sayEpoch() {
    const { value, lr, next, best, bestEpoch, bar, count, tooMany } = state.decisions[state.epoch - 1];
    const start = `Epoch ${state.epoch}: ${percent(value)}`;
    if (count === 0) return `${start} is a new best.`;
    const margin = bar > best ? `, and the margin: ${percent(bar)}` : "";
    const fall = lr === next ? ", but so small a rate stays" : `: the rate falls from ${show(lr)} to ${show(next)}`;
    return `${start} is not above the best, ${percent(best)} of epoch ${bestEpoch}${margin}. ` +
      `Epochs without a new best: ${count}, of which ${patience.get()} are allowed${tooMany ? fall : ""}.`;
  }

  function sayFalls() {
    const after = state.decisions.flatMap(({ lr, next }, i) => (next < lr ? [i + 1] : []));
    const list = after.join(", ").replace(/, (\d+)$/, " and $1");
    return list ? `The rate falls after epoch${after.length > 1 ? "s" : ""} ${list}. ` : "The rate never falls. ";
  }

  function sayLimits() {
    const { rates } = state.sequence; // of a run that was really made
    if (!rates || rates.every((lr, i) => Math.abs(lr - state.decisions[i].lr) < 1e-12)) return "";
    return "(The run had other rates. Where they begin to differ, its accuracies would have, too.) ";
  }

  // Where an epoch and an accuracy are drawn
  function scales(width) {
    const left = 34, top = 14, height = 210, { low, high } = state.sequence;
    const each = (width - left - 6) / state.metric.length;
    const x = (epoch) => left + (epoch - 0.5) * each;
    const y = (v) => top + ((high - clamp(v, low, high)) / (high - low)) * height;
    const valueAt = (py) => high - ((py - top) / height) * (high - low);
    return { left, right: width - 6, top, height, bottom: top + height, each, x, y, valueAt };
  }

  function drawGrid({ left, right, y }) {
    const { low, high } = state.sequence;
    const values = [0, 1, 2, 3, 4, 5].map((i) => low + (i * (high - low)) / 5);
    const label = (v) => text(left - 6, y(v) + 4, v, { class: "end" });
    return values.flatMap((v) => [line([[left, y(v)], [right, y(v)]], "grid"), label(v)]);
  }

  // A dot for a new best, else the count; what is below the scale gets a wedge at its edge
  function drawEpoch({ each, x, y, bottom }, { value, count, tooMany }, i) {
    const cx = x(i + 1), cy = y(value);
    if (value < state.sequence.low) return text(cx, bottom - 2, "▾", { class: "middle" });
    if (count === 0) return shape("circle", { class: "best", cx, cy, r: 3.5 });
    if (tooMany || each > 11) return text(cx, cy + 4, count, { class: tooMany ? "middle alarm" : "middle" });
    return shape("circle", { class: "other", cx, cy, r: 2 });
  }

  // The learning rate on a logarithmic scale, and where it falls
  function drawRates({ left, top, bottom, each, x }) {
    const { decisions } = state, first = decisions[0].lr, last = decisions[decisions.length - 1];
    const span = Math.log(first / Math.min(last.lr, last.next)) || 1;
    const y = (lr) => bottom + 46 + (40 * Math.log(first / lr)) / span;
    const falls = decisions.flatMap(({ lr, next }, i) => (next < lr ? [x(i + 1) + each / 2] : []));
    const steps = decisions.flatMap(({ lr }, i) => [0.5, 1.5].map((at) => [x(i + at), y(lr)]));
    return [
      text(left, bottom + 18, `learning rate, at first ${show(first)}`),
      text(left, 10, "accuracy (%)"),
      ...falls.map((at) => line([[at, top], [at, bottom + 88]], "dashed alarm")),
      line(steps, "thick alarm"),
    ];
  }

  function draw(width) {
    const at = scales(width), { top, bottom, height, each, x, y } = at, { decisions, epoch } = state;
    const bars = decisions.slice(1).flatMap(({ bar }, i) => [1, 2].map((k) => [x(i + k), y(bar)]));
    return [bottom + 92, [
      shape("rect", { class: "picked", x: x(epoch) - each / 2, y: top, width: each, height }),
      ...drawGrid(at),
      line(decisions.map(({ value }, i) => [x(i + 1), y(value)]), "thin"),
      line(bars, "dashed"),
      ...decisions.map((decision, i) => drawEpoch(at, decision, i)),
      ...drawRates(at),
      shape("circle", { class: "handle", cx: x(epoch), cy: y(decisions[epoch - 1].value), r: 11 }),
    ]];
  }

  function update() {
    const { metric, sequence } = state, value = metric[state.epoch - 1], margin = thresholds[threshold.get()];
    state.decisions = decide(metric, sequence.lr, factor.get(), patience.get(), margin);
    tell(chart.svg, value, `epoch ${state.epoch}: ${percent(value)}`);
    chart.redraw();
    answer.replaceChildren(make("b", {}, sayFalls()), sayLimits(), sayEpoch());
  }

  function load(sequence) {
    Object.assign(state, { sequence, metric: [...sequence.metric], epoch: sequence.picked });
    factor.set(sequence.factor);
    patience.set(sequence.patience);
    threshold.set(thresholds.indexOf(sequence.threshold));
    update();
  }

  function change(value) {
    const { low, high } = state.sequence;
    state.metric[state.epoch - 1] = Number(clamp(value, low, high).toFixed(2));
    update();
  }

  function pick(epoch) {
    state.epoch = clamp(epoch, 1, state.metric.length);
    update();
  }

  const loads = row(box, "buttons");
  for (const sequence of sequences) button(loads, sequence.name, () => load(sequence));
  const name = "Accuracy. Left and right choose an epoch, up and down change its accuracy";
  const chart = drawing(box, { role: "slider", "aria-label": name }, draw);
  const answer = words(box), sliders = row(box, "sliders");
  const factor = slider(sliders, "factor", { min: 0.1, max: 0.9, step: 0.1, value: 0.1 }, update);
  const patience = slider(sliders, "patience", { min: 0, max: 12, value: 0 }, update);
  const margins = { min: 0, max: thresholds.length - 1, value: 0, show: (i) => String(thresholds[i]) };
  const threshold = slider(sliders, "threshold", margins, update);
  let held = false; // whether the picked epoch's accuracy follows the pointer
  pointer(chart.svg, (px, py, e) => {
    const { left, each, x, y, valueAt } = scales(chart.svg.clientWidth);
    const near = () => Math.hypot(px - x(state.epoch), py - y(state.metric[state.epoch - 1])) < 14;
    if (e.type === "pointerdown") {
      if (!near()) pick(Math.ceil((px - left) / each));
      held = near();
    } else if (held) change(valueAt(py));
  });
  const higher = (by) => change(state.metric[state.epoch - 1] + by);
  arrows(chart.svg, (right, down) => (right ? pick(state.epoch + right) : higher(-0.1 * down)));
  load(sequences[0]);
});
