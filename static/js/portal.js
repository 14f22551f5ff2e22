// Small conveniences for every page; all pages work without them.
"use strict";

// A form that was changed asks before it is left.
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-guard]");
  if (form) form.dataset.changed = "yes";
});
document.addEventListener("submit", (event) => {
  delete event.target.dataset.changed;
});
window.addEventListener("beforeunload", (event) => {
  if (document.querySelector("form[data-changed], form[data-unsent]")) event.preventDefault();
});

// What somebody filled in is sent only while the portal answers and knows them; else it stays.
// A portal that answered within the last two minutes is not asked again.
let heard = Date.now();
const held = () => document.querySelector(".held");
const sure = () => held().hidden && navigator.onLine && Date.now() - heard < 120000;
const hold = (why) => {
  for (const text of held().querySelectorAll("[data-why]")) text.hidden = text.dataset.why !== why;
  held().hidden = false;
};
const stillSignedIn = async () => {
  const asked = { redirect: "manual", signal: AbortSignal.timeout(10000) };
  const answer = await fetch(document.body.dataset.session, asked).catch(() => null);
  if (!answer?.ok) {
    hold(answer?.type === "opaqueredirect" ? "signed-out" : "no-answer");
    return false;
  }
  // Who signed in again has another token.
  const token = await answer.text();
  document.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((field) => { field.value = token; });
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  held().hidden = true;
  heard = Date.now();
  return true;
};
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-guard], form[data-keep]");
  if (!form || !document.body.dataset.session || form.dataset.known || sure()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (form.dataset.asking) return;
  form.dataset.asking = "yes";
  const submitter = event.submitter;
  const known = await stillSignedIn();
  delete form.dataset.asking;
  if (!known) return;
  form.dataset.known = "yes";
  form.requestSubmit(submitter);
  delete form.dataset.known;
}, true);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && held()?.hidden === false) stillSignedIn();
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) heard = Date.now();
});
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status !== 401) return;
  heard = 0;
  if (document.querySelector("form[data-changed]")) return hold("signed-out");
  const next = encodeURIComponent(location.pathname + location.search);
  location.assign(`${document.body.dataset.signIn}?next=${next}`);
});

// The first error summary of a page takes the focus, so that it is read out and seen.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector(".error-summary")?.focus();
});

// Desktop: "/" goes to the search field of the page.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, textarea, select")) return;
  const search = document.querySelector("[data-search]");
  if (search) {
    event.preventDefault();
    search.focus();
  }
});

// A form that is on its way is not sent a second time; the server would know it anyway.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-once]");
  if (!form) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
const unlock = () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
};
window.addEventListener("pageshow", unlock);
document.addEventListener("htmx:afterRequest", unlock);

// A tap that did not arrive says so at its button, and goes again once there is a connection.
// It may have arrived after all: the case has changed then, and the portal refuses the second.
const notSent = (event) => {
  const form = event.detail.elt.closest?.("form[hx-post]");
  if (!form || form.dataset.unsent) return;
  form.dataset.unsent = "yes";
  const says = document.createElement("p");
  says.className = "unsent-says";
  says.setAttribute("role", "status");
  says.textContent = document.body.dataset.unsent;
  form.append(says);
  document.activeElement?.blur();
};
document.addEventListener("htmx:sendError", notSent);
document.addEventListener("htmx:timeout", notSent);
document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt;
  if (!form.dataset?.unsent) return;
  delete form.dataset.unsent;
  form.querySelector(".unsent-says")?.remove();
});
window.addEventListener("online", () => {
  document.querySelectorAll("form[data-unsent]").forEach((form) => form.requestSubmit());
});

// A number that was uncovered to call is dialled at once.
document.addEventListener("htmx:load", (event) => {
  const dial = event.target.closest("[data-dial]") ?? event.target.querySelector?.("[data-dial]");
  if (dial) dial.click();
});

// A button that acts on the chosen rows says how many there are.
document.addEventListener("change", (event) => {
  const button = event.target.form?.querySelector("[data-count]");
  if (!button || event.target.type !== "checkbox") return;
  const count = event.target.form.querySelectorAll("input[type=checkbox]:checked").length;
  button.textContent = button.dataset.count.replace("{n}", count);
  button.disabled = !count;
});

// A link to a folded part, or into one, opens it.
const unfold = () => {
  const part = location.hash && document.getElementById(location.hash.slice(1));
  const folded = part && part.closest("details:not([open])");
  if (!folded) return;
  folded.open = true;
  if (folded !== part) part.scrollIntoView();
};
window.addEventListener("hashchange", unfold);
document.addEventListener("DOMContentLoaded", unfold);
// A list that is narrowed down while one types.
document.addEventListener("input", (event) => {
  const list = event.target.dataset.filter && document.querySelector(event.target.dataset.filter);
  if (!list) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const row of list.children) {
    const words = row.querySelector("[data-words]")?.dataset.words ?? "";
    row.hidden = !words.includes(wanted);
  }
});
