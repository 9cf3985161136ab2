"use strict";
/* Chapter 9: descent with momentum on a bowl and in a valley, from where the reader likes. */
explorable.start("descent", (box, { curvature, levels, start, n, view, first }) => {
  const { make, row, slider, choice, words, shape, line, text, drawing } = explorable;
  const { pointer, arrows, tell, clamp, signed } = explorable;
  const names = Object.keys(curvature);
  const state = (box.state = { w: [...start], path: [], losses: [] });
  const loss = (w, h) => 0.5 * (h[0] * w[0] ** 2 + h[1] * w[1] ** 2);

  // v = beta v + g, then w = w - lr v: the points visited, the start first
  function walk(w, h, lr, beta, steps) {
    let v = [0, 0];
    const path = [w];
    for (let t = 0; t < steps; t++) {
      v = v.map((old, i) => beta * old + h[i] * w[i]);
      w = w.map((old, i) => old - lr * v[i]);
      path.push(w);
    }
    return path;
  }

  // By what a step multiplies the distance, in the long run: the larger root's size of
  // z² − (1 + beta − lr h) z + beta = 0
  function rate(h, lr, beta) {
    const middle = (1 + beta - lr * h) / 2;
    const under = middle ** 2 - beta;
    return under < 0 ? Math.sqrt(beta) : Math.abs(middle) + Math.sqrt(under);
  }

  function sayEnd() {
    const end = state.path[n], short = Math.hypot(...end);
    const steep = Math.max(...h()), limit = (2 * (1 + beta.get())) / steep;
    if (lr() > limit) return `It flies apart: the rate is above 2(1+β)/h = ${limit.toPrecision(3)}. `;
    const much = short < 0.005 ? "less than 0.01" : short.toFixed(2);
    return `After ${n} steps the walk is ${much} from the star. `;
  }

  function sayFactors() {
    const along = h().map((curve) => rate(curve, lr(), beta.get()).toFixed(3));
    return `In the long run a step multiplies the distance along w₁ by ${along[0]}, along w₂ by ${along[1]}.`;
  }

  // Where a point is drawn; both axes have their own scale, as in the chapter's figure
  function scales(width) {
    const [left, right, low, high] = view, height = Math.round(clamp(0.5 * width, 190, 300));
    const x = (w) => ((w - left) / (right - left)) * width;
    const y = (w) => ((high - w) / (high - low)) * height;
    const back = (px, py) => [left + (px / width) * (right - left), high - (py / height) * (high - low)];
    return { x, y, back, height, width };
  }

  // The loss after each step, on a logarithmic scale, below the landscape
  function drawLosses({ height, width }) {
    const top = height + 26, deep = 64, decades = 8, first = Math.log10(state.losses[0] || 1);
    const y = (value) => top + clamp(((first - Math.log10(value + 1e-300)) / decades) * deep, -10, deep);
    const points = state.losses.map((value, t) => [(t / n) * width, y(value)]);
    return [
      text(0, height + 16, "loss after each step (grey line: 1e-8 of the first)"),
      line([[0, top + deep], [width, top + deep]], "grid"),
      line(points, "walk"),
    ];
  }

  function draw(width) {
    const at = scales(width), { x, y, height } = at, [h1, h2] = h();
    const ring = (level) => shape("ellipse", {
      class: "grid", cx: x(0), cy: y(0),
      rx: x(Math.sqrt((2 * level) / h1)) - x(0), ry: y(0) - y(Math.sqrt((2 * level) / h2)),
    });
    const far = state.path.findIndex((w) => Math.hypot(...w) > 1e3); // drawn no further
    const points = state.path.slice(0, far < 0 ? n + 1 : far + 1).map(([w1, w2]) => [x(w1), y(w2)]);
    const plane = shape("svg", { width, height }, ...levels.map(ring), line(points, "walk"));
    plane.append(...points.map(([cx, cy]) => shape("circle", { class: "point", cx, cy, r: 2.5 })));
    plane.append(text(x(0), y(0) + 6, "★", { class: "middle star" }));
    plane.append(shape("circle", { class: "handle", cx: points[0][0], cy: points[0][1], r: 11 }));
    const labels = [text(width - 4, height - 6, "w₁ →", { class: "end" }), text(4, 14, "w₂ ↑")];
    return [height + 96, [plane, ...labels, ...drawLosses(at)]];
  }

  const h = () => curvature[names[land.get()]];
  const lr = () => 10 ** power.get();

  function update() {
    state.path = walk(state.w, h(), lr(), beta.get(), n);
    state.losses = state.path.map((w) => loss(w, h()));
    const where = `start at ${state.w.map((v) => signed(v, 1, "")).join(", ")}`;
    tell(plane.svg, state.w[0], where);
    plane.redraw();
    answer.replaceChildren(make("b", {}, sayEnd()), sayFactors());
  }

  function begin(w1, w2) {
    const [left, right, low, high] = view;
    state.w = [clamp(w1, left, right), clamp(w2, low, high)].map((v) => Math.round(10 * v) / 10);
    update();
  }

  const land = choice(box, "landscape", names, update);
  const name = "Where the walk starts. The arrow keys move it";
  const ends = { "aria-valuemin": view[0], "aria-valuemax": view[1] };
  const plane = drawing(box, { role: "slider", "aria-label": name, ...ends }, draw);
  const answer = words(box), sliders = row(box, "sliders");
  const rates = { min: -3, max: -0.5, step: 0.01, value: Math.log10(first.lr) };
  const power = slider(sliders, "learning rate η", { ...rates, show: (v) => (10 ** v).toPrecision(2) }, update);
  const betas = { min: 0, max: 0.98, step: 0.01, value: first.beta, show: (v) => v.toFixed(2) };
  const beta = slider(sliders, "momentum β", betas, update);
  land.set(names.indexOf(first.land));
  let held = false; // whether the start follows the pointer
  pointer(plane.svg, (px, py, e) => {
    const { x, y, back } = scales(plane.svg.clientWidth);
    if (e.type === "pointerdown") held = Math.hypot(px - x(state.w[0]), py - y(state.w[1])) < 24;
    if (held || e.pointerType !== "touch") begin(...back(px, py));
  });
  arrows(plane.svg, (right, down) => begin(state.w[0] + 0.1 * right, state.w[1] - 0.1 * down));
  update();
});
