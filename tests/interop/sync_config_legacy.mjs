// Compares the mock service's sync configs of editions 1 and 2 with the real evaluator's, case by case and to the letter.
// Usage: node sync_config_legacy.mjs MODULES CASES_PROGRAM [COUNT [SEED]]
import { spawn } from 'node:child_process';
import readline from 'node:readline';
import { createJudge } from './sync_config_judge.mjs';
import { generate } from './sync_config_legacy_generator.mjs';
import { picked } from './sync_config_legacy_picked.mjs';

const [modules, program, count = '2000', seed = '1'] = process.argv.slice(2);
const cases = [...picked, ...Array.from({ length: Number(count) }, (_, i) => generate(Number(seed), i))];
const text = (value) => JSON.stringify(value);

// A bucket that is reached twice for one reason is there twice or once, as the storage answers a lookup.
function merged(buckets) {
  const byName = new Map();
  for (const { bucket, priority, reasons } of buckets) {
    const entry = byName.get(bucket) ?? { priority, reasons: new Set() };
    reasons.forEach((reason) => entry.reasons.add(text(reason)));
    byName.set(bucket, { priority: Math.min(priority, entry.priority), reasons: entry.reasons });
  }
  return [...byName].map(([bucket, { priority, reasons }]) => text([bucket, priority, [...reasons].sort()])).sort();
}

const outputs = (row) => row.outputs.map(({ bucket, table, id, data }) => text([bucket, table, id, data]));

function difference(ours, theirs) {
  for (const [i, row] of theirs.rows.entries()) {
    const a = outputs(ours.rows[i]), b = outputs(row);
    if (text(a.sort()) !== text(b.sort())) return `row ${i}:\n    ours   ${a.join('\n           ')}\n    theirs ${b.join('\n           ')}`;
    if (ours.rows[i].failed !== row.failed) return `row ${i}: failed ${ours.rows[i].failed}, should be ${row.failed}`;
  }
  // A row that throws there leaves nothing in the index at all (the service would try it again for ever).
  if (theirs.rows.some((row) => row.thrown)) return null;
  for (const [i, request] of theirs.requests.entries()) {
    const mine = ours.requests[i];
    if (request.thrown) { // there, a definition that fails takes the whole request with it
      if (mine.failed.length === 0) return `request ${i}: should fail: ${request.thrown}`;
      continue;
    }
    if (text([...new Set(mine.failed)].sort()) !== text([...new Set(request.failed)].sort())) return `request ${i}: failed ${text(mine.failed)}, should be ${text(request.failed)} ${text(request.messages)}`;
    const a = merged(mine.buckets), b = merged(request.buckets);
    if (text(a) !== text(b)) return `request ${i}:\n    ours   ${a.join(' ')}\n    theirs ${b.join(' ')}`;
  }
  return null;
}

async function answers() {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = [];
  readline.createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  for (const { config, rows, requests } of cases) child.stdin.write(`${text({ config, rows, requests })}\n`);
  child.stdin.end();
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0 || lines.length !== cases.length) throw new Error(`${program}: ended with ${code} after ${lines.length} answers`);
  return lines;
}

const judge = await createJudge(modules);
const ours = await answers();
const tally = { same: 0, refused: 0, narrower: 0 };
const wrong = [];
for (const [i, task] of cases.entries()) {
  const theirs = await judge(task).catch((error) => ({ error: error.message })), mine = ours[i];
  const outcome = mine.error && theirs.error ? 'refused' : mine.error ? 'narrower' : theirs.error ? 'wider' : 'same';
  const found = outcome === 'same' ? difference(mine, theirs) : null;
  const expected = task.expect ?? (outcome === 'refused' ? 'refused' : 'same');
  tally[outcome]++;
  if (!found && outcome === expected) continue;
  tally[outcome]--;
  wrong.push(`${task.name}: ${found ?? `${outcome}, should be ${expected}: ${mine.error} / ${theirs.error}`}\n${task.config}rows ${text(task.rows)}\nrequests ${text(task.requests)}\n`);
}
for (const message of wrong.slice(0, 10)) console.log(message);
console.log(`sync config, editions 1 and 2: ${cases.length} cases (${picked.length} picked), ${tally.same} equal to the letter, ${tally.refused} refused by both, ` +
  `${tally.narrower} refused by us alone as expected, ${wrong.length} wrong`);
process.exit(wrong.length > 0 ? 1 : 0);
