// Answers the cases on stdin with the npm packages themselves, called as form-js-viewer 2.0 calls them.
import { readFileSync } from 'node:fs';
import { evaluate, unaryTest } from '@bpmn-io/feelin';
import { evaluate as fillTemplate } from 'feelers';

const contextOf = data => ({ this: data, parent: null, i: [], ...data, _this_: data, _parent_: null, _i_: [] });

const ANSWERS = {
  expression: (source, data) => shown(evaluate(source, contextOf(data)).value),
  unary: (source, data) => unaryTest(source, contextOf(data)).value,
  template: (source, data) => fillTemplate(source, contextOf(data), {
    debug: true, strict: false, buildDebugString: () => ' {{⚠}} ', sanitizer: value => value
  }) ?? '',
};

function shown(value) {
  if (value === null || value === undefined || typeof value === 'function') return null;
  if (Array.isArray(value)) return value.map(shown);
  if (value.isLuxonDateTime || value.isLuxonDuration) {
    return value.isValid ? evaluate('string(value)', { value }).value : null;
  }
  if (typeof value !== 'object') return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return null;
  return Object.fromEntries(Object.entries(value).map(([ key, entry ]) => [ key, shown(entry) ]));
}

const answers = JSON.parse(readFileSync(0, 'utf8')).map(([ kind, source, data ]) => {
  try {
    return { value: ANSWERS[kind](source, data) ?? null };
  } catch {
    return { failed: true };
  }
});

process.stdout.write(JSON.stringify(answers));
