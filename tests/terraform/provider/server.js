// A stand-in for the AWS provider: Terraform's plugin protocol over a socket, the real provider's
// schemas, and no AWS. Terraform itself finds what is misspelt, missing or mistyped; the stand-in
// keeps computed attributes unknown in a plan, as the real one does, and makes them up in an apply.
//
//   node server.js LIBRARY SOCKET TYPE… [data.TYPE…]
//
// Prints one line of JSON for TF_REATTACH_PROVIDERS when it listens; ends when its stdin closes.
'use strict';

const path = require('path');

const { schemaOf } = require('./schema.js');

const [modules, socket, ...types] = process.argv.slice(2);
const grpc = require(path.join(modules, '@grpc/grpc-js'));
const proto = require(path.join(modules, '@grpc/proto-loader'));
const { encode, decode, ExtensionCodec } = require(path.join(modules, '@msgpack/msgpack'));

const library = path.join(modules, '@cdktf/provider-aws/lib');

const REGION = 'xx-test-1';
const ACCOUNT = '123456789012';
const PARTITION = 'aws';

// --- values -------------------------------------------------------------------------------------

class Unknown {}
const UNKNOWN = new Unknown();
const extensions = new ExtensionCodec();
extensions.register({
  type: 0, // Terraform's "known after apply"; 12 is the same with hints that are of no use here
  encode: (value) => (value instanceof Unknown ? new Uint8Array([0]) : null),
  decode: () => UNKNOWN,
});
extensions.register({ type: 12, encode: () => null, decode: () => UNKNOWN });

const unpack = (value) =>
  value.msgpack.length > 0
    ? decode(value.msgpack, { extensionCodec: extensions })
    : JSON.parse(value.json.toString());
const pack = (value) => ({ msgpack: Buffer.from(encode(value, { extensionCodec: extensions })) });

// --- what AWS would have answered ---------------------------------------------------------------

const arn = (service, rest) => `arn:${PARTITION}:${service}:${REGION}:${ACCOUNT}:${rest}`;
const iam = (rest) => `arn:${PARTITION}:iam::${ACCOUNT}:${rest}`;

