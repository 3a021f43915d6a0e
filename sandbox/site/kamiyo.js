"use strict";

const api = document.documentElement.dataset.api;

async function read(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

function cell(row, text, name) {
  const made = row.insertCell();
  made.textContent = text;
  if (name) made.className = name;
  return made;
}

const amount = (usd) => (usd === null ? "unknown" : Math.round(usd).toLocaleString("en"));

async function showFigures(place) {
  const health = await read("/api/health");
  for (const shown of place.querySelectorAll("[data-figure]")) {
    shown.textContent = Number(health[shown.dataset.figure]).toLocaleString("en");
  }
}

async function showDashboard(table) {
  const greeting = document.getElementById("greeting");
  const session = await read("/api/auth/session");
  if (!session.user) {
    location.replace("/auth/signin?callbackUrl=%2Fdashboard");
    return;
  }
  greeting.textContent = `Signed in as ${session.user.email}. `;
  const leave = document.createElement("a");
  leave.href = "/api/auth/signout";
  leave.textContent = "Sign out";
  greeting.append(leave);
  const page = await read(`${api}/exploits?page=1&page_size=25`);
  for (const exploit of page.data) {
    const row = table.tBodies[0].insertRow();
    cell(row, exploit.timestamp.slice(0, 10));
    cell(row, exploit.chain);
    cell(row, exploit.protocol);
    cell(row, amount(exploit.amount_usd), "number");
    const link = document.createElement("a");
    link.href = `/exploits/${encodeURIComponent(exploit.tx_hash)}`;
    link.textContent = `${exploit.tx_hash.slice(0, 14)}…`;
    cell(row, "").append(link);
  }
  table.hidden = false;
}

async function showExploit(list) {
  const exploit = await read(`${api}/exploits/${encodeURIComponent(list.dataset.tx)}`);
  for (const [name, value] of Object.entries(exploit)) {
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = name;
    description.textContent = value ?? "–";
    list.append(term, description);
  }
}

const parts = { figures: showFigures, exploits: showDashboard, exploit: showExploit };
for (const [id, show] of Object.entries(parts)) {
  const place = document.getElementById(id);
  if (place) {
    show(place).catch((problem) => {
      const said = document.createElement("p");
      said.className = "problem";
      said.textContent = `The live data cannot be reached: ${problem.message}.`;
      place.after(said);
    });
  }
}
