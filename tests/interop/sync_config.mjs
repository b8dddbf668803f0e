// Compares the mock service's sync configs with the real evaluator's, case by case.
// Usage: node sync_config.mjs MODULES CASES_PROGRAM [COUNT [SEED]]
import { spawn } from 'node:child_process';
import readline from 'node:readline';
import { createJudge } from './sync_config_judge.mjs';
import { generate } from './sync_config_generator.mjs';
import { picked } from './sync_config_picked.mjs';

const [modules, program, count = '2000', seed = '1'] = process.argv.slice(2);
const cases = [...picked, ...Array.from({ length: Number(count) }, (_, i) => generate(Number(seed), i))];

// What we refuse on purpose although the real service takes it; the generator makes it now and then.
const knownLimits = /cannot be called/;

const text = (value) => JSON.stringify(value);

function merged(buckets) {
  const byName = new Map();
  for (const { bucket, priority, reasons } of buckets) {
    const before = byName.get(bucket);
    byName.set(bucket, before ? { bucket, priority: Math.min(priority, before.priority), reasons: [...before.reasons, ...reasons] }
      : { bucket, priority, reasons });
  }
  return [...byName.values()];
}

// Two lists are equal when their items can be paired.
function paired(ours, theirs, same) {
  const left = [...theirs];
  return ours.length === theirs.length && ours.every((item) => {
    const i = left.findIndex((other) => same(item, other));
    return i >= 0 && left.splice(i, 1).length === 1;
  });
}

// The real service lists what needs no lookups first, whichever subscription it is of.
const sorted = (reasons) => text(reasons.map(text).sort());

function difference(ours, theirs) {
  const sameOutput = (a, b) => a.table === b.table && a.id === b.id && a.data === b.data && a.bucket === b.bucket;
  const sameBucket = (a, b) => a.priority === b.priority && sorted(a.reasons) === sorted(b.reasons) && a.bucket === b.bucket;
  for (const [i, row] of theirs.rows.entries()) {
    const mine = ours.rows[i];
    if (!paired(mine.outputs, row.outputs, sameOutput)) return `row ${i}:\n    ours   ${text(mine.outputs)}\n    theirs ${text(row.outputs)}`;
    if (text(mine.keys.sort()) !== text(row.keys.sort())) return `row ${i}: in the index\n    ours   ${text(mine.keys)}\n    theirs ${text(row.keys)}`;
  }
  for (const [i, request] of theirs.requests.entries()) {
    const mine = ours.requests[i];
    if (request.thrown) { // a lookup could not be made: the real service then ends the whole connection
      if (mine.failed.length === 0) return `request ${i}: the judge threw ${request.thrown}`;
      continue;
    }
    if (!paired([...new Set(mine.failed)], [...new Set(request.failed)], (a, b) => a === b)) {
      return `request ${i}: failed ${text(mine.failed)}, should be ${text(request.failed)}`;
    }
    const a = merged(mine.buckets), b = request.buckets;
    if (!paired(a, b, sameBucket)) return `request ${i}:\n    ours   ${text(a)}\n    theirs ${text(b)}`;
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
const tally = { same: 0, lookups: 0, thrown: 0, refused: 0, narrower: 0, unlogged: 0 };
const wrong = [];
for (const [i, task] of cases.entries()) {
  const theirs = await judge(task), mine = ours[i];
  const fail = (reason) => wrong.push(`${task.name}: ${reason}\n${task.config}rows ${text(task.rows)}\nrequests ${text(task.requests)}\n`);
  if (mine.error && theirs.error) {
    tally.refused++;
    if (!mine.place.line || !mine.place.column) fail(`refused without a place: ${mine.error}`);
    if (task.place && text(mine.place) !== text(task.place)) fail(`refused at ${text(mine.place)}`);
    if (task.place && theirs.place?.line > 1 && text(theirs.place) !== text(task.place)) // some of its errors have no place
      fail(`the real service refuses at ${text(theirs.place)}`);
    if (task.expect === 'same') fail(`both refuse: ${mine.error} / ${theirs.error}`);
  } else if (theirs.error) {
    fail(`taken, but the real service says: ${theirs.error}`);
  } else if (mine.error) {
    tally.narrower++;
    if (task.expect !== 'narrower' && !knownLimits.test(mine.error)) fail(`refused: ${mine.error}`);
  } else {
    const found = difference(mine, theirs);
    if (found) fail(found);
    else tally.same++;
    if (task.expect && task.expect !== 'same') fail(`taken, should be ${task.expect}`);
    tally.lookups += theirs.rows.some((row) => row.keys.length > 0) && theirs.requests.some((request) => request.buckets?.length > 0);
    tally.thrown += theirs.requests.some((request) => request.thrown);
    // Only the real service's log shows an error that takes nothing away.
    tally.unlogged += text(mine.rows.map((row) => row.failed)) !== text(theirs.rows.map((row) => row.failed));
  }
}
for (const message of wrong.slice(0, 10)) console.log(message);
console.log(`sync config: ${cases.length} cases (${picked.length} picked), ${tally.same} equal (${tally.lookups} with lookups and buckets, ${tally.thrown} with a request that ends the connection), ` +
  `${tally.refused} refused by both, ${tally.narrower} refused by us alone as expected, ${tally.unlogged} with other errors in the log, ${wrong.length} wrong`);
process.exit(wrong.length > 0 ? 1 : 0);
