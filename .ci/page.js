// What .ci/site.py asks of each page, in the page itself.

// Only these may be wider than the page, and scroll: tables, equations, the strip of images
// from which a reader of the explorer chooses, on a phone what code prints, and figures
// that keep the width that their letters need (`kept`).
const scrollers = "main table, main .math.display, #images .thumbs";
const printed = ".cell-output pre:not(.sourceCode), .cell-output pre:not(.sourceCode) code";
const figures = ".cell-output-display figure.figure img";
const phone = () => document.documentElement.clientWidth < 576;

window.checks = {
  // Text that a reader sees, without code and rendered maths
  visibleText() {
    const skipped =
      "script, style, template, code:not(.sourceCode), pre:not(.sourceCode), " +
      ".katex, .math, mjx-container, .MathJax";
    const start = document.querySelector("main") || document.body;
    const walk = document.createTreeWalker(start, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walk.nextNode()) {
      if (!walk.currentNode.parentElement.closest(skipped))
        found.push(walk.currentNode.data);
    }
    return found.join("\n");
  },

  // Markdown links, or a command's help, that stayed text in a signature
  rawSignatures() {
    const texts = [...document.querySelectorAll("pre")].map((e) => e.innerText);
    const links = texts
      .filter((t) => t.includes("](http"))
      .map((t) => t.slice(t.indexOf("](http") - 40, t.indexOf("](http") + 40));
    const helps = texts
      .filter((t) => /^\s*def /.test(t) && /usage:|\w+:\w+ <[^>]+>=?/.test(t))
      .map((t) => t.slice(0, 80));
    return [...links, ...helps];
  },

  openDetails() {
    document.querySelectorAll("details").forEach((d) => (d.open = true));
  },

  // Images that are broken or have no alt text; outside the text one may be an ornament
  badImages() {
    const described = (i) =>
      i.alt.trim() || (i.getAttribute("alt") === "" && !i.closest("main"));
    const broken = (i) => i.complete && !i.naturalWidth;
    return [...document.images]
      .filter((i) => !described(i) || broken(i))
      .map((i) => i.outerHTML.slice(0, 120));
  },

  // Formulas that stayed TeX
  rawFormulas() {
    const formulas = [...document.querySelectorAll(".math")];
    const raw = formulas.filter((e) => !e.querySelector(".katex-html"));
    return raw.map((e) => e.innerText.slice(0, 60));
  },

  // Headings with nothing under them
  emptySections() {
    const main = document.querySelector("main");
    const parts = [...main.querySelectorAll("h2, nav.page-navigation")];
    const empty = parts.filter((h, i) => {
      const range = document.createRange();
      range.setStartAfter(h);
      if (parts[i + 1]) range.setEndBefore(parts[i + 1]);
      else range.setEndAfter(main);
      const seen = range.cloneContents().querySelector("img, svg, canvas, iframe");
      return h.tagName === "H2" && !seen && !range.toString().trim();
    });
    return empty.map((h) => h.innerText.trim());
  },

  // Images of the text that are cut off, squeezed, or smaller than there is room for
  badSizes() {
    const bad = [];
    const say = (i, what) => bad.push(`${what}: ${i.alt.slice(0, 60)}`);
    for (const i of document.querySelectorAll("main img")) {
      const box = i.getBoundingClientRect();
      if (!box.width) continue;
      const stop = (e) => e.matches(scrollers) || (e === i.parentElement && kept(i));
      for (let e = i.parentElement; e && !stop(e); e = e.parentElement) {
        const { left, right } = inside(e);
        if (box.right > right + 1 || box.left < left - 1) {
          say(i, `cut off ${Math.round(box.right - right)} px`);
          break;
        }
        if (e.tagName === "MAIN") break;
      }
      const shape = i.naturalWidth / i.naturalHeight;
      if (i.naturalWidth && Math.abs(box.width / box.height / shape - 1) > 0.02)
        say(i, "squeezed");
      const { left, right } = inside(i.closest("td, figure, p, div"));
      const drawn = Number(i.getAttribute("width")) || i.naturalWidth;
      const wanted = Math.min(drawn, right - left);
      if (box.width < wanted - 1)
        say(i, `shown ${Math.round(box.width)} px wide instead of ${Math.round(wanted)}`);
    }
    return bad;
  },

  // Figures that don't fill their column; those in the cells of a table are no figures
  smallFigures() {
    const bad = [];
    const figures = "main .cell-output-display img:not(td img)";
    for (const i of document.querySelectorAll(figures)) {
      const { left, right } = inside(i.closest(".cell-output-display"));
      const share = i.getBoundingClientRect().width / (right - left);
      if (share && share < 0.9)
        bad.push(`${Math.round(100 * share)}% of its column: ${i.alt.slice(0, 60)}`);
    }
    return bad;
  },

  // The figures' addresses, shown widths and descriptions
  figureWidths() {
    return [...document.querySelectorAll(`main ${figures}`)].map((i) => ({
      address: i.src,
      width: i.getBoundingClientRect().width,
      alt: i.alt.slice(0, 60),
    }));
  },

  // Figures that scroll and don't say so, or say so and don't
  wrongHints() {
    const wrong = [...document.querySelectorAll(`main ${figures}`)].filter((i) => {
      const box = i.parentElement;
      const hint = getComputedStyle(box, "::after").display !== "none";
      return box.clientWidth && hint !== box.scrollWidth > box.clientWidth;
    });
    return wrong.map((i) => i.alt.slice(0, 60));
  },

  // Lines that run off the right edge of their block
  longLines() {
    const blocks = [...document.querySelectorAll("main pre, main pre code")];
    const long = blocks.filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1);
    const bad = long.filter((e) => !(phone() && e.matches(printed)));
    return bad.map((e) => `${e.scrollWidth - e.clientWidth} px: ${e.innerText.slice(0, 50)}`);
  },

  // What sticks out of the window
  tooWide() {
    const width = document.documentElement.clientWidth;
    const bad = [];
    const page = document.scrollingElement.scrollWidth;
    if (page > width + 1) bad.push(`the page is ${page} px wide`);
    const parts = "p, h1, h2, h3, li, td, img, figcaption, pre, :not(pre) > code, .csl-entry";
    for (const e of document.querySelectorAll(`main :is(${parts})`)) {
      const box = e.getBoundingClientRect();
      const scrolls =
        e.closest(scrollers) || (phone() && e.closest(printed)) || (e.matches(figures) && kept(e));
      if (box.width && box.right > width + 1 && !scrolls)
        bad.push(`sticks out: ${e.tagName} ${(e.innerText || e.alt || "").slice(0, 60)}`);
    }
    return bad.slice(0, 9);
  },

  // Text of less contrast than 4.5:1 with what is behind it
  faintText() {
    const bad = new Map();
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const e = walk.currentNode.parentElement;
      const text = walk.currentNode.data.trim();
      // not drawn: scripts, and the words that KaTeX has for screen readers
      if (!text || e.closest("script, style, noscript, .katex-mathml")) continue;
      if (!e.checkVisibility({ checkVisibilityCSS: true }) || !opacity(e)) continue;
      const ratio = contrast(e);
      if (ratio < 4.5)
        bad.set(e.className || e.tagName, `${ratio.toFixed(1)}:1 ${text.slice(0, 40)}`);
    }
    return [...bad.values()];
  },

  // How bright the page is, 0 to 1
  brightness() {
    return luminance(behind(document.body));
  },

  // Whether a page with several sections shows where they are
  contents() {
    if (document.querySelectorAll("main h2").length < 3) return true;
    const tables = [...document.querySelectorAll("[role=doc-toc]")];
    return tables.some((e) => e.checkVisibility() && e.getBoundingClientRect().height);
  },

  // The page's frame: what stands around the text
  frame() {
    const content = (q) => document.querySelector(q)?.content;
    const words = (q) => document.querySelector(q)?.innerText.trim();
    const parts = document.querySelectorAll(
      ".sidebar-menu-container > ul > .sidebar-item-section > .sidebar-item-container"
    );
    return {
      title: words("h1.title"),
      entry: words(".sidebar-link.active"),
      parts: [...parts].map((e) => e.innerText.trim()),
      next: document.querySelector(".nav-page-next a")?.getAttribute("href"),
      logo: document.querySelector(".sidebar-logo")?.getBoundingClientRect().height,
      shared: [
        content("meta[property='og:image']"),
        content("meta[name='twitter:image']"),
      ],
    };
  },

  anchors() {
    const named = [...document.querySelectorAll("[id], a[name]")];
    return named.map((e) => e.id || e.name);
  },

  links() {
    const linked = [...document.querySelectorAll("a[href]")];
    return linked.map((a) => a.getAttribute("href"));
  },
};

