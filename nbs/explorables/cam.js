"use strict";
/* Chapter 12: the last map as an invoice. A cell can be struck off, and the logit loses just that. */
explorable.start("cam", (box, { classes, bias, h, w, side, mistakes }) => {
  const { make, row, button, choice, words, shape, text, drawing, pointer, arrows, clamp, signed } = explorable;
  const { tell, bytes, address } = explorable;
  const state = (box.state = { image: 0, cls: 0, cell: 0, struck: new Set() });
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const mistake = () => mistakes[state.image];
  const map = () => mistake().maps[state.cls]; // h*w numbers, in units of the logit
  const largest = Math.max(...mistakes.flatMap(({ maps }) => maps.flat()).map(Math.abs));

  // The logits of all classes without the cells that are struck off
  const logits = () => mistake().maps.map((values, k) =>
    bias[k] + sum(values.filter((_, i) => !state.struck.has(i))));

  function softmax(logits) {
    const top = Math.max(...logits), powers = logits.map((y) => Math.exp(y - top));
    return powers.map((v) => v / sum(powers));
  }

  // Lines of the invoice: [what, how much]; the last is their sum
  function invoice() {
    const values = map(), { cell, struck, cls } = state;
    const others = values.filter((_, i) => i !== cell && !struck.has(i));
    const lines = [
      ["bias, the same for every image", bias[cls]],
      [`${place(cell)}${struck.has(cell) ? ", struck off" : ""}`, struck.has(cell) ? 0 : values[cell]],
      ["other cells that argue for it", sum(others.filter((v) => v > 0))],
      ["other cells that argue against it", sum(others.filter((v) => v < 0))],
    ];
    return [...lines, [struck.size ? "logit without the struck cells" : "logit", sum(lines.map(([, v]) => v))]];
  }

  const place = (i) => `the cell in row ${Math.floor(i / w) + 1}, column ${(i % w) + 1}`;

  function sayCell() {
    const value = map()[state.cell], verb = value < 0 ? "takes" : "adds";
    return `${place(state.cell)[0].toUpperCase()}${place(state.cell).slice(1)} ${verb} ` +
      `${Math.abs(value).toFixed(3)} ${value < 0 ? "from" : "to"} the logit of ${classes[state.cls]}. `;
  }

  function sayAnswer() {
    const probs = softmax(logits()), best = probs.indexOf(Math.max(...probs));
    const without = state.struck.size ? `Without the ${state.struck.size} struck off` : "With all cells";
    return `${without}, the network says ${classes[best]}, with probability ${probs[best].toFixed(2)}.`;
  }

  function drawCell(value, i, size) {
    const x = (i % w) * size, y = Math.floor(i / w) * size, rows = [];
    const strong = Math.min(1, Math.abs(value) / largest), side = value < 0 ? "against" : "for";
    const cover = `rgb(var(--${side}) / ${(0.9 * strong).toFixed(3)})`;
    rows.push(shape("rect", { class: "tile", x, y, width: size, height: size, style: `fill: ${cover}` }));
    const cross = `M${x} ${y}l${size} ${size}m0 ${-size}l${-size} ${size}`;
    if (state.struck.has(i)) rows.push(shape("path", { class: "strike", d: cross }));
    const inner = { x: x + 1, y: y + 1, width: size - 2, height: size - 2 };
    if (state.cell === i) rows.push(shape("rect", { class: "framed", ...inner }));
    return rows;
  }

  function draw(width) {
    const size = width / w, height = size * h;
    const href = address(bytes(mistake().image), side);
    const photo = shape("image", { class: "grey", href, width, height, preserveAspectRatio: "none" });
    return [height, [photo, ...map().flatMap((value, i) => drawCell(value, i, size))]];
  }

  function update() {
    state.lines = invoice();
    state.logits = logits();
    tell(grid.svg, state.cell + 1, sayCell());
    grid.redraw();
    bill.replaceChildren(...state.lines.map(([what, much]) =>
      make("li", {}, make("span", {}, what), make("span", {}, signed(much, 3)))));
    title.textContent = `Invoice for ${classes[state.cls]} (orange: for it, blue: against it). ` +
      `The image shows: ${mistake().actual}.`;
    answer.replaceChildren(make("b", {}, sayCell()), sayAnswer());
  }

  function show() {
    state.image = images.get();
    state.cls = mistake().predicted;
    picker.value = state.cls;
    state.cell = map().indexOf(Math.max(...map()));
    state.struck.clear();
    update();
  }

  function strike(cell = state.cell) {
    if (!state.struck.delete(cell)) state.struck.add(cell);
    update();
  }

  const images = choice(box, "image", mistakes.map((m) => `${m.actual} → ${classes[m.predicted]}`), show);
  const columns = row(box, "columns"), left = row(columns, ""), right = row(columns, "");
  const name = "Cells of the map. The arrow keys walk, Enter or space strikes one off";
  const numbered = { "aria-valuemin": 1, "aria-valuemax": h * w };
  const grid = drawing(left, { role: "slider", "aria-label": name, ...numbered }, draw);
  const picker = make("select", { onchange: () => { state.cls = Number(picker.value); update(); } });
  picker.append(...classes.map((c, k) => make("option", { value: k }, c)));
  right.append(make("label", { className: "slider" }, make("span", {}, "class that is explained"), picker));
  const title = make("p", { className: "note" }), bill = make("ul", { className: "bill" });
  right.append(title, bill);
  const buttons = row(right, "buttons");
  button(buttons, "Strike off, or put back", () => strike());
  button(buttons, "Strike off the largest", () => {
    const left = map().map((value, i) => (state.struck.has(i) ? -Infinity : value));
    state.cell = left.indexOf(Math.max(...left));
    if (!state.struck.has(state.cell)) strike();
  });
  button(buttons, "Put all back", () => { state.struck.clear(); update(); });
  const answer = words(box);
  const cellAt = (px, py) => {
    const size = grid.svg.clientWidth / w, at = (p, n) => clamp(Math.floor(p / size), 0, n - 1);
    return at(py, h) * w + at(px, w);
  };
  grid.svg.addEventListener("pointermove", (e) => {
    if (e.pointerType === "touch") return;
    const { left, top } = grid.svg.getBoundingClientRect(), cell = cellAt(e.clientX - left, e.clientY - top);
    if (cell !== state.cell) [state.cell] = [cell], update();
  });
  pointer(grid.svg, (px, py, e) => {
    if (e.type !== "pointerdown") return;
    state.cell = cellAt(px, py);
    update();
  });
  arrows(grid.svg, (right, down) => {
    const x = clamp((state.cell % w) + right, 0, w - 1), y = clamp(Math.floor(state.cell / w) + down, 0, h - 1);
    state.cell = y * w + x;
    update();
  });
  grid.svg.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" && e.key !== " ") return;
    e.preventDefault();
    strike();
  });
  show();
});
