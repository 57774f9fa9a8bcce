// Remembers parsed expressions: parsing is nine tenths of an evaluation here. What feelin's parser makes of a text
// depends on the names it finds in the context, at every depth, and on which values are null; on other values only
// within `get value`. So a parse is kept by the text and by this shape of the context.
// A template is parsed without context; only its expressions have one.
import { parser } from '@bpmn-io/lezer-feel';
import { parser as templateParser } from '@bpmn-io/lezer-feelers';

const MOST = 500;
const LONGEST_SOURCE = 2_000;
const LONGEST_SHAPE = 20_000;
const DEEPEST = 50;

const parses = new Map();
const templates = new Map();
const shapes = new Map();
let shapeOf = new WeakMap();

// A number for the shape of an object or a list. '?' says that nothing made of it may be kept: it is too large or too
// deep, or a date or a function, which show more than their entries.
function describe(value, depth = 0) {
  if (value === null || value === undefined) return 'n';
  if (typeof value !== 'object') return 's';
  let known = shapeOf.get(value);
  if (known !== undefined) return known;
  if (depth > DEEPEST) return '?';
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  const entries = plain && Object.entries(value).map(([ key, entry ]) => [ key, describe(entry, depth + 1) ]);
  const text = plain && JSON.stringify(entries);
  known = text && text.length <= LONGEST_SHAPE && !text.includes('"?"') ? shapes.get(text) ?? shapes.size : '?';
  if (known !== '?') shapes.set(text, known);
  shapeOf.set(value, known);
  return known;
}

function forget() {
  parses.clear();
  shapes.clear();
  shapeOf = new WeakMap();
}

const configure = parser.configure.bind(parser);

parser.configure = config => ({
  parse(source) {
    // Numbers of shapes are given anew after this, so it must come before a shape is asked for.
    if (parses.size >= MOST || shapes.size >= MOST) forget();
    const mayKeep = source.length <= LONGEST_SOURCE && !/get\s+value/.test(source);
    const shape = mayKeep ? describe(config.contextTracker.start.context.value) : '?';
    if (shape === '?') return configure(config).parse(source);
    const key = `${config.top} ${shape} ${source}`;
    if (!parses.has(key)) parses.set(key, configure(config).parse(source));
    return parses.get(key);
  }
});

const parseTemplate = templateParser.parse.bind(templateParser);

templateParser.parse = source => {
  if (source.length > LONGEST_SOURCE) return parseTemplate(source);
  if (templates.size >= MOST) templates.clear();
  if (!templates.has(source)) templates.set(source, parseTemplate(source));
  return templates.get(source);
};
