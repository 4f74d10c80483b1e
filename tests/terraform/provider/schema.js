// Schemas of the AWS provider's types, read out of npm's @cdktf/provider-aws: its generated classes
// know each argument, its type, whether it is a block, and (by the absence of a reset method)
// whether it is required. They are run against a stand-in for the cdktf library that answers with
// types in place of values, so that nothing of theirs is parsed or copied.
'use strict';

const fs = require('fs');
const Module = require('module');
const path = require('path');

// Any property of it is it again: a configuration in which everything was given.
const GIVEN = new Proxy(function () {}, {
  get: (target, name) => (typeof name === 'symbol' ? undefined : GIVEN),
});

// Terraform's own name of what was read; a symbol, because many types have an argument "name".
const NAME = Symbol('name');
const reads = (type) => (name) => ({ [NAME]: name, type });

class Readable {}
Object.assign(Readable.prototype, {
  getStringAttribute: reads('string'),
  getNumberAttribute: reads('number'),
  getBooleanAttribute: reads('bool'),
  getListAttribute: reads(['list', 'string']),
  getNumberListAttribute: reads(['list', 'number']),
  getStringMapAttribute: reads(['map', 'string']),
  getNumberMapAttribute: reads(['map', 'number']),
  getBooleanMapAttribute: reads(['map', 'bool']),
  getAnyMapAttribute: reads(['map', 'string']),
  interpolationForAttribute: reads('string'),
});

class ComplexObject extends Readable {
  constructor(parent, name) {
    super();
    this[NAME] = name;
  }
}
class ComplexList {
  constructor(parent, name, isSet) {
    this[NAME] = name;
    this.isSet = isSet;
  }
}
class StringMap {
  constructor(parent, name) {
    Object.assign(this, reads(['map', 'string'])(name));
  }
}

const cdktf = {
  canInspect: () => true,
  isComplexElement: () => false,
  Tokenization: { isResolvable: () => false },
  Fn: { tolist: (list) => ({ ...list, type: ['set', list.type[1]] }) },
  Token: { asNumberList: (list) => ({ ...list, type: [list.type[0], 'number'] }) },
  stringToHclTerraform: () => 'string',
  numberToHclTerraform: () => 'number',
  booleanToHclTerraform: () => 'bool',
  anyToHclTerraform: () => 'dynamic',
  listMapperHcl: (each) => () => ({ of: each(GIVEN), many: true }),
  hashMapperHcl: (each) => () => ['map', each(GIVEN)],
  TerraformResource: Readable,
  TerraformDataSource: Readable,
  TerraformProvider: Readable,
  ComplexObject,
  ComplexList,
  ComplexMap: ComplexList,
  StringMap,
};

function load(directory) {
  const original = Module._load;
  Module._load = (request, ...rest) =>
    request === 'cdktf' ? cdktf : original(request, ...rest);
  try {
    return require(directory);
  } finally {
    Module._load = original;
  }
}

/** Terraform's names of what an object can be asked for: name -> {key, value}. */
function getters(object) {
  const found = {};
  for (const [key, property] of Object.entries(
    Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object))
  )) {
    if (property.get && !key.endsWith('Input') && key !== 'internalValue') {
      const value = property.get.call(object);
      found[value[NAME]] = { key, value };
    }
  }
  return found;
}

function computedType(value) {
  if (value instanceof ComplexList) {
    return [value.isSet ? 'set' : 'list', computedType(value.get(0))];
  }
  if (value instanceof ComplexObject) {
    const members = {};
    for (const [name, member] of Object.entries(getters(value))) {
      members[name] = computedType(member.value);
    }
    return ['object', members];
  }
  return value.type;
}

function plain(value) {
  if (value.many) return ['list', plain(value.of)];
  return Array.isArray(value) ? [value[0], plain(value[1])] : value;
}

function attributeType({ value, type }) {
  const found = plain(value);
  return type === 'set' ? ['set', found[1]] : found;
}

// Computed as well as optional, which the generated classes do not tell.
const FILLED_IN = new Set(['id', 'arn', 'region', 'tags_all']);

/** `instance` is null for the provider itself, whose classes cannot be asked: all is optional. */
function block(module, instance, described, kind) {
  const attributes = [];
  const block_types = [];
  const readable = instance === null ? {} : getters(instance);
  const isRequired = (name) => {
    if (instance === null) return false;
    const { key } = readable[name];
    return !(`reset${key[0].toUpperCase()}${key.slice(1)}` in instance);
  };
  const nestedInstance = (name, { storageClassType }) => {
    if (instance === null) return null;
    return new module[`${storageClassType.replace(/List$/, '')}OutputReference`](null, name, false, 0);
  };
  for (const [name, argument] of Object.entries(described)) {
    const required = isRequired(name);
    if (!argument.isBlock) {
      const computed = !required && (kind === 'data' || FILLED_IN.has(name));
      attributes.push({ name, type: attributeType(argument), required, optional: !required, computed });
      continue;
    }
    const single = argument.type === 'struct';
    const many = argument.value.many === true;
    block_types.push({
      type_name: name,
      nesting: single ? 1 : argument.type === 'set' ? 3 : 2,
      min_items: required && !single ? 1 : 0,
      max_items: many || single ? 0 : 1,
      block: block(module, nestedInstance(name, argument), many ? argument.value.of : argument.value, kind),
    });
  }
  for (const [name, { value }] of Object.entries(readable)) {
    if (!(name in described)) attributes.push({ name, type: computedType(value), computed: true });
  }
  return { attributes, block_types };
}

/** The schema of one type, or undefined where the provider has no such type. */
function schemaOf(library, type, kind) {
  const short = kind === 'provider' ? 'provider' : type.replace(/^aws_/, '').replace(/_/g, '-');
  const directory = path.join(library, kind === 'data' ? `data-aws-${short}` : short);
  if (!fs.existsSync(directory)) return undefined;
  const module = load(directory);
  const Class = Object.values(module).find((member) => member.tfResourceType === type);
  if (!Class) return undefined;
  const instance = new Class(null, 'x', GIVEN);
  const described = instance.synthesizeHclAttributes();
  const asked = kind === 'provider' ? null : instance;
  return { version: 0, block: block(module, asked, described, kind) };
}

module.exports = { schemaOf };
