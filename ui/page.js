// Behaviour of the page that needs no server: theme, keys, copying, panes. Everything that does goes through the
// bridge, a hidden Gradio component whose custom events carry two numbers, a code or a question. No text is ever put into innerHTML.
(() => {
  if (window.citewise) return;
  const store = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } },
  };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const applyTheme = () => {
    const wanted = store.get("citewise-theme") || (dark.matches ? "dark" : "light");
    document.body.classList.toggle("dark", wanted === "dark");
    document.documentElement.style.colorScheme = wanted;
  };
  const narrow = () => window.matchMedia("(max-width: 1099px)").matches;
  // Which panes are open on a narrow screen; on our own element, because Gradio confines styles to its container.
  const open = {
    has: (name) => document.querySelector("#cw-main")?.classList.contains(name) ?? false,
    set: (name, on) => document.querySelector("#cw-main")?.classList.toggle(name, on),
  };
  let opener = null;

  const send = (event, data) => window.citewise.trigger && window.citewise.trigger(event, data);
  const closeSource = () => {
    open.set("cw-has-source", false);
    for (const lit of document.querySelectorAll(".cw-lit")) lit.classList.remove("cw-lit");
    if (opener && opener.isConnected) opener.focus({ preventScroll: true });
    opener = null;
  };
  const openSource = (from) => {
    opener = from.closest("button") || from.querySelector("button.cw-cite");
    for (const lit of document.querySelectorAll(".cw-lit")) lit.classList.remove("cw-lit");
    const { turn, number } = from.dataset;
    if (from.dataset.action === "cite") {
      const same = `[data-action="cite"][data-turn="${Number(turn)}"][data-number="${Number(number)}"]`;
      for (const element of document.querySelectorAll(same)) element.classList.add("cw-lit");
    } else {
      from.classList.add("cw-lit");
    }
    open.set("cw-has-source", true);
  };
  const copy = async (button) => {
    const text = button.parentElement.querySelector("textarea.cw-copy").value;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    button.textContent = button.dataset.copied;
    button.classList.add("cw-done");
    setTimeout(() => { button.textContent = before; button.classList.remove("cw-done"); }, 1600);
  };
  const question = () => document.querySelector("#cw-question textarea");

  const actions = {
    cite: (el) => { openSource(el); send("cite", { turn: Number(el.dataset.turn), number: Number(el.dataset.number) }); },
    near: (el) => { openSource(el); send("near", { turn: Number(el.dataset.turn), number: Number(el.dataset.number) }); },
    figure: (el) => { openSource(el); send("figure", { turn: Number(el.dataset.turn), number: Number(el.dataset.number) }); },
    edit: (el) => {
      const form = el.closest(".cw-asked").querySelector(".cw-edit-form");
      form.hidden = !form.hidden;
      el.setAttribute("aria-expanded", String(!form.hidden));
      if (!form.hidden) form.querySelector("textarea").focus();
    },
    again: (el) => {
      const asked = el.closest(".cw-edit-form").querySelector("textarea").value.trim();
      if (asked) send("again", { question: asked });
    },
    choice: (el) => send("again", { question: el.textContent.trim() }),
    retry: (el) => send("retry", { turn: Number(el.dataset.turn) }),
    language: (el) => {
      document.cookie = `citewise_language=${el.dataset.code}; path=/; max-age=31536000; SameSite=Strict`;
      document.documentElement.lang = el.dataset.code;
      send("language", { code: el.dataset.code });
    },
    theme: () => {
      store.set("citewise-theme", document.body.classList.contains("dark") ? "light" : "dark");
      applyTheme();
    },
    library: () => open.set("cw-library-open", !open.has("cw-library-open")),
    fresh: () => send("fresh", {}),
    close: closeSource,
    copy,
  };

  document.addEventListener("click", (event) => {
    const element = event.target.closest("[data-action]");
    if (!element) return;
    // A card opens on click, but not when the reader was selecting words of it.
    if (element.tagName !== "BUTTON" && String(window.getSelection())) return;
    actions[element.dataset.action]?.(element);
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      if (open.has("cw-has-source")) closeSource();
      else open.set("cw-library-open", false);
    } else if (event.key === "Enter" && !event.shiftKey && event.target.matches(".cw-edit")) {
      event.preventDefault();
      actions.again(event.target);
    } else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      question()?.focus();
    }
  });

  // Files dropped anywhere on the documents column go to its upload button.
  const library = (event) => event.target.closest && event.target.closest("#cw-library");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.querySelector("#cw-library")?.classList.toggle("cw-drop", Boolean(library(event)));
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.querySelector("#cw-library")?.classList.remove("cw-drop");
    const input = document.querySelector("#cw-library input[type=file]");
    if (!library(event) || !input || !event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // The newest lines stay in view while an answer grows, unless the reader has scrolled up.
  let follow = true;
  document.addEventListener("scroll", (event) => {
    const box = event.target;
    if (box.id === "cw-scroll") follow = box.scrollHeight - box.scrollTop - box.clientHeight < 120;
  }, true);
  const settle = () => {
    const box = document.querySelector("#cw-scroll");
    const turn = box && [...box.querySelectorAll(".cw-turn")].pop();
    if (turn && follow) turn.scrollIntoView({ block: "start" });
  };
  let turns = 0;
  new MutationObserver(() => {
    const marked = document.querySelector("#cw-source-pane #cw-mark");
    if (marked && marked.dataset.seen !== "yes" && open.has("cw-has-source")) {
      marked.dataset.seen = "yes";
      marked.scrollIntoView({ block: "center" });
      if (narrow()) document.querySelector(".cw-close")?.focus({ preventScroll: true });
    }
    const now = document.querySelectorAll("#cw-scroll .cw-turn").length;
    if (now > turns) { follow = true; settle(); }
    turns = now;
  }).observe(document.body, { childList: true, subtree: true });

  dark.addEventListener("change", applyTheme);
  window.citewise = { trigger: null };
  applyTheme();
})();
