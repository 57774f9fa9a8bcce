// What Python calls: one text of JSON in, one text of JSON out (see requests.py for the form of both).
import './intl.mjs';
import './parses.mjs';
import { evaluate, unaryTest } from '@bpmn-io/feelin';
import { evaluate as fillTemplate } from 'feelers';
import { DateTime, Duration, Settings } from 'luxon';
import { namesOfExpression, namesOfTemplate, namesOfUnaryTest } from './names.mjs';

const VALUE = 0, FAILED = 1, LIMIT = 2;
const DEEPEST = 100;

let offsetMinutes = 0;
Date.prototype.getTimezoneOffset = () => -offsetMinutes;

const escapeHtml = text => text.replace(/[&<>"'{};:]/g, sign => {
  if (sign === "'") return '&#039;';
  const name = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' }[sign];
  return name ? `&${name};` : `&#${sign.charCodeAt(0)};`;
});

// The viewer's context: the data, the names `this`, `parent` and `i`, and the same between underscores, which win.
const contextOf = ({ data, ...special }) => ({
  ...special, ...data, _this_: special.this, _parent_: special.parent, _i_: special.i
});

function contextAt(rows, data) {
  let place = { data, this: data, parent: null, i: [] };
  for (const [ value, number ] of rows) {
    place = { data, this: value, parent: contextOf({ ...place, data: place.this }), i: [ ...place.i, number ] };
  }
  return contextOf(place);
}

const isTemplate = text => text.startsWith('=') || /{{.*?}}/.test(text);

const textOf = value => value.isValid ? evaluate('string(value)', { value }).value : null;

function plain(value, depth = 0) {
  if (depth > DEEPEST) throw new Error(`the value is nested deeper than ${DEEPEST} levels`);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return value.map(entry => plain(entry, depth + 1));
  if (DateTime.isDateTime(value) || Duration.isDuration(value)) return textOf(value);
  if (Object.getPrototypeOf(value) !== Object.prototype) return null;
  return Object.fromEntries(Object.entries(value).map(([ key, entry ]) => [ key, plain(entry, depth + 1) ]));
}

const ANSWERS = {
  expression: (source, context) => plain(evaluate(source, context).value),
  unary: (source, context) => unaryTest(source, context).value ?? null,
  template: (source, context, { strict, html }) => isTemplate(source) ? fillTemplate(source, context, {
    debug: true, strict, buildDebugString: () => ' {{⚠}} ', sanitizer: html ? escapeHtml : value => value
  }) ?? '' : source,
  pattern: (source, _context, { flags, text }) => new RegExp(source, flags).test(text),
};

const NAMES = {
  expression: source => namesOfExpression(source),
  unary: namesOfUnaryTest,
  template: source => isTemplate(source) ? namesOfTemplate(source) : [],
  pattern: () => [],
};

const isLimit = error => /out of memory|call stack|string too long/i.test(error?.message);

let answered = [];

globalThis.feel = {
  run(json) {
    answered = [];
    const { data, requests, now, offset } = JSON.parse(json);
    offsetMinutes = offset;
    Settings.now = () => now;
    const atRoot = contextAt([], data);
    for (const [ kind, source, rows, options ] of requests) {
      try {
        const context = rows.length ? contextAt(rows, data) : atRoot;
        answered.push([ VALUE, ANSWERS[kind](source, context, options) ]);
      } catch (error) {
        answered.push([ isLimit(error) ? LIMIT : FAILED, String(error?.message ?? error) ]);
      }
    }
    return JSON.stringify(answered);
  },
  // After a limit stopped `run`: what it had answered until then.
  answered: () => JSON.stringify(answered),
  names(json) {
    const names = JSON.parse(json).flatMap(([ kind, source ]) => {
      try {
        return NAMES[kind](source);
      } catch (error) {
        // What cannot be parsed is never evaluated, so it needs nothing.
        if (isLimit(error)) throw error;
        return [];
      }
    });
    return JSON.stringify([ ...new Set(names) ]);
  },
};
