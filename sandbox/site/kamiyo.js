"use strict";

const api = document.documentElement.dataset.api;
const pageSize = 25;

async function read(url, headers = {}) {
  const answer = await fetch(url, { headers });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function say(place, text) {
  const said = element("p", text, { class: "problem", role: "alert" });
  place.after(said);
}

const amount = (usd) => (usd === null ? "unknown" : Math.round(usd).toLocaleString("en"));

/** The signed-in person's session with the API key of their account; null for a stranger. */
async function account() {
  const session = await read("/api/auth/session");
  if (!session.user) return null;
  const { key } = await read("/api/account/key");
  return { ...session.user, key };
}

function show(table, exploits) {
  const rows = exploits.map((exploit) => {
    const row = element("tr", "");
    row.append(
      element("td", exploit.timestamp.slice(0, 10)),
      element("td", exploit.chain, { "data-field": "chain" }),
      element("td", exploit.protocol, { "data-field": "protocol" }),
      element("td", amount(exploit.amount_usd), { class: "number" }),
    );
    const cell = element("td", "");
    const href = `/exploits/${encodeURIComponent(exploit.tx_hash)}`;
    cell.append(element("a", `${exploit.tx_hash.slice(0, 14)}…`, { href }));
    row.append(cell);
    return row;
  });
  table.tBodies[0].replaceChildren(...rows);
  table.hidden = false;
  document.getElementById("nothing").hidden = rows.length > 0;
}

async function list(table, filters, headers) {
  const asked = new URLSearchParams({ page: 1, page_size: pageSize });
  for (const [name, control] of Object.entries(filters)) {
    if (control.value) asked.set(name, control.value);
  }
  const page = await read(`${api}/exploits?${asked}`, headers);
  const listed = page.data;
  show(table, listed);
}

async function showDashboard(table) {
  const person = await account();
  if (!person) {
    location.replace("/auth/signin?callbackUrl=%2Fdashboard");
    return;
  }
  const greeting = document.getElementById("greeting");
  greeting.replaceChildren(
    "Signed in as ",
    element("strong", person.email),
    ". ",
    element("a", "Sign out", { href: "/api/auth/signout" }),
  );
  const headers = { "X-API-Key": person.key };
  const filters = { chain: document.getElementById("chain"), protocol: document.getElementById("protocol") };
  for (const control of Object.values(filters)) {
    control.addEventListener("change", () => list(table, filters, headers).catch((problem) => report(table, problem)));
  }
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("subscribe").addEventListener("click", () => subscribe(filters.chain.value, person.key));
  const [, stats, known] = await Promise.all([
    list(table, filters, headers),
    read(`${api}/stats?days=30`, headers),
    read(`${api}/chains`, headers),
  ]);
  for (const one of known.chains) filters.chain.append(element("option", one.chain, { value: one.chain }));
  for (const shown of document.querySelectorAll("[data-stat]")) {
    shown.textContent = Math.round(stats[shown.dataset.stat]).toLocaleString("en");
  }
}

/** Live alerts for a chain, or for all: the API says when the filter is in force. */
function subscribe(chain, key) {
  const status = document.getElementById("alerts");
  const wanted = { type: "update_filters", data: { chains: chain ? [chain] : [] } };
  const socket = new WebSocket(`${api.replace("http", "ws")}/ws?token=${encodeURIComponent(key)}`);
  let asked = false;
  status.textContent = "Connecting …";
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type !== "status") return;
    if (asked) status.textContent = `Subscribed to alerts for ${chain || "all chains"}.`;
    else socket.send(JSON.stringify(wanted));
    asked = true;
  });
  socket.addEventListener("close", () => { status.textContent = "Alerts cannot be reached at the moment."; });
}

async function showFigures(place) {
  const health = await read("/api/health");
  for (const shown of place.querySelectorAll("[data-figure]")) {
    shown.textContent = Number(health[shown.dataset.figure]).toLocaleString("en");
  }
}

async function showExploit(details) {
  const person = await account();
  const headers = person ? { "X-API-Key": person.key } : {};
  const exploit = await read(`${api}/exploits/${encodeURIComponent(details.dataset.tx)}`, headers);
  for (const [name, value] of Object.entries(exploit)) {
    details.append(element("dt", name.replaceAll("_", " ")), element("dd", value ?? "–"));
  }
}

function report(place, problem) {
  say(place, `The live data cannot be reached: ${problem.message}.`);
}

const parts = { figures: showFigures, exploits: showDashboard, exploit: showExploit };
for (const [id, begin] of Object.entries(parts)) {
  const place = document.getElementById(id);
  if (place) begin(place).catch((problem) => report(place, problem));
}