// Formats that policies and other resources are built from; the rest gets a plain placeholder.
const ANSWERS = {
  aws_cloudwatch_composite_alarm: (r) => ({ arn: arn('cloudwatch', `alarm:${r.alarm_name}`), id: r.alarm_name }),
  aws_cloudwatch_event_rule: (r) => ({ arn: arn('events', `rule/${r.name}`), id: r.name }),
  aws_cloudwatch_log_group: (r) => ({ arn: arn('logs', `log-group:${r.name}`), id: r.name }),
  aws_cloudwatch_metric_alarm: (r) => ({ arn: arn('cloudwatch', `alarm:${r.alarm_name}`), id: r.alarm_name }),
  aws_ecs_cluster: (r) => ({ arn: arn('ecs', `cluster/${r.name}`), id: arn('ecs', `cluster/${r.name}`) }),
  aws_ecs_service: (r) => ({ id: arn('ecs', `service/${r.cluster.split('/').pop()}/${r.name}`) }),
  aws_ecs_task_definition: (r) => ({
    arn: arn('ecs', `task-definition/${r.family}:1`),
    arn_without_revision: arn('ecs', `task-definition/${r.family}`),
    id: r.family,
    revision: 1,
  }),
  aws_fis_experiment_template: () => ({ id: 'EXT1a2b3c4d5e6f7' }),
  aws_iam_instance_profile: (r) => ({ arn: iam(`instance-profile/${r.name}`), id: r.name }),
  aws_iam_role: (r) => ({ arn: iam(`role/${r.name}`), id: r.name, unique_id: 'AROAEXAMPLE' }),
  aws_security_group: () => ({ id: 'sg-0123456789abcdef0' }),
  aws_sns_topic: (r) => ({ arn: arn('sns', r.name), id: arn('sns', r.name) }),
  aws_ssm_document: (r) => ({ arn: arn('ssm', `document/${r.name}`), id: r.name }),
  'data.aws_caller_identity': () => ({ account_id: ACCOUNT, arn: iam('user/test'), id: ACCOUNT }),
  'data.aws_ecs_cluster': (r) => ({ arn: arn('ecs', `cluster/${r.cluster_name}`) }),
  'data.aws_partition': () => ({ partition: PARTITION, dns_suffix: 'amazonaws.com', id: PARTITION }),
  'data.aws_region': () => ({ region: REGION, id: REGION, name: REGION }),
  'data.aws_ssm_parameter': () => ({ value: 'ami-0123456789abcdef0' }),
  'data.aws_subnets': () => ({ ids: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'] }),
  'data.aws_vpc': () => ({ id: 'vpc-0123456789abcdef0' }),
};

function placeholder(name, type) {
  if (type === 'string') return `made-up-${name}`;
  if (type === 'number') return 1;
  if (type === 'bool') return false;
  if (type[0] === 'map') return {};
  if (type[0] === 'object') {
    return Object.fromEntries(Object.entries(type[1]).map(([key, of]) => [key, placeholder(key, of)]));
  }
  return [];
}

/** Names of attributes that only AWS sets but the configuration does, as AWS's provider refuses them. */
function readOnly(block, value) {
  if (value === null || value instanceof Unknown) return [];
  const set = block.attributes.filter(
    ({ name, required, optional }) => !required && !optional && value[name] !== null && value[name] !== undefined
  );
  return [
    ...set.map(({ name }) => name),
    ...block.block_types.flatMap(({ type_name, block: nested }) =>
      [value[type_name]].flat().flatMap((one) => readOnly(nested, one ?? null))
    ),
  ];
}

/** `value` with each computed attribute that is `from` (null or unknown) replaced. */
function fill(block, value, isOpen, replacement) {
  if (value === null || value instanceof Unknown) return value;
  const filled = { ...value };
  for (const { name, type, computed } of block.attributes) {
    if (computed && isOpen(filled[name])) filled[name] = replacement(name, type);
  }
  for (const { type_name, block: nested } of block.block_types) {
    const found = filled[type_name];
    if (Array.isArray(found)) {
      filled[type_name] = found.map((one) => fill(nested, one, isOpen, replacement));
    } else if (found) {
      filled[type_name] = fill(nested, found, isOpen, replacement);
    }
  }
  return filled;
}

function answered(schemas, kind, type, value) {
  const known = ANSWERS[kind + type]?.(value) ?? {};
  if ('tags_all' in value) known.tags_all = value.tags;
  const isOpen = (v) => v === null || v === undefined || v instanceof Unknown;
  const top = Object.fromEntries(Object.entries(known).filter(([name]) => name in value && isOpen(value[name])));
  return fill(schemas[type].block, { ...value, ...top }, isOpen, placeholder);
}

// --- the provider -------------------------------------------------------------------------------

const resources = {};
const dataSources = {};
for (const type of types) {
  const isData = type.startsWith('data.');
  const name = isData ? type.slice('data.'.length) : type;
  const schema = schemaOf(library, name, isData ? 'data' : 'resource');
  if (schema) (isData ? dataSources : resources)[name] = schema;
}
const encodeTypes = ({ attributes, block_types }) => ({
  attributes: attributes.map((a) => ({ ...a, type: Buffer.from(JSON.stringify(a.type)) })),
  block_types: block_types.map((b) => ({ ...b, block: encodeTypes(b.block) })),
});
const encodeSchema = ({ version, block }) => ({ version, block: encodeTypes(block) });
const encodeAll = (all) =>
  Object.fromEntries(Object.entries(all).map(([type, schema]) => [type, encodeSchema(schema)]));

const SCHEMAS = {
  provider: encodeSchema(schemaOf(library, 'aws', 'provider')),
  resource_schemas: encodeAll(resources),
  data_source_schemas: encodeAll(dataSources),
};

const verdict = (schema, value) => ({
  diagnostics: readOnly(schema.block, unpack(value)).map((name) => ({
    severity: 1,
    summary: 'Value for unconfigurable attribute',
    detail: `Only AWS decides the value of "${name}".`,
  })),
});

const calls = {
  GetSchema: () => SCHEMAS,
  PrepareProviderConfig: ({ config }) => ({ prepared_config: config }),
  ValidateResourceTypeConfig: ({ type_name, value }) => verdict(resources[type_name], value),
  ValidateDataSourceConfig: ({ type_name, value }) => verdict(dataSources[type_name], value),
  Configure: () => ({}),
  Stop: () => ({}),
  UpgradeResourceState: ({ raw_state }) => ({ upgraded_state: { json: raw_state.json } }),
  ReadResource: ({ value }) => ({ state: value }),
  PlanResourceChange: ({ type_name, proposed }) => {
    const planned = fill(
      resources[type_name].block,
      unpack(proposed),
      (v) => v === null || v === undefined,
      () => UNKNOWN
    );
    return { planned_state: pack(planned) };
  },
  ApplyResourceChange: ({ type_name, proposed }) => {
    const planned = unpack(proposed);
    return { new_state: pack(planned && answered(resources, '', type_name, planned)) };
  },
  ReadDataSource: ({ type_name, value }) => ({
    state: pack(answered(dataSources, 'data.', type_name, unpack(value))),
  }),
};

const definition = grpc.loadPackageDefinition(
  proto.loadSync(path.join(__dirname, 'plugin.proto'), { keepCase: true, defaults: true })
);
const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
server.addService(
  definition.tfplugin5.Provider.service,
  Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      ({ request }, done) => {
        try {
          done(null, call(request));
        } catch (error) {
          done({ code: grpc.status.INTERNAL, details: `${name} ${request.type_name}: ${error.stack}` });
        }
      },
    ])
  )
);
server.bindAsync(`unix:${socket}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  const address = {
    Protocol: 'grpc',
    ProtocolVersion: 5,
    Pid: process.pid,
    Test: true,
    Addr: { Network: 'unix', String: socket },
  };
  process.stdout.write(`${JSON.stringify({ 'registry.terraform.io/hashicorp/aws': address })}\n`);
});
process.stdin.resume();
process.stdin.on('close', () => process.exit(0));