// Whether a figure has the width that the stylesheet keeps, and scrolls in its own box
function kept(i) {
  const least = parseFloat(getComputedStyle(i).minWidth);
  const scrolls = getComputedStyle(i.parentElement).overflowX === "auto";
  return i.matches(figures) && scrolls && Math.abs(i.getBoundingClientRect().width - least) < 1;
}

// Where the content of an element begins and ends
function inside(e) {
  const style = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  return {
    left: box.left + parseFloat(style.paddingLeft),
    right: box.right - parseFloat(style.paddingRight),
  };
}

// [red, green, blue in 0 to 255, alpha in 0 to 1]
function colour(text) {
  const numbers = text.match(/-?[\d.]+(e-?\d+)?/g).map(Number);
  const [r, g, b, a = 1] = numbers;
  return text.startsWith("color(") ? [255 * r, 255 * g, 255 * b, a] : [r, g, b, a];
}

function over([r, g, b, a], below) {
  return [r, g, b].map((v, i) => a * v + (1 - a) * below[i]);
}

// The colour that is painted behind an element's text
function behind(e) {
  const above = [];
  for (; e; e = e.parentElement) {
    const painted = colour(getComputedStyle(e).backgroundColor);
    above.unshift(painted);
    if (painted[3] === 1) break;
  }
  return above.reduce((below, c) => over(c, below), [255, 255, 255]);
}

function opacity(e) {
  let product = 1;
  for (; e; e = e.parentElement) product *= Number(getComputedStyle(e).opacity);
  return product;
}

// Relative luminance, as WCAG 2 defines it
function luminance(rgb) {
  const [r, g, b] = rgb.map((v) => {
    const s = v / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(e) {
  const below = behind(e);
  const [r, g, b, a] = colour(getComputedStyle(e).color);
  const text = over([r, g, b, a * opacity(e)], below);
  const [dark, light] = [luminance(text), luminance(below)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}
