// Which variables of the form's data an expression or a template reads.
import { parseExpression, parseUnaryTests } from '@bpmn-io/feelin';
import { parseToSimpleTree } from 'feelers';

const SAME_LEVEL = [ 'this', '_this_', 'i', '_i_' ];
const ABOVE = [ 'parent', '_parent_' ];

const childrenOf = node => {
  const children = [];
  for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
  return children;
};

// feelin takes the word before `in (…)` into the name.
const textOf = (node, source) => source.slice(node.from, node.to).replace(/ not$/, '');

const without = (names, bound) => names.filter(name => !bound.includes(name));

function namesBoundIn(node, source, kind) {
  return childrenOf(node).flatMap(child => (
    child.name === kind ? [ textOf(child.getChild('Name') ?? child, source) ] : namesBoundIn(child, source, kind)
  ));
}

// `depth` counts the loops around: inside one, names are the element's, and only `parent.` leads out.
function namesOfPath(segments, depth) {
  let level = depth;
  for (const segment of segments) {
    if (ABOVE.includes(segment)) level = Math.max(0, level - 1);
    else if (!SAME_LEVEL.includes(segment)) return level ? [] : [ segment ];
  }
  return level ? [] : [ segments[0] ];
}

function segmentsOf(node, source) {
  const [ root, last ] = childrenOf(node);
  if (node.name === 'VariableName') return { segments: [ textOf(node, source) ] };
  if (node.name !== 'PathExpression') return { root: node, segments: [] };
  const inner = segmentsOf(root, source);
  return { ...inner, segments: last ? [ ...inner.segments, textOf(last, source) ] : inner.segments };
}

function namesIn(node, source, depth) {
  const children = childrenOf(node);
  const all = nodes => nodes.flatMap(child => namesIn(child, source, depth));
  switch (node.name) {
  case 'VariableName':
  case 'PathExpression': {
    const { root, segments } = segmentsOf(node, source);
    return root ? namesIn(root, source, depth) : namesOfPath(segments, depth);
  }
  case 'Type':
    return [];
  case 'FunctionInvocation':
    return all(children.filter(child => child.name !== 'VariableName'));
  case 'FunctionDefinition':
    return without(all(children), namesBoundIn(node, source, 'ParameterName'));
  case 'ForExpression':
  case 'QuantifiedExpression':
    return without(all(children), [ ...namesBoundIn(node, source, 'InExpression'), 'partial' ]);
  case 'FilterExpression':
    return without(all(children), [ 'item' ]);
  default:
    return all(children);
  }
}

export function namesOfExpression(source, depth = 0) {
  return namesIn(parseExpression(source, {}).topNode, source, depth);
}

export function namesOfUnaryTest(source) {
  return namesIn(parseUnaryTests(source, {}).topNode, source, 0);
}

export function namesOfTemplate(source) {
  const walk = (node, depth) => {
    if (node.name === 'Feel' || node.name === 'FeelBlock') return namesOfExpression(node.content, depth);
    if (node.name !== 'LoopSpanner') return node.children.flatMap(child => walk(child, depth));
    const [ list, ...body ] = node.children;
    return [ ...namesOfExpression(list.content, depth), ...body.flatMap(child => walk(child, depth + 1)) ];
  };
  return walk(parseToSimpleTree(source), 0);
}
