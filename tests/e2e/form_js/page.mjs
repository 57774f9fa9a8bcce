// What the test calls: forms with data and steps in, what the viewer made of them out, all as JSON.
import { buildExpressionContext, createForm } from '@bpmn-io/form-js-viewer';
import { options as preact } from 'preact';

const CHOOSING = new Set([ 'radio', 'select', 'checklist', 'taglist' ]);
// No instances, or of no interest: the form itself, and what only holds others.
const UNSEEN = new Set([ "default", "group", "button" ]);
const SETTLED_MS = 2;

// Renderings and their effects follow at once instead of with the next frame of the screen.
const channel = new MessageChannel();
const waiting = [];
channel.port1.onmessage = () => waiting.splice(0).forEach(run => run());
preact.debounceRendering = run => queueMicrotask(run);
preact.requestAnimationFrame = run => {
  waiting.push(run);
  channel.port2.postMessage(null);
};

// The options of a field are in the state of its component only: what its memo of the loaded options holds.
let loaded = new Map();
const diffed = preact.diffed;
preact.diffed = vnode => {
  const memos = vnode.__c?.__H?.__ ?? [];
  const memo = memos.find(hook => hook.__?.loadState !== undefined);
  if (memo && vnode.props.domId) loaded.set(vnode.props.domId, memo.__.options);
  diffed(vnode);
};

const translate = { translate: [ 'value', (template, params) => JSON.stringify({ template, params: params ?? {} }) ] };
const spell = path => path.join('.');
// From a message, as a chain of timers alone is slowed down to four milliseconds each.
const sleep = ms => new Promise(done => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    setTimeout(done, ms);
  };
  port2.postMessage(null);
});

class Played {
  constructor(form) {
    this.form = form;
    this.changes = 0;
    form.on('changed', () => this.changes++);
  }

  async settle() {
    let quiet = 0;
    while (quiet < 2) {
      const seen = this.changes;
      await sleep(SETTLED_MS);
      quiet = seen === this.changes && !waiting.length ? quiet + 1 : 0;
    }
  }

  get instances() {
    const { form } = this;
    return form.get('formFieldInstanceRegistry').getAll().map(instance => {
      const field = form.get('formFieldRegistry').get(instance.id);
      return { instance, field, ...this.mode(instance, field) };
    }).filter(({ field }) => !UNSEEN.has(field.type) && !(field.type === 'dynamiclist' && !field.isRepeating));
  }

  mode({ expressionContextInfo }, field) {
    const language = this.form.get('expressionLanguage');
    const readonly = language.isExpression(field.readonly)
      ? language.evaluateUnaryTest(field.readonly, buildExpressionContext(expressionContextInfo)) === true
      : !!field.readonly;
    return { readonly: readonly && !field.disabled, disabled: !!field.disabled };
  }

  optionsOf({ id, indexes }) {
    const suffix = Object.values(indexes ?? {}).map(index => `_${index}`).join('');
    return loaded.get(`fjs-form-${this.form._id}-${id}${suffix}`);
  }

  seen() {
    const { data } = this.form._getState();
    return this.instances.map(({ instance, field, readonly, disabled }) => ({
      id: instance.id,
      path: spell(instance.valuePath),
      type: field.type,
      readonly,
      disabled,
      ...CHOOSING.has(field.type) ? { options: this.optionsOf(instance) ?? null } : {},
      ...'key' in field ? { value: instance.valuePath.reduce((found, step) => found?.[step], data) } : {},
    }));
  }

  // One thing that a person does; on what they cannot see or change they do nothing.
  act([ what, path, argument ]) {
    const found = this.instances.find(({ instance, field }) => spell(instance.valuePath) === path
      && (what === 'add' || what === 'remove' ? field.isRepeating : 'key' in field));
    if (!found || found.readonly || found.disabled || found.field.type === 'expression') return;
    const value = this[what](found, argument);
    if (value !== undefined) {
      this.form._update({ field: found.field, indexes: found.instance.indexes, fieldInstance: found.instance, value });
    }
  }

  set(_found, value) {
    return value;
  }

  pick({ instance, field }, index) {
    const options = this.optionsOf(instance) ?? [];
    if (!options.length) return undefined;
    const { value } = options[index % options.length];
    if (field.type === 'radio' || field.type === 'select') return value;
    const chosen = this.listOf(instance);
    const same = other => JSON.stringify(other) === JSON.stringify(value);
    return chosen.some(same) ? chosen.filter(other => !same(other)) : [ ...chosen, value ];
  }

  // As `onAddItem` of the viewer's RepeatRenderManager.
  add({ instance, field }) {
    if (!field.allowAddRemove || !field.components?.length) return undefined;
    const items = this.listOf(instance);
    const item = this.form._getInitializedFieldData(this.form._getState().data, {
      container: field, indexes: { ...instance.indexes, [field.id]: items.length }
    });
    return [ ...items, item ];
  }

  remove({ instance, field }, index) {
    const items = this.listOf(instance);
    if (!field.allowAddRemove || !field.components?.length || index >= items.length) return undefined;
    return items.filter((_, number) => number !== index);
  }

  listOf({ valuePath }) {
    const found = valuePath.reduce((inside, step) => inside?.[step], this.form._getState().data);
    return Array.isArray(found) ? found : [];
  }

  submitted() {
    const { data } = this.form.submit();
    const { errors } = this.form._getState();
    const firsts = this.instances.filter(({ field }) => 'key' in field).map(({ instance }) => {
      const at = [ instance.id, ...Object.values(instance.indexes ?? {}) ];
      const found = at.reduce((inside, step) => inside?.[step], errors);
      return [ spell(instance.valuePath), Array.isArray(found) ? found[0] : undefined ];
    });
    return { data, errors: Object.fromEntries(firsts.filter(([ , error ]) => error !== undefined)) };
  }
}

async function play({ schema, data, steps }) {
  const container = document.createElement('div');
  document.body.append(container);
  loaded = new Map();
  let form;
  const failures = [];
  const failed = event => {
    failures.push(String(event.error?.message ?? event.message));
    event.preventDefault();
  };
  window.addEventListener('error', failed);
  try {
    form = await createForm({ container, schema, data, debounce: 1, additionalModules: [ translate ] });
    const played = new Played(form);
    await played.settle();
    const moments = [ played.seen() ];
    for (const step of steps) {
      played.act(step);
      await played.settle();
      moments.push(played.seen());
    }
    return { moments, ...played.submitted(), failures };
  } catch (error) {
    return { refused: String(error?.message ?? error), failures };
  } finally {
    window.removeEventListener('error', failed);
    form?.destroy();
    container.remove();
  }
}

// As far as a case that broke the viewer: what its components still had to do would never be done on this page.
globalThis.playAll = async cases => {
  const found = [];
  for (const told of JSON.parse(cases)) {
    found.push(await play(told));
    if (found.at(-1).failures.length || found.at(-1).refused !== undefined) break;
  }
  return JSON.stringify(found);
};
