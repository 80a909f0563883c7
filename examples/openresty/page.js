// Draws /talkers. All data is inserted as text, so that a label is never markup.
"use strict";

const form = document.querySelector("form");
const state = document.querySelector("#state");
const body = document.querySelector("tbody");

function units(octets) {
  const names = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
  let value = Number(octets), at = 0;
  while (value >= 1000 && at < names.length - 1) { value /= 1000; at += 1; }
  return (at === 0 ? value : value.toPrecision(3)) + " " + names[at];
}

function cell(row, child) {
  const td = row.insertCell();
  td.append(child);
  return td;
}

function draw(report) {
  const most = report.rows.reduce((a, row) => Math.max(a, Number(row.octets)), 1);
  body.replaceChildren();
  for (const entry of report.rows) {
    const row = body.insertRow(), meter = document.createElement("meter");
    meter.max = most;
    meter.value = Number(entry.octets);
    cell(row, entry.label || entry.address).title = entry.address;
    cell(row, units(entry.octets)).title = entry.octets + " octets";
    cell(row, meter);
  }
  state.className = "";
  state.textContent = report.rows.length + " of " + report.hosts + " hosts of " + report.customer + ", as of " +
    new Date(report.at * 1000).toLocaleTimeString();
}

async function load() {
  try {
    const answer = await fetch("/talkers?" + new URLSearchParams(new FormData(form)));
    const report = await answer.json();
    if (!answer.ok) throw new Error(report.error);
    draw(report);
  } catch (failure) {
    state.className = "failed";
    state.textContent = "not loaded: " + failure.message;
  }
}

async function begin() {
  const customers = await (await fetch("/customers")).json();
  for (const customer of customers) form.customer.add(new Option(customer.name, customer.id));
  form.addEventListener("change", load);
  setInterval(load, 60000);
  await load();
}

begin().catch((failure) => { state.textContent = "not loaded: " + failure.message; });
