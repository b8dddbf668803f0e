// Compares the mock service's sync configs with the real evaluator's, case by case.
// Usage: node sync_config.mjs MODULES CASES_PROGRAM [COUNT [SEED]]
import { spawn } from 'node:child_process';
import readline from 'node:readline';
import { createJudge } from './sync_config_judge.mjs';
import { generate } from './sync_config_generator.mjs';
import { picked } from './sync_config_picked.mjs';

const [modules, program, count = '2000', seed = '1'] = process.argv.slice(2);
const cases = [...picked, ...Array.from({ length: Number(count) }, (_, i) => generate(Number(seed), i))];

// Names are opaque to everybody: a family's number and the order of a bucket's parameters may be others than in the real
// service, but what is one bucket there is one bucket here. Single parameters and single families have one name only.
function nameParts(bucket) {
  const [, family, parameters] = /^(.*\|\d+)(\[.*\])$/s.exec(bucket);
  return { family, parameters: JSON.stringify(splitTexts(parameters).sort()) };
}

// The items of a JSON array as they are written: numbers keep all their digits.
function splitTexts(text) {
  return text.slice(1, -1).match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [];
}

const streamOf = (family) => family.slice(0, family.lastIndexOf('|'));

// Every way to call our families by the names of theirs; the likeliest first.
function* renamings(ours, theirs) {
  if (ours.length === 0) {
    yield new Map();
    return;
  }
  const [first, ...rest] = ours;
  const free = theirs.filter((family) => streamOf(family) === streamOf(first)).sort((a) => (a === first ? -1 : 1));
  for (const family of [...free, null]) {
    for (const names of renamings(rest, theirs.filter((other) => other !== family))) {
      yield new Map([[first, family], ...names]);
    }
  }
}

const familiesOf = (answer) => [...new Set([...answer.rows.flatMap(({ outputs }) => outputs), ...answer.requests.flatMap(({ buckets }) => buckets ?? [])]
  .map(({ bucket }) => nameParts(bucket).family))].sort();

// What we refuse on purpose although the real service takes it; the generator makes it now and then.
const knownLimits = /one array in several conditions|cannot be called|comparing one value twice|two queries store the same/;

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

function difference(ours, theirs) {
  let first = null, tries = 0;
  for (const names of renamings(familiesOf(ours), familiesOf(theirs))) {
    const found = differenceUnder(names, ours, theirs);
    if (!found) return null;
    first ??= found;
    if (++tries === 5000) break;
  }
  return first;
}

function differenceUnder(renamed, ours, theirs) {
  const names = { same(a, b) {
    const mine = nameParts(a), other = nameParts(b);
    return mine.parameters === other.parameters && renamed.get(mine.family) === other.family;
  } };
  const sameOutput = (a, b) => a.table === b.table && a.id === b.id && a.data === b.data && names.same(a.bucket, b.bucket);
  const sameBucket = (a, b) => a.priority === b.priority && text(a.reasons) === text(b.reasons) && names.same(a.bucket, b.bucket);
  for (const [i, row] of theirs.rows.entries()) {
    const mine = ours.rows[i];
    if (!paired(mine.outputs, row.outputs, sameOutput)) return `row ${i}:\n    ours   ${text(mine.outputs)}\n    theirs ${text(row.outputs)}`;
  }
  for (const [i, request] of theirs.requests.entries()) {
    const mine = ours.requests[i];
    if (request.thrown) return `request ${i}: the judge threw ${request.thrown}`;
    if (!paired([...new Set(mine.failed)], [...new Set(request.failed)], (a, b) => a === b)) {
      return `request ${i}: failed ${text(mine.failed)}, should be ${text(request.failed)}`;
    }
    const a = merged(mine.buckets), b = request.buckets;
    if (!paired(a, b, sameBucket)) return `request ${i}:\n    ours   ${text(a)}\n    theirs ${text(b)}`;
  }
  return null;
}

function exactNames(ours, theirs) {
  const all = (answer) => answer.rows.flatMap((row) => row.outputs.map(({ bucket }) => bucket)).sort().join();
  return all(ours) === all(theirs);
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
const tally = { same: 0, exact: 0, refused: 0, narrower: 0, unlogged: 0 };
const wrong = [];
for (const [i, task] of cases.entries()) {
  const theirs = await judge(task), mine = ours[i];
  const fail = (reason) => wrong.push(`${task.name}: ${reason}\n${task.config}rows ${text(task.rows)}\nrequests ${text(task.requests)}\n`);
  if (mine.error && theirs.error) {
    tally.refused++;
    if (!mine.place.line || !mine.place.column) fail(`refused without a place: ${mine.error}`);
    if (task.place && text(mine.place) !== text(task.place)) fail(`refused at ${text(mine.place)}`);
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
    tally.exact += exactNames(mine, theirs);
    // Only the real service's log shows an error that takes nothing away.
    tally.unlogged += text(mine.rows.map((row) => row.failed)) !== text(theirs.rows.map((row) => row.failed));
  }
}
for (const message of wrong.slice(0, 10)) console.log(message);
console.log(`sync config: ${cases.length} cases (${picked.length} picked), ${tally.same} equal (${tally.exact} to the letter of the names), ` +
  `${tally.refused} refused by both, ${tally.narrower} refused by us alone as expected, ${tally.unlogged} with other errors in the log, ${wrong.length} wrong`);
process.exit(wrong.length > 0 ? 1 : 0);
